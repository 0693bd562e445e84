/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>

#include "kho/kernel/generation.h"

static const struct {
	const char *name, *advice;
} generations[_KHO_GENERATION_MAX] = {
	[KHO_NONE] = {"none", "this kernel has no kexec handover: boot one that is built with "
			      "CONFIG_KEXEC_HANDOVER=y and CONFIG_LIVEUPDATE=y"},
	[KHO_OFF] = {"off", "kexec handover is switched off: boot with kho=on liveupdate=on on the "
			    "kernel command line"},
	[KHO_OUT_OF_TREE] = {"out-of-tree",
			     "this kernel has an early kexec handover that userspace can hand "
			     "nothing over with: boot 6.19 or newer with CONFIG_LIVEUPDATE=y"},
	[KHO_FINALIZE] = {"finalize",
			  "this kernel hands over what kernel code registers alone, and no "
			  "memory of userspace: boot 6.19 or newer with CONFIG_LIVEUPDATE=y"},
	[KHO_STATELESS] = {"stateless", "kexec handover is always ready; memfds cross with "
					"liveupdate=on"},
	[KHO_BOOTMEM] = {"bootmem", "kexec handover is always ready; memfds cross with "
				    "liveupdate=on"},
	[KHO_UNKNOWN] = {"unknown", "nothing tells whether this kernel has kexec handover: mount "
				    "debugfs on /sys/kernel/debug, look as root, and boot with "
				    "kho=on liveupdate=on on the kernel command line"},
};

const char *kho_generation_name(enum kho_generation generation)
{
	return (unsigned int)generation < _KHO_GENERATION_MAX ? generations[generation].name
							      : "unknown";
}

const char *kho_generation_advice(enum kho_generation generation)
{
	return generations[(unsigned int)generation < _KHO_GENERATION_MAX ? generation
									  : KHO_UNKNOWN]
		.advice;
}
