/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/kernel/cmdline.h"
#include "kho/kernel/verdict-private.h"

/* Since 6.14 a locked-down kernel may also take what IMA appraises: that is for the kernel to say.
 */
static void check_signature(const struct verdict_question *q, struct verdict *v)
{
	bool forced = q->here->image &&
		      verdict_config(q->here->image, "CONFIG_KEXEC_SIG_FORCE") == CONFIG_YES;
	const char *why = q->machine->locked_down
				  ? "this kernel is locked down"
				  : "this kernel is built with CONFIG_KEXEC_SIG_FORCE";

	if (!q->machine->locked_down && !forced)
		return;
	if (q->image->is_signed)
		verdict_add(v, FINDING_NOTE, "signature",
			    "%s and loads signed kernels alone: this one is signed, and by whom "
			    "shows when it is loaded",
			    why);
	else
		verdict_add(v, FINDING_NO, "signature",
			    "%s and loads signed kernels alone, and this one carries no signature",
			    why);
}

static void check_page_size(const struct verdict_question *q, struct verdict *v)
{
	uint64_t here = q->machine->page_size, there = q->image->page_size;

	if (there == 0 && (q->image->arch == IMAGE_X86_64 || q->image->arch == IMAGE_X86_32))
		there = 4096;
	if (there == 0)
		verdict_add(v, FINDING_UNKNOWN, "page size", "%ju bytes here, and unknown there",
			    (uintmax_t)here);
	else if (there != here)
		verdict_add(v, FINDING_COPY, "page size", "%ju bytes here, %ju there",
			    (uintmax_t)here, (uintmax_t)there);
}

void verdict_on_loading(const struct verdict_question *q, struct verdict *v)
{
	const char *reason;

	if (q->machine->loading_disabled)
		verdict_add(v, FINDING_NO, "loading",
			    "loading a kernel is switched off until the next boot "
			    "(kernel.kexec_load_disabled=1)");
	if (image_check_loadable(q->image, &reason) < 0)
		verdict_add(v, FINDING_NO, "image", "it %s", reason);
	check_signature(q, v);
	check_page_size(q, v);
}

void verdict_on_kernels(const struct verdict_question *q, struct verdict *v)
{
	const struct kernel_info *kernel = &q->machine->kernel;

	switch (kernel->generation) {
	case KHO_NONE:
	case KHO_OFF:
	case KHO_OUT_OF_TREE:
	case _KHO_GENERATION_MAX:
		verdict_add(v, FINDING_COPY, "this kernel", "%s",
			    kho_generation_advice(kernel->generation));
		return;
	case KHO_UNKNOWN:
		verdict_add(v, FINDING_UNKNOWN, "this kernel", "%s%s",
			    kernel->debugfs_problem
				    ? "nothing tells whether this kernel has kexec handover: "
				    : "",
			    kernel->debugfs_problem ?: kho_generation_advice(kernel->generation));
		return;
	case KHO_FINALIZE:
		verdict_add(v, FINDING_NOTE, "this kernel",
			    "hands over what is the kernel's own (reserve_mem=), and nothing of "
			    "services");
		return;
	case KHO_STATELESS:
	case KHO_BOOTMEM:
		if (kernel->luo_unseen)
			verdict_add(v, FINDING_UNKNOWN, "this kernel",
				    "whether services can hand memory over can't be seen: run this "
				    "as root");
		else if (!kernel->luo)
			verdict_add(v, FINDING_COPY, "this kernel", "%s",
				    kernel->luo_reason ?: "it has no LUO");
	}
}
