/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/copy.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "kho/transport/parallel.h"

struct copy {
	int fd;
	int holes;	 /* another open file of the same memory, whose position is nobody's */
	uint8_t *mapped; /* hugetlb memory, which write(2) does not take; NULL: it is none */
	uint64_t size;
	const struct copy_sink *sink;
	const struct copy_source *source;
	struct copy_progress *progress;
	atomic_ullong next; /* slice that nobody has begun */
	atomic_bool failed;
};

static bool is_over(const struct copy *copy)
{
	const atomic_bool *cancel = copy->progress->cancel;

	return copy->failed || (cancel && *cancel);
}

static int read_slice(int fd, struct copy_slice *slice)
{
	size_t have = 0;

	while (have < slice->length) {
		off_t at = (off_t)(slice->number * COPY_SLICE_SIZE + have);
		ssize_t n = pread(fd, slice->data + have, slice->length - have, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		have += n;
	}
	return 0;
}

static bool is_hole(const struct copy *copy, const struct copy_slice *slice)
{
	off_t begin = (off_t)(slice->number * COPY_SLICE_SIZE), data;

	if (copy->holes < 0)
		return false;
	data = lseek(copy->holes, begin, SEEK_DATA);
	return data < 0 ? errno == ENXIO : data >= begin + (off_t)slice->length;
}

static int put_slice(struct copy *copy, struct copy_slice *slice)
{
	int r;

	copy->progress->n_read += slice->length;
	if (is_hole(copy, slice))
		return 0;
	r = read_slice(copy->fd, slice);
	if (r < 0)
		return r;
	copy_slice_scan(slice);
	if (slice->n_runs == 0)
		return 0;
	r = copy->sink->put(copy->sink->userdata, slice);
	if (r >= 0)
		copy->progress->n_copied += slice->n_bytes;
	return r;
}

static int write_run(const struct copy *copy, const struct copy_slice *slice,
		     const struct copy_run *run)
{
	uint64_t base = slice->number * COPY_SLICE_SIZE + run->offset;
	size_t done = 0;

	if (copy->mapped) {
		memcpy(copy->mapped + base, slice->data + run->offset, run->length);
		return 0;
	}
	while (done < run->length) {
		ssize_t n = pwrite(copy->fd, slice->data + run->offset + done, run->length - done,
				   (off_t)(base + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += n;
	}
	return 0;
}

/* For the next slice: what the source does not fill is zero. */
static void clear_runs(struct copy_slice *slice)
{
	for (size_t i = 0; i < slice->n_runs; i++)
		memset(slice->data + slice->runs[i].offset, 0, slice->runs[i].length);
}

static int get_slice(struct copy *copy, struct copy_slice *slice)
{
	uint8_t expected[COPY_DIGEST_SIZE] = {};
	int r = copy->source->get(copy->source->userdata, slice, expected);

	copy_slice_scan(slice);
	if (r >= 0 && memcmp(expected, slice->digest, sizeof(expected)))
		r = -EBADMSG;
	for (size_t i = 0; r >= 0 && i < slice->n_runs; i++)
		r = write_run(copy, slice, &slice->runs[i]);
	if (r >= 0 && copy->source->got)
		copy->source->got(copy->source->userdata, slice);
	clear_runs(slice);
	copy->progress->n_read += slice->length;
	if (r >= 0)
		copy->progress->n_copied += slice->n_bytes;
	return r;
}

static int copy_on_thread(size_t index, void *data)
{
	_cleanup_(copy_slice_freep) struct copy_slice *slice = copy_slice_new();
	struct copy *copy = data;
	uint64_t n = copy_slices(copy->size), number;
	int r = slice ? 0 : -ENOMEM;

	while (r >= 0 && !is_over(copy) && (number = copy->next++) < n) {
		slice->number = number;
		slice->length = copy_slice_length(copy->size, number);
		r = copy->sink ? put_slice(copy, slice) : get_slice(copy, slice);
	}
	if (r < 0)
		copy->failed = true;
	return r;
}

static int run_copy(struct copy *copy)
{
	uint64_t n = copy_slices(copy->size);
	long threads = sysconf(_SC_NPROCESSORS_ONLN);
	int r;

	if (threads < 1)
		threads = 1;
	r = parallel_for(n < (uint64_t)threads ? n : (size_t)threads, copy_on_thread, copy);
	if (r < 0)
		return r;
	return is_over(copy) ? -ECANCELED : 0;
}

int copy_out(int fd, uint64_t size, const struct copy_sink *sink, struct copy_progress *progress)
{
	_cleanup_close_ int holes = -EBADF;
	char path[32];

	/* lseek(2) on fd would move the position that its owner has. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	holes = open(path, O_RDONLY | O_CLOEXEC);
	return run_copy(&(struct copy){
		.fd = fd, .holes = holes, .size = size, .sink = sink, .progress = progress});
}

/* Whole pages, which its size is a multiple of. *ret: NULL if it is none that has to be mapped. */
static int map_hugetlb(int fd, uint64_t size, uint8_t **ret)
{
	struct statfs fs;
	void *mapped;

	*ret = NULL;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != HUGETLBFS_MAGIC || size == 0)
		return 0;
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*ret = mapped;
	return 0;
}

int copy_in(int fd, uint64_t size, const struct copy_source *source, struct copy_progress *progress)
{
	struct copy copy = {
		.fd = fd, .holes = -EBADF, .size = size, .source = source, .progress = progress};
	int r = map_hugetlb(fd, size, &copy.mapped);

	if (r < 0)
		return r;
	r = run_copy(&copy);
	if (copy.mapped)
		munmap(copy.mapped, size);
	return r;
}
