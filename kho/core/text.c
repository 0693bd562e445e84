/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/text.h"

#include <stdint.h>
#include <string.h>

#include "kho/core/cleanup.h"

/* Length of the character that TEXT begins with, and its code point; 0 if it is none. */
static size_t character(const char *text, size_t size, uint32_t *ret)
{
	static const uint32_t smallest[] = {0, 0x1, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text;
	uint32_t code = p[0];
	size_t n = code < 0x80 ? 1 : code >> 5 == 0x6 ? 2 : code >> 4 == 0xe ? 3 : 4;

	if (n > size || (n == 4 && code >> 3 != 0x1e))
		return 0;
	if (n > 1)
		code &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 0x2)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret = code;
	return n;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

bool text_is_utf8(const char *text, size_t size)
{
	uint32_t code;

	for (size_t n; size > 0; text += n, size -= n) {
		n = character(text, size, &code);
		if (n == 0)
			return false;
	}
	return true;
}

bool text_is_printable(const char *text, size_t size)
{
	uint32_t code;

	for (size_t n; size > 0; text += n, size -= n) {
		n = character(text, size, &code);
		if (n == 0 || is_control(code))
			return false;
	}
	return true;
}

char *text_vformat(size_t max, const char *format, va_list ap)
{
	char *text;
	int length = vasprintf(&text, format, ap);
	uint32_t code;

	if (length < 0)
		return NULL;
	for (size_t i = 0, n; i < (size_t)length; i += n) {
		n = character(text + i, length - i, &code);
		if (n == 0 || is_control(code)) {
			n = n ? n : 1;
			memset(text + i, '?', n);
		}
		if (i + n > max) {
			text[i] = '\0';
			break;
		}
	}
	return text;
}

char *text_format(size_t max, const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	text = text_vformat(max, format, ap);
	va_end(ap);
	return text;
}

int text_lookup(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}
