/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "kho/kernel/luo.h"
#include "tests/vm/luo/luo-test.h"

static void measure(const char *label, struct transport_item *item)
{
	uint64_t start, preserved;
	size_t failed = 0;
	int session;

	census_print(label, item->fd);
	must(transport_luo.open(TEST_UPDATE, 0, 1, &session, NULL), NULL, "open");
	start = now_usec();
	must(transport_luo.preserve(session, 0, item, 1, NULL, &failed, NULL), NULL, "preserve");
	preserved = now_usec();
	must(transport_luo.abort(&session, 1, item, 1, 10 * SECOND, &failed, NULL), NULL, "abort");
	printf("%s: preserved in %" PRIu64 " us, released in %" PRIu64 " us\n", label,
	       preserved - start, now_usec() - preserved);
}

/* What a file costs to preserve before and after its folios were made large. */
int verb_folios(int argc, char **argv)
{
	uint64_t size = (argc > 1 ? strtoull(argv[1], NULL, 10) : 0) * MIB, offset = 0, start;
	struct sample sample = {.label = "folios", .size = size, .data = size};
	struct transport_item item = {.label = "folios"};
	struct page_census census;
	unsigned int calls = 1;

	CHECK(size > 0);
	item.fd = sample_create(&sample, 1);
	measure("small", &item);
	start = now_usec();
	while (must(transport_luo.groom(item.fd, &offset, now_usec() + 50000), NULL, "groom") == 0)
		calls++;
	printf("groomed in %" PRIu64 " us and %u calls\n", now_usec() - start, calls);
	measure("large", &item);
	must(pages_census(item.fd, 0, &census), NULL, "census");
	CHECK(census.folios[9] == size / (2 * MIB) && census.folios[0] == 0);
	sample_verify(&sample, 1, item.fd);
	return 0;
}

int verb_probe(int argc, char **argv)
{
	struct kernel_info info;

	must(kernel_probe(&info), NULL, "probe");
	printf("generation=%s\nluo=%d\nreason=%s\nkexec_loaded=%d\nhas_metadata=%d\nkexec_count=%" PRIu32
	       "\nprevious_release=%s\nadvice=%s\n",
	       kho_generation_name(info.generation), info.luo,
	       info.luo_reason ? info.luo_reason : "", info.kexec_loaded, info.has_metadata,
	       info.kexec_count, info.previous_release, kho_generation_advice(info.generation));
	kernel_info_done(&info);
	return 0;
}
