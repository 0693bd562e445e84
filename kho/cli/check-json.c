/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/check-json.h"

#define OPTIONAL_STRING(name, value)                                                               \
	SD_JSON_BUILD_PAIR_CONDITION(!!(value), name, SD_JSON_BUILD_STRING(value))

static int strings_to_json(const struct abi *abi, sd_json_variant **ret)
{
	return sd_json_buildo(
		ret, OPTIONAL_STRING("kho", abi->kho), OPTIONAL_STRING("luo", abi->luo),
		OPTIONAL_STRING("luoSession", abi->luo_session),
		OPTIONAL_STRING("luoFlb", abi->luo_flb), OPTIONAL_STRING("memblock", abi->memblock),
		OPTIONAL_STRING("reserveMem", abi->reserve_mem),
		SD_JSON_BUILD_PAIR_STRV("fileHandlers", abi->file_handlers));
}

/* Those that BTF tells of: none where there is no BTF. */
static int structures_to_json(const struct abi_layouts *layouts, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && abi_structure_name(i); i++)
		if (abi_layouts_have(layouts, i))
			r = sd_json_variant_append_arrayb(
				ret, SD_JSON_BUILD_STRING(abi_structure_name(i)));
	return r;
}

static int findings_to_json(const struct verdict *verdict, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && i < verdict->n_findings; i++) {
		const struct finding *f = &verdict->findings[i];

		r = sd_json_variant_append_arraybo(
			ret, SD_JSON_BUILD_PAIR_STRING("topic", f->topic),
			SD_JSON_BUILD_PAIR_STRING("weight", finding_weight_name(f->weight)),
			OPTIONAL_STRING("here", f->here), OPTIONAL_STRING("there", f->there),
			SD_JSON_BUILD_PAIR_STRING("text", f->text));
	}
	return r;
}

static int checked_to_json(const struct checked *checked, sd_json_variant **ret)
{
	const struct image *image = checked->image;
	const struct finding *reason = verdict_reason(checked->verdict);
	_cleanup_json_ sd_json_variant *findings = NULL, *strings = NULL, *structures = NULL;
	int r;

	r = findings_to_json(checked->verdict, &findings);
	if (r >= 0)
		r = strings_to_json(&image->abi, &strings);
	if (r >= 0)
		r = structures_to_json(&image->layouts, &structures);
	if (r < 0)
		return r;
	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("image", image->path),
		SD_JSON_BUILD_PAIR_STRING("verdict", verdict_kind_name(checked->verdict->kind)),
		OPTIONAL_STRING("reason", reason ? reason->text : NULL),
		OPTIONAL_STRING("append", checked->verdict->append),
		OPTIONAL_STRING("release", image->release),
		SD_JSON_BUILD_PAIR_STRING("kind", image_kind_name(image->kind)),
		SD_JSON_BUILD_PAIR_STRING("architecture", image_arch_name(image->arch)),
		OPTIONAL_STRING("compression", image->compression),
		SD_JSON_BUILD_PAIR_BOOLEAN("signed", image->is_signed),
		OPTIONAL_STRING("configuration", image->config_source),
		SD_JSON_BUILD_PAIR_STRING("commandLine", checked->cmdline),
		SD_JSON_BUILD_PAIR_UNSIGNED("initrdSize", checked->initrd_size),
		SD_JSON_BUILD_PAIR_VARIANT("strings", strings),
		SD_JSON_BUILD_PAIR_VARIANT("structures", structures),
		SD_JSON_BUILD_PAIR_VARIANT("findings", findings));
}

static int sessions_to_json(const struct luo_sessions *sessions, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && i < sessions->n_holders; i++)
		r = sd_json_variant_append_arraybo(
			ret, SD_JSON_BUILD_PAIR_STRING("name", sessions->holders[i].name),
			SD_JSON_BUILD_PAIR_INTEGER("pid", sessions->holders[i].pid),
			SD_JSON_BUILD_PAIR_STRING("program", sessions->holders[i].program));
	return r;
}

int check_to_json(const struct check *check, const struct checked *checked, size_t n,
		  sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *images = NULL, *strings = NULL, *sessions = NULL,
				       *structures = NULL;
	const struct running_kernel *here = check->here;
	int r;

	r = strings_to_json(&here->abi, &strings);
	if (r >= 0)
		r = sessions_to_json(&check->machine.sessions, &sessions);
	if (r >= 0)
		r = structures_to_json(&here->layouts, &structures);
	if (r >= 0)
		r = sd_json_variant_new_array(&images, NULL, 0);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		_cleanup_json_ sd_json_variant *image = NULL;

		r = checked_to_json(&checked[i], &image);
		if (r >= 0)
			r = sd_json_variant_append_array(&images, image);
	}
	if (r < 0)
		return r;
	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("kernelRelease", check->machine.kernel.release),
		SD_JSON_BUILD_PAIR_STRING("kho",
					  kho_generation_name(check->machine.kernel.generation)),
		OPTIONAL_STRING("runningImage", here->image ? here->image->path : NULL),
		OPTIONAL_STRING("problem", here->problem),
		SD_JSON_BUILD_PAIR_VARIANT("strings", strings),
		SD_JSON_BUILD_PAIR_VARIANT("structures", structures),
		SD_JSON_BUILD_PAIR_VARIANT("sessions", sessions),
		SD_JSON_BUILD_PAIR_VARIANT("images", images));
}
