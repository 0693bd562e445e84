/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/kernel.h"

#include <errno.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/generation.h"
#include "kho/transport/message.h"

static int kernel_only_probe(const struct kernel_info *kernel, char **ret_message)
{
	if (kernel->generation == KHO_FINALIZE)
		return 0;
	message_set(ret_message, "%s", kho_generation_advice(kernel->generation));
	return -EOPNOTSUPP;
}

/* The tree has token 0, which is how it is told from regions later. */
static size_t kernel_only_place(struct transport_item *items, size_t first, size_t n)
{
	for (size_t i = first; i < n; i++) {
		items[i].session = 0;
		items[i].token = i;
	}
	return n > 0;
}

static int kernel_only_check(const struct transport_item *items, size_t n, char **ret_message)
{
	return 0;
}

static int kernel_only_groom(int fd, uint64_t *offset, uint64_t deadline_usec)
{
	return 1;
}

/* There is no session to have an fd of. */
static int kernel_only_open(const char *update_id, size_t first, size_t n, int *ret_sessions,
			    char **ret_message)
{
	for (size_t i = 0; i < n; i++)
		ret_sessions[i] = -EBADF;
	return 0;
}

static int kernel_only_preserve(int session, uint32_t number, struct transport_item *items,
				size_t n, const atomic_bool *cancel, size_t *ret_failed,
				char **ret_message)
{
	for (size_t i = 0; i < n; i++) {
		if (items[i].token == 0)
			continue;
		*ret_failed = i;
		message_set(
			ret_message,
			"%s: this kernel can't hand over userspace memory; drop it, or boot 6.19 "
			"or newer with CONFIG_LIVEUPDATE=y",
			items[i].label);
		return items[i].error = -EOPNOTSUPP;
	}
	return 0;
}

static int kernel_only_stage(const struct transport_item *items, size_t n, size_t *ret_failed,
			     char **ret_message)
{
	return 0;
}

static int kernel_only_abort(int *sessions, size_t n_sessions, const struct transport_item *items,
			     size_t n, uint64_t timeout_usec, size_t *ret_failed,
			     char **ret_message)
{
	return 0;
}

const struct transport transport_kernel = {
	.name = "kernel",
	.manner = "with what kernel code hands over alone",
	.probe = kernel_only_probe,
	.place = kernel_only_place,
	.check = kernel_only_check,
	.groom = kernel_only_groom,
	.open = kernel_only_open,
	.preserve = kernel_only_preserve,
	.stage = kernel_only_stage,
	.abort = kernel_only_abort,
};

static int copy_only_probe(const struct kernel_info *kernel, char **ret_message)
{
	return 0;
}

/* What is collected here is the tree alone, which the ledger and the carrier take along. */
const struct transport transport_copy = {
	.name = "copy",
	.manner = "by copy",
	.probe = copy_only_probe,
	.place = kernel_only_place,
	.check = kernel_only_check,
	.groom = kernel_only_groom,
	.open = kernel_only_open,
	.preserve = kernel_only_preserve,
	.stage = kernel_only_stage,
	.abort = kernel_only_abort,
};
