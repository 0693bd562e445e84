/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_ABI_H
#define KHO_KERNEL_ABI_H

/*
 * What two kernels have to agree on for memory to get from one to the other in place: each is a
 * string with a version, "kho-v4". NULL is unknown: the kernel may have it or not, in any version;
 * only two strings that are both known and equal agree. Sources: include/linux/kho/abi/.
 */
struct abi {
	char *kho;	       /* of the tree itself: 6.16 and later */
	char *luo;	       /* 6.19 and later */
	char *luo_session;     /* where sessions have their own: "luo-session-v2" of 7.1 */
	char *luo_flb;	       /* where FLBs have their own: "luo-flb-v1" of 7.1 */
	char *memblock;	       /* "memblock-v1" */
	char *reserve_mem;     /* "reserve-mem-v1", for reserve_mem= on the command line */
	char **file_handlers;  /* "memfd-v2" …: never NULL, ends with NULL, sorted; those that are
				* built in, since no image shows those of modules. None is not
				* known to be missing. */
	unsigned int disputed; /* a bit for each string that abi_add() found in two versions */
};

int abi_init(struct abi *abi); /* nothing known; -ENOMEM */
void abi_done(struct abi *abi);

/* Copies all of it; -ENOMEM, and *ret is as it was. */
int abi_copy(const struct abi *abi, struct abi *ret);

/*
 * Takes in a string with its version, as one witness has it. What witnesses do not agree on becomes
 * unknown, and stays so. Returns 0, also if it is none of the strings above; 1 if it is disputed;
 * -ENOMEM.
 */
int abi_add(struct abi *abi, const char *string);

/* Adds a file handler unless it is there; -ENOMEM. */
int abi_add_file_handler(struct abi *abi, const char *handler);

/* The handler of that name, whatever its version: "memfd-v2" for "memfd"; NULL: there is none. */
const char *abi_find_file_handler(const struct abi *abi, const char *name);

#endif
