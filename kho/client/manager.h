/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_MANAGER_H
#define KHO_CLIENT_MANAGER_H

#include <stdint.h>
#include <systemd/sd-json.h>

#include "kho/client/exit-codes.h"
#include "kho/core/cleanup.h"

/*
 * A connection to khod on io.kho.Manager. Calls wait for the reply as long as it takes; whoever
 * wants to be interrupted sets an interrupt fd.
 *
 * When a function fails, manager_message() is the one line to show, and manager_exit_code() what to
 * exit with, unless the caller knows better (an update that had begun is EXIT_ABORTED).
 */
struct manager;

/* Returned for an error that khod replied with; manager_error() has its name. */
#define MANAGER_ERROR_REPLY (-EREMOTEIO)

struct manager_progress {
	const char *phase;
	uint64_t done;
	uint64_t total;	    /* regions; 0: not known */
	char **waiting_for; /* as waiting_phrases() gives it; never NULL */
};

/* For _cleanup_: strings in a NULL-terminated array, or NULL. */
void free_strv(char ***strv);

/* Everything in progress is borrowed, for the time of the call. */
typedef void (*manager_progress_t)(const struct manager_progress *progress, void *userdata);

/*
 * Makes a manager that is not connected yet. It is also where the error of manager_connect() is
 * kept, so it is made even if nobody listens. Returns 0 or -ENOMEM.
 */
int manager_new(struct manager **ret);
struct manager *manager_free(struct manager *m);
DEFINE_CLEANUP_FUNC(struct manager *, manager_free)
#define _cleanup_manager_ _cleanup_(manager_freep)

/* Connects. Returns 0 or a negative errno: -ENOENT or -ECONNREFUSED if khod is not running. */
int manager_connect(struct manager *m);

/* Breaks the connection; what was learned stays. */
void manager_disconnect(struct manager *m);

/*
 * A call returns -EINTR once fd (borrowed; a signalfd, an eventfd) is readable, and leaves it to
 * the caller to read it. After that the connection can only be freed: the reply is still to come.
 */
void manager_set_interrupt(struct manager *m, int fd);

/* How long khod may say nothing during a call before that is told of. */
#define MANAGER_SILENCE_SEC 10

/* method is borrowed. */
typedef void (*manager_silent_t)(const char *method, void *userdata);

/*
 * From here on, silent is called once in a call during which khod says nothing for
 * MANAGER_SILENCE_SEC: it is stopped, or busy. The call goes on waiting. Events are waited for
 * without that.
 */
void manager_set_silent(struct manager *m, manager_silent_t silent, void *userdata);

/*
 * Calls io.kho.Manager.METHOD. parameters (may be NULL) stay the caller's; *ret_reply (may be NULL)
 * becomes the caller's, to sd_json_variant_unref(). Returns 0, MANAGER_ERROR_REPLY, -EINTR, or
 * another negative errno if the connection fails.
 */
int manager_call(struct manager *m, const char *method, sd_json_variant *parameters,
		 sd_json_variant **ret_reply);

/* As manager_call(), for methods that tell of their progress. */
int manager_call_progress(struct manager *m, const char *method, sd_json_variant *parameters,
			  manager_progress_t progress, void *userdata, sd_json_variant **ret_reply);

/* An object that a method of many replies sent; borrowed. */
typedef void (*manager_event_t)(sd_json_variant *parameters, void *userdata);

/*
 * As manager_call(), for methods that send event after event: event gets each. It may call
 * manager_disconnect(), which ends the call with an error.
 */
int manager_call_events(struct manager *m, const char *method, sd_json_variant *parameters,
			manager_event_t event, void *userdata);

/* The first fd that came with the last reply, the caller's to close; -ENODATA if none did. */
int manager_take_fd(struct manager *m);

/* Says that METHOD's reply was not what the interface promises. Returns -EBADMSG. */
int manager_bad_reply(struct manager *m, const char *method);

/* Of the last failure; valid until the next call. Never NULL, no newline. */
const char *manager_message(const struct manager *m);
enum exit_code manager_exit_code(const struct manager *m);

/* Name of the error that khod replied with, without "io.kho.Manager." ("Refused"); else NULL. */
const char *manager_error(const struct manager *m);

/* What the error reply carried (fields as in the interface); NULL if nothing. Borrowed. */
sd_json_variant *manager_error_parameters(const struct manager *m);

#endif
