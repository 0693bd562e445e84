/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/mman.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image-ikconfig.h"
#include "kho/kernel/unpack.h"

#define PACKED_MAX (4u << 20)
#define TEXT_MAX (16u << 20)

struct text {
	char *bytes;
	size_t size;
};

void ikconfig_done(struct ikconfig *ikconfig)
{
	free(ikconfig->text);
	free(ikconfig->packed);
	*ikconfig = (struct ikconfig){};
}

static int keep(struct ikconfig *ikconfig, const uint8_t *begin, size_t n)
{
	if (ikconfig->size + n > PACKED_MAX) {
		ikconfig->size = PACKED_MAX + 1; /* and no less until its end */
		return 0;
	}
	if (ikconfig->size + n > ikconfig->room) {
		size_t room = ikconfig->size + n > 65536 ? PACKED_MAX : 65536;
		uint8_t *grown = realloc(ikconfig->packed, room);

		if (!grown)
			return -ENOMEM;
		ikconfig->packed = grown;
		ikconfig->room = room;
	}
	memcpy(ikconfig->packed + ikconfig->size, begin, n);
	ikconfig->size += n;
	return 0;
}

static int add_text(void *userdata, const uint8_t *data, size_t n)
{
	struct text *text = userdata;
	char *grown;

	if (text->size + n > TEXT_MAX)
		return 1;
	grown = realloc(text->bytes, text->size + n + 1);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + text->size, data, n);
	text->bytes = grown;
	text->size += n;
	grown[text->size] = '\0';
	return 0;
}

/* What only looks like a configuration is passed over. */
static int unpack_text(struct ikconfig *ikconfig)
{
	const struct compression *compression;
	_cleanup_free_ char *message = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct text text = {};
	struct span span;
	int r;

	if (ikconfig->size > PACKED_MAX)
		return 0;
	compression = compression_of(ikconfig->packed, ikconfig->size);
	if (!compression)
		return 0;
	fd = memfd_create("ikconfig", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	span = (struct span){.fd = fd, .size = ikconfig->size};
	if (write(fd, ikconfig->packed, ikconfig->size) != (ssize_t)ikconfig->size)
		return -ENOMEM;
	r = unpack(&span, compression, add_text, &text, NULL, &message);
	if (r == 0 && text.bytes && strstr(text.bytes, "CONFIG_"))
		ikconfig->text = TAKE_PTR(text.bytes);
	free(text.bytes);
	return r == -ENOMEM ? r : 0;
}

/* Where the mark begins, or end. */
static const uint8_t *find_mark(const uint8_t *begin, const uint8_t *end, const char *mark)
{
	const uint8_t *hit = memmem(begin, (size_t)(end - begin) + IKCONFIG_MARK_SIZE - 1, mark,
				    IKCONFIG_MARK_SIZE);

	return hit ?: end;
}

int ikconfig_add(struct ikconfig *ikconfig, const uint8_t *begin, const uint8_t *end)
{
	while (begin < end && !ikconfig->text) {
		const uint8_t *mark;
		int r = 0;

		if (ikconfig->skip > 0) {
			begin++;
			ikconfig->skip--;
			continue;
		}
		mark = find_mark(begin, end, ikconfig->within ? "IKCFG_ED" : "IKCFG_ST");
		if (ikconfig->within)
			r = keep(ikconfig, begin, (size_t)(mark - begin));
		if (r == 0 && mark < end && ikconfig->within)
			r = unpack_text(ikconfig);
		if (r < 0)
			return r;
		if (mark < end) {
			ikconfig->within = !ikconfig->within;
			ikconfig->size = 0;
			ikconfig->skip = IKCONFIG_MARK_SIZE;
		}
		begin = mark;
	}
	return 0;
}
