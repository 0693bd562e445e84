/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kho/cli/ask.h"
#include "kho/cli/copy.h"
#include "kho/cli/json.h"
#include "kho/cli/say.h"
#include "kho/cli/tree-json.h"
#include "kho/cli/verbs.h"
#include "kho/core/tree.h"

enum tree_form { TREE_DTS, TREE_RAW, TREE_JSON };

static int print_json(const void *blob, size_t size)
{
	_cleanup_handover_ struct handover *handover = NULL;
	_cleanup_json_ sd_json_variant *document = NULL;
	int r;

	r = handover_parse(blob, size, &handover);
	if (r >= 0)
		r = tree_to_json(handover, &document);
	if (r >= 0)
		json_print(document);
	return r;
}

static int print_tree(int fd, enum tree_form form)
{
	struct stat st;
	void *blob;
	int r;

	if (form == TREE_RAW)
		return copy_content(fd, STDOUT_FILENO);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == 0)
		return -EBADMSG;
	blob = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (blob == MAP_FAILED)
		return -errno;
	if (form == TREE_JSON)
		r = print_json(blob, (size_t)st.st_size);
	else
		r = handover_print_dts(stdout, blob, (size_t)st.st_size);
	munmap(blob, (size_t)st.st_size);
	return r;
}

static int show_tree(enum tree_form form)
{
	_cleanup_json_ sd_json_variant *reply = NULL;
	_cleanup_close_ int fd = -EBADF;
	enum exit_code code;
	int r;

	if (form == TREE_RAW && isatty(STDOUT_FILENO)) {
		say("--raw is binary: redirect it, or leave --raw out to read it here");
		return EXIT_LOCAL;
	}
	code = ask_manager("Tree", NULL, &reply, &fd);
	if (code != EXIT_DONE)
		return code;
	r = fd < 0 ? fd : print_tree(fd, form);
	if (r == -EBADMSG || r == -EPROTONOSUPPORT)
		say("the tree is not one that this version reads (kho tree --raw saves it)");
	else if (r < 0)
		say("can't show the tree: %s", strerror(-r));
	return r < 0 ? EXIT_LOCAL : EXIT_DONE;
}

int verb_tree(int argc, char *argv[])
{
	static const struct option options[] = {
		{"raw", no_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	enum tree_form form = TREE_DTS;
	int c;

	while ((c = getopt_long(argc, argv, "rjh", options, NULL)) >= 0)
		switch (c) {
		case 'r':
			form = TREE_RAW;
			break;
		case 'j':
			form = TREE_JSON;
			break;
		case 'h':
			print_usage("tree");
			return EXIT_DONE;
		default:
			return bad_usage("tree");
		}
	if (optind < argc) {
		say("tree takes no argument: %s", argv[optind]);
		return bad_usage("tree");
	}
	return show_tree(form);
}
