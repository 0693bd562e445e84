/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/kernel/kernel-blob.h"

#include <libfdt.h>
#include <string.h>

#include "kho/core/text.h"
#include "kho/core/tree-fields.h"

/* Whether a fixed field is text with a NUL; what is behind it does not matter. */
static bool is_text(const char *field, size_t size)
{
	size_t length = strnlen(field, size);

	return length < size && text_is_printable(field, length);
}

int kernel_metadata_parse(const void *blob, size_t size, struct kernel_metadata *ret)
{
	struct {
		uint32_t version;
		char previous_release[65];
		uint32_t kexec_count;
	} __attribute__((packed)) metadata;

	if (size < sizeof(metadata))
		return -EBADMSG;
	memcpy(&metadata, blob, sizeof(metadata));
	if (metadata.version != 1 ||
	    !is_text(metadata.previous_release, sizeof(metadata.previous_release)))
		return -EBADMSG;
	*ret = (struct kernel_metadata){.version = metadata.version,
					.kexec_count = metadata.kexec_count};
	strcpy(ret->previous_release, metadata.previous_release);
	return 0;
}

int kernel_luo_parse(const void *blob, size_t size, struct kernel_luo *ret)
{
	struct {
		char compatible[8];
		uint64_t number, sessions, flbs;
	} __attribute__((packed)) luo;

	if (size < sizeof(luo))
		return -EBADMSG;
	memcpy(&luo, blob, sizeof(luo));
	/* Another version may have another layout behind the string. */
	if (!is_text(luo.compatible, sizeof(luo.compatible)) ||
	    strcmp(luo.compatible, "luo-v5") != 0)
		return -EBADMSG;
	*ret = (struct kernel_luo){
		.number = luo.number, .sessions = luo.sessions, .flbs = luo.flbs};
	strcpy(ret->compatible, luo.compatible);
	return 0;
}

/* A number of exactly that many bytes; -EBADMSG if there is none. */
static int get_number(const void *fdt, int node, const char *name, void *ret, size_t size)
{
	int length;
	const void *value = fdt_getprop(fdt, node, name, &length);

	if (!value || length != (int)size)
		return -EBADMSG;
	memcpy(ret, value, size);
	return 0;
}

static bool is_compatible(const void *fdt, int node, const char *compatible)
{
	int length;
	const char *value = fdt_getprop(fdt, node, "compatible", &length);

	return value && length == (int)strlen(compatible) + 1 &&
	       memcmp(value, compatible, (size_t)length) == 0;
}

int kernel_test_parse(const void *blob, size_t size, struct kernel_test *ret)
{
	_cleanup_free_ void *fdt = NULL;
	struct kernel_test test;
	int r = tree_copy_checked(blob, size, &fdt), node;

	if (r < 0)
		return r;
	node = fdt_subnode_offset(fdt, 0, "data");
	if (node < 0 || get_number(fdt, 0, "magic", &test.magic, sizeof(test.magic)) < 0 ||
	    get_number(fdt, node, "nr_folios", &test.n_folios, sizeof(test.n_folios)) < 0 ||
	    get_number(fdt, node, "csum", &test.checksum, sizeof(test.checksum)) < 0)
		return -EBADMSG;
	*ret = test;
	return 0;
}

static int add_reservation(struct kernel_reservations *all, const void *fdt, int node)
{
	struct kernel_reservation area = {}, *areas;

	if (!is_compatible(fdt, node, "reserve-mem-v1") ||
	    get_number(fdt, node, "start", &area.address, sizeof(area.address)) < 0 ||
	    get_number(fdt, node, "size", &area.size, sizeof(area.size)) < 0)
		return -EBADMSG;
	areas = reallocarray(all->areas, all->n_areas + 1, sizeof(*areas));
	if (!areas)
		return -ENOMEM;
	all->areas = areas;
	area.name = strdup(fdt_get_name(fdt, node, NULL));
	if (!area.name)
		return -ENOMEM;
	areas[all->n_areas++] = area;
	return 0;
}

int kernel_reservations_parse(const void *blob, size_t size, struct kernel_reservations *ret)
{
	_cleanup_(kernel_reservations_done) struct kernel_reservations all = {};
	_cleanup_free_ void *fdt = NULL;
	int r = tree_copy_checked(blob, size, &fdt), node;

	if (r < 0)
		return r;
	if (!is_compatible(fdt, 0, "memblock-v1"))
		return -EBADMSG;
	fdt_for_each_subnode (node, fdt, 0) {
		r = add_reservation(&all, fdt, node);
		if (r < 0)
			return r;
	}
	*ret = all;
	all = (struct kernel_reservations){};
	return 0;
}

void kernel_reservations_done(struct kernel_reservations *reservations)
{
	for (size_t i = 0; i < reservations->n_areas; i++)
		free(reservations->areas[i].name);
	free(reservations->areas);
	*reservations = (struct kernel_reservations){};
}

char *kernel_tree_compatible(const void *blob, size_t size)
{
	_cleanup_free_ void *fdt = NULL;
	const char *value;
	int length;

	if (tree_copy_checked(blob, size, &fdt) < 0)
		return NULL;
	value = fdt_getprop(fdt, 0, "compatible", &length);
	if (!value || length < 2 || value[length - 1] != '\0' ||
	    !text_is_printable(value, (size_t)length - 1))
		return NULL;
	return strdup(value);
}

/* The kernel writes it as the first property (kernel/liveupdate/kexec_handover.c). */
static void find_compatible(const uint8_t *at, size_t size, struct kernel_cut *ret)
{
	enum { BEFORE = 20, LENGTH = 12 }; /* node, its name, FDT_PROP, length, offset of name */
	uint32_t length;

	if (size < BEFORE || fdt32_ld((const void *)(at + 8)) != FDT_PROP)
		return;
	length = fdt32_ld((const void *)(at + LENGTH));
	if (length == 0 || length > sizeof(ret->compatible) || length > size - BEFORE)
		return;
	at += BEFORE;
	if (strncmp((const char *)at, "kho-v", 5) == 0 && is_text((const char *)at, length))
		memcpy(ret->compatible, at, length);
}

int kernel_cut_parse(const void *blob, size_t size, struct kernel_cut *ret)
{
	struct fdt_header header;
	uint32_t offset;

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, blob, sizeof(header));
	if (fdt_magic(&header) != FDT_MAGIC || fdt_totalsize(&header) <= size)
		return -EBADMSG;
	*ret = (struct kernel_cut){.size = fdt_totalsize(&header)};
	offset = fdt_off_dt_struct(&header);
	if (offset < size)
		find_compatible((const uint8_t *)blob + offset, size - offset, ret);
	return 0;
}

int kernel_tree_node(const void *tree, size_t size, const char *name, struct kernel_node *ret)
{
	_cleanup_free_ void *fdt = NULL;
	int r = tree_copy_checked(tree, size, &fdt), node;

	if (r < 0)
		return r;
	*ret = (struct kernel_node){};
	node = fdt_subnode_offset(fdt, 0, name);
	if (node < 0)
		return 0;
	/* Since 6.19, and before (kernel/kexec_handover.c, kho_add_subtree). */
	ret->found = get_number(fdt, node, "preserved-data", &ret->address, 8) == 0 ||
		     get_number(fdt, node, "fdt", &ret->address, 8) == 0;
	ret->has_size = get_number(fdt, node, "blob-size", &ret->size, 8) == 0;
	return 0;
}
