/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "kexec/run.h"
#include "kexec/status.h"
#include "kho/client/format.h"

void status_done(struct status *status)
{
	free(status->state);
	free(status->update);
	free(status->next_release);
	free(status->image);
	free_strv(&status->problems);
	*status = (struct status){};
}

bool status_is_idle(const struct status *status)
{
	return strcmp(status->state, "idle") == 0 || strcmp(status->state, "restoring") == 0;
}

int status_fetch(struct manager *m, struct status *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"state", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct status, state), SD_JSON_MANDATORY},
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct status, update), SD_JSON_NULLABLE},
		{"nextRelease", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct status, next_release), SD_JSON_NULLABLE},
		{"image", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct status, image), SD_JSON_NULLABLE},
		{"regions", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct status, regions), SD_JSON_MANDATORY},
		{"size", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct status, size), SD_JSON_MANDATORY},
		{"kexecLoaded", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
		 offsetof(struct status, kexec_loaded), SD_JSON_MANDATORY},
		{"problems", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
		 offsetof(struct status, problems), SD_JSON_NULLABLE},
		{}};
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
	_cleanup_(status_done) struct status status = {};
	int r;

	r = manager_call(m, "Status", NULL, &reply);
	if (r < 0)
		return r;
	if (sd_json_dispatch(reply, table, SD_JSON_ALLOW_EXTENSIONS, &status) < 0)
		return manager_bad_reply(m, "Status");
	*ret = status;
	status = (struct status){};
	return 0;
}

static void print_image(const struct status *status)
{
	if (!status->kexec_loaded)
		puts("image:    none is loaded");
	else if (!status->image)
		puts("image:    loaded, not by kexec --kho");
	else
		printf("image:    %s%s%s, loaded\n", status->next_release ?: "",
		       status->next_release ? " of " : "", status->image);
}

enum exit_code run_show(struct run *run)
{
	_cleanup_(status_done) struct status status = {};
	char size[FORMAT_SIZE_MAX];
	enum exit_code exit_code;
	int r;

	exit_code = run_connect(run);
	if (exit_code != EXIT_DONE)
		return exit_code;
	r = status_fetch(run->manager, &status);
	if (r < 0)
		return complain_manager(run);
	print_image(&status);
	if (status.update && !status_is_idle(&status))
		printf("update:   %s, %s\n", status.state, status.update);
	else
		printf("update:   %s\n", status.state);
	printf("regions:  %" PRIu64 ", %s\n", status.regions, format_size(status.size, size));
	for (char **problem = status.problems; problem && *problem; problem++)
		printf("problem:  %s\n", *problem);
	return EXIT_DONE;
}
