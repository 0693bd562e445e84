/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/pages.h"

#ifndef SECRETMEM_MAGIC
#define SECRETMEM_MAGIC 0x5345434d
#endif
#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

/* The name that the kernel gives the file, as in "/memfd:name (deleted)"; "" without /proc. */
static void link_read(int fd, char *buf, size_t size)
{
	char path[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, buf, size - 1);
	buf[n < 0 ? 0 : n] = '\0';
}

#ifndef F_SEAL_EXEC /* linux/fcntl.h can't be included beside fcntl.h */
#define F_SEAL_EXEC 0x0020
#endif

/*
 * The next kernel makes the file 0777 (mm/memfd_luo.c, memfd_luo_retrieve) before it puts the seals
 * back, and F_SEAL_EXEC on a file that may be executed brings F_SEAL_WRITE with it (mm/memfd.c,
 * memfd_add_seals).
 */
static bool comes_back_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_EXEC) && !(seals & F_SEAL_WRITE);
}

/* A file in memory: LUO takes it only if it has no name (mm/memfd_luo.c, can_preserve). */
static enum memory_type tmpfs_type(int fd, int flags, const struct stat *st)
{
	char name[PATH_MAX];

	if (st->st_nlink > 0)
		return MEMORY_LINKED;
	/* It would come back writable in the next kernel, whoever had it read-only before. */
	if ((flags & O_ACCMODE) != O_RDWR)
		return MEMORY_READ_ONLY;
	if (comes_back_sealed(fd))
		return MEMORY_EXEC_SEALED;
	link_read(fd, name, sizeof(name));
	/* One that crossed has lost its name (mm/memfd_luo.c, memfd_luo_retrieve). */
	return strncmp(name, "/memfd:", 7) == 0 || strcmp(name, "/ (deleted)") == 0 ? MEMORY_MEMFD
										    : MEMORY_TMPFS;
}

static enum memory_type file_type(int fd, int flags, const struct stat *st)
{
	char name[PATH_MAX];
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return MEMORY_OTHER;
	switch ((unsigned long)fs.f_type) {
	case TMPFS_MAGIC:
		return tmpfs_type(fd, flags, st);
	case HUGETLBFS_MAGIC:
		if (st->st_nlink > 0)
			return MEMORY_LINKED;
		return (flags & O_ACCMODE) == O_RDWR ? MEMORY_HUGETLB : MEMORY_READ_ONLY;
	case SECRETMEM_MAGIC:
		return MEMORY_SECRET;
	case DMA_BUF_MAGIC:
		return MEMORY_DMA_BUF;
	}
	link_read(fd, name, sizeof(name));
	return strncmp(name, "anon_inode:", 11) == 0 ? MEMORY_ANON_INODE : MEMORY_REGULAR;
}

static enum memory_type type_of(int fd, int flags, const struct stat *st)
{
	if (flags & O_PATH)
		return MEMORY_PATH;
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return file_type(fd, flags, st);
	case 0: /* how anonymous inodes show themselves */
		return MEMORY_ANON_INODE;
	case S_IFDIR:
		return MEMORY_DIRECTORY;
	case S_IFIFO:
		return MEMORY_PIPE;
	case S_IFSOCK:
		return MEMORY_SOCKET;
	case S_IFCHR:
	case S_IFBLK:
		return MEMORY_DEVICE;
	}
	return MEMORY_OTHER;
}

int memory_identify(int fd, struct memory_kind *ret)
{
	int flags = fcntl(fd, F_GETFL), seals;
	struct stat st;
	off_t position;

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;

	seals = fcntl(fd, F_GET_SEALS);
	position = S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : 0;
	*ret = (struct memory_kind){
		.type = type_of(fd, flags, &st),
		.size = (uint64_t)st.st_size,
		.blocks = (uint64_t)st.st_blocks,
		.seals = seals < 0 ? 0 : (uint32_t)seals,
		.position = position < 0 ? 0 : (uint64_t)position,
		.mode = st.st_mode & 07777,
		.device = st.st_dev,
		.inode = st.st_ino,
	};
	/* What hugetlbfs says its blocks are (fs/hugetlbfs/inode.c, hugetlbfs_fill_super). */
	if (ret->type == MEMORY_HUGETLB)
		ret->page_size = (uint64_t)st.st_blksize;
	return 0;
}

static const struct {
	const char *name, *advice;
} types[_MEMORY_TYPE_MAX] = {
	[MEMORY_MEMFD] = {"memfd", NULL},
	[MEMORY_TMPFS] = {"tmpfs", NULL},
	[MEMORY_LINKED] = {"linked-tmpfs",
			   "a file on a tmpfs that still has a name can't be handed over: unlink "
			   "it, or put its content in a memfd, memfd_create(2)"},
	[MEMORY_READ_ONLY] =
		{"read-only",
		 "memory that is open for reading alone can't be handed over: send the "
		 "fd that memfd_create(2) gave, which can write"},
	[MEMORY_EXEC_SEALED] =
		{"exec-sealed",
		 "a memfd with F_SEAL_EXEC would come back sealed against writing: make it with "
		 "MFD_EXEC and not MFD_NOEXEC_SEAL, which is also what the kernel chooses by itself "
		 "where sysctl vm.memfd_noexec is not 0"},
	[MEMORY_HUGETLB] = {"hugetlb", NULL},
	[MEMORY_SECRET] = {"secret", "memfd_secret(2) is memory that the kernel hides, from the "
				     "next kernel too: put what may cross in memfd_create(2)"},
	[MEMORY_DMA_BUF] = {"dma-buf", "a DMA buffer belongs to its device and can't be handed "
				       "over: put its content in a memfd, memfd_create(2)"},
	[MEMORY_REGULAR] = {"regular-file", "a file on a disk outlives a reboot by itself: open it "
					    "again afterwards, or put its content in a memfd, "
					    "memfd_create(2)"},
	[MEMORY_DIRECTORY] = {"directory", "a directory is no memory: send a memfd, "
					   "memfd_create(2)"},
	[MEMORY_PIPE] = {"pipe", "a pipe can't be handed over: read it empty into a memfd, "
				 "memfd_create(2)"},
	[MEMORY_SOCKET] = {"socket", "a socket can't be handed over: keep its state in a memfd, "
				     "memfd_create(2), and connect anew"},
	[MEMORY_DEVICE] = {"device", "a device is no memory that can be handed over: put what has "
				     "to stay in a memfd, memfd_create(2)"},
	[MEMORY_ANON_INODE] = {"anon-inode",
			       "a kernel object can't be handed over: keep its state in a "
			       "memfd, memfd_create(2), and create it anew"},
	[MEMORY_PATH] = {"path", "an fd opened with O_PATH gives no memory: send the fd that "
				 "memfd_create(2) gave"},
	[MEMORY_OTHER] = {"unknown", "this is no memory that can be handed over: send a memfd, "
				     "memfd_create(2)"},
};

const char *memory_type_name(enum memory_type type)
{
	return (unsigned int)type < _MEMORY_TYPE_MAX ? types[type].name : "unknown";
}

const char *memory_type_advice(enum memory_type type)
{
	return types[(unsigned int)type < _MEMORY_TYPE_MAX ? type : MEMORY_OTHER].advice;
}
