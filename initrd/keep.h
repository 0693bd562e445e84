/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INITRD_KEEP_H
#define INITRD_KEEP_H

/* Where the archive is unpacked, and where khod looks for it. */
#define KEEP_ARCHIVE "/kho/handover"
#define KEEP_RUN "/run/kho/handover"

/*
 * Makes KEEP_RUN, below the directory root ("" for this one's), for root alone. 0 or a negative
 * errno, having told what failed.
 */
int keep_make_directory(const char *root);

/*
 * In an initrd: moves every file of the directory from into a tmpfs of its own on to, each freed
 * as soon as it is copied. 0 also if there is no such directory; or a negative errno, having told
 * what failed; the others are moved all the same.
 */
int keep_move(const char *from, const char *to);

/* Moves what is in one directory to the other; the second half of keep_move(). */
int keep_move_files(const char *from, const char *to);

#endif
