/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/kernel-tree-json.h"

#include <libfdt.h>
#include <string.h>

#include "kho/cli/json.h"
#include "kho/core/text.h"
#include "kho/core/tree-fields.h"
#include "kho/kernel/kernel-blob.h"

static bool is_text(const char *value, int size)
{
	return size > 1 && value[size - 1] == '\0' && text_is_printable(value, (size_t)size - 1);
}

/* Text, numbers in the machine's byte order, true where there is no value, or bytes. */
static int add_property(const void *fdt, int offset, sd_json_variant **object)
{
	const char *name;
	int size;
	const char *value = fdt_getprop_by_offset(fdt, offset, &name, &size);
	_cleanup_json_ sd_json_variant *bytes = NULL;
	uint32_t number;
	uint64_t wide;
	int r;

	if (size == 0)
		return sd_json_variant_set_field_boolean(object, name, true);
	if (is_text(value, size))
		return sd_json_variant_set_field_string(object, name, value);
	if (size == 4) {
		memcpy(&number, value, 4);
		return sd_json_variant_set_field_unsigned(object, name, number);
	}
	if (size == 8) {
		memcpy(&wide, value, 8);
		return sd_json_variant_set_field_unsigned(object, name, wide);
	}
	r = sd_json_variant_new_hex(&bytes, value, (size_t)size);
	return r < 0 ? r : sd_json_variant_set_field(object, name, bytes);
}

static int node_to_json(const void *fdt, int node, sd_json_variant **ret);

/* As deep as tree_copy_checked() allows. */
static int add_node(const void *fdt, int node, sd_json_variant **object)
{
	_cleanup_json_ sd_json_variant *value = NULL;
	int r = node_to_json(fdt, node, &value);

	return r < 0 ? r : sd_json_variant_set_field(object, fdt_get_name(fdt, node, NULL), value);
}

static int node_to_json(const void *fdt, int node, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *properties = NULL, *nodes = NULL;
	int at, r;

	r = sd_json_variant_new_object(&properties, NULL, 0);
	if (r >= 0)
		r = sd_json_variant_new_object(&nodes, NULL, 0);
	fdt_for_each_property_offset (at, fdt, node)
		if (r >= 0)
			r = add_property(fdt, at, &properties);
	fdt_for_each_subnode (at, fdt, node)
		if (r >= 0)
			r = add_node(fdt, at, &nodes);
	return r < 0 ? r
		     : sd_json_buildo(ret, SD_JSON_BUILD_PAIR_VARIANT("properties", properties),
				      SD_JSON_BUILD_PAIR_VARIANT("nodes", nodes));
}

static int add_tree(const struct kernel_blob *blob, sd_json_variant **object)
{
	_cleanup_json_ sd_json_variant *tree = NULL;
	_cleanup_free_ void *fdt = NULL;
	int r = tree_copy_checked(blob->bytes, blob->size, &fdt);

	if (r >= 0)
		r = node_to_json(fdt, 0, &tree);
	return r < 0 ? r : sd_json_variant_set_field(object, "tree", tree);
}

static int add_reservations(const struct kernel_blob *blob, sd_json_variant **object)
{
	_cleanup_(kernel_reservations_done) struct kernel_reservations all = {};
	_cleanup_json_ sd_json_variant *areas = NULL;
	int r = kernel_reservations_parse(blob->bytes, blob->size, &all);

	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	r = sd_json_variant_new_array(&areas, NULL, 0);
	for (size_t i = 0; r >= 0 && i < all.n_areas; i++)
		r = sd_json_variant_append_arraybo(
			&areas, SD_JSON_BUILD_PAIR_STRING("name", all.areas[i].name),
			SD_JSON_BUILD_PAIR_UNSIGNED("address", all.areas[i].address),
			SD_JSON_BUILD_PAIR_UNSIGNED("size", all.areas[i].size));
	return r < 0 ? r : sd_json_variant_set_field(object, "reservations", areas);
}

static int add_test(const struct kernel_blob *blob, sd_json_variant **object)
{
	struct kernel_test test;
	int r = kernel_test_parse(blob->bytes, blob->size, &test);

	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	return sd_json_variant_merge_objectbo(
		object, SD_JSON_BUILD_PAIR_UNSIGNED("folios", test.n_folios),
		SD_JSON_BUILD_PAIR_UNSIGNED("checksum", test.checksum));
}

static int add_bytes(const struct kernel_blob *blob, sd_json_variant **object)
{
	_cleanup_json_ sd_json_variant *bytes = NULL;
	int r = sd_json_variant_new_hex(&bytes, blob->bytes, blob->size);

	return r < 0 ? r : sd_json_variant_set_field(object, "bytes", bytes);
}

static int add_cut(const struct kernel_blob *blob, sd_json_variant **object)
{
	struct kernel_cut cut;
	int r = kernel_cut_parse(blob->bytes, blob->size, &cut);

	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(object, "wholeSize", cut.size);
	if (r >= 0 && cut.compatible[0])
		r = sd_json_variant_set_field_string(object, "compatible", cut.compatible);
	return r < 0 ? r : add_bytes(blob, object);
}

static int add_metadata(const struct kernel_blob *blob, sd_json_variant **object)
{
	struct kernel_metadata metadata;
	int r = kernel_metadata_parse(blob->bytes, blob->size, &metadata);

	if (r < 0)
		return r;
	return sd_json_variant_merge_objectbo(
		object, SD_JSON_BUILD_PAIR_UNSIGNED("version", metadata.version),
		SD_JSON_BUILD_PAIR_STRING("previousRelease", metadata.previous_release),
		SD_JSON_BUILD_PAIR_UNSIGNED("kexecCount", metadata.kexec_count));
}

static int add_luo(const struct kernel_blob *blob, sd_json_variant **object)
{
	struct kernel_luo luo;
	int r = kernel_luo_parse(blob->bytes, blob->size, &luo);

	if (r < 0)
		return r;
	return sd_json_variant_merge_objectbo(
		object, SD_JSON_BUILD_PAIR_STRING("compatible", luo.compatible),
		SD_JSON_BUILD_PAIR_UNSIGNED("liveUpdateNumber", luo.number),
		SD_JSON_BUILD_PAIR_UNSIGNED("sessionsAddress", luo.sessions),
		SD_JSON_BUILD_PAIR_UNSIGNED("flbsAddress", luo.flbs));
}

static int add_content(const struct kernel_blob *blob, sd_json_variant **object)
{
	int r;

	switch (blob->form) {
	case KERNEL_FORM_TREE:
		r = add_tree(blob, object);
		if (r >= 0 && strcmp(blob->name, "memblock") == 0)
			r = add_reservations(blob, object);
		if (r >= 0 && strcmp(blob->name, "kho_test") == 0)
			r = add_test(blob, object);
		return r;
	case KERNEL_FORM_CUT:
		return add_cut(blob, object);
	case KERNEL_FORM_METADATA:
		return add_metadata(blob, object);
	case KERNEL_FORM_LUO:
		return add_luo(blob, object);
	default:
		return add_bytes(blob, object);
	}
}

int kernel_blob_to_json(const struct kernel_blob *blob, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *object = NULL;
	int r = sd_json_buildo(&object, SD_JSON_BUILD_PAIR_STRING("name", blob->name));

	if (r >= 0 && blob->has_address)
		r = sd_json_variant_set_field_unsigned(&object, "address", blob->address);
	if (r >= 0 && !blob->bytes)
		r = sd_json_variant_set_field_string(&object, "error", strerror(-blob->error));
	if (r >= 0 && blob->bytes)
		r = sd_json_variant_merge_objectbo(
			&object, SD_JSON_BUILD_PAIR_UNSIGNED("size", blob->size),
			SD_JSON_BUILD_PAIR_STRING("form", kernel_form_name(blob->form)),
			SD_JSON_BUILD_PAIR_BOOLEAN("stale", blob->form == KERNEL_FORM_STALE));
	if (r >= 0 && blob->bytes)
		r = add_content(blob, &object);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int add_blobs(const struct kernel_tree *tree, sd_json_variant **object)
{
	_cleanup_json_ sd_json_variant *blobs = NULL;
	int r = sd_json_variant_new_array(&blobs, NULL, 0);

	for (size_t i = 0; r >= 0 && i < tree->n_blobs; i++) {
		_cleanup_json_ sd_json_variant *blob = NULL;

		r = kernel_blob_to_json(&tree->blobs[i], &blob);
		if (r >= 0)
			r = sd_json_variant_append_array(&blobs, blob);
	}
	return r < 0 ? r : sd_json_variant_set_field(object, "blobs", blobs);
}

static int add_scratch(const struct kernel_tree *tree, sd_json_variant **object)
{
	_cleanup_json_ sd_json_variant *areas = NULL;
	int r = sd_json_variant_new_array(&areas, NULL, 0);

	for (size_t i = 0; r >= 0 && i < tree->n_scratch; i++)
		r = sd_json_variant_append_arraybo(
			&areas, SD_JSON_BUILD_PAIR_UNSIGNED("address", tree->scratch[i].address),
			SD_JSON_BUILD_PAIR_UNSIGNED("size", tree->scratch[i].size));
	return r < 0 ? r : sd_json_variant_set_field(object, "scratch", areas);
}

int kernel_tree_to_json(const struct kernel_tree *tree, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *object = NULL, *root = NULL;
	int r;

	r = sd_json_buildo(
		&object,
		SD_JSON_BUILD_PAIR_STRING("kernel", tree->side == KERNEL_IN ? "in" : "out"),
		SD_JSON_BUILD_PAIR_STRING("kho", kho_generation_name(tree->generation)));
	if (r >= 0 && tree->reason)
		r = sd_json_variant_set_field_string(&object, "reason", tree->reason);
	if (r >= 0 && tree->root.bytes)
		r = kernel_blob_to_json(&tree->root, &root);
	if (root)
		r = sd_json_variant_set_field(&object, "fdt", root);
	if (r >= 0)
		r = add_blobs(tree, &object);
	if (r >= 0)
		r = add_scratch(tree, &object);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
