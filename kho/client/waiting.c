/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/client/manager.h"
#include "kho/client/waiting.h"

static const char *string_in(sd_json_variant *object, const char *key)
{
	sd_json_variant *field = sd_json_variant_by_key(object, key);

	return field && sd_json_variant_is_string(field) ? sd_json_variant_string(field) : NULL;
}

static char *phrase_of_order(const char *owner, sd_json_variant *after)
{
	char *phrase = NULL;
	size_t size;
	FILE *f = open_memstream(&phrase, &size);

	if (!f)
		return NULL;
	fprintf(f, "%s (after ", owner);
	for (size_t i = 0; i < sd_json_variant_elements(after); i++)
		fprintf(f, "%s%s", i > 0 ? ", " : "",
			sd_json_variant_string(sd_json_variant_by_index(after, i)) ?: "");
	fputc(')', f);
	return fclose(f) == 0 ? phrase : NULL;
}

static char *phrase_of(sd_json_variant *participant)
{
	sd_json_variant *extended = sd_json_variant_by_key(participant, "extended");
	const char *owner = string_in(participant, "owner");
	sd_json_variant *after = sd_json_variant_by_key(participant, "waitsFor");
	const char *reason = string_in(participant, "reason");
	char *phrase = NULL;
	int r;

	if (after && sd_json_variant_elements(after) > 0)
		return phrase_of_order(owner ?: "", after);
	if (!extended || !sd_json_variant_boolean(extended))
		return strdup(owner ?: "");
	if (reason)
		r = asprintf(&phrase, "%s (more time: %s)", owner ?: "", reason);
	else
		r = asprintf(&phrase, "%s (more time)", owner ?: "");
	return r < 0 ? NULL : phrase;
}

/* Those of one owner are named once. Takes phrase. */
static void add(char **phrases, size_t *n, char *phrase)
{
	for (size_t i = 0; i < *n; i++)
		if (!strcmp(phrases[i], phrase)) {
			free(phrase);
			return;
		}
	phrases[(*n)++] = phrase;
}

int waiting_phrases(sd_json_variant *progress, char ***ret)
{
	sd_json_variant *waiting = sd_json_variant_by_key(progress, "waiting");
	size_t n_waiting = waiting ? sd_json_variant_elements(waiting) : 0, n = 0;
	_cleanup_(free_strv) char **phrases = calloc(n_waiting + 1, sizeof(*phrases));

	if (!phrases)
		return -ENOMEM;
	for (size_t i = 0; i < n_waiting; i++) {
		char *phrase = phrase_of(sd_json_variant_by_index(waiting, i));

		if (!phrase)
			return -ENOMEM;
		add(phrases, &n, phrase);
	}
	*ret = TAKE_PTR(phrases);
	return 0;
}
