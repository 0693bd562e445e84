/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/cli/json.h"
#include "kho/cli/monitor-line.h"
#include "kho/cli/json-option.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"
#include "kho/client/manager.h"

struct monitor {
	struct manager *manager;
	bool json;
	int error; /* of standard output; 0: none */
};

static void show(sd_json_variant *event, void *userdata)
{
	struct monitor *monitor = userdata;
	_cleanup_free_ char *line = NULL;

	if (monitor->error)
		return;
	if (monitor->json) {
		sd_json_variant_dump(event, SD_JSON_FORMAT_NEWLINE, stdout, NULL);
	} else {
		line = monitor_line(event);
		if (line)
			printf("%s\n", line);
	}
	/* A line that waits in a buffer is none that is followed live, and may not outlive a kexec.
	 */
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	monitor->error = -errno;
	manager_disconnect(monitor->manager);
}

static enum exit_code follow(bool json)
{
	_cleanup_manager_ struct manager *manager = NULL;
	struct monitor monitor = {.json = json};
	int r;

	r = manager_new(&manager);
	if (r < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	monitor.manager = manager;
	r = manager_connect(manager);
	if (r >= 0)
		r = manager_call_events(manager, "Monitor", NULL, show, &monitor);
	if (monitor.error) {
		say("can't write to standard output: %s", strerror(-monitor.error));
		return EXIT_LOCAL;
	}
	if (r < 0) {
		say("%s", manager_message(manager));
		return manager_exit_code(manager);
	}
	return EXIT_DONE;
}

int verb_monitor(int argc, char *argv[])
{
	bool json;
	int code;

	if (!json_option_only(argc, argv, &json, &code))
		return code;
	return follow(json);
}
