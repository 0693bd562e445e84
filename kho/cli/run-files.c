/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "kho/cli/copy.h"
#include "kho/cli/run-files.h"
#include "kho/cli/say.h"

static int write_file(int content, const char *path)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int out = -EBADF;
	int r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	out = mkostemp(temporary, O_CLOEXEC);
	if (out < 0)
		return -errno;
	r = copy_content(content, out);
	if (r >= 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r;
}

enum exit_code run_file_restore(struct kho *kho, const char *name, const char *path,
				bool *ret_forget)
{
	_cleanup_close_ int content = -EBADF;
	int r;

	*ret_forget = false;
	r = kho_claim(kho, name, 0, &content, NULL);
	if (r == -ENOENT)
		return EXIT_DONE;
	if (r == -ENODATA || r == -EUCLEAN) {
		/* Half a state is none: the command starts as it does without the file. */
		say("%s: starting without %s", kho_error_message(kho), path);
		*ret_forget = r == -ENODATA;
		return EXIT_DONE;
	}
	if (r < 0)
		return handover_failed(kho, r);
	r = write_file(content, path);
	if (r < 0) {
		say("can't write %s from region %s: %s", path, name, strerror(-r));
		return EXIT_LOCAL;
	}
	*ret_forget = true;
	return EXIT_DONE;
}

int run_file_forget(struct kho *kho, const char *name)
{
	int r = kho_unregister(kho, name);

	return r == -ENOENT ? 0 : r;
}

/* Caller frees. */
static char *reason_of(const char *what, const char *path, const char *why)
{
	char *reason;

	if (asprintf(&reason, "%s %s: %s", what, path, why) < 0)
		return NULL;
	say("%s", reason);
	return reason;
}

int run_file_store(struct kho *kho, const char *name, const char *path, bool optional,
		   char **ret_reason)
{
	_cleanup_close_ int in = -EBADF, memory = -EBADF;
	uint64_t size;
	int r;

	in = open(path, O_RDONLY | O_CLOEXEC);
	r = in < 0 ? -errno : copy_to_memory(in, name, &memory, &size);
	if (r >= 0 && fcntl(memory, F_ADD_SEALS,
			    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		r = -errno;
	if (r < 0) {
		*ret_reason = reason_of("can't read", path, strerror(-r));
		return r;
	}
	/* One may be left of an update that was undone. */
	r = run_file_forget(kho, name);
	if (r >= 0)
		r = kho_register(kho, name, memory, NULL, optional ? KHO_OPTIONAL : 0);
	if (r < 0)
		*ret_reason = reason_of("can't keep", path, kho_error_message(kho));
	return r;
}
