/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INITRD_TELL_H
#define INITRD_TELL_H

/* A line for the console and the kernel's log, at the level of an error. */
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
