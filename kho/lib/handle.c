/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <time.h>

#include "kho/lib/call.h"
#include "kho/lib/error.h"
#include "kho/lib/kept.h"
#include "kho/lib/list.h"
#include "kho/lib/watch.h"

#define RUNTIME_DIR "/run/kho"

uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void close_handle(struct kho **k)
{
	kho_close(*k);
}

int kho_connect(struct kho **ret)
{
	_cleanup_(close_handle) struct kho *k = NULL;
	const char *directory;
	int r;

	if (!ret)
		return -EINVAL;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->poll_fd = k->timer_fd = -EBADF;
	directory = secure_getenv("KHO_RUNTIME_DIR") ?: RUNTIME_DIR;
	if (asprintf(&k->address, "%s/io.kho.Handover", directory) < 0) {
		k->address = NULL;
		return -ENOMEM;
	}
	r = watch_init(k);
	if (r >= 0)
		r = call_connect(k);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(k);
	return 0;
}

struct kho *kho_close(struct kho *k)
{
	if (!k)
		return NULL;
	call_disconnect(k);
	watch_done(k);
	kept_clear(k);
	list_clear(k);
	json_unref(&k->claimed.json);
	free(k->address);
	free(k->message);
	free(k);
	return NULL;
}

const char *kho_error_message(struct kho *k)
{
	return k && k->message ? k->message : "no error";
}
