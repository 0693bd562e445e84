/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <string.h>
#include <sys/mman.h>

#include "kho/core/cleanup.h"
#include "kho/core/memdesc.h"
#include "kho/kernel/pages-map.h"
#include "kho/kernel/pages.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Pages looked at together where the kernel makes no large folios. */
#define WINDOW_PAGES 512
#define PAGEMAP_PFN ((1ULL << 55) - 1)
#define PAGEMAP_PRESENT (1ULL << 63)

struct census_task {
	struct page_census *census;
	int memory, pagemap, kpageflags;
	size_t page;   /* bytes */
	size_t window; /* pages that are looked at together: a folio is never larger */
	uint8_t *incore;
	uint64_t *map, *flags;
};

#define FLAG(name) (1ULL << KPF_##name)
#define FLAG_COMPOUND (FLAG(COMPOUND_HEAD) | FLAG(COMPOUND_TAIL))

uint32_t pages_flags_memdesc(uint64_t flags, unsigned int order)
{
	static const struct {
		uint64_t flag;
		enum memdesc_type type;
		enum memdesc_subtype subtype;
	} table[] = {
		{FLAG(HWPOISON), MEMDESC_HWPOISON, 0},
		{FLAG(KSM), MEMDESC_KSM, 0},
		{FLAG(ANON), MEMDESC_ANON, 0},
		{FLAG(SLAB), MEMDESC_SLAB, 0},
		{FLAG(BUDDY), MEMDESC_BUDDY, 0},
		{FLAG(PGTABLE), MEMDESC_PTDESC, 0},
		{FLAG(OFFLINE), MEMDESC_MISC, MEMDESC_OFFLINE},
		{FLAG(ZERO_PAGE), MEMDESC_MISC, MEMDESC_ZERO_PAGE},
		{FLAG(LRU) | FLAG(SWAPBACKED) | FLAG(UPTODATE) | FLAG(HUGE), MEMDESC_FILE, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (flags & table[i].flag)
			return memdesc_encode(table[i].type, table[i].subtype, false, order);
	/* Bare pages: nothing says what they are. */
	return memdesc_encode(MEMDESC_MISC, MEMDESC_UNKNOWN, false, order);
}

/* Pages of the folio whose flags begin here: it and the tails behind it. */
static size_t folio_pages(const uint64_t *flags, size_t n)
{
	size_t pages = 1;

	if (flags[0] & FLAG(COMPOUND_HEAD))
		while (pages < n && (flags[pages] & FLAG(COMPOUND_TAIL)))
			pages++;
	return pages;
}

static unsigned int order_of(size_t pages)
{
	unsigned int order = 0;

	while ((1UL << order) < pages && order < PAGES_ORDER_MAX)
		order++;
	return order;
}

/* Counts pages whose numbers follow each other; n of them, with flags of n_flags to look ahead. */
static void count_run(struct page_census *census, const uint64_t *flags, size_t n, size_t n_flags)
{
	for (size_t i = 0; i < n;) {
		size_t pages = folio_pages(flags + i, n_flags - i);
		uint32_t memdesc = pages_flags_memdesc(flags[i], 0);

		if (!(flags[i] & FLAG(COMPOUND_TAIL)))
			census->folios[order_of(pages)]++;
		if (memdesc_type(census->memdesc) == MEMDESC_FILE)
			census->memdesc = memdesc;
		census->seen += pages < n - i ? pages : n - i;
		i += pages;
	}
}

static int read_flags(const struct census_task *task, uint64_t pfn, size_t n)
{
	ssize_t got = pread(task->kpageflags, task->flags, n * sizeof(*task->flags),
			    (off_t)(pfn * sizeof(*task->flags)));

	return got < 0 ? -errno : (int)((size_t)got / sizeof(*task->flags));
}

/* Counts what the page map says of n pages. */
static int census_map(const struct census_task *task, size_t n)
{
	const uint64_t *map = task->map;

	for (size_t i = 0, run; i < n; i += run) {
		uint64_t pfn = map[i] & PAGEMAP_PFN;
		int n_flags;

		run = 1;
		if (!(map[i] & PAGEMAP_PRESENT))
			continue;
		/* Without CAP_SYS_ADMIN every page is number 0 (fs/proc/task_mmu.c, pagemap_read).
		 */
		if (pfn == 0)
			return -EPERM;
		while (i + run < n && (map[i + run] & PAGEMAP_PRESENT) &&
		       (map[i + run] & PAGEMAP_PFN) == pfn + run)
			run++;
		n_flags = read_flags(task, pfn, run);
		/* The last folio may go on beyond the end of the file. */
		if (n_flags > 0 && (task->flags[n_flags - 1] & FLAG_COMPOUND))
			n_flags = read_flags(task, pfn, run + task->window - 1);
		if (n_flags < 0)
			return n_flags;
		if ((size_t)n_flags >= run)
			count_run(task->census, task->flags, run, (size_t)n_flags);
	}
	return 0;
}

/* Counts n pages that are in memory: to have numbers, they have to be mapped. */
static int census_range(const struct census_task *task, uint8_t *address, size_t n)
{
	off_t at = (off_t)((uintptr_t)address / task->page * sizeof(*task->map));
	ssize_t got;

	if (madvise(address, n * task->page, MADV_POPULATE_READ) < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	got = pread(task->pagemap, task->map, n * sizeof(*task->map), at);
	if (got < 0)
		return -errno;
	return census_map(task, (size_t)got / sizeof(*task->map));
}

static int census_window(const struct census_task *task, uint64_t first, size_t n)
{
	_cleanup_pages_map_ struct pages_map map = {};
	const uint8_t *incore = task->incore;
	int r = pages_map_open(&map, task->memory, (off_t)(first * task->page), n * task->page,
			       task->window * task->page);

	if (r < 0)
		return r;
	r = pages_map_incore(&map, task->incore);
	for (size_t i = 0, run; r == 0 && i < n; i += run) {
		for (run = 1; i + run < n && (incore[i + run] & 1) == (incore[i] & 1);)
			run++;
		if (incore[i] & 1)
			r = census_range(task, map.address + i * task->page, run);
	}
	return r;
}

/* All windows, or as many as max_pages allows, spread evenly. */
static int census_windows(const struct census_task *task, uint64_t pages, uint64_t max_pages)
{
	uint64_t windows = (pages + task->window - 1) / task->window, wanted = windows;

	if (max_pages > 0 && max_pages < pages)
		wanted = (max_pages + task->window - 1) / task->window;
	for (uint64_t i = 0; i < wanted; i++) {
		uint64_t first = i * windows / wanted * task->window;
		uint64_t n = pages - first < task->window ? pages - first : task->window;
		int r = census_window(task, first, n);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The order that most of the memory has. */
static unsigned int usual_order(const struct page_census *census)
{
	unsigned int usual = 0;

	for (unsigned int order = 1; order <= PAGES_ORDER_MAX; order++)
		if (census->folios[order] << order > census->folios[usual] << usual)
			usual = order;
	return usual;
}

static int census_flags(int fd, uint64_t pages, uint64_t max_pages, struct page_census *census)
{
	_cleanup_close_ int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), huge = pages_huge_size();
	size_t window = huge ? huge / page : WINDOW_PAGES;
	_cleanup_free_ uint8_t *incore = malloc(window);
	_cleanup_free_ uint64_t *map = calloc(window, sizeof(*map));
	_cleanup_free_ uint64_t *flags = calloc(2 * window, sizeof(*flags));
	struct census_task task = {
		.census = census,
		.memory = fd,
		.pagemap = pagemap,
		.kpageflags = kpageflags,
		.page = page,
		.window = window,
		.incore = incore,
		.map = map,
		.flags = flags,
	};

	if (pagemap < 0 || kpageflags < 0)
		return -EPERM;
	if (!incore || !map || !flags)
		return -ENOMEM;
	return census_windows(&task, pages, max_pages);
}

int pages_census(int fd, uint64_t max_pages, struct page_census *ret)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), present, swapped;
	struct page_census census = {.memdesc = memdesc_encode(MEMDESC_FILE, 0, false, 0)};
	struct memory_kind kind;
	uint64_t pages;
	int r = memory_identify(fd, &kind);

	if (r == 0)
		r = pages_resident(fd, &present, &swapped);
	if (r < 0)
		return r;

	pages = (kind.size + page - 1) / page;
	census.present = (present + page - 1) / page;
	census.swapped = swapped / page;
	if (census.present + census.swapped < pages)
		census.absent = pages - census.present - census.swapped;
	r = census_flags(fd, pages, max_pages, &census);
	if (r < 0 && r != -EPERM)
		return r;
	census.readable = r == 0;
	if (memdesc_type(census.memdesc) == MEMDESC_FILE)
		census.memdesc = memdesc_encode(MEMDESC_FILE, 0, false, usual_order(&census));
	*ret = census;
	return 0;
}
