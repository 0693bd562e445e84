/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kho/cli/ask.h"
#include "kho/cli/copy.h"
#include "kho/cli/json.h"
#include "kho/cli/kernel-tree.h"
#include "kho/cli/say.h"
#include "kho/cli/tree-json.h"
#include "kho/cli/verbs.h"
#include "kho/core/tree.h"

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

/* What the options ask for; side is KERNEL_NONE for khod's tree. */
struct request {
	enum tree_form form;
	int side;
};

#define KERNEL_NONE (-1)

static int parse_side(const char *text, int *ret)
{
	if (strcmp(text, "in") == 0)
		*ret = KERNEL_IN;
	else if (strcmp(text, "out") == 0)
		*ret = KERNEL_OUT;
	else
		return -EINVAL;
	return 0;
}

/* EXIT_DONE to go on, or what to exit with; *ret_help if there is nothing else to do. */
static enum exit_code parse(int argc, char *argv[], struct request *ret, bool *ret_help)
{
	static const struct option options[] = {
		{"kernel", required_argument, NULL, 'k'},
		{"raw", no_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "k:rjh", options, NULL)) >= 0)
		switch (c) {
		case 'k':
			if (parse_side(optarg, &ret->side) == 0)
				break;
			say("--kernel= is in or out, not '%s'", optarg);
			return bad_usage("tree");
		case 'r':
			ret->form = TREE_RAW;
			break;
		case 'j':
			ret->form = TREE_JSON;
			break;
		case 'h':
			*ret_help = true;
			return EXIT_DONE;
		default:
			return bad_usage("tree");
		}
	return EXIT_DONE;
}

int verb_tree(int argc, char *argv[])
{
	struct request request = {.form = TREE_DTS, .side = KERNEL_NONE};
	bool help = false;
	enum exit_code code = parse(argc, argv, &request, &help);
	int n_allowed = request.side == KERNEL_NONE ? 0 : 1;

	if (code != EXIT_DONE)
		return code;
	if (help) {
		print_usage("tree");
		return EXIT_DONE;
	}
	if (argc - optind > n_allowed) {
		say("tree takes no %sargument: %s", n_allowed ? "further " : "",
		    argv[optind + n_allowed]);
		return bad_usage("tree");
	}
	if (request.form == TREE_RAW && isatty(STDOUT_FILENO)) {
		say("--raw is binary: redirect it, or leave --raw out to read it here");
		return EXIT_LOCAL;
	}
	if (request.side == KERNEL_NONE)
		return show_tree(request.form);
	return show_kernel_tree(request.side, argv[optind], request.form);
}
