/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_CALL_H
#define KHO_LIB_CALL_H

#include "kho/lib/handle.h"

struct call {
	const char *method; /* with its interface */
	sd_json_variant *parameters;
	bool with_fd;
	int fd;	      /* goes along, if with_fd; stays the caller's */
	bool patient; /* may wait for khod to have restored everything, without limit */
};

struct answer {
	sd_json_variant *parameters; /* a reference; the error's if khod refused; or NULL */
	int fd;			     /* memoryFileDescriptor's, or negative */
	bool again; /* asked more than once: khod may have heard it the first time */
};

#define ANSWER_NONE ((struct answer){.fd = -EBADF})

/* For _cleanup_. */
void answer_done(struct answer *answer);
void json_unref(sd_json_variant **json);
#define _cleanup_json_ _cleanup_(json_unref)

/* A new connection to khod, the caller's. -ECONNREFUSED: no khod there. */
int connect_address(struct kho *k, sd_varlink **ret);

/* Connects for calls, unless connected. -ECONNREFUSED: no khod there. */
int call_connect(struct kho *k);
void call_disconnect(struct kho *k);

/* Asks khod once, on the connection that is there. A link that broke is gone afterwards. */
int call_now(struct kho *k, const struct call *call, struct answer *ret);

/* Asks khod, and bridges its restarts. ret: to be released with answer_done() in any case. */
int call_khod(struct kho *k, const struct call *call, struct answer *ret);

#endif
