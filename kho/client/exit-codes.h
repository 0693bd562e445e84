/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_EXIT_CODES_H
#define KHO_CLIENT_EXIT_CODES_H

/* What kho and kexec --kho exit with; EXIT STATUS in kho(8) and kexec(8). */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_LOCAL = 1,	      /* bad option, no such file */
	EXIT_REFUSED = 2,     /* nothing has changed */
	EXIT_UNREACHABLE = 3, /* khod is not running or can't be reached */
	EXIT_ABORTED = 4,     /* the update had begun, and is undone */
	EXIT_LOST = 5,	      /* something was lost or damaged */
	EXIT_TIMED_OUT = 6,
	EXIT_COPY = 7,	  /* kho check: not in place, only by copy */
	EXIT_UNKNOWN = 8, /* kho check: not known */
};

#endif
