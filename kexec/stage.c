/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "kexec/files.h"
#include "kexec/carry.h"
#include "kexec/finalize.h"
#include "kexec/load.h"
#include "kexec/plan.h"
#include "kexec/run.h"
#include "kexec/stored.h"
#include "kexec/verify.h"
#include "kho/client/format.h"

#define LOAD_DISABLED "/proc/sys/kernel/kexec_load_disabled"

/* What Prepare replies with. */
struct prepared {
	char *update;
	uint64_t regions;
	uint64_t size;
	char *transport;
	char *carrier; /* NULL: nothing goes by copy */
	uint64_t copies;
	uint64_t copy_size;
	uint64_t copy_usec;
	char **warnings;
};

static void prepared_done(struct prepared *prepared)
{
	free(prepared->update);
	free(prepared->transport);
	free(prepared->carrier);
	free_strv(&prepared->warnings);
}

static bool loading_is_disabled(void)
{
	_cleanup_fclose_ FILE *f = fopen(LOAD_DISABLED, "re");

	return f && fgetc(f) == '1';
}

/* All that can be seen before any service is bothered. */
static enum exit_code check_files(struct run *run, struct image **ret)
{
	_cleanup_free_ char *error = NULL;
	int r;

	r = image_check(run->options->image, ret, &error);
	if (r >= 0 && run->options->initrd)
		r = initrd_check(run->options->initrd, &error);
	if (r < 0)
		return complain(run, EXIT_LOCAL, "%s", error ?: strerror(-r));
	if (loading_is_disabled())
		return complain(run, EXIT_LOCAL,
				"loading a kernel is switched off until the next boot "
				"(kernel.kexec_load_disabled=1)");
	return EXIT_DONE;
}

/* What is checked, loaded, and loaded again at the end, has to be the same all the time. */
static enum exit_code check_next(struct run *run, struct staged *staged)
{
	_cleanup_free_ char *error = NULL;
	int r = staged_init(staged, run->options, &error);

	if (r >= 0 && run->options->reuse_cmdline)
		r = carry_clean_cmdline(staged);
	if (r < 0)
		return complain(run, EXIT_LOCAL, "%s", error ?: strerror(-r));
	return run_verify(run, staged);
}

static int build_prepare(const struct run *run, const struct image *image, sd_json_variant **ret)
{
	const struct kexec_options *o = run->options;

	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("image", image->path),
		SD_JSON_BUILD_PAIR_CONDITION(!!image->release, "nextRelease",
					     SD_JSON_BUILD_STRING(image->release)),
		SD_JSON_BUILD_PAIR_CONDITION(o->has_digest_size_max, "digestSizeMax",
					     SD_JSON_BUILD_UNSIGNED(o->digest_size_max)),
		SD_JSON_BUILD_PAIR_CONDITION(o->timeout_usec > 0, "timeoutUSec",
					     SD_JSON_BUILD_UNSIGNED(o->timeout_usec)),
		SD_JSON_BUILD_PAIR_CONDITION(run->forced, "forced", SD_JSON_BUILD_BOOLEAN(true)),
		SD_JSON_BUILD_PAIR_CONDITION(run->by_copy, "copy", SD_JSON_BUILD_BOOLEAN(true)),
		SD_JSON_BUILD_PAIR_CONDITION(run->may_archive, "initrd",
					     SD_JSON_BUILD_BOOLEAN(true)),
		SD_JSON_BUILD_PAIR_CONDITION(!!o->transport, "transport",
					     SD_JSON_BUILD_STRING(o->transport)),
		SD_JSON_BUILD_PAIR_CONDITION(!!o->spool, "spool", SD_JSON_BUILD_STRING(o->spool)));
}

static int read_prepared(sd_json_variant *reply, struct prepared *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct prepared, update), SD_JSON_MANDATORY},
		{"regions", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct prepared, regions), SD_JSON_MANDATORY},
		{"size", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct prepared, size), SD_JSON_MANDATORY},
		{"transport", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct prepared, transport), SD_JSON_NULLABLE},
		{"carrier", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct prepared, carrier), SD_JSON_NULLABLE},
		{"copies", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct prepared, copies), SD_JSON_NULLABLE},
		{"copySize", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct prepared, copy_size), SD_JSON_NULLABLE},
		{"copyUSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct prepared, copy_usec), SD_JSON_NULLABLE},
		{"warnings", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
		 offsetof(struct prepared, warnings), SD_JSON_NULLABLE},
		{}};

	return sd_json_dispatch(reply, table, SD_JSON_ALLOW_EXTENSIONS, ret);
}

/* An update that is staged already is refused by khod; how to go on is ours to say. */
static enum exit_code complain_prepare(struct run *run)
{
	sd_json_variant *parameters = manager_error_parameters(run->manager);
	sd_json_variant *state = sd_json_variant_by_key(parameters, "state");
	sd_json_variant *update = sd_json_variant_by_key(parameters, "update");

	if (state && update && sd_json_variant_is_string(state) &&
	    sd_json_variant_is_string(update) &&
	    strcmp(sd_json_variant_string(state), "staged") == 0)
		return complain(run, EXIT_REFUSED,
				"update %s is staged already: kexec --kho -e executes it, "
				"kexec --kho -u drops it",
				sd_json_variant_string(update));
	return complain_manager(run);
}

static enum exit_code prepare(struct run *run, const struct image *image, struct prepared *ret)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
	int r;

	if (build_prepare(run, image, &parameters) < 0)
		return complain(run, EXIT_LOCAL, "out of memory");
	r = run_call(run, "Prepare", parameters, &reply);
	if (r == MANAGER_ERROR_REPLY && manager_exit_code(run->manager) == EXIT_REFUSED)
		return complain_prepare(run);
	if (r == -EINTR)
		return run_undo(run, false, "interrupted");
	if (r < 0)
		return run_undo(run, false, manager_message(run->manager));
	r = read_prepared(reply, ret);
	run->update = TAKE_PTR(ret->update);
	if (r < 0) {
		manager_bad_reply(run->manager, "Prepare");
		return run_undo(run, false, manager_message(run->manager));
	}
	show_warnings(run, ret->warnings);
	return EXIT_DONE;
}

/* The steps that finalizing takes, with the same way out of each. */
static enum exit_code finalized(struct run *run, int (*step)(char **ret_message), bool loaded)
{
	_cleanup_free_ char *message = NULL;
	int r = run->by_copy ? 0 : step(&message);

	return r < 0 ? run_undo(run, loaded, message ?: strerror(-r)) : EXIT_DONE;
}

static enum exit_code record(struct run *run, struct staged *staged)
{
	_cleanup_free_ char *message = NULL;
	int r;

	staged->update = strdup(run->update);
	r = staged->update ? staged_write(staged) : -ENOMEM;
	if (r >= 0)
		return EXIT_DONE;
	if (asprintf(&message, "what was staged can't be written down: %s", strerror(-r)) < 0)
		message = NULL;
	return run_undo(run, true, message ?: "out of memory");
}

static enum exit_code tell_staged(struct run *run)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *lost = NULL;
	int r = stored_warn(run, &lost);

	if (r >= 0)
		r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("update", run->update),
				   SD_JSON_BUILD_PAIR_VARIANT("notCarried", lost));
	if (r < 0)
		return run_undo(run, true, "out of memory");
	r = manager_call(run->manager, "Staged", parameters, NULL);
	if (r == -EINTR)
		return run_undo(run, true, "interrupted");
	if (r < 0)
		return run_undo(run, true, manager_message(run->manager));
	return EXIT_DONE;
}

/* What was forced is not promised. */
static const char *how(const struct run *run, const struct prepared *prepared)
{
	if (run->forced)
		return "forced";
	if (prepared->transport && strcmp(prepared->transport, "luo") != 0)
		return prepared->transport;
	return "in place";
}

/* What does not stay in place, and what does beside it. */
static void print_copies(const struct prepared *prepared)
{
	uint64_t stay = prepared->regions - prepared->copies;
	char size[FORMAT_SIZE_MAX], duration[FORMAT_DURATION_MAX];

	if (stay > 0)
		printf("; in place: %" PRIu64, stay);
	printf("; by copy (%s): %" PRIu64 ", %s, in about %s", prepared->carrier ?: "unknown",
	       prepared->copies, format_size(prepared->copy_size, size),
	       format_duration(prepared->copy_usec, duration));
}

static void print_summary(const struct run *run, const struct image *image,
			  const struct prepared *prepared)
{
	const char *target = image->release ?: image->path;
	char size[FORMAT_SIZE_MAX];

	if (prepared->regions == 0) {
		printf("staged %s: no regions%s\n", target, run->forced ? ", forced" : "");
		return;
	}
	printf("staged %s: %" PRIu64 " %s, %s", target, prepared->regions,
	       plural(prepared->regions, "region", "regions"), format_size(prepared->size, size));
	if (prepared->copies == 0)
		printf(", %s", how(run, prepared));
	else
		print_copies(prepared);
	if (prepared->copies > 0 && run->forced)
		printf(", forced");
	printf("\n");
}

/* All that can say no before any service is bothered. */
static enum exit_code check_all(struct run *run, struct image **image, struct staged *staged)
{
	enum exit_code r = check_files(run, image);

	if (r == EXIT_DONE && !kexec_options_choose_copy(run->options))
		r = run_can_finalize(run);
	if (r == EXIT_DONE)
		r = run_connect(run);
	if (r == EXIT_DONE)
		r = check_next(run, staged);
	if (r == EXIT_DONE)
		r = run_check_archive(run, staged, *image);
	if (r == EXIT_DONE && run->options->actions & ACTION_EXECUTE)
		r = stored_refuse(run, NULL);
	return r;
}

enum exit_code run_stage(struct run *run)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_(staged_done) struct staged staged = {};
	_cleanup_(prepared_done) struct prepared prepared = {};
	enum exit_code r;

	r = check_all(run, &image, &staged);
	if (r == EXIT_DONE && run->options->dry_run)
		return run_plan(run, image);
	if (r == EXIT_DONE)
		r = prepare(run, image, &prepared);
	if (r == EXIT_DONE)
		r = finalized(run, run_finalize, false);
	if (r == EXIT_DONE)
		r = run_load(run, &staged, false);
	if (r == EXIT_DONE)
		r = finalized(run, run_check_finalized, true);
	if (r == EXIT_DONE)
		r = record(run, &staged);
	if (r == EXIT_DONE)
		r = tell_staged(run);
	if (r != EXIT_DONE)
		return r;
	print_summary(run, image, &prepared);
	show_kernel_users();
	run->release = TAKE_PTR(image->release);
	return EXIT_DONE;
}
