/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "kho/core/memdesc.h"
#include "tests/unit/tree-sample.h"

struct region *add_region(struct handover *handover, const char *owner, const char *name)
{
	struct region *region = NULL;

	assert_int_equal(region_new(owner, name, &region), 0);
	assert_int_equal(handover_add_region(handover, region), 0);
	return region;
}

static void fill_regions(struct handover *handover)
{
	struct region *items = add_region(handover, "cache.service", "items");
	struct region *index = add_region(handover, "cache.service", "\"index\" \\ ö");
	struct region *blob = add_region(handover, "uid:0", "blob");

	items->size = 64 << 20;
	items->memdesc = memdesc_encode(MEMDESC_FILE, 0, false, 9);
	items->required = true;
	items->claimed = true;
	items->seals = 0x6;
	items->position = 0x100000002;
	items->mode = 0600;
	items->check = REGION_VERIFIED;
	items->transport = strdup("luo");
	items->session = 1;
	items->token = 0x300000004;
	items->has_digest = true;
	for (int i = 0; i < REGION_DIGEST_SIZE; i++)
		items->digest[i] = (uint8_t)(0xf0 + i);
	index->memdesc = MEMDESC_FILE;
	index->check = REGION_LOST;
	assert_int_equal(region_set_reason(index, "token 3 of session 0: no such file"), 0);
	blob->size = 5;
	blob->page_size = 0x200000;
	blob->kept = true;
	blob->memdesc = MEMDESC_FILE;
}

struct handover *sample_handover(void)
{
	struct handover *handover = handover_new();

	assert_non_null(handover);
	handover->generation = 0x500000006;
	handover->update_id = strdup("0123456789abcdef");
	handover->state = UPDATE_FROZEN;
	strcpy(handover->boot_id, "01234567-89ab-cdef-0123-456789abcdef");
	handover->kexec_count = 3;
	handover->release = strdup("7.3.4-lab");
	handover->next_release = strdup("7.3.4-next");
	handover->image = strdup("/boot/vmlinuz-7.3.4-next");
	handover->forced = true;
	handover->transport = strdup("copy");
	handover->spool = strdup("/var/lib/kho/spool");
	handover->copy_size = 0x800000009;
	handover->copy_usec_estimated = 1000;
	handover->copy_usec = 1001;
	handover->kept_spool = strdup("/srv/spool");
	handover->kept_update = strdup("fedcba9876543210");
	handover->result = strdup("incomplete");
	assert_int_equal(handover_add_problem(handover, "first"), 0);
	assert_int_equal(handover_add_problem(handover, "second %d", 2), 0);
	for (int i = 0; i < _MOMENT_MAX; i++)
		handover->moments[i] = UINT64_C(0x700000000) + (uint64_t)i;
	handover->moments[MOMENT_LAST_CLAIM] = 0;
	fill_regions(handover);
	handover->next_region_id = 18;
	return handover;
}

void *sample_tree(size_t spare, size_t *ret_size)
{
	_cleanup_handover_ struct handover *handover = sample_handover();
	void *blob = build(handover, ret_size);

	if (spare == 0)
		return blob;
	*ret_size += spare;
	blob = realloc(blob, *ret_size);
	assert_non_null(blob);
	assert_int_equal(fdt_open_into(blob, blob, (int)*ret_size), 0);
	return blob;
}

void *build(const struct handover *handover, size_t *ret_size)
{
	void *blob = NULL;

	assert_int_equal(handover_build(handover, &blob, ret_size), 0);
	return blob;
}

struct handover *parse(const void *blob, size_t size)
{
	struct handover *handover = NULL;

	assert_int_equal(handover_parse(blob, size, &handover), 0);
	return handover;
}

void assert_parse_fails(const void *blob, size_t size, int error)
{
	struct handover *handover = NULL;

	assert_int_equal(handover_parse(blob, size, &handover), error);
	assert_null(handover);
}

const char *const sample_nodes[N_SAMPLE_NODES] = {"/",
						  "/timeline",
						  "/regions",
						  "/regions/owner@0",
						  "/regions/owner@1",
						  "/regions/owner@0/region@1",
						  "/regions/owner@0/region@2",
						  "/regions/owner@1/region@3"};

void *editable(void)
{
	size_t size;

	return sample_tree(8192, &size);
}

int node_at(const void *fdt, const char *path)
{
	int node = fdt_path_offset(fdt, path);

	if (node < 0)
		fail_msg("no node %s", path);
	return node;
}

void set(void *fdt, const char *path, const char *name, const void *value, int size)
{
	assert_int_equal(fdt_setprop(fdt, node_at(fdt, path), name, value, size), 0);
}

int parse_error(const void *blob, size_t size)
{
	_cleanup_handover_ struct handover *handover = NULL;

	return handover_parse(blob, size, &handover);
}

void assert_refused(const void *fdt)
{
	assert_parse_fails(fdt, fdt_totalsize(fdt), -EBADMSG);
}

void begin_tree(void *fdt, int size)
{
	assert_int_equal(fdt_create(fdt, size), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", HANDOVER_COMPATIBLE), 0);
	assert_int_equal(fdt_property_u64(fdt, "generation", 1), 0);
	assert_int_equal(fdt_property_string(fdt, "state", "idle"), 0);
	assert_int_equal(fdt_property_u32(fdt, "next-region-id", 100000), 0);
}

int end_tree(void *fdt)
{
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	return parse_error(fdt, fdt_totalsize(fdt));
}

void empty_node(void *fdt, const char *name)
{
	assert_int_equal(fdt_begin_node(fdt, name), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
}
