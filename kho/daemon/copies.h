/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_COPIES_H
#define KHO_DAEMON_COPIES_H

#include "kho/daemon/registry.h"
#include "kho/transport/carrier.h"

/* How an update is to be carried, as the operator and the check of the next kernel have it. */
struct copy_request {
	int copy;	       /* the next kernel takes nothing over in place */
	const char *transport; /* auto, luo, or a carrier's name; NULL: auto */
	const char *spool;     /* directory; "no": no copies on disk; NULL: the default */
	int initrd;	       /* whoever loads the next kernel puts copies in its initrd */
};

/* What an update has to know of an item beside what the carrier does. */
struct copies_item {
	bool required;
	uint64_t bytes; /* at most, of the copy; as of the last copies_check() */
	char *reason;	/* why it is left behind; NULL: it is not */
};

/* What goes to the next kernel by copy in an update. The fds of the items are the registry's. */
struct copies {
	char *update_id;
	bool all;		       /* every region; else what can't stay in place alone */
	bool may_take;		       /* the next kernel can be loaded with copies */
	char *wish;		       /* transport that the operator named; NULL: none */
	char *where;		       /* NULL: nowhere */
	const struct carrier *carrier; /* chosen by copies_check() */
	struct carrier_item *items;    /* the labels are this one's */
	struct copies_item *about;     /* each item */
	size_t n_items;
	size_t n_noted;	    /* items [0, n_noted) have been seen by copies_note() */
	uint64_t bytes_max; /* that copies_check() found in memory; zeros are not known yet */
	uint64_t usec_estimated;
	int place;  /* fd that keeps the place of the copies mounted; -EBADF: none */
	bool begun; /* something of it may lie where the carrier keeps it */

	/* Of the worker in flight. */
	atomic_bool copying;
	atomic_size_t n_copied; /* items */
	uint64_t usec;
	struct carrier_load *load;
	struct copy_progress progress;
	char *message; /* what went wrong and the way out; NULL: nothing to say */
};

/* The field of a request that makes no sense, as io.kho.Manager names it; NULL: it is fine. */
const char *copy_request_fault(const struct copy_request *request);

/* in_place: whether this kernel can keep anything in place. Errors: -ENOMEM. */
int copies_new(const char *update_id, const struct copy_request *request, bool in_place,
	       struct copies **ret);
struct copies *copies_free(struct copies *copies);
DEFINE_CLEANUP_FUNC(struct copies *, copies_free)

/* Items that go along, and their bytes; *ret_bytes may be NULL. */
size_t copies_count(const struct copies *copies, uint64_t *ret_bytes);

/* Whether the region goes by copy. */
bool copies_take(const struct copies *copies, const struct region *region);

/* Adds every region that goes by copy, whose memory is here and that is not in it yet. */
int copies_collect(struct copies *copies, const struct registry *registry);

/* Takes a region out again, while participants prepare. */
void copies_forget(struct copies *copies, uint32_t id);

/* For worker threads; the reason of an error is in copies->message. */

/* Chooses the carrier: the first that has room; optional regions are left behind, the largest
 * first, where that is the only way.
 */
int copies_check(struct copies *copies);
/* Makes the copies; their owners have stopped. */
int copies_make(struct copies *copies, const atomic_bool *cancel);
/* The last step, with the tree as it crosses. */
int copies_seal(struct copies *copies, const struct handover *tree);
/* What the next kernel has to be loaded with; -ENODATA: nothing. Else as carrier->take(). */
int copies_take_archive(struct copies *copies);
/* Whatever has been made is removed. */
int copies_discard(struct copies *copies);

/* Writes down, in the tree, what carries each region that was checked since the last time. */
int copies_note(struct copies *copies, struct registry *registry);

/* Gives up what has not been noted; why is what was wrong with it. */
void copies_give_up(struct copies *copies, struct registry *registry, const char *why);

/* Where the copies go is to stay mounted until they are made: a shutdown has begun. */
int copies_hold(struct copies *copies);

/* The same before copies_make(), when regions may have grown: their sizes and fds as of now. */
int copies_refresh(struct copies *copies, struct registry *registry);

/* Goes on with an update that khod left off; *ret is NULL if nothing in it goes by copy. */
int copies_resume(const struct registry *registry, struct copies **ret);

#endif
