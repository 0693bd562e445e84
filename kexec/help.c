/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "kexec/distribution.h"
#include "kexec/help.h"
#include "kho/client/exit-codes.h"
#include "kho/core/cleanup.h"

void help_print(void)
{
	fputs("kexec --kho -l [KERNEL] [OPTION...]   stage: keep every region, load the kernel\n"
	      "kexec --kho -e                        execute what is staged\n"
	      "kexec --kho -l -e [KERNEL] [OPTION...]  both\n"
	      "kexec --kho --kho-shutdown            shut down, as systemctl kexec does, into what is\n"
	      "                                      staged; -l --kho-shutdown does both\n"
	      "kexec --kho -u                        drop what is staged; services just go on\n"
	      "kexec --kho -S                        show what is staged\n"
	      "\n"
	      "Without KERNEL: the one that the machine would boot next, or that\n"
	      "live-update.conf(5) names.\n"
	      "Changes to another kernel, and keeps the memory that services registered with khod.\n"
	      "\n"
	      "with -l:\n"
	      "      --entry=ID            the kernel of a boot loader entry; help lists them\n"
	      "      --initrd=FILE         the kernel's initial ramdisk\n"
	      "      --command-line=WORDS  the kernel's command line; --append=WORDS is the same\n"
	      "      --reuse-cmdline       begin with the command line of the running kernel\n"
	      "      --kho-digest=WHAT     check regions by digest: always, never, or up to a size\n"
	      "                            (256M, the default)\n"
	      "      --kho-dry-run         show how each region would go, and touch nothing\n"
	      "      --kho-transport=NAME  auto (in place where it can be, else by copy), luo (in\n"
	      "                            place or not at all), initrd (by copy in memory),\n"
	      "                            spool (by copy on disk)\n"
	      "      --kho-spool=DIR       where copies on disk go (/var/lib/kho/spool), or no\n"
	      "with -l and -e:\n"
	      "      --kho-force           go on although memory would not survive there (-l),\n"
	      "                            or what units keep with PID 1 is lost (-e)\n"
	      "      --kho-timeout=SECONDS until all services have answered (60)\n"
	      "with -e:\n"
	      "  -y, --no-sync             leave the file systems unsynced\n"
	      "\n"
	      "Without --kho this is the distribution's kexec: see kexec --help.\n"
	      "Exit status: 0 done, 1 wrong usage or a bad file, 2 refused and nothing changed,\n"
	      "3 khod not reachable, 4 aborted and undone. More in kexec(8).\n",
	      stdout);
}

int version_print(void)
{
	_cleanup_free_ char *path = NULL;

	puts(PACKAGE_STRING);
	if (distribution_find(&path) < 0)
		return EXIT_LOCAL;
	printf("in front of %s\n", path);
	return EXIT_DONE;
}
