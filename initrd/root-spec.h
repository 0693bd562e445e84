/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INITRD_ROOT_SPEC_H
#define INITRD_ROOT_SPEC_H

#include <stdbool.h>
#include <stdint.h>

/* What a kernel command line says about the root file system and the init on it. */
struct root_spec {
	char *root;    /* of root=; NULL: there is none */
	char *types;   /* of rootfstype=, separated by commas; NULL: all that the kernel has */
	char *options; /* of rootflags=; NULL: none */
	char *init;    /* of init=; NULL: the usual ones */
	bool writable; /* rw */
	bool wait;     /* rootwait, for as long as it takes */
	unsigned int delay_s; /* of rootdelay=, seconds */
};

/* Reads it as the kernel does (init/do_mounts.c). 0 or -ENOMEM; to be freed by root_spec_done(). */
int root_spec_parse(const char *cmdline, struct root_spec *ret);
void root_spec_done(struct root_spec *spec);

enum root_kind {
	ROOT_PATH,	 /* /dev/NAME */
	ROOT_NUMBER,	 /* MAJOR:MINOR, or both in hexadecimal digits */
	ROOT_PARTUUID,	 /* PARTUUID=ID, or PARTUUID=ID/PARTNROFF=N */
	ROOT_PARTLABEL,	 /* PARTLABEL=NAME */
	ROOT_NO_DEVICE,	 /* a file system without a block device, by its own name: virtiofs, 9p */
	ROOT_UNSUPPORTED /* the kernel has more: NFS, CIFS, MTD, RAM disks */
};

/* What kind of thing root= names. */
enum root_kind root_spec_kind(const struct root_spec *spec);

/* The device number of a ROOT_NUMBER. false: it is none. */
bool root_spec_number(const char *root, unsigned int *ret_major, unsigned int *ret_minor);

#endif
