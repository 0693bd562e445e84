/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <systemd/sd-json.h>

#include "kho/client/settings.h"
#include "kho/daemon/log.h"
#include "kho/daemon/manager-leftovers.h"
#include "kho/daemon/manager-methods.h"
#include "kho/daemon/worker.h"
#include "kho/transport/spool.h"

/* The standard one, the configured one, the one that the last update used. */
#define SPOOLS_MAX 3

struct spools {
	char *where[SPOOLS_MAX];
	size_t n;
};

static void spools_done(struct spools *spools)
{
	for (size_t i = 0; i < spools->n; i++)
		free(spools->where[i]);
}

/* Takes where, which may be NULL. */
static void add_spool(struct spools *spools, char *where)
{
	for (size_t i = 0; where && i < spools->n; i++)
		if (!strcmp(spools->where[i], where)) {
			free(where);
			return;
		}
	if (where)
		spools->where[spools->n++] = where;
}

static void find_spools(const struct manager *m, struct spools *ret)
{
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_free_ char *message = NULL;

	*ret = (struct spools){};
	add_spool(ret, spool_default());
	if (settings_read(&settings, &message) >= 0 && settings.spool && *settings.spool == '/')
		add_spool(ret, strdup(settings.spool));
	if (m->registry.tree->kept_spool)
		add_spool(ret, strdup(m->registry.tree->kept_spool));
}

static bool is_in_use(const struct manager *m, const char *update)
{
	const struct handover *tree = m->registry.tree;

	return (tree->update_id && !strcmp(tree->update_id, update)) ||
	       (tree->kept_update && !strcmp(tree->kept_update, update));
}

/* Calls func for each of them, until it returns something else than 0, and returns that. */
static int for_each(const struct manager *m,
		    int (*func)(const char *where, const struct spool_entry *entry, void *userdata),
		    void *userdata)
{
	_cleanup_(spools_done) struct spools spools;
	int r = 0;

	find_spools(m, &spools);
	for (size_t i = 0; r == 0 && i < spools.n; i++) {
		_cleanup_free_ struct spool_entry *entries = NULL;
		size_t n = 0;

		/* One that can't be read is no reason not to show the others. */
		if (spool_list(spools.where[i], &entries, &n) < 0)
			log_warning("The spool %s can't be read", spools.where[i]);
		for (size_t j = 0; r == 0 && j < n; j++)
			if (!is_in_use(m, entries[j].update_id))
				r = func(spools.where[i], &entries[j], userdata);
	}
	return r;
}

static int add_to_json(const char *where, const struct spool_entry *entry, void *userdata)
{
	sd_json_variant **array = userdata;
	int r = sd_json_variant_append_arraybo(
		array, SD_JSON_BUILD_PAIR_STRING("update", entry->update_id),
		SD_JSON_BUILD_PAIR_STRING("spool", where),
		SD_JSON_BUILD_PAIR_UNSIGNED("regions", entry->n_files),
		SD_JSON_BUILD_PAIR_UNSIGNED("size", entry->bytes),
		SD_JSON_BUILD_PAIR_BOOLEAN("complete", entry->complete),
		SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", (uint64_t)entry->time_usec));

	return r < 0 ? r : 0;
}

int manager_leftovers_method(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *userdata)
{
	sd_json_variant *leftovers = NULL;
	struct manager *m = userdata;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, NULL, NULL);
	if (r != 0)
		return r;
	r = sd_json_variant_new_array(&leftovers, NULL, 0);
	if (r >= 0)
		r = for_each(m, add_to_json, &leftovers);
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("leftovers", leftovers));
	sd_json_variant_unref(leftovers);
	return r;
}

static int log_one(const char *where, const struct spool_entry *entry, void *userdata)
{
	log_warning("Copies of update %s that nobody has claimed lie in %s: kho list shows them, "
		    "kho drop --leftover=%s removes them",
		    entry->update_id, where, entry->update_id);
	return 0;
}

void leftovers_log(const struct manager *m)
{
	(void)for_each(m, log_one, NULL);
}

struct removal {
	sd_varlink *link;
	const char *wanted;
	char *where;
	char *update;
};

static int find_one(const char *where, const struct spool_entry *entry, void *userdata)
{
	struct removal *removal = userdata;

	if (strcmp(entry->update_id, removal->wanted))
		return 0;
	removal->where = strdup(where);
	removal->update = strdup(entry->update_id);
	return removal->where && removal->update ? 1 : -ENOMEM;
}

static int remove_on_thread(void *data)
{
	struct removal *removal = data;

	return carrier_spool.discard(removal->where, removal->update);
}

static struct removal *removal_free(struct removal *removal)
{
	sd_varlink_unref(removal->link);
	free(removal->where);
	free(removal->update);
	free(removal);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct removal *, removal_free)

static void on_removed(int result, void *data)
{
	_cleanup_(removal_freep) struct removal *removal = data;

	if (result < 0)
		(void)sd_varlink_error_errno(removal->link, result);
	else
		(void)sd_varlink_reply(removal->link, NULL);
	log_notice("Root removes the copies of update %s from %s: %s", removal->update,
		   removal->where, result < 0 ? strerror(-result) : "done");
}

static int no_leftover(sd_varlink *link, const char *update)
{
	_cleanup_free_ char *message = NULL;

	if (asprintf(&message, "no copies of update %s are left over: kho list shows what there is",
		     update) < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(link, "io.kho.Manager.NoUpdate",
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}

int manager_drop_leftover_method(sd_varlink *link, sd_json_variant *parameters,
				 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct removal, wanted), SD_JSON_MANDATORY},
		{}};
	_cleanup_(removal_freep) struct removal *removal = calloc(1, sizeof(*removal));
	struct manager *m = userdata;
	int r;

	if (!removal)
		return -ENOMEM;
	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, removal);
	if (r != 0)
		return r;
	r = for_each(m, find_one, removal);
	if (r == 0)
		return no_leftover(link, removal->wanted);
	if (r < 0)
		return r;
	removal->link = sd_varlink_ref(link);
	r = work_start(m->event, remove_on_thread, on_removed, removal);
	if (r >= 0)
		TAKE_PTR(removal);
	return r;
}
