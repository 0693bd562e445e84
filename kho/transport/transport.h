/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_TRANSPORT_H
#define KHO_TRANSPORT_TRANSPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel_info;

/* One file that crosses. The tree is item 0, the regions follow. */
struct transport_item {
	int fd;		   /* never the transport's to close; set by retrieve: the caller's */
	uint32_t session;  /* which container it travels in */
	uint64_t token;	   /* its number in there */
	uint64_t size;	   /* bytes */
	const char *label; /* how messages name it: region "cache" of cache.service */
	int error;	   /* negative error of this item, set by preserve and retrieve */
};

/*
 * How bytes get across. Calls marked "blocks" belong on a worker thread; those on different
 * sessions may run at the same time. A *ret_message (may be NULL) is set on errors only: one line,
 * what and the way out, the caller's to free.
 */
struct transport {
	const char *name;   /* luo */
	const char *manner; /* in place */

	/* Whether this kernel can do it; 0, or -EOPNOTSUPP with the reason. */
	int (*probe)(const struct kernel_info *kernel, char **ret_message);

	/*
	 * Sets session and token of the items [first, n): the same for the same index, whenever it
	 * is called. Returns how many sessions n items need.
	 */
	size_t (*place)(struct transport_item *items, size_t first, size_t n);

	/*
	 * The arithmetic before anything is touched: 0, -ENOMEM, -EFBIG or -EPERM with the numbers.
	 * Blocks for about a millisecond a GiB of small pages.
	 */
	int (*check)(const struct transport_item *items, size_t n, char **ret_message);

	/*
	 * Before check: gives up those optional items without which the rest passes it, as few as
	 * it can, with their error, and the reason: a line in reasons[i], the caller's to free. If
	 * the rest would not pass either, none. NULL: there is nothing to choose. Errors: -ENOMEM.
	 * Blocks as check does.
	 */
	int (*choose)(struct transport_item *items, size_t n, const bool *optional, char **reasons);

	/*
	 * Makes one file fit for a quick preserve, as long as time allows; see pages_collapse() for
	 * offset, deadline and result. Blocks.
	 */
	int (*groom)(int fd, uint64_t *offset, uint64_t deadline_usec);

	/*
	 * Creates the sessions [first, first + n) of an update: all or none, fds in ret_sessions.
	 * Blocks.
	 */
	int (*open)(const char *update_id, size_t first, size_t n, int *ret_sessions,
		    char **ret_message);

	/*
	 * Preserves those items of items [0, n) that travel in session number, and looks at *cancel
	 * (may be NULL) between files. Stops at the first that fails, with its error in the item
	 * and its index in *ret_failed. Nothing is undone here: abort does that. Errors: as the
	 * kernel gives them; -ECANCELED. Blocks.
	 */
	int (*preserve)(int session, uint32_t number, struct transport_item *items, size_t n,
			const atomic_bool *cancel, size_t *ret_failed, char **ret_message);

	/*
	 * After the next kernel is loaded, before the point of no return: whether every item of
	 * items [0, n) is really held for it. Index of the first that is not in *ret_failed, with
	 * -ESTALE. Does not block.
	 */
	int (*stage)(const struct transport_item *items, size_t n, size_t *ret_failed,
		     char **ret_message);

	/*
	 * Closes the sessions (fds become -EBADF) and waits until the kernel has let go of every
	 * item: 0, or -ETIMEDOUT with the index of one that is still held. All holders of a session
	 * have to close it: take it out of the fd store first. Blocks.
	 */
	int (*abort)(int *sessions, size_t n_sessions, const struct transport_item *items, size_t n,
		     uint64_t timeout_usec, size_t *ret_failed, char **ret_message);

	/*
	 * In the next kernel: takes the sessions [first, first + n) of the update. ret_sessions[i]
	 * is the fd or the negative error of that one. Returns how many were taken. Blocks.
	 */
	int (*attach)(const char *update_id, size_t first, size_t n, int *ret_sessions,
		      char **ret_message);

	/*
	 * Whether the caller may be charged for that many bytes more: 0, or -EDQUOT with the limit
	 * and its cgroup. Ask before the first retrieve: one that fails can't be repeated.
	 */
	int (*room)(uint64_t bytes, char **ret_message);

	/*
	 * Takes the items of items [0, n) that travel in session number out of it: fd, or error,
	 * set in each; those with an fd (≥ 0) already are left alone, so start with -EBADF. Returns
	 * how many have failed. Blocks.
	 */
	int (*retrieve)(int session, uint32_t number, struct transport_item *items, size_t n);

	/*
	 * Whether item.error stands for good. If not, do away with its cause and retrieve again;
	 * until then the session must neither be finished nor closed, which would free the item.
	 */
	bool (*is_final)(int error);

	/* Ends an incoming session, after its fds are safe; then close it. Blocks. */
	int (*finish)(int session);

	/* One sentence for item.error, after retrieve. */
	const char *(*retrieve_advice)(int error);
};

extern const struct transport transport_luo;

#endif
