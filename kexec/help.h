/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_HELP_H
#define KEXEC_HELP_H

/* On stdout: the options together with --kho. */
void help_print(void);

/* On stdout: of the front end, and where the distribution's kexec is. Returns what to exit with. */
int version_print(void);

#endif
