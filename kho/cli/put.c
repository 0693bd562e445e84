/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "kho/cli/copy.h"
#include "kho/client/format.h"
#include "kho/cli/handover.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"
#include "kho/core/region.h"

struct put {
	const char *name;
	const char *file; /* NULL: standard input */
	bool replace;
	bool optional;
	bool json;
};

static const struct kho_region *find_own(struct kho *kho, const char *name)
{
	const struct kho_region *const *regions;

	if (kho_list(kho, &regions) < 0)
		return NULL;
	for (; *regions; regions++)
		if (strcmp((*regions)->name, name) == 0)
			return *regions;
	return NULL;
}

/* Asked before anything is read: who pipes 10 GiB in wants to know at once. */
static enum exit_code check_name(struct kho *kho, const struct put *put)
{
	const struct kho_region *there;
	const char *advice;

	advice = region_name_advice(put->name);
	if (advice) {
		say("%s", advice);
		return EXIT_LOCAL;
	}
	there = find_own(kho, put->name);
	if (!there || put->replace)
		return EXIT_DONE;
	if (there->check == KHO_CHECK_LOST)
		say("region %s was lost: --replace, or kho drop it first", put->name);
	else
		say("region %s is there already: --replace, or kho drop it first", put->name);
	return EXIT_REFUSED;
}

static enum exit_code read_content(const struct put *put, int *ret_fd, uint64_t *ret_size)
{
	_cleanup_close_ int opened = -EBADF, memory = -EBADF;
	const char *source = put->file ?: "standard input";
	int in = STDIN_FILENO, r;

	if (put->file)
		in = opened = open(put->file, O_RDONLY | O_CLOEXEC);
	r = in < 0 ? -errno : copy_to_memory(in, put->name, &memory, ret_size);
	/* What the digest is taken of must not change behind the owner's back. */
	if (r >= 0 && fcntl(memory, F_ADD_SEALS,
			    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0) {
		if (r != -ENOSPC)
			say("can't read %s: %s", source, strerror(-r));
		return EXIT_LOCAL;
	}
	*ret_fd = TAKE_FD(memory);
	return EXIT_DONE;
}

/* Takes the old region out of the way; *ret_fd is its memory, or negative if there is none. */
static int take_old(struct kho *kho, const struct put *put, int *ret_fd)
{
	_cleanup_close_ int old = -EBADF;
	int r;

	r = kho_claim(kho, put->name, KHO_TAKE_DAMAGED, &old, NULL);
	if (r == -ENOENT)
		return 0;
	if (r >= 0 || r == -ENODATA)
		r = kho_unregister(kho, put->name);
	if (r >= 0)
		*ret_fd = TAKE_FD(old);
	return r;
}

static enum exit_code keep(struct kho *kho, const struct put *put, int fd)
{
	uint64_t flags = put->optional ? KHO_OPTIONAL : 0;
	_cleanup_close_ int old = -EBADF;
	enum exit_code code;
	int r;

	r = put->replace ? take_old(kho, put, &old) : 0;
	if (r < 0)
		return handover_failed(kho, r);
	r = kho_register(kho, put->name, fd, NULL, flags);
	if (r >= 0)
		return EXIT_DONE;
	code = handover_failed(kho, r);
	if (old >= 0 && kho_register(kho, put->name, old, NULL, flags) < 0) {
		say("and the old %s could not be put back: %s", put->name, kho_error_message(kho));
		return EXIT_LOST;
	}
	return code;
}

static enum exit_code print_kept(struct kho *kho, const struct put *put, uint64_t size)
{
	const struct kho_region *region = find_own(kho, put->name);
	_cleanup_json_ sd_json_variant *document = NULL;
	char text[FORMAT_SIZE_MAX];

	if (!region) {
		say("can't look at %s: %s", put->name, kho_error_message(kho));
		return EXIT_UNREACHABLE;
	}
	if (!put->json)
		printf("kept %s for %s, %s\n", put->name, region->owner, format_size(size, text));
	else if (handover_region_json(region, &document) >= 0)
		json_print(document);
	return EXIT_DONE;
}

static enum exit_code put_region(const struct put *put)
{
	_cleanup_kho_ struct kho *kho = NULL;
	_cleanup_close_ int fd = -EBADF;
	enum exit_code code;
	uint64_t size;

	code = handover_open(&kho);
	if (code == EXIT_DONE)
		code = check_name(kho, put);
	if (code == EXIT_DONE)
		code = read_content(put, &fd, &size);
	if (code == EXIT_DONE)
		code = keep(kho, put, fd);
	if (code == EXIT_DONE)
		code = print_kept(kho, put, size);
	return code;
}

int verb_put(int argc, char *argv[])
{
	static const struct option options[] = {
		{"replace", no_argument, NULL, 'r'},
		{"optional", no_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct put put = {};
	int c;

	while ((c = getopt_long(argc, argv, "rojh", options, NULL)) >= 0)
		switch (c) {
		case 'r':
			put.replace = true;
			break;
		case 'o':
			put.optional = true;
			break;
		case 'j':
			put.json = true;
			break;
		case 'h':
			print_usage("put");
			return EXIT_DONE;
		default:
			return bad_usage("put");
		}
	if (argc - optind < 1 || argc - optind > 2) {
		say("put takes a NAME, and a FILE if it is not to read standard input");
		return bad_usage("put");
	}
	put.name = argv[optind];
	put.file = argv[optind + 1];
	return put_region(&put);
}
