/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/client/format.h"
#include "kho/cli/run-spec.h"
#include "kho/core/region.h"

void run_spec_done(struct run_spec *spec)
{
	for (size_t i = 0; i < spec->n_regions; i++)
		free(spec->regions[i].name);
	for (size_t i = 0; i < spec->n_files; i++) {
		free(spec->files[i].name);
		free(spec->files[i].path);
	}
	free(spec->regions);
	free(spec->files);
	*spec = (struct run_spec){};
}

static bool is_taken(const struct run_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n_regions; i++)
		if (strcmp(spec->regions[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < spec->n_files; i++)
		if (strcmp(spec->files[i].name, name) == 0)
			return true;
	return false;
}

static int check_name(const struct run_spec *spec, const char *name, const char **ret_advice)
{
	*ret_advice = region_name_advice(name);
	if (!*ret_advice && strpbrk(name, "{}"))
		*ret_advice = "a name here can't have braces, they stand around it in COMMAND";
	if (!*ret_advice && is_taken(spec, name))
		*ret_advice = "this name is given twice";
	return *ret_advice ? -EINVAL : 0;
}

int run_spec_add_region(struct run_spec *spec, const char *text, const char **ret_advice)
{
	_cleanup_free_ char *name = NULL;
	struct run_region *regions;
	const char *size_text;
	uint64_t size = 0;
	int r;

	*ret_advice = "--region takes NAME:SIZE, as in cache:64M";
	r = parse_pair(text, &name, &size_text);
	if (r >= 0 && (parse_size(size_text, &size) < 0 || size == 0))
		r = -EINVAL;
	if (r >= 0)
		r = check_name(spec, name, ret_advice);
	if (r < 0)
		return r;
	regions = reallocarray(spec->regions, spec->n_regions + 1, sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	spec->regions = regions;
	regions[spec->n_regions++] = (struct run_region){TAKE_PTR(name), size};
	return 0;
}

int run_spec_add_file(struct run_spec *spec, const char *text, const char **ret_advice)
{
	_cleanup_free_ char *name = NULL, *path = NULL;
	struct run_file *files;
	const char *path_text;
	int r;

	*ret_advice = "--file takes NAME:PATH, as in state:/run/foo/state";
	r = parse_pair(text, &name, &path_text);
	if (r >= 0)
		r = check_name(spec, name, ret_advice);
	if (r < 0)
		return r;
	path = strdup(path_text);
	files = reallocarray(spec->files, spec->n_files + 1, sizeof(*files));
	if (files)
		spec->files = files;
	if (!path || !files)
		return -ENOMEM;
	files[spec->n_files++] = (struct run_file){TAKE_PTR(name), TAKE_PTR(path)};
	return 0;
}

int run_spec_set_damaged(struct run_spec *spec, const char *text, const char **ret_advice)
{
	static const char *const names[] = {
		[DAMAGED_STOP] = "stop",
		[DAMAGED_EMPTY] = "empty",
		[DAMAGED_USE] = "use",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], text) == 0) {
			spec->damaged = (enum run_damaged)i;
			return 0;
		}
	*ret_advice = "--damaged takes stop, empty or use";
	return -EINVAL;
}

const char *run_spec_check(const struct run_spec *spec)
{
	if (spec->n_regions == 0 && spec->n_files == 0)
		return "there is nothing to keep: give a --region or a --file";
	if (spec->n_files > 0 && spec->freeze_signal == 0)
		return "--file needs --freeze-signal, the signal at which COMMAND writes it and exits";
	if (!spec->command || !*spec->command)
		return "there is no COMMAND to run";
	return NULL;
}

static const char *path_of(const struct run_names *names, const char *name, size_t length)
{
	for (size_t i = 0; i < names->spec->n_regions; i++) {
		const char *candidate = names->spec->regions[i].name;

		if (strlen(candidate) == length && memcmp(candidate, name, length) == 0)
			return names->paths[i];
	}
	return NULL;
}

/* Writes what the % at *text stands for and moves *text behind it. */
static int expand_one(const struct run_names *names, const char **text, FILE *out)
{
	const char *start = *text + 2, *end, *path;

	if ((*text)[1] != '{') {
		fputc('%', out);
		*text += (*text)[1] == '%' ? 2 : 1;
		return 0;
	}
	end = strchr(start, '}');
	path = end ? path_of(names, start, (size_t)(end - start)) : NULL;
	if (!path)
		return -EINVAL;
	fputs(path, out);
	*text = end + 1;
	return 0;
}

int run_names_expand(const struct run_names *names, const char *text, char **ret)
{
	_cleanup_free_ char *buffer = NULL;
	size_t size;
	FILE *out = open_memstream(&buffer, &size);
	int r = 0;

	if (!out)
		return -ENOMEM;
	while (*text && r >= 0)
		if (*text == '%')
			r = expand_one(names, &text, out);
		else
			fputc(*text++, out);
	if (fclose(out) != 0 && r >= 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(buffer);
	return 0;
}

char **run_strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
	return NULL;
}
