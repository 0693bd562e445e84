/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/stat.h>

#include "kho/client/format.h"
#include "kho/cli/run-regions.h"
#include "kho/cli/say.h"

/* The configuration asks for more than there is: COMMAND would die at the end of the old size. */
static enum exit_code grow(struct kho *kho, const struct run_region *region, uint64_t flags,
			   int *ret_fd)
{
	char from[FORMAT_SIZE_MAX], to[FORMAT_SIZE_MAX];
	const struct kho_region *there;
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = kho_claim(kho, region->name, flags, &fd, &there);
	if (r < 0)
		return handover_failed(kho, r);
	format_size(there->size, from);
	format_size(region->size, to);
	if (ftruncate(fd, (off_t)region->size) < 0) {
		say("region %s has %s and can't grow to %s: %s (kho drop %s starts anew)",
		    region->name, from, to, strerror(errno), region->name);
		return EXIT_REFUSED;
	}
	say("region %s has grown from %s to %s", region->name, from, to);
	*ret_fd = TAKE_FD(fd);
	return EXIT_DONE;
}

/* What the operator has decided to do about a damaged region; flags gets what to ask khod for. */
static enum exit_code on_damaged(struct kho *kho, const struct run_spec *spec, const char *name,
				 uint64_t *flags)
{
	int r;

	switch (spec->damaged) {
	case DAMAGED_USE:
		say("%s: starting with it as it is", kho_error_message(kho));
		*flags |= KHO_TAKE_DAMAGED;
		return EXIT_DONE;
	case DAMAGED_EMPTY:
		say("%s: starting with an empty one", kho_error_message(kho));
		r = kho_unregister(kho, name);
		return r < 0 ? handover_failed(kho, r) : EXIT_DONE;
	default:
		say("%s: not starting; kho get --damaged %s saves it, kho drop %s lets it go",
		    kho_error_message(kho), name, name);
		return EXIT_LOST;
	}
}

enum exit_code run_region_open(struct kho *kho, const struct run_spec *spec, size_t i, int *ret_fd)
{
	const struct run_region *region = &spec->regions[i];
	uint64_t flags = spec->optional ? KHO_OPTIONAL : 0;
	const struct kho_region *there;
	char size[FORMAT_SIZE_MAX];
	enum exit_code code;
	int r;

	r = kho_claim_or_create(kho, region->name, region->size, flags, ret_fd, &there);
	if (r == -ENODATA) {
		/* The memory is gone, nothing can bring it back: a service has to come up again. */
		say("%s: starting with an empty one", kho_error_message(kho));
		flags |= KHO_RECREATE_LOST;
	} else if (r == -EUCLEAN) {
		code = on_damaged(kho, spec, region->name, &flags);
		if (code != EXIT_DONE)
			return code;
	}
	if (r == -ENODATA || r == -EUCLEAN)
		r = kho_claim_or_create(kho, region->name, region->size, flags, ret_fd, &there);
	if (r == -EMSGSIZE)
		return grow(kho, region, flags & KHO_TAKE_DAMAGED, ret_fd);
	if (r < 0)
		return handover_failed(kho, r);
	if (r == KHO_CLAIMED)
		say("region %s is here again, %s", region->name, format_size(there->size, size));
	/* The next kernel makes root its owner, and COMMAND opens it by its path. Without the fd
	 * nobody gets at it, whatever its mode.
	 */
	else if (fchmod(*ret_fd, 0666) < 0)
		say("region %s may not be opened by its path: %s", region->name, strerror(errno));
	return EXIT_DONE;
}
