/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>

#include "kho/cli/copy.h"
#include "kho/cli/handover.h"
#include "kho/cli/owner.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

enum afterwards {
	KEEP_CLAIM,
	RELEASE,
	DROP,
};

struct get {
	const char *owner; /* NULL: the caller itself */
	const char *name;
	uint64_t flags;
	enum afterwards afterwards;
	bool force;
};

/* What would leave a terminal in disarray. */
static bool looks_binary(int fd)
{
	unsigned char head[4096];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	for (ssize_t i = 0; i < n; i++)
		if ((head[i] < ' ' && !memchr("\t\n\r\f\b", head[i], 5)) || head[i] == 0x7f)
			return true;
	return false;
}

static enum exit_code write_out(const struct get *get, int fd)
{
	int r;

	if (isatty(STDOUT_FILENO) && !get->force && looks_binary(fd)) {
		say("%s is binary: redirect it, or --force it onto the terminal", get->name);
		return EXIT_LOCAL;
	}
	r = copy_content(fd, STDOUT_FILENO);
	if (r < 0) {
		say("can't write %s to standard output: %s", get->name, strerror(-r));
		return EXIT_LOCAL;
	}
	return EXIT_DONE;
}

static enum exit_code let_go(struct kho *kho, const struct get *get)
{
	int r = 0;

	if (get->afterwards == RELEASE)
		r = kho_release(kho, get->name);
	else if (get->afterwards == DROP)
		r = kho_unregister(kho, get->name);
	return r < 0 ? handover_failed(kho, r) : EXIT_DONE;
}

/* Nothing is claimed in another's name: the owner may still come. */
static enum exit_code get_of_owner(const struct get *get)
{
	_cleanup_close_ int fd = -EBADF;
	enum exit_code code;

	code = owner_take(get->owner, get->name, get->flags & KHO_TAKE_DAMAGED, &fd);
	if (code == EXIT_DONE)
		code = write_out(get, fd);
	if (code == EXIT_DONE && get->afterwards == DROP)
		code = owner_drop(get->owner, get->name);
	return code;
}

static enum exit_code get_region(const struct get *get)
{
	_cleanup_kho_ struct kho *kho = NULL;
	_cleanup_close_ int fd = -EBADF;
	enum exit_code code;
	int r;

	code = handover_open(&kho);
	if (code != EXIT_DONE)
		return code;
	r = kho_claim(kho, get->name, get->flags, &fd, NULL);
	if (r < 0) {
		code = handover_failed(kho, r);
		if (r == -EUCLEAN)
			say("kho get --damaged %s writes it as it is", get->name);
		return code;
	}
	code = write_out(get, fd);
	/* Only what has been written in full may go. */
	return code == EXIT_DONE ? let_go(kho, get) : code;
}

int verb_get(int argc, char *argv[])
{
	static const struct option options[] = {
		{"damaged", no_argument, NULL, 'd'},
		{"release", no_argument, NULL, 'r'},
		{"drop", no_argument, NULL, 'D'},
		{"force", no_argument, NULL, 'f'},
		{"owner", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct get get = {};
	int c;

	while ((c = getopt_long(argc, argv, "drfo:h", options, NULL)) >= 0)
		switch (c) {
		case 'd':
			get.flags |= KHO_TAKE_DAMAGED;
			break;
		case 'r':
			get.afterwards = RELEASE;
			break;
		case 'D':
			get.afterwards = DROP;
			break;
		case 'f':
			get.force = true;
			break;
		case 'o':
			get.owner = optarg;
			break;
		case 'h':
			print_usage("get");
			return EXIT_DONE;
		default:
			return bad_usage("get");
		}
	if (argc - optind != 1) {
		say("get takes the NAME of one region");
		return bad_usage("get");
	}
	if (get.owner && get.afterwards == RELEASE) {
		say("--release gives back the caller's own claim, and with --owner nothing is claimed");
		return bad_usage("get");
	}
	get.name = argv[optind];
	return get.owner ? get_of_owner(&get) : get_region(&get);
}
