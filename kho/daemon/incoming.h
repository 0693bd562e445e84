/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_INCOMING_H
#define KHO_DAEMON_INCOMING_H

#include "kho/core/tree.h"
#include "kho/kernel/generation.h"
#include "kho/transport/transport.h"

/* A region that is to arrive. */
struct incoming_item {
	uint32_t id;
	char *label;
	bool carried;  /* the ledger says that a transport took it along */
	bool held;     /* its fd was here before: khod ended in the middle of restoring */
	char *lost;    /* why it did not arrive; NULL: it did */
	char *damaged; /* why it is not what it was; NULL: nothing known against it */
	bool verified; /* its digest is what it was */
};

/* What comes from the previous kernel. Belongs to one thread at a time. */
struct incoming {
	const struct transport *transport;
	const struct kernel_info *kernel;
	struct handover *base; /* the ledger, or the tree that arrived if that is newer */
	int *sessions;	       /* fds, or the error of each; -EBADF: not asked for yet */
	size_t n_sessions;
	struct transport_item *items; /* the first is the tree; fds are this one's */
	struct incoming_item *about;
	size_t n_items;
	bool tree_taken;
	char *note;    /* worth a line in the report, but nothing is missing for it; NULL: none */
	char *message; /* why it can't go on now, and the way out */
};

/* Owns base from here. NULL: out of memory. */
struct incoming *incoming_new(const struct transport *transport, const struct kernel_info *kernel,
			      struct handover *base);
struct incoming *incoming_free(struct incoming *in);
DEFINE_CLEANUP_FUNC(struct incoming *, incoming_free)

/* Gives it a session, or a region's memory, that came back from the fd store; owns fd. */
int incoming_add_session(struct incoming *in, size_t number, int fd);
int incoming_add_memory(struct incoming *in, uint32_t id, int fd);

/*
 * The tree that arrived lies in the fd store too until all is restored: once its session is
 * finished, nothing else has what the ledger does not know. Comes before the memory, which may be
 * of regions that it alone tells of. Takes fd.
 */
#define INCOMING_TREE_STORE_NAME "arrived"
int incoming_add_tree(struct incoming *in, int fd);

/* Takes everything out of the kernel, in the order that loses nothing whenever khod is killed:
 * session into the fd store, memory out of the session, memory into the fd store, session finished,
 * session out of the store. Then gives the memory back its seals, position and mode, and compares
 * digests. What does not arrive is said in the items. For a worker thread. Errors, after which it
 * can be called again, with the reason in in->message: -EDQUOT the cgroup may not be charged with
 * so much memory, -EBUSY the device is in use, -EAGAIN too many open files, -ENOMEM.
 */
int incoming_restore(struct incoming *in);

#endif
