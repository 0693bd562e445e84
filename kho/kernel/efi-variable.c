/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/efi-variable.h"
#include "kho/kernel/file.h"

#define VARIABLE "sys/firmware/efi/efivars/%s-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define ATTRIBUTES_SIZE 4
#define SIZE_LIMIT 4096

/* UTF-16, little endian, and perhaps without an end. */
static int decode(const uint8_t *data, size_t size, char *to)
{
	if (size % 2 != 0)
		return -EBADMSG;
	for (size_t i = 0; i < size && data[i] != 0; i += 2) {
		if (data[i + 1] != 0 || data[i] > 0x7e || data[i] < 0x20)
			return -EBADMSG;
		*to++ = (char)data[i];
	}
	*to = '\0';
	return 0;
}

int efi_loader_string(int root_fd, const char *name, char **ret)
{
	_cleanup_free_ char *path = NULL, *data = NULL, *text = NULL;
	size_t size;
	int r;

	if (asprintf(&path, VARIABLE, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = read_file_at(root_fd, path, SIZE_LIMIT, &data, &size);
	if (r < 0)
		return r == -ENOTDIR ? -ENOENT : r;
	if (size <= ATTRIBUTES_SIZE)
		return -ENOENT;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	r = decode((const uint8_t *)data + ATTRIBUTES_SIZE, size - ATTRIBUTES_SIZE, text);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	return 0;
}
