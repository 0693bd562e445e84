/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/kernel/finalize.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/cleanup.h"
#include "kho/core/text.h"
#include "kho/kernel/file.h"
#include "kho/kernel/generation.h"
#include "kho/kernel/kernel-blob.h"
#include "kho/kernel/kernel-tree.h"

#define OUT "sys/kernel/debug/kho/out"
#define FINALIZE OUT "/finalize"
#define MESSAGE_MAX 400

/* Such a directory and its files are made within the same moment of the boot. */
#define SAME_MOMENT_NSEC 1000000000LL

static int fail(int error, char **ret_message, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	*ret_message = text_vformat(MESSAGE_MAX, format, ap);
	va_end(ap);
	return error;
}

bool finalize_is_needed_at(int root_fd)
{
	unsigned int major, minor;
	char release[65];

	switch (kernel_generation_at(root_fd)) {
	case KHO_FINALIZE:
		return true;
	case KHO_UNKNOWN:
		return read_line_at(root_fd, "proc/sys/kernel/osrelease", release,
				    sizeof(release)) == 0 &&
		       sscanf(release, "%u.%u", &major, &minor) == 2 && major == 6 && minor >= 16 &&
		       minor <= 18;
	default:
		return false;
	}
}

static bool is_locked_down(int root_fd)
{
	char line[128];

	/* "none [integrity] confidentiality": where the brackets are */
	return read_line_at(root_fd, "sys/kernel/security/lockdown", line, sizeof(line)) == 0 &&
	       !strstr(line, "[none]");
}

static int cannot_open(int root_fd, int error, char **ret_message)
{
	switch (error) {
	case -ENOENT:
		if (kernel_debugfs_is_readable(root_fd))
			return fail(
				error, ret_message,
				"kexec handover is switched off: boot with kho=on on the kernel "
				"command line");
		return fail(error, ret_message,
			    "/" FINALIZE " is out of sight: mount -t debugfs debugfs "
			    "/sys/kernel/debug");
	case -EPERM:
		if (is_locked_down(root_fd))
			return fail(error, ret_message,
				    "lockdown keeps /" FINALIZE
				    " out of reach, and without it this "
				    "kernel hands nothing over: boot without lockdown");
		__attribute__((fallthrough));
	case -EACCES:
		return fail(-EACCES, ret_message,
			    "/" FINALIZE " may not be opened: do this as root");
	default:
		return fail(error, ret_message, "/" FINALIZE ": %s", strerror(-error));
	}
}

static int64_t nsec(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000LL + ts->tv_nsec;
}

/*
 * 0 makes the kernel remove out/fdt, and that is the only thing that ever touches the time of its
 * directory after boot (fs/libfs.c, simple_recursive_removal; adding a file does not, and the time
 * of scratch_phys stays as it was made). Before it only if the clock was set back by that much.
 */
static int was_undone(int root_fd)
{
	struct stat directory, file;
	int64_t later;

	if (fstatat(root_fd, OUT, &directory, 0) < 0 ||
	    fstatat(root_fd, OUT "/scratch_phys", &file, 0) < 0)
		return -errno;
	later = nsec(&directory.st_mtim) - nsec(&file.st_mtim);
	return later > 0 || later < -SAME_MOMENT_NSEC;
}

static int read_state(int root_fd, char **ret_message)
{
	char line[32];
	int r = read_line_at(root_fd, FINALIZE, line, sizeof(line));

	if (r < 0)
		return cannot_open(root_fd, r, ret_message);
	if (strcmp(line, "0") != 0 && strcmp(line, "1") != 0)
		return fail(-EBADMSG, ret_message, "/" FINALIZE " says \"%s\", not 0 or 1", line);
	return line[0] == '1';
}

/* The names of the blobs; NULL in *ret: none. */
static int list_users(int root_fd, char **ret, bool *ret_others)
{
	_cleanup_(kernel_tree_done) struct kernel_tree tree = {};
	_cleanup_free_ char *names = NULL;
	int r = kernel_tree_read(root_fd, KERNEL_OUT, &tree);

	*ret_others = false;
	for (size_t i = 0; r >= 0 && i < tree.n_blobs; i++) {
		char *longer = NULL;

		*ret_others |= strcmp(tree.blobs[i].name, "memblock") != 0;
		if (asprintf(&longer, "%s%s%s", names ?: "", names ? ", " : "",
			     tree.blobs[i].name) < 0)
			return -ENOMEM;
		free(names);
		names = longer;
	}
	*ret = TAKE_PTR(names);
	return r;
}

static int forgotten(int root_fd, bool finalized, char **ret_message)
{
	_cleanup_free_ char *users = NULL;
	bool others;
	int r = list_users(root_fd, &users, &others);

	if (r < 0)
		return fail(r, ret_message, "/" OUT " can't be read: %s", strerror(-r));
	/* reserve_mem= is registered anew whenever it is finalized (mm/memblock.c). */
	if (finalized && !others)
		return 0;
	if (finalized)
		return fail(-ESTALE, ret_message,
			    "somebody wrote 0 to /" FINALIZE " in this boot, and the kernel forgot "
			    "memory that was to be handed over (its users: %s): reboot first",
			    users);
	return fail(-ESTALE, ret_message,
		    "somebody wrote 0 to /" FINALIZE " in this boot, and the kernel forgot memory "
		    "that was to be handed over: reboot first, or write 1 there if reserve_mem= is "
		    "all there is");
}

/* What another program left of it. Returns whether it is finalized, or an error. */
static int judge(int root_fd, char **ret_message)
{
	_cleanup_free_ char *users = NULL;
	int finalized = read_state(root_fd, ret_message), undone, r;
	bool others;

	if (finalized < 0)
		return finalized;
	undone = was_undone(root_fd);
	if (undone < 0)
		return fail(undone, ret_message, "/" OUT " can't be read: %s", strerror(-undone));
	if (undone) {
		r = forgotten(root_fd, finalized, ret_message);
		return r < 0 ? r : finalized;
	}
	/* A failure forgets as much as 0 does (kho_finalize, kho_abort), and leaves blobs behind.
	 */
	r = list_users(root_fd, &users, &others);
	if (r >= 0 && !finalized && users)
		return fail(-ESTALE, ret_message,
			    "finalizing has failed in this boot, and the kernel forgot memory that "
			    "was to be handed over (its users: %s): see the kernel log, and reboot",
			    users);
	return r < 0 ? fail(r, ret_message, "/" OUT " can't be read: %s", strerror(-r)) : finalized;
}

int finalize_is_possible_at(int root_fd, char **ret_message)
{
	_cleanup_close_ int fd = openat(root_fd, FINALIZE, O_WRONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return cannot_open(root_fd, -errno, ret_message);
	r = judge(root_fd, ret_message);
	return r < 0 ? r : 0;
}

static int write_one(int root_fd, char **ret_message)
{
	_cleanup_close_ int fd = openat(root_fd, FINALIZE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return cannot_open(root_fd, -errno, ret_message);
	if (write(fd, "1", 1) == 1 || errno == EEXIST)
		return 0;
	return fail(
		-errno, ret_message,
		"the kernel can't finalize what it is to hand over: %s; see the kernel log, and "
		"reboot before trying again",
		strerror(errno));
}

int finalize_at(int root_fd, char **ret_message)
{
	int r = judge(root_fd, ret_message);

	if (r == 0)
		r = write_one(root_fd, ret_message);
	return r < 0 ? r : finalize_check_at(root_fd, ret_message);
}

int finalize_check_at(int root_fd, char **ret_message)
{
	_cleanup_free_ char *blob = NULL, *compatible = NULL;
	size_t size = 0;
	int r = judge(root_fd, ret_message);

	if (r < 0)
		return r;
	if (r == 0)
		return fail(-ENODATA, ret_message,
			    "/" FINALIZE " says 0: what is loaded carries nothing");
	r = read_file_at(root_fd, OUT "/fdt", 1 << 20, &blob, &size);
	if (r == -ENOMEM)
		return r;
	compatible = r < 0 ? NULL : kernel_tree_compatible(blob, size);
	if (!compatible || strncmp(compatible, "kho-v", 5) != 0)
		return fail(-EBADMSG, ret_message,
			    "the kernel says that it is finalized, and /" OUT "/fdt %s: see the "
			    "kernel log, and reboot",
			    r < 0 ? "can't be read" : "is no handover tree");
	return 0;
}

int finalize_users_at(int root_fd, char **ret)
{
	bool others;
	int r = list_users(root_fd, ret, &others);

	return r < 0 ? r : *ret ? 0 : -ENOENT;
}
