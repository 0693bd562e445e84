/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/generation.h"
#include "kho/kernel/pages.h"
#include "kho/transport/luo-choose.h"
#include "kho/transport/luo-demand.h"
#include "kho/transport/luo.h"
#include "kho/transport/message.h"

#define UPDATE_ID_LENGTH 16

int luo_session_name(char buf[static LUO_SESSION_NAME_MAX + 1], const char *update_id,
		     size_t number)
{
	int n;

	if (strlen(update_id) != UPDATE_ID_LENGTH ||
	    strspn(update_id, "0123456789abcdef") != UPDATE_ID_LENGTH)
		return -EINVAL;
	n = snprintf(buf, LUO_SESSION_NAME_MAX + 1, "kho-%s-%zu", update_id, number);
	return n > LUO_SESSION_NAME_MAX ? -ENAMETOOLONG : 0;
}

static int luo_probe(const struct kernel_info *kernel, char **ret_message)
{
	if (kernel->luo)
		return 0;
	message_set(ret_message, "%s",
		    kernel->luo_reason ? kernel->luo_reason
				       : kho_generation_advice(kernel->generation));
	return -EOPNOTSUPP;
}

static size_t luo_place(struct transport_item *items, size_t first, size_t n)
{
	for (size_t i = first; i < n; i++) {
		items[i].session = (uint32_t)(i / LUO_FILES_PER_SESSION);
		items[i].token = i;
	}
	return (n + LUO_FILES_PER_SESSION - 1) / LUO_FILES_PER_SESSION;
}

typedef int (*sessions_func)(const char *const *names, size_t n, int *ret_fds);

/* Calls func on the names of the sessions [first, first + n). */
static int sessions_call(sessions_func func, const char *update_id, size_t first, size_t n,
			 int *ret_sessions)
{
	typedef char session_name[LUO_SESSION_NAME_MAX + 1];
	_cleanup_free_ session_name *names = calloc(n + 1, sizeof(*names));
	_cleanup_free_ const char **pointers = calloc(n + 1, sizeof(*pointers));

	if (!names || !pointers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = luo_session_name(names[i], update_id, first + i);

		if (r < 0)
			return r;
		pointers[i] = names[i];
	}
	return func(pointers, n, ret_sessions);
}

static int luo_open(const char *update_id, size_t first, size_t n, int *ret_sessions,
		    char **ret_message)
{
	int r = sessions_call(luo_create_sessions, update_id, first, n, ret_sessions);

	if (r < 0)
		message_set(ret_message, "can't create live update sessions: %s",
			    luo_session_advice(r));
	return r;
}

static int luo_attach(const char *update_id, size_t first, size_t n, int *ret_sessions,
		      char **ret_message)
{
	int r = sessions_call(luo_retrieve_sessions, update_id, first, n, ret_sessions);

	if (r < 0)
		message_set(ret_message, "can't take over live update sessions: %s",
			    luo_session_advice(r));
	return r;
}

static int preserve_item(int session, const struct transport_item *item)
{
	int r = luo_session_preserve(session, item->fd, item->token);

	/* Memory for the lists has to be in one piece or in many; a second try may find it. */
	if (r == -ENOMEM)
		r = luo_session_preserve(session, item->fd, item->token);
	/* The session is ours alone, its name new in every update: an earlier call did it. */
	if (r == -EEXIST && luo_is_preserved(item->fd) == 1)
		r = 0;
	return r;
}

static int luo_preserve(int session, uint32_t number, struct transport_item *items, size_t n,
			const atomic_bool *cancel, size_t *ret_failed, char **ret_message)
{
	for (size_t i = 0; i < n; i++) {
		if (items[i].session != number)
			continue;
		if (cancel && atomic_load(cancel)) {
			*ret_failed = i;
			message_set(ret_message, "preserving was cancelled");
			return -ECANCELED;
		}
		items[i].error = preserve_item(session, &items[i]);
		if (items[i].error < 0) {
			*ret_failed = i;
			message_set(ret_message, "%s: %s", items[i].label,
				    luo_preserve_advice(items[i].error));
			return items[i].error;
		}
	}
	return 0;
}

static int luo_stage(const struct transport_item *items, size_t n, size_t *ret_failed,
		     char **ret_message)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		/* Left behind, and known to be. */
		if (items[i].error < 0)
			continue;
		r = luo_is_preserved(items[i].fd);
		/* An empty file that is sealed for good does not show it, and has nothing to lose.
		 */
		if (r == 1 || r == -ENODATA)
			continue;
		*ret_failed = i;
		message_set(ret_message,
			    "%s is no longer held for the next kernel: abort the update and begin "
			    "anew",
			    items[i].label);
		return r < 0 ? r : -ESTALE;
	}
	return 0;
}

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Waits until the kernel has let go of a file. */
static int await_release(int fd, uint64_t deadline_usec)
{
	struct timespec pause = {.tv_nsec = 1000000};

	while (luo_is_preserved(fd) == 1) {
		if (now_usec() >= deadline_usec)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 50000000)
			pause.tv_nsec *= 2;
	}
	return 0;
}

/*
 * A close is not the end: if another process had the session too, the kernel lets go when the last
 * fd is gone (kernel/liveupdate/luo_session.c, luo_session_release).
 */
static int luo_abort(int *sessions, size_t n_sessions, const struct transport_item *items, size_t n,
		     uint64_t timeout_usec, size_t *ret_failed, char **ret_message)
{
	uint64_t deadline_usec;

	for (size_t i = 0; i < n_sessions; i++)
		sessions[i] = safe_close(sessions[i]);

	deadline_usec = now_usec() + timeout_usec;
	for (size_t i = 0; i < n; i++) {
		/* Somebody else's session held it before, and still does. */
		if (items[i].fd < 0 || items[i].error == -EBUSY)
			continue;
		if (await_release(items[i].fd, deadline_usec) < 0) {
			*ret_failed = i;
			message_set(ret_message,
				    "%s is still held for the next kernel: another program keeps "
				    "the session open, see [luo_session] in /proc/*/fd",
				    items[i].label);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

static int luo_retrieve(int session, uint32_t number, struct transport_item *items, size_t n)
{
	int failed = 0;

	for (size_t i = 0; i < n; i++) {
		int r;

		if (items[i].session != number || items[i].fd >= 0)
			continue;
		r = luo_session_retrieve(session, items[i].token);
		items[i].fd = r < 0 ? -EBADF : r;
		items[i].error = r < 0 ? r : 0;
		failed += r < 0;
	}
	return failed;
}

const struct transport transport_luo = {
	.name = "luo",
	.manner = "in place",
	.probe = luo_probe,
	.place = luo_place,
	.check = luo_check,
	.choose = luo_choose,
	.groom = pages_collapse,
	.open = luo_open,
	.preserve = luo_preserve,
	.stage = luo_stage,
	.abort = luo_abort,
	.attach = luo_attach,
	.room = luo_room,
	.retrieve = luo_retrieve,
	.is_final = luo_retrieve_is_final,
	.finish = luo_session_finish,
	.retrieve_advice = luo_retrieve_advice,
};
