/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "kexec/staged-file.h"
#include "kho/core/cleanup.h"

#define CHUNK ((size_t)1 << 20)

static int fail(char **ret_error, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char **ret_error, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(ret_error, format, ap) < 0) {
		*ret_error = NULL;
		error = -ENOMEM;
	}
	va_end(ap);
	return error;
}

void staged_file_done(struct staged_file *file)
{
	free(file->path);
	*file = (struct staged_file){};
}

static int digest(int fd, XXH3_state_t *state)
{
	_cleanup_free_ char *chunk = malloc(CHUNK);
	ssize_t n;

	if (!chunk)
		return -ENOMEM;
	XXH3_128bits_reset(state);
	while ((n = read(fd, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		XXH3_128bits_update(state, chunk, (size_t)n);
	}
	return 0;
}

static int take_digest(int fd, char ret[static 33])
{
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t hash;
	int r = state ? digest(fd, state) : -ENOMEM;

	if (r >= 0) {
		hash = XXH3_128bits_digest(state);
		snprintf(ret, 33, "%016llx%016llx", (unsigned long long)hash.high64,
			 (unsigned long long)hash.low64);
	}
	XXH3_freeState(state);
	return r;
}

static int identify(const char *path, bool content, struct staged_file *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret = (struct staged_file){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime_nsec = (uint64_t)st.st_mtim.tv_sec * UINT64_C(1000000000) +
			      (uint64_t)st.st_mtim.tv_nsec,
	};
	return content ? take_digest(fd, ret->digest) : 0;
}

int staged_file_identify(const char *path, struct staged_file *ret, char **ret_error)
{
	_cleanup_free_ char *absolute = realpath(path, NULL);
	int r = absolute ? identify(absolute, true, ret) : -errno;

	if (r < 0)
		return fail(ret_error, r, "%s: %s", path, strerror(-r));
	ret->path = TAKE_PTR(absolute);
	return 0;
}

int staged_file_verify(const struct staged_file *file, bool content, char **ret_error)
{
	struct staged_file now;
	int r = identify(file->path, content, &now);

	if (r < 0)
		return fail(ret_error, r, "%s: %s", file->path, strerror(-r));
	if (now.device == file->device && now.inode == file->inode && now.size == file->size &&
	    now.mtime_nsec == file->mtime_nsec &&
	    (!content || strcmp(now.digest, file->digest) == 0))
		return 0;
	return fail(ret_error, -ESTALE, "%s has changed since it was checked", file->path);
}
