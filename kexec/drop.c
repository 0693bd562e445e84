/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/initrd-join.h"
#include "kexec/run.h"
#include "kexec/status.h"

enum exit_code run_drop(struct run *run)
{
	_cleanup_(status_done) struct status status = {};
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
	sd_json_variant *aborted;
	enum exit_code exit_code;
	int r;

	exit_code = run_connect(run);
	if (exit_code != EXIT_DONE)
		return exit_code;
	r = status_fetch(run->manager, &status);
	if (r < 0)
		return complain_manager(run);
	if (strcmp(status.state, "committed") == 0)
		return complain(run, EXIT_REFUSED,
				"update %s is past the point of no return: the machine goes down",
				status.update ?: "?");
	if (run_unload(run) < 0)
		return EXIT_LOCAL;
	r = manager_call(run->manager, "Abort", NULL, &reply);
	if (r == -EINTR)
		return complain(run, EXIT_ABORTED, "interrupted; khod goes on releasing memory");
	if (r < 0)
		return complain_manager(run);
	initrd_join_remove(NULL);
	aborted = sd_json_variant_by_key(reply, "aborted");
	if (aborted && sd_json_variant_is_string(aborted))
		printf("dropped update %s\n", sd_json_variant_string(aborted));
	return EXIT_DONE;
}
