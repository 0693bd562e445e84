/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/initrd-kind.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "kho/core/cleanup.h"

#define BLOCK_SIZE 65536
#define HEADER_SIZE 110
#define NAME_SIZE_MAX 4096

/* What is in an initrd that keeps copies. */
static bool is_telling(const char *name)
{
	static const char *const names[] = {
		"usr/lib/systemd/systemd", "lib/systemd/systemd",  "usr/lib/dracut/hooks",
		"lib/dracut/hooks",	   "var/lib/dracut/hooks", "scripts/init-bottom/kho",
	};

	name += strspn(name, "./");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int read_hex(const char *digits, unsigned long *ret)
{
	char text[9], *end;

	memcpy(text, digits, 8);
	text[8] = '\0';
	*ret = strtoul(text, &end, 16);
	return *end ? -EBADMSG : 0;
}

/*
 * One member of an archive that is not compressed: libarchive stops at the end of the first, and
 * does not say where that is. 1: there was one, and *offset is behind it; 0: something else begins
 * here.
 */
static int skip_member(int fd, off_t *offset, bool *ret_telling)
{
	char header[HEADER_SIZE], name[NAME_SIZE_MAX + 1];
	unsigned long size, name_size;

	if (pread(fd, header, sizeof(header), *offset) != sizeof(header) ||
	    memcmp(header, "07070", 5) != 0)
		return 0;
	if (read_hex(header + 6 + 6 * 8, &size) < 0 ||
	    read_hex(header + 6 + 11 * 8, &name_size) < 0 || name_size > NAME_SIZE_MAX)
		return -EBADMSG;
	if (pread(fd, name, name_size, *offset + HEADER_SIZE) != (ssize_t)name_size)
		return -EBADMSG;
	name[name_size] = '\0';
	*ret_telling = is_telling(name);
	*offset += (off_t)((HEADER_SIZE + name_size + 3) & ~3UL);
	*offset += (off_t)((size + 3) & ~3UL);
	return 1;
}

/* Between archives there are zeros. */
static int skip_zeros(int fd, off_t *offset)
{
	char block[BLOCK_SIZE];
	ssize_t n;

	while ((n = pread(fd, block, sizeof(block), *offset)) > 0)
		for (ssize_t i = 0; i < n; i++, ++*offset)
			if (block[i])
				return 1;
	return n < 0 ? -errno : 0;
}

/* The archives ahead that are not compressed: microcode, and all there is if it is none. */
static int look_at_plain(int fd, off_t *offset)
{
	bool telling = false;
	int r;

	do {
		r = skip_member(fd, offset, &telling);
		if (r == 0) {
			off_t before = *offset;

			r = skip_zeros(fd, offset);
			if (r > 0 && *offset == before)
				return 0; /* compressed */
		}
	} while (r > 0 && !telling);
	return telling ? 1 : r < 0 ? r : -ENODATA;
}

static int look_at_compressed(int fd)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int r = ARCHIVE_FATAL, found = 0;

	if (!a)
		return -ENOMEM;
	archive_read_support_filter_all(a);
	archive_read_support_format_cpio(a);
	if (archive_read_open_fd(a, fd, BLOCK_SIZE) == ARCHIVE_OK)
		while (!found && (r = archive_read_next_header(a, &entry)) == ARCHIVE_OK)
			found = is_telling(archive_entry_pathname(entry) ?: "");
	archive_read_free(a);
	return found || r == ARCHIVE_EOF ? found : -EBADMSG;
}

static int look(int fd)
{
	off_t offset = 0;
	int r = look_at_plain(fd, &offset);

	if (r == -ENODATA)
		return 0;
	if (r != 0)
		return r;
	if (lseek(fd, offset, SEEK_SET) < 0)
		return -errno;
	return look_at_compressed(fd);
}

int initrd_keeps_copies(const char *path, char **ret_message)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : look(fd), n;

	*ret_message = NULL;
	if (r > 0)
		return 0;
	if (r == 0)
		n = asprintf(ret_message,
			     "%s would delete copies that come with it: it has neither systemd nor "
			     "dracut, nor the script of kho-tools; update-initramfs -u adds that",
			     path);
	else
		n = asprintf(ret_message, "%s can't be looked into: %s", path,
			     r == -EBADMSG ? "it is no cpio archive" : strerror(-r));
	if (n < 0)
		*ret_message = NULL;
	return r == 0 ? -EOPNOTSUPP : r;
}
