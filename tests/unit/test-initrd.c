/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kho/transport/initrd-archive.h"
#include "kho/transport/initrd-format.h"
#include "kho/transport/initrd.h"

#define UPDATE_ID "0123456789abcdef"
#define MIB ((uint64_t)1 << 20)

struct scene {
	char root[64];
	char directory[80]; /* where the archive is unpacked */
	struct carrier_load *load;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	strcpy(scene->root, "/tmp/test-initrd-XXXXXX");
	assert_non_null(mkdtemp(scene->root));
	snprintf(scene->directory, sizeof(scene->directory), "%s/handover", scene->root);
	assert_int_equal(mkdir(scene->directory, 0700), 0);
	setenv("KHO_RUNTIME_DIR", scene->root, 1);
	*state = scene;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	carrier_initrd.close(scene->load);
	nftw(scene->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(scene);
	return 0;
}

static int memory_new(uint64_t size)
{
	int fd = memfd_create("region", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

/* Pages here and there, with holes and zeros between them, and no multiple of anything. */
static int sample_new(uint64_t size)
{
	int fd = memory_new(size);
	uint8_t page[4096];

	for (uint64_t at = 0; at + sizeof(page) < size;
	     at += 5 * sizeof(page) + at / 40 / 4096 * 4096) {
		memset(page, (int)(at / 4096 % 3), sizeof(page));
		page[17] = (uint8_t)(at / 4096);
		assert_int_equal(pwrite(fd, page, sizeof(page), (off_t)at), sizeof(page));
	}
	assert_int_equal(pwrite(fd, "end", 3, (off_t)size - 3), 3);
	return fd;
}

static void assert_same(int a, int b, uint64_t size)
{
	void *x = mmap(NULL, size, PROT_READ, MAP_SHARED, a, 0),
	     *y = mmap(NULL, size, PROT_READ, MAP_SHARED, b, 0);

	assert_true(x != MAP_FAILED && y != MAP_FAILED);
	assert_memory_equal(x, y, size);
	munmap(x, size);
	munmap(y, size);
}

static void begin(struct scene *scene)
{
	char *message = NULL;

	if (carrier_initrd.create(NULL, UPDATE_ID, &scene->load, &message) < 0)
		fail_msg("%s", message);
}

static void put(struct scene *scene, uint32_t id, int fd, uint64_t size)
{
	const struct carrier_item item = {.id = id, .fd = fd, .size = size, .label = "sample"};
	struct copy_progress progress = {};
	char *message = NULL;

	if (carrier_initrd.put(scene->load, &item, &progress, &message) < 0)
		fail_msg("%s", message);
}

/* Unpacks what is there to the scene's directory, without the directories in it. */
static void unpack(struct scene *scene, int fd)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	archive_read_support_format_cpio(a);
	assert_int_equal(archive_read_open_fd(a, fd, 65536), ARCHIVE_OK);
	while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);
		char path[256];
		int to;

		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_entry_gid(entry), 0);
		if (archive_entry_filetype(entry) == AE_IFDIR) {
			assert_int_equal(archive_entry_perm(entry), 0700);
			continue;
		}
		assert_int_equal(archive_entry_perm(entry), 0600);
		assert_memory_equal(name, INITRD_DIRECTORY "/", strlen(INITRD_DIRECTORY) + 1);
		snprintf(path, sizeof(path), "%s/%s", scene->directory, strrchr(name, '/') + 1);
		to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		assert_true(to >= 0);
		assert_int_equal(archive_read_data_into_fd(a, to), ARCHIVE_OK);
		close(to);
	}
	assert_int_equal(archive_errno(a), 0);
	archive_read_free(a);
}

/* Everything as in the next kernel. */
static void arrive(struct scene *scene)
{
	char *message = NULL;
	int fd;

	assert_int_equal(carrier_initrd.seal(scene->load, "tree", 4, NULL), 0);
	fd = initrd_take_archive(scene->load);
	assert_true(fd >= 0);
	assert_int_equal(initrd_take_archive(scene->load), -ENODATA);
	unpack(scene, fd);
	close(fd);
	scene->load = carrier_initrd.close(scene->load);
	if (carrier_initrd.open(NULL, UPDATE_ID, &scene->load, &message) < 0)
		fail_msg("%s", message);
}

static int get(struct scene *scene, uint32_t id, uint64_t size, int *fd)
{
	struct carrier_item item = {.id = id, .fd = *fd, .size = size, .label = "sample"};
	struct copy_progress progress = {};
	char *message = NULL;
	int r = carrier_initrd.get(scene->load, &item, &progress, &message);

	assert_int_equal(r < 0, message != NULL);
	if (message)
		assert_non_null(strstr(message, "sample"));
	free(message);
	*fd = item.fd;
	return r;
}

static size_t count_files(const struct scene *scene, const char *prefix)
{
	DIR *dir = opendir(scene->directory);
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.' && !strncmp(entry->d_name, prefix, strlen(prefix));
	closedir(dir);
	return n;
}

static void path_of(const struct scene *scene, const char *name, char path[static 256])
{
	snprintf(path, 256, "%s/%s", scene->directory, name);
}

static void test_there_and_back(void **state)
{
	struct scene *scene = *state;
	const uint64_t sizes[] = {9 * MIB + 123, 4096, 3, 2 * MIB, 64 * MIB};
	int from[5], to[5];

	begin(scene);
	for (uint32_t i = 0; i < 5; i++) {
		from[i] = i == 4 ? memory_new(sizes[i]) : sample_new(sizes[i]);
		put(scene, i + 1, from[i], sizes[i]);
	}
	arrive(scene);
	assert_int_equal(count_files(scene, "tree"), 1);
	/* What is empty takes no slice along. */
	assert_int_equal(count_files(scene, "5."), 1);
	for (uint32_t i = 0; i < 5; i++) {
		char prefix[16];
		struct stat st;

		to[i] = -EBADF;
		assert_int_equal(get(scene, i + 1, sizes[i], &to[i]), 0);
		assert_int_equal(fstat(to[i], &st), 0);
		assert_int_equal(st.st_size, sizes[i]);
		assert_true(i < 4 || st.st_blocks == 0);
		assert_same(from[i], to[i], sizes[i]);
		/* It is freed as it is taken. */
		snprintf(prefix, sizeof(prefix), "%u.", i + 1);
		assert_int_equal(count_files(scene, prefix), 1);
		assert_int_equal(carrier_initrd.drop(NULL, UPDATE_ID, i + 1), 0);
		assert_int_equal(count_files(scene, prefix), 0);
		close(from[i]);
		close(to[i]);
	}
	assert_int_equal(carrier_initrd.discard(NULL, UPDATE_ID), 0);
	assert_int_equal(count_files(scene, ""), 0);
}

/* khod ended half way: the memory is in the fd store, and the rest of the slices still here. */
static void test_resumed(void **state)
{
	struct scene *scene = *state;
	int from = sample_new(9 * MIB), to = memory_new(9 * MIB);
	uint8_t buf[4096];
	char path[256];

	begin(scene);
	put(scene, 7, from, 9 * MIB);
	arrive(scene);
	for (uint64_t at = 0; at < 2 * MIB; at += sizeof(buf)) {
		assert_int_equal(pread(from, buf, sizeof(buf), (off_t)at), sizeof(buf));
		assert_int_equal(pwrite(to, buf, sizeof(buf), (off_t)at), sizeof(buf));
	}
	path_of(scene, "7.0", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(get(scene, 7, 9 * MIB, &to), 0);
	assert_same(from, to, 9 * MIB);
	close(from);
	close(to);
}

static void test_missing_slice(void **state)
{
	struct scene *scene = *state;
	int from = sample_new(9 * MIB), to = -EBADF;
	char path[256];

	begin(scene);
	put(scene, 7, from, 9 * MIB);
	arrive(scene);
	path_of(scene, "7.2", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(get(scene, 7, 9 * MIB, &to), -EBADMSG);
	close(to);
	to = -EBADF;
	/* Of another size than the tree says, and not there at all. */
	assert_int_equal(get(scene, 7, 8 * MIB, &to), -EBADMSG);
	assert_int_equal(get(scene, 8, 9 * MIB, &to), -ENOENT);
	close(from);
}

static void flip(const struct scene *scene, const char *name, off_t at)
{
	char path[256];
	uint8_t byte;
	int fd;

	path_of(scene, name, path);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void test_damaged(void **state)
{
	static const char *const names[] = {"1.index", "1.index", "1.0", "1.0", "1.0"};
	static const off_t places[] = {0, 40, 0, 4, 5000};
	struct scene *scene = *state;
	int from = sample_new(MIB), to = -EBADF;

	begin(scene);
	put(scene, 1, from, MIB);
	arrive(scene);
	for (size_t i = 0; i < 5; i++) {
		flip(scene, names[i], places[i]);
		assert_int_equal(get(scene, 1, MIB, &to), -EBADMSG);
		close(to);
		flip(scene, names[i], places[i]);
		to = -EBADF;
	}
	assert_int_equal(get(scene, 1, MIB, &to), 0);
	assert_same(from, to, MIB);
	close(from);
	close(to);
}

/* What is in the files is not believed. */
static void test_hostile_slice(void **state)
{
	struct copy_slice *slice = copy_slice_new();
	struct initrd_slice_head head = {};
	const struct {
		uint32_t n_runs, offset, length;
		size_t size;
	} cases[] = {
		{1, 0, 4096, 100},
		{1, UINT32_MAX, 1, 13},
		{1, 4096, UINT32_MAX, 100},
		{UINT32_MAX, 0, 0, 100},
		{COPY_RUNS_MAX + 1, 0, 0, sizeof(head)},
		{2, 0, 1, 13},
		{1, 0, 1, 14},
		{1, 8190, 10, 22},
		{0, 0, 0, 3},
		{0, 0, 0, 0},
	};

	slice->length = 8192;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Exactly as long as it says, for a sanitizer to see what is read beyond. */
		uint8_t *file = calloc(1, cases[i].size + 1);

		head.n_runs = htole32(cases[i].n_runs);
		head.runs[0].offset = htole32(cases[i].offset);
		head.runs[0].length = htole32(cases[i].length);
		memcpy(file, &head, cases[i].size < sizeof(head) ? cases[i].size : sizeof(head));
		file = realloc(file, cases[i].size ? cases[i].size : 1);
		assert_int_equal(initrd_slice_parse(file, cases[i].size, slice), -EBADMSG);
		free(file);
	}
	copy_slice_free(slice);
}

static void test_hostile_index(void **state)
{
	struct initrd_index index, parsed;
	void *bytes;
	size_t size;

	assert_int_equal(initrd_index_init(&index, 5 * MIB, 0), 0);
	assert_int_equal(initrd_index_build(&index, &bytes, &size), 0);
	assert_int_equal(initrd_index_parse(bytes, size, &parsed), 0);
	assert_int_equal(parsed.size, 5 * MIB);
	assert_int_equal(parsed.n_slices, 3);
	initrd_index_done(&parsed);
	for (size_t i = 0; i < size; i++) {
		uint8_t *copy = malloc(i ? i : 1);

		memcpy(copy, bytes, i);
		assert_int_equal(initrd_index_parse(copy, i, &parsed), -EBADMSG);
		free(copy);
	}
	/* More memory than there are slices for: whoever wrote that can make a checksum too. */
	index.size = 50 * MIB;
	free(bytes);
	assert_int_equal(initrd_index_build(&index, &bytes, &size), 0);
	assert_int_equal(initrd_index_parse(bytes, size, &parsed), -EBADMSG);
	free(bytes);
	initrd_index_done(&index);
}

static void test_other_update(void **state)
{
	struct scene *scene = *state;
	struct carrier_load *load;
	char *message = NULL;

	begin(scene);
	arrive(scene);
	assert_int_equal(carrier_initrd.open(NULL, "fedcba9876543210", &load, &message), -ENOENT);
	assert_non_null(strstr(message, "fedcba9876543210"));
	free(message);
	/* Nor is what is there removed with it. */
	assert_int_equal(carrier_initrd.discard(NULL, "fedcba9876543210"), 0);
	assert_int_equal(count_files(scene, ""), 2);
}

/* What could not be copied leaves nothing behind that would end the archive. */
static void test_put_fails(void **state)
{
	struct scene *scene = *state;
	int from = sample_new(3 * MIB), to = -EBADF;
	const struct carrier_item longer = {
		.id = 2, .fd = from, .size = 9 * MIB, .label = "sample"};
	struct copy_progress progress = {};
	char *message = NULL;

	begin(scene);
	put(scene, 1, from, 3 * MIB);
	assert_int_equal(carrier_initrd.put(scene->load, &longer, &progress, &message), -ENODATA);
	assert_non_null(strstr(message, "sample"));
	free(message);
	put(scene, 3, from, 3 * MIB);
	arrive(scene);
	assert_int_equal(count_files(scene, "2."), 0);
	assert_int_equal(get(scene, 3, 3 * MIB, &to), 0);
	assert_same(from, to, 3 * MIB);
	close(from);
	close(to);
}

/* Archives one behind the other, each aligned, with the zeros between them that the kernel skips.
 */
static void test_several_archives(void **state)
{
	struct scene *scene = *state;
	int fd = memory_new(0);
	struct initrd_archive archive;
	struct iovec part = {.iov_base = (void *)"hello", .iov_len = 5};
	char header[6];

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(initrd_archive_begin(&archive, fd), 0);
		assert_int_equal(archive.end % INITRD_ARCHIVE_ALIGN, 0);
		assert_int_equal(pread(fd, header, 6, (off_t)archive.end), 0);
		assert_int_equal(
			initrd_archive_add(&archive, INITRD_DIRECTORY "/a", 0600, &part, 1), 0);
		assert_int_equal(initrd_archive_end(&archive), 0);
	}
	assert_int_equal(pread(fd, header, 6, INITRD_ARCHIVE_ALIGN), 6);
	assert_memory_equal(header, "070701", 6);
	unpack(scene, fd);
	part.iov_len = (size_t)INITRD_MEMBER_MAX + 1;
	assert_int_equal(initrd_archive_add(&archive, "a", 0600, &part, 1), -EFBIG);
	close(fd);
}

static void test_room(void **state)
{
	char *message = NULL;
	uint64_t usec = 0;

	assert_int_equal(carrier_initrd.room(NULL, 1, 0, &usec, NULL), 0);
	assert_int_equal(carrier_initrd.room(NULL, 1, UINT64_C(1) << 50, &usec, &message), -ENOSPC);
	assert_non_null(strstr(message, "three times"));
	free(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_resumed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_missing_slice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
		cmocka_unit_test(test_hostile_slice),
		cmocka_unit_test(test_hostile_index),
		cmocka_unit_test_setup_teardown(test_other_update, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_put_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_several_archives, set_up, tear_down),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
