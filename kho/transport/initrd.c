/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/initrd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "kho/kernel/memory.h"
#include "kho/transport/initrd-archive.h"
#include "kho/transport/initrd-format.h"
#include "kho/transport/initrd-private.h"
#include "kho/transport/message.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define FILE_MODE 0600
/* Of memory that no update takes: for everybody else. */
#define RESERVE (UINT64_C(32) << 20)
/*
 * Head and member of a slice for each run of it, which has a page at least; of a region, with its
 * index; of the rest, the tree among it.
 */
#define RUN_OVERHEAD UINT64_C(256)
#define REGION_OVERHEAD UINT64_C(4096)
#define ARCHIVE_OVERHEAD (UINT64_C(1) << 20)
/* What is written to see how fast memory is. */
#define SAMPLE_SIZE ((size_t)8 << 20)
/* How often the bytes are moved: to the archive, twice by kexec, twice to be hashed and unpacked.
 */
#define MOVES 5

uint64_t initrd_archive_size_max(size_t n_regions, uint64_t bytes)
{
	return bytes + bytes / COPY_PAGE_SIZE * RUN_OVERHEAD + n_regions * REGION_OVERHEAD +
	       ARCHIVE_OVERHEAD;
}

uint64_t initrd_memory_needed(uint64_t archive_size, uint64_t initrd_size)
{
	return 3 * (archive_size + initrd_size);
}

static int memory_new(void)
{
	int fd = memfd_create("kho-initrd", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("kho-initrd", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static uint64_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Nanoseconds that it takes to put SAMPLE_SIZE bytes into new memory; 0: it can't be told. */
static uint64_t time_sample(void)
{
	_cleanup_close_ int fd = memory_new();
	_cleanup_free_ void *bytes = calloc(1, SAMPLE_SIZE);
	uint64_t begin = now_nsec();

	if (fd < 0 || !bytes || pwrite(fd, bytes, SAMPLE_SIZE, 0) != SAMPLE_SIZE)
		return 0;
	return now_nsec() - begin;
}

/* What kernel and initrd may take besides is little (kernel/kexec_core.c,
 * sanity_check_segment_list).
 */
static uint64_t room_to_load(void)
{
	struct sysinfo info;
	uint64_t half, spare = RESERVE * 4;

	if (sysinfo(&info) < 0)
		return 0;
	half = (uint64_t)info.totalram * info.mem_unit / 2;
	return half > spare ? half - spare : 0;
}

static int initrd_room(const char *where, size_t n_regions, uint64_t bytes, uint64_t *ret_usec,
		       char **ret_message)
{
	uint64_t size = initrd_archive_size_max(n_regions, bytes), headroom,
		 need = initrd_memory_needed(size, 0);
	char text[4][BYTES_MAX];
	_cleanup_free_ char *path = NULL;
	struct memory_room room;
	int r = memory_room(&room);

	if (r >= 0)
		r = cgroup_memory_headroom(&headroom, &path);
	if (r < 0) {
		message_set(ret_message, "can't tell how much memory is free: %s", strerror(-r));
		return r;
	}
	if (need + RESERVE > room.available) {
		message_set(ret_message,
			    "not enough memory for a copy in the initrd: %s are copied, and stand "
			    "in memory three times while the kernel is loaded, %s; %s are "
			    "available, %s of which stay reserved",
			    format_bytes(text[0], size), format_bytes(text[1], need),
			    format_bytes(text[2], room.available), format_bytes(text[3], RESERVE));
		return -ENOSPC;
	}
	if (size > room_to_load()) {
		message_set(
			ret_message,
			"a copy in the initrd takes %s, and kexec_load(2) takes %s at most, half "
			"of the memory",
			format_bytes(text[0], size), format_bytes(text[1], room_to_load()));
		return -ENOSPC;
	}
	if (size > headroom) {
		message_set(ret_message,
			    "a copy in the initrd takes %s, and memory.max of cgroup %s leaves %s: "
			    "raise it",
			    format_bytes(text[0], size), path, format_bytes(text[1], headroom));
		return -ENOSPC;
	}
	*ret_usec = time_sample() * (size / SAMPLE_SIZE + 1) * MOVES / 1000;
	return 0;
}

struct carrier_load *initrd_load_new(void)
{
	struct carrier_load *load = calloc(1, sizeof(*load));

	if (load)
		load->memory = load->directory = -EBADF;
	return load;
}

struct carrier_load *initrd_close(struct carrier_load *load)
{
	if (!load)
		return NULL;
	safe_close(load->memory);
	safe_close(load->directory);
	free(load);
	return NULL;
}

static int add_file(struct carrier_load *load, const char *name, const struct iovec *parts,
		    size_t n_parts)
{
	char path[sizeof(INITRD_DIRECTORY) + INITRD_NAME_MAX];

	snprintf(path, sizeof(path), INITRD_DIRECTORY "/%s", name);
	return initrd_archive_add(&load->archive, path, FILE_MODE, parts, n_parts);
}

static int add_bytes(struct carrier_load *load, const char *name, const void *bytes, size_t size)
{
	const struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};

	return add_file(load, name, &part, 1);
}

static int begin_archive(struct carrier_load *load, const char *update_id)
{
	int r;

	load->memory = memory_new();
	if (load->memory < 0)
		return load->memory;
	r = initrd_archive_begin(&load->archive, load->memory);
	if (r >= 0)
		r = initrd_archive_add_directory(&load->archive, "kho", 0);
	if (r >= 0)
		r = initrd_archive_add_directory(&load->archive, INITRD_DIRECTORY, 0);
	return r < 0 ? r : add_bytes(load, INITRD_UPDATE_FILE, update_id, strlen(update_id));
}

static int initrd_create(const char *where, const char *update_id, struct carrier_load **ret,
			 char **ret_message)
{
	_cleanup_(initrd_closep) struct carrier_load *load = initrd_load_new();
	int r = load ? begin_archive(load, update_id) : -ENOMEM;

	if (r < 0) {
		message_set(ret_message, "can't begin an archive in memory: %s", strerror(-r));
		return r;
	}
	*ret = TAKE_PTR(load);
	return 0;
}

struct put {
	struct carrier_load *load;
	uint32_t id;
	struct initrd_index index;
};

static int put_slice(void *userdata, const struct copy_slice *slice)
{
	struct initrd_slice_head head;
	struct iovec parts[COPY_RUNS_MAX + 1];
	struct put *put = userdata;
	char name[INITRD_NAME_MAX];

	parts[0] =
		(struct iovec){.iov_base = &head, .iov_len = initrd_slice_head_build(slice, &head)};
	for (size_t i = 0; i < slice->n_runs; i++)
		parts[i + 1] = (struct iovec){.iov_base = slice->data + slice->runs[i].offset,
					      .iov_len = slice->runs[i].length};
	initrd_slice_name(name, put->id, slice->number);
	/* Each slice has its own place there. */
	memcpy(put->index.digests[slice->number], slice->digest, COPY_DIGEST_SIZE);
	return add_file(put->load, name, parts, slice->n_runs + 1);
}

static int put_index(struct put *put)
{
	_cleanup_free_ void *bytes = NULL;
	char name[INITRD_NAME_MAX];
	size_t size;
	int r = initrd_index_build(&put->index, &bytes, &size);

	initrd_index_name(name, put->id);
	return r < 0 ? r : add_bytes(put->load, name, bytes, size);
}

/* What is half written would end the archive for the kernel that reads it. */
static void take_back(struct carrier_load *load, uint64_t end)
{
	load->archive.end = end;
	if (ftruncate(load->memory, (off_t)end) < 0)
		load->broken = true;
}

static int initrd_put(struct carrier_load *load, const struct carrier_item *item,
		      struct copy_progress *progress, char **ret_message)
{
	struct put put = {.load = load, .id = item->id};
	const struct copy_sink sink = {.put = put_slice, .userdata = &put};
	uint64_t end = load->archive.end;
	int r = load->sealed || load->memory < 0 ? -EROFS : 0;

	if (r >= 0)
		r = initrd_index_init(&put.index, item->size, item->page_size);
	if (r >= 0)
		r = copy_out(item->fd, item->size, &sink, progress);
	if (r >= 0)
		r = put_index(&put);
	initrd_index_done(&put.index);
	if (r >= 0)
		return 0;
	take_back(load, end);
	message_set(ret_message, "%s: can't be copied to the initrd: %s", item->label,
		    strerror(-r));
	return r;
}

static int initrd_seal(struct carrier_load *load, const void *tree, size_t tree_size,
		       char **ret_message)
{
	int r = load->sealed || load->broken || load->memory < 0 ? -EROFS : 0;

	if (r >= 0)
		r = add_bytes(load, INITRD_TREE_FILE, tree, tree_size);
	if (r >= 0)
		r = initrd_archive_end(&load->archive);
	/* The last bytes may be of padding that nobody had to write. */
	if (r >= 0 && ftruncate(load->memory, (off_t)load->archive.end) < 0)
		r = -errno;
	if (r < 0) {
		message_set(ret_message, "can't end the archive for the initrd: %s", strerror(-r));
		return r;
	}
	load->sealed = true;
	return 0;
}

int initrd_take_archive(struct carrier_load *load)
{
	if (load->memory < 0)
		return -ENODATA;
	return load->sealed ? TAKE_FD(load->memory) : -EBUSY;
}

const struct carrier carrier_initrd = {
	.name = "initrd",
	.manner = "by copy in the initrd",
	.room = initrd_room,
	.create = initrd_create,
	.put = initrd_put,
	.seal = initrd_seal,
	.take = initrd_take_archive,
	.open = initrd_open,
	.get = initrd_get,
	.close = initrd_close,
	.drop = initrd_drop,
	.discard = initrd_discard,
};
