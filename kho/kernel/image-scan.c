/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image-btf.h"
#include "kho/kernel/image-ikconfig.h"
#include "kho/kernel/image-scan.h"
#include "kho/kernel/span.h"

/*
 * Everything is found by a mark in the middle of it, with at most this much before and from it on:
 * bytes stay in the window until all that a mark needs has been seen.
 */
#define BEFORE 64
#define AFTER 128
#define WINDOW 65536

#define ABI_STRING_MAX 47 /* LIVEUPDATE_HNDL_COMPAT_LENGTH, without the NUL */
#define RELEASE_MAX 64
#define BUILD_IDS_MAX 32
#define NOTE_HEADER 12 /* sizes of name and content, type: all u32 */
#define NT_GNU_BUILD_ID 3

struct image_scan {
	struct abi abi;
	char *release;
	struct image_build_id *build_ids;
	unsigned int n_build_ids;
	struct ikconfig ikconfig;
	struct image_btf btf;
	size_t used;
	uint8_t window[BEFORE + WINDOW + AFTER];
};

/* What to do with a mark: BEFORE bytes before it and AFTER from it on can be read. */
typedef int (*mark_handler)(struct image_scan *scan, const uint8_t *mark);

struct image_scan *image_scan_new(void)
{
	struct image_scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return NULL;
	scan->used = BEFORE;
	return abi_init(&scan->abi) < 0 ? image_scan_free(scan) : scan;
}

struct image_scan *image_scan_free(struct image_scan *scan)
{
	if (!scan)
		return NULL;
	abi_done(&scan->abi);
	free(scan->release);
	free(scan->build_ids);
	ikconfig_done(&scan->ikconfig);
	image_btf_done(&scan->btf);
	free(scan);
	return NULL;
}

/*
 * In struct liveupdate_file_handler (include/linux/liveupdate.h) the string is an array of a fixed
 * length, and before it comes a pointer to the kernel: its highest byte is 0xff, or 0 where the
 * kernel fills it in when it starts.
 */
static bool is_file_handler(const uint8_t *begin, const uint8_t *end)
{
	static const char memfd[] = "memfd-v";

	if (begin[-1] != 0xff)
		return memcmp(begin, memfd, strlen(memfd)) == 0;
	for (const uint8_t *p = end; p <= begin + ABI_STRING_MAX; p++)
		if (*p != '\0')
			return false;
	return true;
}

/* The mark "-v": NAME-vN, with NUL at both ends, is what KHO and LUO compare. */
static int on_version(struct image_scan *scan, const uint8_t *mark)
{
	const uint8_t *begin = mark, *end = mark + strlen("-v");
	char string[ABI_STRING_MAX + 1];
	size_t length;

	while (isdigit(*end) && end < mark + 6)
		end++;
	while (begin > mark - ABI_STRING_MAX &&
	       (islower(begin[-1]) || isdigit(begin[-1]) || begin[-1] == '-' || begin[-1] == '_'))
		begin--;
	length = (size_t)(end - begin);
	if (end == mark + strlen("-v") || *end != '\0' || begin == mark || !islower(*begin) ||
	    length > ABI_STRING_MAX || (begin[-1] != '\0' && begin[-1] != 0xff))
		return 0;
	memcpy(string, begin, length);
	string[length] = '\0';
	if (is_file_handler(begin, end))
		return abi_add_file_handler(&scan->abi, string);
	return begin[-1] == '\0' && abi_add(&scan->abi, string) < 0 ? -ENOMEM : 0;
}

/* The mark "Linux version ": linux_banner (init/version.c), whose next word is the release. */
static int on_banner(struct image_scan *scan, const uint8_t *mark)
{
	const char *release = (const char *)mark + strlen("Linux version ");
	size_t length = 0;

	while (length <= RELEASE_MAX && isgraph((unsigned char)release[length]))
		length++;
	if (mark[-1] != '\0' || scan->release || !isdigit((unsigned char)*release) ||
	    release[length] != ' ' || length > RELEASE_MAX)
		return 0;
	scan->release = strndup(release, length);
	return scan->release ? 0 : -ENOMEM;
}

/* The mark "GNU": the name of an ELF note; that of type 3 is a build-id. */
static int on_note(struct image_scan *scan, const uint8_t *mark)
{
	const uint8_t *header = mark - NOTE_HEADER;
	struct image_build_id *grown;
	uint32_t size = get_le32(header + 4);

	if (get_le32(header) != sizeof("GNU") || get_le32(header + 8) != NT_GNU_BUILD_ID ||
	    size == 0 || size > IMAGE_BUILD_ID_MAX || scan->n_build_ids == BUILD_IDS_MAX)
		return 0;
	grown = reallocarray(scan->build_ids, scan->n_build_ids + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	scan->build_ids = grown;
	grown[scan->n_build_ids] = (struct image_build_id){.size = size};
	memcpy(grown[scan->n_build_ids].bytes, mark + sizeof("GNU"), size);
	scan->n_build_ids++;
	return 0;
}

/* Finds the marks that begin in the window from begin until before end. */
static int find(struct image_scan *scan, const void *mark, size_t size, mark_handler handler,
		const uint8_t *begin, const uint8_t *end)
{
	while (begin < end) {
		const uint8_t *hit = memmem(begin, (size_t)(end - begin) + size - 1, mark, size);
		int r;

		if (!hit)
			break;
		r = handler(scan, hit);
		if (r < 0)
			return r;
		begin = hit + 1;
	}
	return 0;
}

/* Looks through all of the window that has enough on both sides, and forgets what it can. */
static int look(struct image_scan *scan)
{
	const uint8_t *begin = scan->window + BEFORE, *end = scan->window + scan->used - AFTER;
	int r;

	r = find(scan, "-v", 2, on_version, begin, end);
	if (r == 0)
		r = find(scan, "Linux version ", strlen("Linux version "), on_banner, begin, end);
	if (r == 0)
		r = find(scan, "GNU", sizeof("GNU"), on_note, begin, end);
	if (r == 0)
		r = ikconfig_add(&scan->ikconfig, begin, end);
	if (r == 0)
		r = image_btf_add(&scan->btf, begin, end);
	memmove(scan->window, end - BEFORE, BEFORE + AFTER);
	scan->used = BEFORE + AFTER;
	return r;
}

int image_scan_add(struct image_scan *scan, const uint8_t *data, size_t n)
{
	while (n > 0) {
		size_t room = sizeof(scan->window) - scan->used, more = n < room ? n : room;
		int r;

		memcpy(scan->window + scan->used, data, more);
		scan->used += more;
		data += more;
		n -= more;
		if (scan->used < sizeof(scan->window))
			break;
		r = look(scan);
		if (r < 0)
			return r;
	}
	return 0;
}

int image_scan_finish(struct image_scan *scan, struct image *image)
{
	uint8_t beyond[AFTER];
	int r;

	/* Nothing that a string could end with. */
	memset(beyond, 0xff, sizeof(beyond));
	r = image_scan_add(scan, beyond, sizeof(beyond));
	if (r == 0 && scan->used > BEFORE + AFTER)
		r = look(scan);
	if (r < 0)
		return r;
	abi_done(&image->abi);
	image->abi = scan->abi;
	scan->abi = (struct abi){};
	image->layouts = scan->btf.layouts;
	scan->btf.layouts = (struct abi_layouts){};
	image->build_ids = TAKE_PTR(scan->build_ids);
	image->n_build_ids = scan->n_build_ids;
	image->config = TAKE_PTR(scan->ikconfig.text);
	if (!image->release)
		image->release = TAKE_PTR(scan->release);
	return 0;
}
