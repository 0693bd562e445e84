/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program is started with: its process id, its words, its environment. Exits with 42. */
#include <stdio.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv)
{
	printf("%d\n", getpid());
	for (int i = 0; i < argc; i++)
		printf("%s\n", argv[i]);
	for (char **s = environ; *s; s++)
		printf("%s\n", *s);
	return 42;
}
