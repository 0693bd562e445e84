/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/order.h"

static bool has_name(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

bool order_precedes(const struct order *first, const struct order *second)
{
	return first && second &&
	       (has_name(first->before, second->owner) || has_name(second->after, first->owner));
}

/* One freezes before the other. */
struct edge {
	const char *from, *to;
	const struct edge *way; /* the edge by which from was reached; NULL: it is the start */
	bool seen;
};

static size_t count_names(const char *const *names)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	return n;
}

static size_t add_edges(struct edge *edges, const struct order *order)
{
	size_t n = 0;

	for (const char *const *name = order->before; name && *name; name++)
		edges[n++] = (struct edge){.from = order->owner, .to = *name};
	for (const char *const *name = order->after; name && *name; name++)
		edges[n++] = (struct edge){.from = *name, .to = order->owner};
	return n;
}

static int compare_edges(const void *a, const void *b)
{
	return strcmp(((const struct edge *)a)->from, ((const struct edge *)b)->from);
}

/* The first of the edges from there; they are in order. */
static struct edge *edges_from(struct edge *edges, size_t n, const char *from)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(edges[middle].from, from) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return edges + low;
}

/* The edge that leads back to start, by the shortest way there is; NULL: none does. */
static const struct edge *walk(struct edge *edges, size_t n, struct edge **queue, const char *start)
{
	size_t head = 0, tail = 0;
	const struct edge *way = NULL;
	const char *at = start;

	for (;;) {
		for (struct edge *e = edges_from(edges, n, at);
		     e < edges + n && !strcmp(e->from, at); e++) {
			if (e->seen)
				break; /* as all from there are */
			e->seen = true;
			e->way = way;
			if (!strcmp(e->to, start))
				return e;
			queue[tail++] = e;
		}
		if (head == tail)
			return NULL;
		way = queue[head++];
		at = way->to;
	}
}

/* "a → b → a" */
static char *print_cycle(const struct edge *last)
{
	char *text = strdup(last->to);

	for (const struct edge *e = last; text && e; e = e->way) {
		_cleanup_free_ char *rest = text;

		if (asprintf(&text, "%s → %s", e->from, rest) < 0)
			text = NULL;
	}
	return text;
}

int order_find_cycle(const struct order *const *orders, size_t n, char **ret)
{
	_cleanup_free_ struct edge *edges = NULL;
	_cleanup_free_ struct edge **queue = NULL;
	const struct edge *last;
	size_t n_edges = 0, max = 0;

	for (size_t i = 0; i < n; i++)
		if (orders[i])
			max += count_names(orders[i]->before) + count_names(orders[i]->after);
	if (n == 0 || !orders[n - 1] || max == 0)
		return 0;
	edges = calloc(max, sizeof(*edges));
	queue = calloc(max, sizeof(struct edge *));
	if (!edges || !queue)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (orders[i])
			n_edges += add_edges(edges + n_edges, orders[i]);
	qsort(edges, n_edges, sizeof(*edges), compare_edges);
	last = walk(edges, n_edges, queue, orders[n - 1]->owner);
	if (!last)
		return 0;
	*ret = print_cycle(last);
	return *ret ? -ELOOP : -ENOMEM;
}
