/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/tree-fields.h"

#include "kho/core/tree.h"

#define RELEASE_MAX 255
#define PATH_TEXT_MAX 4095
#define WORD_MAX 63

static const char *state_name(unsigned int value)
{
	return update_state_to_string((enum update_state)value);
}

static const char *check_name(unsigned int value)
{
	return region_check_to_string((enum region_check)value);
}

#define AT(member) .offset = offsetof(struct handover, member)
const struct field handover_fields[] = {
	{TREE_COMPATIBLE, FIELD_OTHER},
	{"generation", FIELD_U64, AT(generation), .mandatory = true},
	{"state", FIELD_NAME, AT(state), .mandatory = true, .to_string = state_name,
	 .from_string = update_state_from_string},
	{"next-region-id", FIELD_U32, AT(next_region_id), .mandatory = true},
	{"update-id", FIELD_TEXT, AT(update_id), .max = WORD_MAX},
	{"boot-id", FIELD_BUFFER, AT(boot_id), .max = 36},
	{"kexec-count", FIELD_U32, AT(kexec_count)},
	{"release", FIELD_TEXT, AT(release), .max = RELEASE_MAX},
	{"next-release", FIELD_TEXT, AT(next_release), .max = RELEASE_MAX},
	{"image", FIELD_TEXT, AT(image), .max = PATH_TEXT_MAX},
	{"digest-size-max", FIELD_U64, AT(digest_size_max)},
	{"forced", FIELD_FLAG, AT(forced)},
	{"transport", FIELD_TEXT, AT(transport), .max = WORD_MAX},
	{"spool", FIELD_TEXT, AT(spool), .max = PATH_TEXT_MAX},
	{"copy-size", FIELD_U64, AT(copy_size)},
	{"copy-usec-estimated", FIELD_U64, AT(copy_usec_estimated)},
	{"copy-usec", FIELD_U64, AT(copy_usec)},
	{"kept-spool", FIELD_TEXT, AT(kept_spool), .max = PATH_TEXT_MAX},
	{"kept-update", FIELD_TEXT, AT(kept_update), .max = WORD_MAX},
	{"result", FIELD_TEXT, AT(result), .max = WORD_MAX},
	{"shutdown", FIELD_TEXT, AT(shutdown), .max = WORD_MAX},
	{"problems", FIELD_TEXTS, AT(problems), .max = HANDOVER_PROBLEMS_MAX,
	 .text_max = HANDOVER_PROBLEM_MAX},
};
const size_t n_handover_fields = ARRAY_SIZE(handover_fields);
#undef AT

const struct field owner_field = {"owner", FIELD_TEXT, offsetof(struct owner_node, owner),
				  .mandatory = true, .max = REGION_OWNER_MAX};

#define AT(member) .offset = offsetof(struct region, member)
const struct field region_fields[] = {
	{"id", FIELD_U32, AT(id), .mandatory = true},
	{"region-name", FIELD_TEXT, AT(name), .mandatory = true, .max = REGION_NAME_MAX},
	{"size", FIELD_U64, AT(size), .mandatory = true},
	{"memdesc", FIELD_U32, AT(memdesc), .mandatory = true},
	{"check", FIELD_NAME, AT(check), .mandatory = true, .to_string = check_name,
	 .from_string = region_check_from_string},
	{"required", FIELD_FLAG, AT(required)},
	{"claimed", FIELD_FLAG, AT(claimed)},
	{"seals", FIELD_U32, AT(seals)},
	{"position", FIELD_U64, AT(position)},
	{"mode", FIELD_U32, AT(mode)},
	{"reason", FIELD_TEXT, AT(reason), .max = REGION_REASON_MAX},
	{"transport", FIELD_TEXT, AT(transport), .max = WORD_MAX},
	{"session", FIELD_U32, AT(session)},
	{"token", FIELD_U64, AT(token)},
	{"page-size", FIELD_U64, AT(page_size)},
	{"kept", FIELD_FLAG, AT(kept)},
	{"xxh3-128", FIELD_BYTES, AT(digest), .max = REGION_DIGEST_SIZE,
	 .there_offset = offsetof(struct region, has_digest)},
};
const size_t n_region_fields = ARRAY_SIZE(region_fields);
#undef AT

/* A bit for each field, and one for what is none, are in a 64-bit mask. */
_Static_assert(ARRAY_SIZE(handover_fields) < 64 && ARRAY_SIZE(region_fields) < 64, "");
