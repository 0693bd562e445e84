/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/memdesc.h"

#include <ctype.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/core/text.h"

#define MEMDESC_ALL_BITS                                                                           \
	(MEMDESC_TYPE_MASK | MEMDESC_SUBTYPE_MASK << MEMDESC_SUBTYPE_SHIFT | MEMDESC_MAPPABLE |    \
	 MEMDESC_ORDER_MASK << MEMDESC_ORDER_SHIFT)

static const char *const type_names[] = {
	[MEMDESC_MISC] = "misc",     [MEMDESC_BUDDY] = "buddy",
	[MEMDESC_FILE] = "file",     [MEMDESC_ANON] = "anon",
	[MEMDESC_KSM] = "ksm",	     [MEMDESC_SLAB] = "slab",
	[MEMDESC_BUMP] = "bump",     [MEMDESC_MOVABLE] = "movable",
	[MEMDESC_PTDESC] = "ptdesc", [MEMDESC_HWPOISON] = "hwpoison",
	[MEMDESC_PERCPU] = "percpu", [MEMDESC_ACCTMEM] = "acctmem",
	[MEMDESC_ZPDESC] = "zpdesc", [MEMDESC_MANAGED] = "managed",
};
_Static_assert(ARRAY_SIZE(type_names) == _MEMDESC_TYPE_MAX, "a type without a name");

static const char *const subtype_names[] = {
	[MEMDESC_NO_SUBTYPE] = "",
	[MEMDESC_ZERO_PAGE] = "zero-page",
	[MEMDESC_UNKNOWN] = "unknown",
	[MEMDESC_VMALLOC] = "vmalloc",
	[MEMDESC_GUARD] = "guard",
	[MEMDESC_OFFLINE] = "offline",
	[MEMDESC_KMALLOC_LARGE] = "kmalloc-large",
	[MEMDESC_EXACT] = "exact",
	[MEMDESC_BRD] = "brd",
};
_Static_assert(ARRAY_SIZE(subtype_names) == _MEMDESC_SUBTYPE_MAX, "a subtype without a name");

static bool has_text(uint32_t memdesc)
{
	unsigned int subtype = memdesc_subtype(memdesc);

	return !(memdesc & ~MEMDESC_ALL_BITS) && memdesc_type(memdesc) < _MEMDESC_TYPE_MAX &&
	       subtype < (memdesc_type(memdesc) == MEMDESC_MISC ? _MEMDESC_SUBTYPE_MAX : 1);
}

const char *memdesc_format(uint32_t memdesc, char buf[static MEMDESC_TEXT_MAX])
{
	unsigned int subtype = memdesc_subtype(memdesc), order = memdesc_order(memdesc);
	char order_text[sizeof(",order=63")] = "";

	if (!has_text(memdesc)) {
		snprintf(buf, MEMDESC_TEXT_MAX, "0x%x", memdesc);
		return buf;
	}
	if (order > 0)
		snprintf(order_text, sizeof(order_text), ",order=%u", order);
	snprintf(buf, MEMDESC_TEXT_MAX, "%s%s%s%s%s", type_names[memdesc_type(memdesc)],
		 subtype ? "/" : "", subtype_names[subtype],
		 memdesc_mappable(memdesc) ? ",mappable" : "", order_text);
	return buf;
}

/* The whole of TEXT as a number of that base; bounded by MAX, no sign, no blanks. */
static int parse_number(const char *text, int base, unsigned long max, uint32_t *ret)
{
	unsigned long number;
	char *end;

	if (!isxdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, base);
	if (errno || *end || number > max)
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

/* "misc/vmalloc", "file": cuts TEXT at the slash. */
static int parse_kind(char *text, uint32_t *ret)
{
	char *slash = strchr(text, '/');
	int type, subtype = MEMDESC_NO_SUBTYPE;

	if (slash)
		*slash++ = '\0';
	type = text_lookup(type_names, ARRAY_SIZE(type_names), text);
	if (slash && *slash)
		subtype = text_lookup(subtype_names, ARRAY_SIZE(subtype_names), slash);
	if (type < 0 || subtype < 0 || (slash && !*slash) || (slash && type != MEMDESC_MISC))
		return -EINVAL;
	*ret = memdesc_encode(type, subtype, false, 0);
	return 0;
}

/* One of "mappable" and "order=N", which must not be there already. */
static int parse_attribute(const char *text, uint32_t *memdesc)
{
	static const char order_prefix[] = "order=";
	uint32_t order;

	if (strcmp(text, "mappable") == 0 && !memdesc_mappable(*memdesc)) {
		*memdesc |= MEMDESC_MAPPABLE;
		return 0;
	}
	if (strncmp(text, order_prefix, strlen(order_prefix)) != 0 || memdesc_order(*memdesc) ||
	    parse_number(text + strlen(order_prefix), 10, MEMDESC_ORDER_MASK, &order) < 0)
		return -EINVAL;
	*memdesc |= order << MEMDESC_ORDER_SHIFT;
	return 0;
}

int memdesc_parse(const char *text, uint32_t *ret)
{
	char copy[MEMDESC_TEXT_MAX], *rest = copy;
	uint32_t memdesc;

	if (strncmp(text, "0x", 2) == 0)
		return parse_number(text + 2, 16, UINT32_MAX, ret);
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	if (parse_kind(strsep(&rest, ","), &memdesc) < 0)
		return -EINVAL;
	while (rest)
		if (parse_attribute(strsep(&rest, ","), &memdesc) < 0)
			return -EINVAL;
	*ret = memdesc;
	return 0;
}

static const char *misc_advice(enum memdesc_subtype subtype)
{
	switch (subtype) {
	case MEMDESC_ZERO_PAGE:
		return "The zero page holds nothing: put content into a memfd (memfd_create(2)), or "
		       "leave the region out.";
	case MEMDESC_VMALLOC:
	case MEMDESC_KMALLOC_LARGE:
	case MEMDESC_EXACT:
		return "The kernel allocated this memory for itself: the driver that owns it hands it "
		       "over, by KHO in the kernel; keep a copy of its content in a memfd.";
	case MEMDESC_GUARD:
	case MEMDESC_OFFLINE:
		return "There is no usable memory behind guard or offline pages: leave them out.";
	case MEMDESC_BRD:
		return "A RAM disk's pages belong to its driver: copy its content into a memfd "
		       "(memfd_create(2)).";
	default:
		return "Bare pages have no owner that could find them again: put the content into a "
		       "memfd (memfd_create(2)).";
	}
}

const char *memdesc_handover_advice(uint32_t memdesc)
{
	switch (memdesc_type(memdesc)) {
	case MEMDESC_FILE:
		return has_text(memdesc)
			       ? NULL
			       : "This is no memory descriptor of the type file: the bits for "
				 "a subtype and above the order must be 0.";
	case MEMDESC_MISC:
		return misc_advice(memdesc_subtype(memdesc));
	case MEMDESC_ANON:
	case MEMDESC_KSM:
		return "Anonymous memory belongs to a process and ends with it: put it into a memfd "
		       "(memfd_create(2), or kho_claim_or_create(3)).";
	case MEMDESC_HWPOISON:
		return "The hardware reported this memory as broken: copy what can still be read into "
		       "a new memfd.";
	case MEMDESC_BUDDY:
	case MEMDESC_SLAB:
	case MEMDESC_BUMP:
	case MEMDESC_MOVABLE:
	case MEMDESC_PTDESC:
	case MEMDESC_PERCPU:
	case MEMDESC_ACCTMEM:
	case MEMDESC_ZPDESC:
	case MEMDESC_MANAGED:
		return "This memory is the kernel's own, and the next kernel makes its own anew: "
		       "register a memfd (memfd_create(2)) instead.";
	default:
		return "No such type of memory is known: register a memfd (memfd_create(2)), whose "
		       "type is file.";
	}
}

bool memdesc_agree(uint32_t declared, uint32_t actual)
{
	uint32_t what = MEMDESC_TYPE_MASK | MEMDESC_SUBTYPE_MASK << MEMDESC_SUBTYPE_SHIFT;

	return (declared & what) == (actual & what);
}
