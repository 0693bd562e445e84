/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/paths.h"
#include "kho/transport/initrd-format.h"
#include "kho/transport/initrd-private.h"
#include "kho/transport/message.h"

#define RUNTIME_FILE "handover"
#define UPDATE_ID_MAX 64

static int open_directory(void)
{
	_cleanup_free_ char *path = runtime_path(RUNTIME_FILE);
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!path)
		return -ENOMEM;
	return fd < 0 ? -errno : fd;
}

/* *ret is the caller's to free. -EFBIG: it is longer than max. */
static int read_file(int directory, const char *name, size_t max, void **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t have = 0, size;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	size = (size_t)st.st_size;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	while (have < size) {
		ssize_t n = read(fd, bytes + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	*ret = TAKE_PTR(bytes);
	*ret_size = have;
	return 0;
}

/* Whether what is there is of that update: 0, -ENOENT if not. */
static int check_update(int directory, const char *update_id)
{
	_cleanup_free_ void *bytes = NULL;
	size_t size;
	int r = read_file(directory, INITRD_UPDATE_FILE, UPDATE_ID_MAX, &bytes, &size);

	if (r < 0)
		return r;
	return size == strlen(update_id) && !memcmp(bytes, update_id, size) ? 0 : -ENOENT;
}

static int open_update(const char *update_id)
{
	_cleanup_close_ int directory = open_directory();
	int r = directory < 0 ? directory : check_update(directory, update_id);

	return r < 0 ? r : TAKE_FD(directory);
}

int initrd_open(const char *where, const char *update_id, struct carrier_load **ret,
		char **ret_message)
{
	_cleanup_(initrd_closep) struct carrier_load *load = initrd_load_new();

	if (!load)
		return -ENOMEM;
	load->directory = open_update(update_id);
	if (load->directory == -ENOENT)
		message_set(ret_message,
			    "no copy of update %s came with the initrd: the initrd has to bring "
			    "/kho/handover to %s/" RUNTIME_FILE ", see kho-initrd(8)",
			    update_id, runtime_dir());
	else if (load->directory < 0)
		message_set(ret_message, "the copy that came with the initrd can't be read: %s",
			    strerror(-load->directory));
	if (load->directory < 0)
		return load->directory;
	*ret = TAKE_PTR(load);
	return 0;
}

struct get {
	int directory;
	int memory;
	uint32_t id;
	struct initrd_index index;
};

static int read_index(int directory, uint32_t id, struct initrd_index *ret)
{
	_cleanup_free_ void *bytes = NULL;
	char name[INITRD_NAME_MAX];
	size_t size;
	int r;

	initrd_index_name(name, id);
	r = read_file(directory, name, INITRD_INDEX_SIZE_MAX, &bytes, &size);
	return r < 0 ? r : initrd_index_parse(bytes, size, ret);
}

/*
 * A slice whose file is gone is in memory already if an earlier khod was ended half way; its digest
 * says whether it is.
 */
static int read_back(const struct get *get, struct copy_slice *slice)
{
	off_t at = (off_t)(slice->number * COPY_SLICE_SIZE);
	size_t have = 0;

	while (have < slice->length) {
		ssize_t n = pread(get->memory, slice->data + have, slice->length - have,
				  at + (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		have += (size_t)n;
	}
	return 0;
}

static int get_slice(void *userdata, struct copy_slice *slice, uint8_t ret_digest[COPY_DIGEST_SIZE])
{
	static const uint8_t empty[COPY_DIGEST_SIZE];
	_cleanup_free_ void *bytes = NULL;
	const struct get *get = userdata;
	char name[INITRD_NAME_MAX];
	size_t size;
	int r;

	memcpy(ret_digest, get->index.digests[slice->number], COPY_DIGEST_SIZE);
	if (!memcmp(ret_digest, empty, sizeof(empty)))
		return 0;
	initrd_slice_name(name, get->id, slice->number);
	r = read_file(get->directory, name, sizeof(struct initrd_slice_head) + COPY_SLICE_SIZE,
		      &bytes, &size);
	if (r == -ENOENT)
		return read_back(get, slice);
	if (r == -EFBIG)
		return -EBADMSG;
	return r < 0 ? r : initrd_slice_parse(bytes, size, slice);
}

/* Its memory goes at once: in the initrd's file system, to remove a file is to free it. */
static void got_slice(void *userdata, const struct copy_slice *slice)
{
	const struct get *get = userdata;
	char name[INITRD_NAME_MAX];

	if (slice->n_runs == 0)
		return;
	initrd_slice_name(name, get->id, slice->number);
	(void)unlinkat(get->directory, name, 0);
}

/* Memory that some of it is in is the caller's: those slices are nowhere else any more. */
static int get_memory(struct get *get, struct carrier_item *item, struct copy_progress *progress)
{
	const struct copy_source source = {.get = get_slice, .got = got_slice, .userdata = get};

	if (item->size != get->index.size || item->page_size != get->index.page_size)
		return -EBADMSG;
	if (item->fd < 0)
		item->fd = copy_memory_new(item->size, item->page_size);
	if (item->fd < 0)
		return item->fd;
	get->memory = item->fd;
	return copy_in(get->memory, item->size, &source, progress);
}

int initrd_get(struct carrier_load *load, struct carrier_item *item, struct copy_progress *progress,
	       char **ret_message)
{
	struct get get = {.directory = load->directory, .id = item->id};
	int r = read_index(load->directory, item->id, &get.index);

	if (r >= 0)
		r = get_memory(&get, item, progress);
	initrd_index_done(&get.index);
	if (r == -ENOENT)
		message_set(ret_message, "%s did not come with the initrd", item->label);
	else if (r == -EBADMSG)
		message_set(ret_message, "the copy of %s that came with the initrd is damaged",
			    item->label);
	else if (r < 0)
		message_set(ret_message, "%s: can't be taken from the initrd's copy: %s",
			    item->label, strerror(-r));
	return r;
}

/* Removes the files whose names begin so. */
static int remove_files(int directory, const char *prefix)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		r = -errno;
		safe_close(fd);
		return r;
	}
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    entry->d_name[0] != '.' && unlinkat(directory, entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			r = -errno;
	closedir(dir);
	return r;
}

int initrd_drop(const char *where, const char *update_id, uint32_t id)
{
	_cleanup_close_ int directory = open_update(update_id);
	char prefix[INITRD_NAME_MAX];

	if (directory < 0)
		return directory == -ENOENT ? 0 : directory;
	snprintf(prefix, sizeof(prefix), "%" PRIu32 ".", id);
	return remove_files(directory, prefix);
}

int initrd_discard(const char *where, const char *update_id)
{
	_cleanup_close_ int directory = open_update(update_id);

	if (directory < 0)
		return directory == -ENOENT ? 0 : directory;
	return remove_files(directory, "");
}
