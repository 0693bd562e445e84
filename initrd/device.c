/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initrd/device.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kho/core/cleanup.h"

#define BLOCK "/sys/class/block"

bool device_uevent_has(const char *uevent, const char *key, const char *value)
{
	size_t key_length = strlen(key), value_length = strlen(value);

	for (const char *line = uevent; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, key, key_length) == 0 && line[key_length] == '=' &&
		    strncasecmp(line + key_length + 1, value, value_length) == 0 &&
		    strcspn(line + key_length + 1, "\n") == value_length)
			return true;
	return false;
}

static bool read_text(const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n < 0)
		return false;
	buf[n] = '\0';
	return true;
}

/* The name, below /sys/class/block, of the one whose uevent has it. */
static int find_by_uevent(const char *key, const char *value, char ret[static 256])
{
	DIR *dir = opendir(BLOCK);
	struct dirent *entry;
	int r = -ENODEV;

	if (!dir)
		return -errno;
	while (r < 0 && (entry = readdir(dir))) {
		char path[DEVICE_PATH_MAX], text[4096];

		snprintf(path, sizeof(path), BLOCK "/%s/uevent", entry->d_name);
		if (!read_text(path, text, sizeof(text)) || !device_uevent_has(text, key, value))
			continue;
		strcpy(ret, entry->d_name);
		r = 0;
	}
	closedir(dir);
	return r;
}

/* The partition of the same disk whose number is that of name plus offset. */
static int find_neighbour(const char *name, int offset, char ret[static 256])
{
	char path[DEVICE_PATH_MAX], text[32], number[32];
	DIR *dir;
	struct dirent *entry;
	int r = -ENODEV;

	snprintf(path, sizeof(path), BLOCK "/%s/partition", name);
	if (!read_text(path, text, sizeof(text)))
		return -ENODEV;
	snprintf(number, sizeof(number), "%d\n", atoi(text) + offset);
	snprintf(path, sizeof(path), BLOCK "/%s/..", name);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (r < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), BLOCK "/%s/../%s/partition", name, entry->d_name);
		if (!read_text(path, text, sizeof(text)) || strcmp(text, number) != 0)
			continue;
		strcpy(ret, entry->d_name);
		r = 0;
	}
	closedir(dir);
	return r;
}

static int find_by_partuuid(const char *value, char ret[static 256])
{
	char id[64], name[256];
	size_t length = strcspn(value, "/");
	int offset = 0, r;

	if (length == 0 || length >= sizeof(id))
		return -EINVAL;
	memcpy(id, value, length);
	id[length] = '\0';
	if (value[length] && sscanf(value + length, "/PARTNROFF=%d", &offset) != 1)
		return -EINVAL;
	r = find_by_uevent("PARTUUID", id, name);
	if (r < 0 || offset == 0)
		return r < 0 ? r : (strcpy(ret, name), 0);
	return find_neighbour(name, offset, ret);
}

static int make_node(const char *root, const char *node)
{
	unsigned int major, minor;

	if (!root_spec_number(root, &major, &minor))
		return -EINVAL;
	(void)unlink(node);
	return mknod(node, S_IFBLK | 0600, makedev(major, minor)) < 0 ? -errno : 0;
}

int device_find(const struct root_spec *spec, const char *node, char path[static DEVICE_PATH_MAX])
{
	char name[256];
	struct stat st;
	int r;

	switch (root_spec_kind(spec)) {
	case ROOT_PATH:
		snprintf(path, DEVICE_PATH_MAX, "%s", spec->root);
		return stat(path, &st) == 0 && S_ISBLK(st.st_mode) ? 0 : -ENODEV;
	case ROOT_NUMBER:
		snprintf(path, DEVICE_PATH_MAX, "%s", node);
		return make_node(spec->root, node);
	case ROOT_PARTUUID:
		r = find_by_partuuid(spec->root + strlen("PARTUUID="), name);
		break;
	case ROOT_PARTLABEL:
		r = find_by_uevent("PARTNAME", spec->root + strlen("PARTLABEL="), name);
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (r >= 0)
		snprintf(path, DEVICE_PATH_MAX, "/dev/%s", name);
	return r;
}
