/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/daemon/pending.h"

/* A call that waits for the end of restoring. */
struct pending {
	sd_varlink *link;
	sd_varlink_method_t method;
	sd_json_variant *parameters;
	sd_varlink_method_flags_t flags;
};

bool pending_keep(struct peer *peer, sd_varlink_method_t method, sd_json_variant *parameters,
		  sd_varlink_method_flags_t flags)
{
	struct manager *m = peer->manager;
	struct pending *pending;

	if (m->update->state != UPDATE_RESTORING)
		return false;
	pending = reallocarray(m->pending, m->n_pending + 1, sizeof(*pending));
	if (!pending)
		return false;
	m->pending = pending;
	pending[m->n_pending++] = (struct pending){.link = sd_varlink_ref(peer->link),
						   .method = method,
						   .parameters = sd_json_variant_ref(parameters),
						   .flags = flags};
	return true;
}

static void pending_done(struct pending *p)
{
	sd_varlink_unref(p->link);
	sd_json_variant_unref(p->parameters);
}

void pending_resume(struct manager *m)
{
	struct pending *pending = TAKE_PTR(m->pending);
	size_t n = m->n_pending;

	m->n_pending = 0;
	for (size_t i = 0; i < n; i++) {
		struct pending *p = &pending[i];
		struct peer *peer = sd_varlink_get_userdata(p->link);

		/* Without a peer the connection is closed by now. */
		int r = peer ? p->method(p->link, p->parameters, p->flags, peer) : 0;

		if (r < 0)
			(void)sd_varlink_error_errno(p->link, r);
		pending_done(p);
	}
	free(pending);
}

void pending_free(struct manager *m)
{
	for (size_t i = 0; i < m->n_pending; i++)
		pending_done(&m->pending[i]);
	free(m->pending);
	m->pending = NULL;
	m->n_pending = 0;
}
