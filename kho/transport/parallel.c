/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "kho/transport/parallel.h"

#define THREADS_MAX 64

struct parallel {
	size_t n;
	int (*fn)(size_t index, void *data);
	void *data;
	atomic_size_t next;
	atomic_int error;
};

static void *take_indexes(void *userdata)
{
	struct parallel *p = userdata;
	size_t i;

	while ((i = atomic_fetch_add(&p->next, 1)) < p->n) {
		int r = p->fn(i, p->data), none = 0;

		if (r < 0)
			atomic_compare_exchange_strong(&p->error, &none, r);
	}
	return NULL;
}

int parallel_for(size_t n, int (*fn)(size_t index, void *data), void *data)
{
	struct parallel p = {.n = n, .fn = fn, .data = data};
	pthread_t threads[THREADS_MAX];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = processors > 0 ? (size_t)processors : 1, started = 0;

	if (wanted > n)
		wanted = n;
	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	/* The caller's thread is one of them, so that no lack of threads is an error. */
	while (started + 1 < wanted && !pthread_create(&threads[started], NULL, take_indexes, &p))
		started++;
	take_indexes(&p);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	return p.error;
}
