/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <time.h>

#include "kho/lib/call.h"
#include "kho/lib/error.h"
#include "kho/lib/kept.h"
#include "kho/lib/watch.h"

#define PAUSE_USEC UINT64_C(100000)

void json_unref(sd_json_variant **json)
{
	*json = sd_json_variant_unref(*json);
}

void answer_done(struct answer *answer)
{
	json_unref(&answer->parameters);
	close_fd(&answer->fd);
}

int connect_address(struct kho *k, sd_varlink **ret)
{
	int r = sd_varlink_connect_address(ret, k->address);

	if (r == -ENOENT || r == -ECONNREFUSED || r == -EAGAIN)
		return fail(k, -ECONNREFUSED, "%s (nobody listens on %s)",
			    kho_strerror(ECONNREFUSED), k->address);
	if (r < 0)
		return fail(k, r, "can't connect to %s: %s", k->address, kho_strerror(r));
	return 0;
}

int call_connect(struct kho *k)
{
	int r;

	if (k->link)
		return 0;
	r = connect_address(k, &k->link);
	if (r < 0)
		return r;
	r = sd_varlink_set_allow_fd_passing_input(k->link, true);
	if (r >= 0)
		r = sd_varlink_set_allow_fd_passing_output(k->link, true);
	if (r < 0) {
		call_disconnect(k);
		return fail(k, r, "can't pass fds over %s: %s", k->address, kho_strerror(r));
	}
	return 0;
}

void call_disconnect(struct kho *k)
{
	k->link = sd_varlink_close_unref(k->link);
}

/* Takes the fd that the reply speaks of, if it does. */
static int take_answer_fd(struct kho *k, struct answer *answer)
{
	sd_json_variant *index = sd_json_variant_by_key(answer->parameters, "memoryFileDescriptor");

	if (!index)
		return 0;
	if (!sd_json_variant_is_unsigned(index))
		return fail(k, -EPROTO, "khod's reply has an fd that is no number");
	answer->fd = sd_varlink_take_fd(k->link, sd_json_variant_unsigned(index));
	if (answer->fd < 0)
		return fail(k, -EPROTO, "khod's reply speaks of an fd that it did not bring");
	return 0;
}

int call_now(struct kho *k, const struct call *call, struct answer *ret)
{
	sd_json_variant *parameters = NULL;
	const char *error_id = NULL;
	int r;

	if (call->with_fd) {
		r = sd_varlink_push_dup_fd(k->link, call->fd);
		if (r < 0) {
			call_disconnect(k);
			return fail(k, r, "can't send fd %d to khod: %s", call->fd,
				    kho_strerror(r));
		}
	}
	sd_varlink_set_relative_timeout(k->link, call->patient ? UINT64_MAX : ANSWER_USEC);
	r = sd_varlink_call(k->link, call->method, call->parameters, &parameters, &error_id);
	if (r < 0) {
		call_disconnect(k);
		return fail(k, r, "%s", kho_strerror(r));
	}
	json_unref(&ret->parameters);
	ret->parameters = sd_json_variant_ref(parameters);
	if (error_id)
		return fail_varlink(k, error_id, parameters);
	return take_answer_fd(k, ret);
}

static void pause_usec(uint64_t usec)
{
	struct timespec t = {.tv_sec = usec / 1000000, .tv_nsec = usec % 1000000 * 1000};

	nanosleep(&t, NULL);
}

/* One try; a khod that was away gets its regions back first. */
static int call_try(struct kho *k, const struct call *call, struct answer *ret)
{
	int r;

	if (watch_is_broken(k))
		k->recheck = true;
	r = call_connect(k);
	if (r < 0)
		return r;
	if (k->recheck) {
		r = kept_recheck(k);
		if (r < 0)
			return r;
	}
	r = call_now(k, call, ret);
	if (is_disconnect(r))
		ret->again = true;
	return r;
}

int call_khod(struct kho *k, const struct call *call, struct answer *ret)
{
	uint64_t deadline = now_usec() + RESTART_USEC;
	int r;

	for (;;) {
		r = call_try(k, call, ret);
		if (!is_disconnect(r))
			break;
		k->recheck = true;
		if (now_usec() >= deadline) {
			r = fail(k, -ECONNREFUSED, "%s", kho_strerror(ECONNREFUSED));
			break;
		}
		pause_usec(PAUSE_USEC);
	}
	/* One connection a handle is enough: khod's number of them is limited. */
	if (k->watch.wanted)
		call_disconnect(k);
	return r;
}
