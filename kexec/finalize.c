/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/finalize.h"

#include <fcntl.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/finalize.h"

/* Does as func where it is needed. */
static int with_root(int (*func)(int root_fd, char **ret_message), char **ret_message)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret_message = NULL;
	if (root < 0)
		return -errno;
	return finalize_is_needed_at(root) ? func(root, ret_message) : 0;
}

enum exit_code run_can_finalize(struct run *run)
{
	_cleanup_free_ char *message = NULL;
	int r = with_root(finalize_is_possible_at, &message);

	return r < 0 ? complain(run, EXIT_REFUSED, "%s", message ?: strerror(-r)) : EXIT_DONE;
}

int run_finalize(char **ret_message)
{
	return with_root(finalize_at, ret_message);
}

int run_check_finalized(char **ret_message)
{
	return with_root(finalize_check_at, ret_message);
}

void show_kernel_users(void)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *users = NULL;

	if (root < 0 || !finalize_is_needed_at(root))
		return;
	if (finalize_users_at(root, &users) == 0)
		printf("the kernel itself hands over: %s\n", users);
	else
		printf("the kernel itself has nothing to hand over\n");
}
