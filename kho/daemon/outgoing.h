/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_OUTGOING_H
#define KHO_DAEMON_OUTGOING_H

#include <stdatomic.h>

#include "kho/daemon/registry.h"
#include "kho/transport/luo-signpost.h"
#include "kho/transport/transport.h"

struct copies;

/* A region, or the tree (id 0), on its way. */
struct outgoing_item {
	uint32_t id;
	bool required;
	char *label;
	char *reason; /* why it is left behind; NULL: it is not */
};

/* What goes to the next kernel in the update in progress. The fds of the items are the
 * registry's, which must hold them for as long as this lives.
 */
struct outgoing {
	const struct transport *transport;
	char *update_id;
	struct transport_item *items; /* the first is the tree */
	struct outgoing_item *about;  /* each item */
	size_t n_items;
	atomic_size_t n_preserved; /* items [0, n_preserved) have been dealt with */
	size_t n_noted;		   /* the same, by outgoing_note() */
	int *sessions;
	size_t n_sessions;
	size_t n_stored; /* sessions [0, n_stored) are in the fd store */
	struct luo_signpost signpost;
	bool best_effort;   /* no region is required any more: whatever can be kept is */
	int signpost_error; /* why there is none; 0: there is, or it was not tried yet */

	/* Of the worker in flight. */
	atomic_bool cancel;
	atomic_size_t n_done;
	int error;
	size_t failed; /* the item that error is about; SIZE_MAX: none */
	char *message; /* what error means and the way out; NULL: none */
};

struct outgoing *outgoing_new(const struct transport *transport, const char *update_id,
			      int tree_fd);
struct outgoing *outgoing_free(struct outgoing *o);
DEFINE_CLEANUP_FUNC(struct outgoing *, outgoing_free)

/* Adds every region whose memory is here, that is not in it yet and does not go by copy. */
int outgoing_collect(struct outgoing *o, const struct registry *registry,
		     const struct copies *copies);

/* Takes a region out again, if nothing has been preserved yet and no worker runs. */
void outgoing_forget(struct outgoing *o, uint32_t id);

/* For worker threads. Their errors are in o->error too. */
int outgoing_check(struct outgoing *o);
int outgoing_preserve(struct outgoing *o);
int outgoing_release(struct outgoing *o);

/* Writes down, in the tree, what carries each region that has been dealt with since the last time,
 * and its size, which can't change any more.
 */
void outgoing_note(struct outgoing *o, struct registry *registry);

/* Gives up what has not been dealt with; why is what was wrong with it. */
void outgoing_give_up(struct outgoing *o, int error, const char *why);

/* Puts those sessions into the fd store that are not there yet. */
int outgoing_store(struct outgoing *o);

/* Takes over sessions that came back from the fd store (signpost: or -EBADF), and the regions the
 * tree says are in them. Errors: -ESTALE a session is missing, or the kernel does not hold a region
 * any more.
 */
int outgoing_resume(struct outgoing *o, const struct registry *registry, int *sessions,
		    size_t n_sessions, int signpost);

#endif
