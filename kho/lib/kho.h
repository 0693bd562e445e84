/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_H
#define KHO_H

/*
 * libkho: memory of a service that survives a live update of the kernel, see kho(3).
 *
 * Every function returns a negative errno on failure, kho_error_message() then has one sentence
 * that says why, and what to do. Sizes are bytes, times microseconds of CLOCK_MONOTONIC, strings
 * UTF-8. An fd that is passed in stays the caller's; an fd that comes back is the caller's to
 * close, and close-on-exec.
 *
 * A handle belongs to one thread at a time, and not to a child after fork(2). Different handles
 * are independent.
 *
 * Calls about regions block until khod answers: at boot, that is when everything is restored that
 * came from the previous kernel. All others wait 45 s at most (-ETIME). Calls bridge a restart of
 * khod: they wait up to 5 s for it to come back, then fail with -ECONNREFUSED.
 *
 * Errors of every call that asks khod, beside its own:
 *   -ECONNREFUSED  khod is not running here
 *   -ETIME         khod has not answered
 *   -EACCES        khod does not let the caller do this
 *   -EPROTO        khod answered something that this library does not understand
 *   -ENOMEM
 */

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kho;

/* Flags; each call says which it takes, and answers -EINVAL to the others. */
#define KHO_OPTIONAL UINT64_C(0x1)	/* an update may happen without this */
#define KHO_TAKE_DAMAGED UINT64_C(0x2)	/* take a region although its content has changed */
#define KHO_RECREATE_LOST UINT64_C(0x4) /* in place of a region that was lost, make a new one */

/* What is known about the content of a region. */
enum kho_check {
	KHO_CHECK_NEW,	     /* not from an earlier kernel */
	KHO_CHECK_VERIFIED,  /* arrived, with the content that it had at the freeze */
	KHO_CHECK_UNCHECKED, /* arrived, content not compared */
	KHO_CHECK_DAMAGED,   /* arrived, content is not what it was */
	KHO_CHECK_LOST,	     /* did not arrive */
	KHO_CHECK_UNKNOWN    /* a newer khod says something else */
};

/* A region as khod knows it. Belongs to the handle; later versions may add members at the end. */
struct kho_region {
	const char *name;
	const char *owner;   /* a systemd unit, uid:N/UNIT or uid:N */
	uint64_t size;	     /* bytes */
	const char *memdesc; /* as in kho-memdesc(7) */
	bool required;	     /* an update that can't keep it does not happen */
	bool claimed;	     /* its owner holds it now */
	enum kho_check check;
	const char *reason; /* why, if damaged or lost; else NULL */
};

/*
 * Connects to khod. The handle is the caller's to close with kho_close().
 *
 * -ECONNREFUSED: khod is not running on this machine. This is asked once: unlike the other calls,
 * this one does not wait.
 * Since 0.1.
 */
int kho_connect(struct kho **ret);

/*
 * Closes the handle, its connections, and the fds that it has kept. khod keeps the regions.
 * Returns NULL; NULL is fine.
 * Since 0.1.
 */
struct kho *kho_close(struct kho *k);

/*
 * Why the last call on this handle failed: one sentence, in khod's words if khod refused. Belongs
 * to the handle, until the next call. Never NULL.
 * Since 0.1.
 */
const char *kho_error_message(struct kho *k);

/*
 * What a negative (or positive) errno means when it comes from this library, if there is no handle
 * to ask, as after kho_connect(). Static; never NULL.
 * Since 0.1.
 */
const char *kho_strerror(int error);

/*
 * Asks khod to keep the memory behind fd, a memfd or an unlinked tmpfs file, in every update from
 * now on. When this returns 0, it is in khod's custody and the caller may die. The fd stays the
 * caller's; the library keeps a duplicate, to register the region anew should khod come back
 * without it, until kho_unregister(), kho_release() or kho_close().
 *
 * name: 1 to 255 bytes without control characters, unique within the owner: the caller's unit.
 * memdesc: what the caller takes the memory for, as in kho-memdesc(7); NULL: "file".
 * flags: KHO_OPTIONAL.
 *
 * -EEXIST       a region of that name is there already: kho_claim() it
 * -ENODATA      ... and it was lost: kho_unregister() ends the record of it
 * -EALREADY     this memory is kept already, under another name
 * -EINVAL       not a name for a region
 * -EBADF        not an open fd
 * -EOPNOTSUPP   memory of this kind can't be handed over; the message says what to use instead
 * -EMEDIUMTYPE  the memory is not what memdesc says
 * -ENOSPC       too many regions or bytes
 * -EBUSY        an update is on its way and too far for this
 * Since 0.1.
 */
int kho_register(struct kho *k, const char *name, int fd, const char *memdesc, uint64_t flags);

/*
 * Ends the keeping of a region, or the record of one that was lost. The memory lives on as long as
 * somebody has an fd or a mapping of it.
 *
 * -ENOENT  no region of that name
 * -EBUSY   an update is on its way, and participants have prepared: it goes along
 * Since 0.1.
 */
int kho_unregister(struct kho *k, const char *name);

/*
 * Takes a region that arrived from the previous kernel, or that an earlier process of the same
 * owner registered. It stays registered.
 *
 * flags: KHO_TAKE_DAMAGED.
 * ret_fd: gets an fd of the memory, the caller's to close; it shares its file position with khod's,
 * so mmap(2) it or use pread(2). ret_region, if not NULL, gets what khod knows about the region;
 * it belongs to the handle, until the next kho_claim() or kho_claim_or_create() on it.
 *
 * -ENOENT   no region of that name
 * -ENODATA  the region was lost: it was to be kept, and did not arrive
 * -EUCLEAN  the region arrived damaged: KHO_TAKE_DAMAGED takes it as it is
 * -EINVAL   not a name for a region
 * Since 0.1.
 */
int kho_claim(struct kho *k, const char *name, uint64_t flags, int *ret_fd,
	      const struct kho_region **ret_region);

/* What kho_claim_or_create() did. */
enum {
	KHO_CREATED = 0,  /* new, all zeros */
	KHO_CLAIMED = 1,  /* it was there, with its content */
	KHO_RECREATED = 2 /* was lost; new, all zeros */
};

/*
 * What a service calls at start: claims the region, or creates a memfd of size bytes and registers
 * it if there is none. No memory is allocated before it is written to.
 *
 * flags: KHO_OPTIONAL (for a new one), KHO_TAKE_DAMAGED, KHO_RECREATE_LOST.
 * ret_fd, ret_region: as in kho_claim(). A claimed region keeps its own size.
 *
 * Returns KHO_CREATED, KHO_CLAIMED or KHO_RECREATED. A loss is never papered over:
 *
 * -ENODATA   the region was lost, and KHO_RECREATE_LOST is not among the flags
 * -EUCLEAN   the region is damaged, and KHO_TAKE_DAMAGED is not among the flags
 * -EMSGSIZE  a region of that name is there, but smaller than size: kho_claim() it and grow it
 * and the errors of kho_register(), memfd_create(2) and ftruncate(2).
 * Since 0.1.
 */
int kho_claim_or_create(struct kho *k, const char *name, uint64_t size, uint64_t flags, int *ret_fd,
			const struct kho_region **ret_region);

/*
 * Gives a claim back: the region stays kept and can be claimed anew, by this process or another of
 * the same owner. Fds and mappings stay usable.
 *
 * -ENOENT  no region of that name
 * Since 0.1.
 */
int kho_release(struct kho *k, const char *name);

/*
 * All regions of the caller's owner, the lost ones too. ret_regions gets an array that ends with
 * NULL; it belongs to the handle, until the next kho_list() on it. Returns how many there are.
 * Since 0.1.
 */
int kho_list(struct kho *k, const struct kho_region *const **ret_regions);

enum kho_event_type {
	KHO_EVENT_PREPARE = 1,	/* an update is coming: register what is missing, then answer with
				 * kho_acknowledge() or kho_refuse() */
	KHO_EVENT_FREEZE,	/* stop writing to the regions, then answer */
	KHO_EVENT_RESUME,	/* the update does not happen: go on as before; reason says why */
	KHO_EVENT_DISCONNECTED, /* khod is away; the library looks for it. Stay as you are */
	KHO_EVENT_RECONNECTED,	/* khod is back */
	KHO_EVENT_REGISTERED_AGAIN, /* khod came back without this region, and has it again */
	KHO_EVENT_NOT_KEPT,	    /* khod does not keep this region any longer; reason says why */
	KHO_EVENT_COMMITTED /* the machine goes down into the next kernel, and takes along what is
			     * registered until the end: this service will be stopped, or told
			     * FREEZE. No answer */
};

/* Belongs to the handle; later versions may add members at the end. */
struct kho_event {
	enum kho_event_type type; /* ignore those you don't know */
	const char *update;	  /* id of the update; NULL if the event is of none */
	uint64_t timeout_usec;	  /* time left to answer, with PREPARE and FREEZE, if khod waits for
				   * it: kho_extend_timeout() may get more; else UINT64_MAX */
	const char *region;	  /* with REGISTERED_AGAIN and NOT_KEPT; else NULL */
	const char *reason;	  /* one sentence, or NULL */
	/* With PREPARE and FREEZE, else NULL: "in-place", the regions stay where they are; "copy",
	 * they are copied when all have answered FREEZE, which takes time, and what is written
	 * later is lost. */
	const char *manner;
};

/*
 * Takes part in updates from now on: khod tells of each step and waits for an answer. From here
 * kho_process() is to be called whenever kho_get_fd() is readable.
 *
 * flags: KHO_OPTIONAL: a refusal, or no answer in time, does not stop an update; the regions are
 * kept all the same, unchecked.
 *
 * -EALREADY  this handle watches already
 * -ENOSPC    too many participants
 * -ELOOP     participants could not freeze in any order that all have asked for
 * -EPERM     a user's service can't have others wait for it: see kho_freeze_before()
 * -EINVAL    ... or a name for it is none, or there are more than 64
 * Since 0.1.
 */
int kho_watch(struct kho *k, uint64_t flags);

/*
 * Says, before kho_watch(), that this service freezes before or after the participants of another
 * owner (cache.service; uid:N/UNIT or uid:N for what is no unit of the system): the one is told
 * FREEZE only when the other has answered it. Owners that do not take part are passed over. May be
 * called for several. As with units, khod refuses an order that goes in a circle: kho_watch()
 * returns -ELOOP then, and the message shows it.
 *
 * -EALREADY  this handle watches already
 * -EINVAL    owner is NULL or empty
 * Since 0.1.
 */
int kho_freeze_before(struct kho *k, const char *owner);
int kho_freeze_after(struct kho *k, const char *owner);

/*
 * An fd that becomes readable (POLLIN) when kho_process() has something to do. It stays the same
 * and stays the handle's: don't read it, don't close it.
 * Since 0.1.
 */
int kho_get_fd(struct kho *k);

/*
 * Does what there is to do: takes events from khod, looks for a khod that went away (after 0.1 s,
 * then ever less often up to every 5 s), and gives regions back that khod returned without.
 *
 * Returns 1 and an event, valid until the next kho_process() or kho_close(), or 0 and NULL.
 * -ENOTCONN: kho_watch() was not called.
 * Since 0.1.
 */
int kho_process(struct kho *k, const struct kho_event **ret_event);

/*
 * Answers the last PREPARE or FREEZE that kho_process() returned: ready; stopped. If khod is away,
 * the answer is kept, and told when it is back.
 *
 * -ESTALE  nothing is asked (any longer): the update was given up, and everything goes on
 * Since 0.1.
 */
int kho_acknowledge(struct kho *k);

/*
 * Asks for more time to answer the last PREPARE or FREEZE: timeout_usec from now. Once for each of
 * them; what khod gives is bounded by what the operator allows all services together.
 * reason: shown to the operator; may be NULL.
 * ret_timeout_usec: if not NULL, gets how much there is from now; never less than before.
 *
 * -EALREADY  it was asked for this one already
 * -ESTALE    nothing is asked, or nobody waits for the answer any longer
 * Since 0.1.
 */
int kho_extend_timeout(struct kho *k, uint64_t timeout_usec, const char *reason,
		       uint64_t *ret_timeout_usec);

/*
 * Answers the last PREPARE or FREEZE with no: the update does not happen, and RESUME follows. From
 * the moment when an update is committed a refusal of FREEZE is only recorded. reason is shown to
 * the operator.
 *
 * -ESTALE  as in kho_acknowledge()
 * Since 0.1.
 */
int kho_refuse(struct kho *k, const char *reason);

#ifdef __cplusplus
}
#endif

#endif
