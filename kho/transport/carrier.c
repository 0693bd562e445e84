/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/carrier.h"

#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/transport/initrd.h"
#include "kho/transport/message.h"

/* The better ones first. */
static const struct carrier *const carriers[] = {
	&carrier_initrd,
	&carrier_spool,
};

const struct carrier *carrier_nth(size_t n)
{
	return n < ARRAY_SIZE(carriers) ? carriers[n] : NULL;
}

const struct carrier *carrier_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(carriers); i++)
		if (!strcmp(carriers[i]->name, name))
			return carriers[i];
	return NULL;
}

int carrier_choose(const char *name, bool may_take, const char *where, size_t n_regions,
		   uint64_t bytes, const struct carrier **ret, uint64_t *ret_usec,
		   char **ret_message)
{
	int error = -EOPNOTSUPP;

	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++) {
		_cleanup_free_ char *message = NULL;
		int r;

		if (name && strcmp(carriers[i]->name, name))
			continue;
		if (carriers[i]->take && !may_take) {
			if (name)
				message_set(ret_message,
					    "whoever loads the next kernel does not put copies in "
					    "its initrd, or there is no way to keep them there");
			continue;
		}
		r = carriers[i]->room(where, n_regions, bytes, ret_usec, &message);
		if (r >= 0) {
			*ret = carriers[i];
			free(TAKE_PTR(*ret_message));
			return 0;
		}
		error = r;
		message_append(ret_message, "%s%s", *ret_message ? "; " : "",
			       message ? message : strerror(-r));
	}
	return error;
}
