/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/kernel/cmdline.h"
#include "kho/kernel/verdict-private.h"

#define MIB (UINT64_C(1) << 20)
#define CRASH_ALIGN (16 * MIB) /* arch/x86/include/asm/crash_reserve.h */
#define CMA_ALIGN (4 * MIB)    /* a page block, include/linux/cma.h */
#define PAGE_DESCRIPTOR_SIZE 64
/*
 * kernel/printk/printk.c, setup_log_buf: for each 32 bytes of the buffer a descriptor of 24 and a
 * record of 88 bytes.
 */
#define LOG_DESCRIPTORS(size) ((size) / 32 * 24)
#define LOG_RECORDS(size) ((size) / 32 * 88)

#define MIB_UP(bytes) ((uintmax_t)(((bytes) + MIB - 1) / MIB))
#define MIB_DOWN(bytes) ((uintmax_t)((bytes) / MIB))

/* What kexec_file_load takes besides: the files themselves, and the segments until the kexec. */
static void check_memory(const struct verdict_question *q, struct verdict *v)
{
	uint64_t needed = q->image->size + q->image->init_size + 2 * q->initrd_size;

	if (needed > q->machine->memory_available)
		verdict_add(v, FINDING_NO, "memory",
			    "loading it takes %ju MiB, and %ju MiB are available: free some",
			    MIB_UP(needed), MIB_DOWN(q->machine->memory_available));
}

static void tell_misfit(const struct verdict_question *q, const struct placement *p,
			const struct placement_segment *failed, struct verdict *v)
{
	verdict_add(v, FINDING_NO, "placement",
		    "%s takes %ju MiB, and the largest piece of scratch left for it has %ju MiB: "
		    "make it smaller, or boot this machine cold with a larger kho_scratch=",
		    failed->name, MIB_UP(failed->size),
		    MIB_DOWN(placement_largest(p, failed->align, failed->min)));
}

static bool add_reservation(struct placement *p, const char *word, uint64_t size, uint64_t align,
			    struct verdict *v)
{
	struct placement_segment segment = {.name = word, .size = size, .align = align};

	if (size == 0 || placement_add(p, segment) == 0)
		return true;
	verdict_add(v, FINDING_COPY, "early memory",
		    "%s reserves %ju MiB at once when the next kernel starts, and the largest "
		    "piece of scratch that is left has %ju MiB: make it smaller",
		    word, MIB_UP(size), MIB_DOWN(placement_largest(p, align, 0)));
	return false;
}

/*
 * Until it has taken over what is handed to it, the next kernel allocates from scratch alone
 * (mm/memblock.c, memblock_set_kho_scratch_only): what it reserves has to fit beside what is
 * loaded, and leave room for the descriptors of all pages.
 */
static bool check_early_memory(const struct verdict_question *q, const char *cmdline,
			       struct placement *p, struct verdict *v)
{
	uint64_t descriptors =
		q->machine->memory_total / q->machine->page_size * PAGE_DESCRIPTOR_SIZE;
	struct cmdline_reservations r = cmdline_reservations(cmdline, q->machine->memory_total);
	bool fits = add_reservation(p, "crashkernel=", r.crashkernel, CRASH_ALIGN, v);

	fits = add_reservation(p, "cma=", r.cma, CMA_ALIGN, v) && fits;
	fits = add_reservation(p, "log_buf_len=", r.log_buf, 0, v) && fits;
	fits = fits && add_reservation(p, "log_buf_len=", LOG_DESCRIPTORS(r.log_buf), 0, v) &&
	       add_reservation(p, "log_buf_len=", LOG_RECORDS(r.log_buf), 0, v);
	if (!fits || placement_free(p) >= descriptors)
		return fits;
	verdict_add(v, FINDING_COPY, "early memory",
		    "the next kernel starts with %ju MiB for the descriptors of its pages, and "
		    "%ju MiB of scratch are left: make the initrd or what is reserved smaller",
		    MIB_UP(descriptors), MIB_DOWN(placement_free(p)));
	return false;
}

static void place(const struct verdict_question *q, const char *cmdline, struct verdict *v)
{
	const struct machine *m = q->machine;
	struct placement p = {.areas = m->areas, .n_areas = m->n_areas, .page_size = m->page_size};
	const struct placement_load load = {
		.ima_size = m->ima_size,
		.cmdline_size = strlen(q->cmdline) + 1,
		.efi_map_size = m->efi_map_size,
		.init_size = q->image->init_size,
		.kernel_alignment = q->image->kernel_alignment,
		.pref_address = q->image->pref_address,
		.initrd_size = q->initrd_size,
	};
	struct placement_segment failed;

	if (placement_load_x86(&p, &load, &failed) < 0)
		tell_misfit(q, &p, &failed, v);
	else if (check_early_memory(q, cmdline, &p, v))
		verdict_add(v, FINDING_FINE, "placement",
			    "kernel %ju MiB, initrd %ju MiB: they fit, and leave %ju MiB of "
			    "scratch",
			    MIB_UP(load.init_size), MIB_UP(load.initrd_size),
			    MIB_DOWN(placement_free(&p)));
}

/* Loading says by itself what does not fit, before anything is stopped; starting does not. */
static void cannot_place(const char *why, const struct cmdline_reservations *r, struct verdict *v)
{
	bool reserves = r->crashkernel || r->cma || r->log_buf;

	verdict_add(v, reserves ? FINDING_UNKNOWN : FINDING_NOTE, "placement",
		    "%s; whether %s fit shows when it is loaded", why,
		    reserves ? "the kernel, and what its command line reserves,"
			     : "kernel and initrd");
}

void verdict_on_room(const struct verdict_question *q, const char *cmdline, struct verdict *v)
{
	struct cmdline_reservations r = cmdline_reservations(cmdline, q->machine->memory_total);

	check_memory(q, v);
	/* Without KHO here nothing is bound to scratch. */
	if (q->machine->kernel.generation == KHO_NONE || q->machine->kernel.generation == KHO_OFF ||
	    q->machine->kernel.generation == KHO_OUT_OF_TREE)
		return;
	if (q->machine->scratch_problem)
		cannot_place(q->machine->scratch_problem, &r, v);
	else if (q->image->arch != IMAGE_X86_64 || q->image->init_size == 0)
		cannot_place("how this kernel is placed is not known", &r, v);
	else
		place(q, cmdline, v);
}
