/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "kho/lib/answer.h"
#include "kho/lib/call.h"
#include "kho/lib/error.h"
#include "kho/lib/kept.h"
#include "kho/lib/watch.h"

#define DELAY_MIN_USEC UINT64_C(100000)
#define DELAY_MAX_USEC UINT64_C(5000000)

int watch_init(struct kho *k)
{
	struct epoll_event event = {.events = EPOLLIN};

	k->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (k->poll_fd < 0)
		return -errno;
	k->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (k->timer_fd < 0)
		return -errno;
	event.data.fd = k->timer_fd;
	return epoll_ctl(k->poll_fd, EPOLL_CTL_ADD, k->timer_fd, &event) < 0 ? -errno : 0;
}

static void disconnect(struct kho *k)
{
	if (!k->watch.link)
		return;
	epoll_ctl(k->poll_fd, EPOLL_CTL_DEL, sd_varlink_get_fd(k->watch.link), NULL);
	k->watch.link = sd_varlink_close_unref(k->watch.link);
	k->watch.established = false;
}

static void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

void watch_done(struct kho *k)
{
	disconnect(k);
	free_names(k->watch.freeze_before);
	free_names(k->watch.freeze_after);
	question_clear(&k->watch.question);
	event_queue_clear(&k->events);
	close_fd(&k->timer_fd);
	close_fd(&k->poll_fd);
}

bool watch_is_broken(struct kho *k)
{
	struct pollfd p;

	if (!k->watch.wanted)
		return false;
	if (!k->watch.link)
		return true;
	p = (struct pollfd){.fd = sd_varlink_get_fd(k->watch.link)};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* Sees to it that the fd becomes readable when there is something to do. */
static void arm(struct kho *k)
{
	struct itimerspec t = {};
	uint64_t at = 0;

	if (k->events.first)
		at = 1; /* in the past: at once */
	else if (!k->watch.link)
		at = k->watch.next_usec;
	else if (k->recheck)
		at = now_usec() + DELAY_MAX_USEC;
	t.it_value.tv_sec = at / 1000000;
	t.it_value.tv_nsec = at % 1000000 * 1000;
	timerfd_settime(k->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);

	if (k->watch.link) {
		int fd = sd_varlink_get_fd(k->watch.link);
		int events = sd_varlink_get_events(k->watch.link);

		epoll_ctl(k->poll_fd, EPOLL_CTL_MOD, fd,
			  &(struct epoll_event){.events = events > 0 ? events : 0, .data.fd = fd});
	}
}

int watch_tell(struct kho *k, const struct kho_event *event)
{
	int r = event_queue_push(&k->events, event);

	arm(k);
	return r;
}

struct message {
	const char *event, *update, *reason, *manner;
	uint64_t participant, timeout_usec;
};

static int decode(sd_json_variant *json, struct message *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"event", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct message, event), SD_JSON_MANDATORY},
		{"participant", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct message, participant), SD_JSON_MANDATORY},
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct message, update), SD_JSON_NULLABLE},
		{"timeoutUSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct message, timeout_usec), SD_JSON_NULLABLE},
		{"reason", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct message, reason), SD_JSON_NULLABLE},
		{"manner", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct message, manner), SD_JSON_NULLABLE},
		{}};

	*ret = (struct message){.timeout_usec = UINT64_MAX};
	return sd_json_dispatch(json, table, SD_JSON_ALLOW_EXTENSIONS, ret) < 0 ? -EPROTO : 0;
}

static int take_message(struct kho *k, const struct message *message)
{
	static const char *const names[] = {
		[KHO_EVENT_PREPARE] = "prepare",
		[KHO_EVENT_FREEZE] = "freeze",
		[KHO_EVENT_RESUME] = "resume",
		[KHO_EVENT_COMMITTED] = "committed",
	};

	if (strcmp(message->event, "watching") == 0) {
		k->watch.participant = message->participant;
		k->watch.established = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && strcmp(message->event, names[i]) == 0)
			return event_queue_push(
				&k->events,
				&(struct kho_event){.type = i,
						    .update = message->update ?: "",
						    .timeout_usec = message->timeout_usec,
						    .reason = message->reason,
						    .manner = message->manner});
	return 0; /* a newer khod's */
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
		    sd_varlink_reply_flags_t flags, void *userdata)
{
	struct message message;
	struct kho *k = userdata;
	int r;

	if (error_id)
		r = fail_varlink(k, error_id, parameters);
	else {
		r = decode(parameters, &message);
		if (r < 0)
			fail(k, r, "khod's reply to Watch is not understood");
		else
			r = take_message(k, &message);
	}
	if (r >= 0 && !(flags & SD_VARLINK_REPLY_CONTINUES))
		r = fail(k, -ECONNRESET, "khod has ended Watch");
	if (r < 0 && k->watch.error == 0)
		k->watch.error = r;
	return 0;
}

static int start(struct kho *k)
{
	_cleanup_json_ sd_json_variant *parameters = NULL;
	struct watch *watch = &k->watch;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
	int r;

	r = connect_address(k, &watch->link);
	if (r < 0)
		return r;
	watch->error = 0;
	sd_varlink_set_userdata(watch->link, k);
	sd_varlink_set_relative_timeout(watch->link, UINT64_MAX);
	r = sd_varlink_bind_reply(watch->link, on_reply);
	if (r >= 0)
		r = sd_json_buildo(
			&parameters, SD_JSON_BUILD_PAIR_BOOLEAN("required", watch->required),
			SD_JSON_BUILD_PAIR_CONDITION(!!watch->freeze_before, "freezeBefore",
						     SD_JSON_BUILD_STRV(watch->freeze_before)),
			SD_JSON_BUILD_PAIR_CONDITION(!!watch->freeze_after, "freezeAfter",
						     SD_JSON_BUILD_STRV(watch->freeze_after)));
	if (r >= 0)
		r = sd_varlink_observe(watch->link, "io.kho.Handover.Watch", parameters);
	event.data.fd = sd_varlink_get_fd(watch->link);
	if (r >= 0 && epoll_ctl(k->poll_fd, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
		r = -errno;
	if (r < 0) {
		disconnect(k);
		return fail(k, r, "can't watch: %s", kho_strerror(r));
	}
	return 0;
}

/* Takes what there is on the connection; a negative errno says that it is of no use any more. */
static int pump(struct kho *k)
{
	int r;

	do
		r = sd_varlink_process(k->watch.link);
	while (r > 0 && k->watch.error == 0);
	return k->watch.error ?: r;
}

int kho_watch(struct kho *k, uint64_t flags)
{
	uint64_t deadline = now_usec() + ANSWER_USEC;
	int r;

	if (!k)
		return -EINVAL;
	if (flags & ~KHO_OPTIONAL)
		return fail(k, -EINVAL, "unknown flags 0x%llx",
			    (unsigned long long)(flags & ~KHO_OPTIONAL));
	if (k->watch.wanted)
		return fail(k, -EALREADY, "%s", kho_strerror(EALREADY));

	k->watch.required = !(flags & KHO_OPTIONAL);
	r = start(k);
	if (r < 0)
		return r;
	for (;;) {
		r = pump(k);
		if (r < 0 || k->watch.established)
			break;
		if (now_usec() >= deadline) {
			r = fail(k, -ETIME, "%s", kho_strerror(ETIME));
			break;
		}
		r = sd_varlink_wait(k->watch.link, deadline - now_usec());
		if (r < 0 && r != -EINTR)
			break;
	}
	if (r < 0) {
		disconnect(k);
		return r;
	}
	k->watch.wanted = true;
	call_disconnect(k);
	arm(k);
	return 0;
}

static int add_name(struct kho *k, char ***names, const char *owner)
{
	size_t n = 0;
	char **more;

	if (k->watch.wanted)
		return fail(k, -EALREADY, "%s", kho_strerror(EALREADY));
	if (!owner || !*owner)
		return fail(k, -EINVAL, "an owner's name is missing");
	while (*names && (*names)[n])
		n++;
	more = reallocarray(*names, n + 2, sizeof(*more));
	if (!more)
		return fail(k, -ENOMEM, "%s", kho_strerror(ENOMEM));
	*names = more;
	more[n + 1] = NULL;
	more[n] = strdup(owner);
	return more[n] ? 0 : fail(k, -ENOMEM, "%s", kho_strerror(ENOMEM));
}

int kho_freeze_before(struct kho *k, const char *owner)
{
	return k ? add_name(k, &k->watch.freeze_before, owner) : -EINVAL;
}

int kho_freeze_after(struct kho *k, const char *owner)
{
	return k ? add_name(k, &k->watch.freeze_after, owner) : -EINVAL;
}

static void lost(struct kho *k)
{
	struct watch *watch = &k->watch;

	if (watch->established)
		event_queue_push(&k->events, &(struct kho_event){.type = KHO_EVENT_DISCONNECTED,
								 .timeout_usec = UINT64_MAX,
								 .reason = k->message});
	disconnect(k);
	k->recheck = true;
	watch->delay_usec = watch->delay_usec ? watch->delay_usec * 2 : DELAY_MIN_USEC;
	if (watch->delay_usec > DELAY_MAX_USEC)
		watch->delay_usec = DELAY_MAX_USEC;
	watch->next_usec = now_usec() + watch->delay_usec;
}

/* khod is back: what it should have and know is told to it. */
static int rejoin(struct kho *k)
{
	int r = call_connect(k);

	if (r >= 0)
		r = kept_recheck(k);
	call_disconnect(k);
	return r >= 0 ? question_repeat(k) : r;
}

static void work(struct kho *k)
{
	struct watch *watch = &k->watch;
	bool established = watch->established;

	if (!watch->link && (now_usec() < watch->next_usec || start(k) < 0)) {
		if (now_usec() >= watch->next_usec)
			lost(k);
		return;
	}
	if (pump(k) < 0) {
		lost(k);
		return;
	}
	if (!established && watch->established) {
		watch->delay_usec = 0;
		event_queue_push(&k->events, &(struct kho_event){.type = KHO_EVENT_RECONNECTED,
								 .timeout_usec = UINT64_MAX});
	}
	if (watch->established && (k->recheck || !established) && rejoin(k) < 0)
		k->recheck = true;
}

static int hand_out(struct kho *k, const struct kho_event **ret_event)
{
	const struct kho_event *event = event_queue_pop(&k->events);
	int r = 0;

	if (event && event->type == KHO_EVENT_PREPARE)
		r = question_ask(&k->watch.question, PHASE_PREPARE, event->update);
	else if (event && event->type == KHO_EVENT_FREEZE)
		r = question_ask(&k->watch.question, PHASE_FREEZE, event->update);
	else if (event && event->type == KHO_EVENT_RESUME)
		question_clear(&k->watch.question);
	if (r < 0)
		return fail(k, r, "%s", kho_strerror(r));
	if (ret_event)
		*ret_event = event;
	return !!event;
}

int kho_process(struct kho *k, const struct kho_event **ret_event)
{
	int r;

	if (!k)
		return -EINVAL;
	if (ret_event)
		*ret_event = NULL;
	if (!k->watch.wanted)
		return fail(k, -ENOTCONN, "%s", kho_strerror(ENOTCONN));
	work(k);
	r = hand_out(k, ret_event);
	arm(k);
	return r;
}

int kho_get_fd(struct kho *k)
{
	return k ? k->poll_fd : -EINVAL;
}
