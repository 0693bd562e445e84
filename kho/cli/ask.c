/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/cli/ask.h"
#include "kho/cli/say.h"

void say_silence(const char *method, void *userdata)
{
	say("khod has not answered %s for %d s: it is busy, or stopped; still waiting, Ctrl-C "
	    "gives up",
	    method, MANAGER_SILENCE_SEC);
}

enum exit_code ask_manager(const char *method, sd_json_variant *parameters,
			   sd_json_variant **ret_reply, int *ret_fd)
{
	_cleanup_manager_ struct manager *manager = NULL;
	int r;

	r = manager_new(&manager);
	if (r < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	/* Of Wait, silence is what is asked for. */
	if (strcmp(method, "Wait") != 0)
		manager_set_silent(manager, say_silence, NULL);
	r = manager_connect(manager);
	if (r >= 0)
		r = manager_call(manager, method, parameters, ret_reply);
	if (r < 0) {
		say("%s", manager_message(manager));
		return manager_exit_code(manager);
	}
	if (ret_fd)
		*ret_fd = manager_take_fd(manager);
	return EXIT_DONE;
}
