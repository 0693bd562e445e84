/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/kernel/kernel-tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "kho/core/text.h"
#include "kho/kernel/file.h"
#include "kho/kernel/kernel-blob.h"

#define BLOB_SIZE_MAX (4 << 20)
#define BLOBS_MAX 1024
#define NAME_SHOWN_MAX 255

/* Where a generation shows what. */
struct place {
	const char *side[2], *root, *blobs, *scratch_address, *scratch_size;
};

#define DEBUGFS_SIDES                                                                              \
	.side = {"sys/kernel/debug/kho/in", "sys/kernel/debug/kho/out"}, .root = "fdt",            \
	.blobs = "sub_fdts"

static const struct place place_debugfs = {
	DEBUGFS_SIDES,
	.scratch_address = "sys/kernel/debug/kho/out/scratch_phys",
	.scratch_size = "sys/kernel/debug/kho/out/scratch_len",
};

static const struct place place_bootmem = {
	DEBUGFS_SIDES,
	.scratch_address = "sys/kernel/debug/kho/out/bootmem_phys",
	.scratch_size = "sys/kernel/debug/kho/out/bootmem_len",
};

static const struct place place_out_of_tree = {
	.side = {"sys/firmware/kho", "sys/kernel/kho"},
	.root = "dt",
	.scratch_address = "sys/kernel/kho/scratch_phys",
	.scratch_size = "sys/kernel/kho/scratch_len",
};

static const struct place *place_of(enum kho_generation generation)
{
	switch (generation) {
	case KHO_OUT_OF_TREE:
		return &place_out_of_tree;
	case KHO_BOOTMEM:
		return &place_bootmem;
	default:
		return &place_debugfs;
	}
}

const char *kernel_form_name(enum kernel_form form)
{
	static const char *const names[_KERNEL_FORM_MAX] = {
		[KERNEL_FORM_BYTES] = "bytes", [KERNEL_FORM_TREE] = "tree",
		[KERNEL_FORM_CUT] = "cut",     [KERNEL_FORM_METADATA] = "kexec-metadata",
		[KERNEL_FORM_LUO] = "luo",     [KERNEL_FORM_STALE] = "stale",
	};

	return (unsigned int)form < _KERNEL_FORM_MAX ? names[form] : "bytes";
}

enum kernel_form kernel_form_of(enum kernel_side side, const char *name, const void *bytes,
				size_t size)
{
	_cleanup_free_ char *compatible = kernel_tree_compatible(bytes, size);
	struct kernel_metadata metadata;
	struct kernel_luo luo;
	struct kernel_cut cut;
	bool is_luo = strcmp(name, "LUO") == 0;

	/*
	 * Since it is a structure, the kernel frees the incoming one as soon as it has read it
	 * (kernel/liveupdate/luo_core.c, luo_early_startup); when it was a tree, it kept it.
	 */
	if (is_luo && side == KERNEL_IN)
		return compatible && strncmp(compatible, "luo-", 4) == 0 ? KERNEL_FORM_TREE
									 : KERNEL_FORM_STALE;
	if (compatible)
		return KERNEL_FORM_TREE;
	/* These are trees in every kernel; what is none any more was given up. */
	if (side == KERNEL_IN && (strcmp(name, "memblock") == 0 || strcmp(name, "kho_test") == 0))
		return KERNEL_FORM_STALE;
	/*
	 * From 6.19 on the outgoing tree grows after its file was made, and the file does not
	 * (kernel/liveupdate/kexec_handover.c, kho_init).
	 */
	if (kernel_cut_parse(bytes, size, &cut) == 0)
		return KERNEL_FORM_CUT;
	if (is_luo && kernel_luo_parse(bytes, size, &luo) == 0)
		return KERNEL_FORM_LUO;
	if (strcmp(name, "kexec-metadata") == 0 &&
	    kernel_metadata_parse(bytes, size, &metadata) == 0)
		return KERNEL_FORM_METADATA;
	return KERNEL_FORM_BYTES;
}

static char *shown_name(const char *format, ...)
{
	char *name;
	va_list ap;

	va_start(ap, format);
	name = text_vformat(NAME_SHOWN_MAX, format, ap);
	va_end(ap);
	return name;
}

static void blob_done(struct kernel_blob *blob)
{
	free(blob->name);
	free(blob->bytes);
	*blob = (struct kernel_blob){};
}

/* A blob that can't be read is a blob all the same: only a lack of memory is an error. */
static int read_blob(int dir_fd, const char *file, const char *name, enum kernel_side side,
		     struct kernel_blob *ret)
{
	_cleanup_(blob_done) struct kernel_blob blob = {.name = shown_name("%s", name)};
	char *bytes = NULL;

	if (!blob.name)
		return -ENOMEM;
	blob.error = read_file_at(dir_fd, file, BLOB_SIZE_MAX, &bytes, &blob.size);
	if (blob.error == -ENOMEM)
		return -ENOMEM;
	blob.bytes = (uint8_t *)bytes;
	if (bytes)
		blob.form = kernel_form_of(side, name, bytes, blob.size);
	*ret = blob;
	blob = (struct kernel_blob){};
	return 0;
}

/* What the tree says of a blob, if it says anything. */
static void locate(const struct kernel_blob *root, const char *name, struct kernel_blob *blob)
{
	struct kernel_node node;

	if (!root->bytes || kernel_tree_node(root->bytes, root->size, name, &node) < 0)
		return;
	blob->has_address = node.found;
	blob->address = node.address;
	/* On kernels where every blob is a tree, what is none is memory that was given up. */
	if (node.found && !node.has_size && blob->form == KERNEL_FORM_BYTES && blob->bytes)
		blob->form = KERNEL_FORM_STALE;
}

static int add_blob(struct kernel_tree *tree, int dir_fd, const char *name)
{
	struct kernel_blob *blobs;
	int r;

	if (tree->n_blobs == BLOBS_MAX)
		return -E2BIG;
	blobs = reallocarray(tree->blobs, tree->n_blobs + 1, sizeof(*blobs));
	if (!blobs)
		return -ENOMEM;
	tree->blobs = blobs;
	r = read_blob(dir_fd, name, name, tree->side, &blobs[tree->n_blobs]);
	if (r < 0)
		return r;
	locate(&tree->root, name, &blobs[tree->n_blobs++]);
	return 0;
}

static int compare_blobs(const void *a, const void *b)
{
	return strcmp(((const struct kernel_blob *)a)->name, ((const struct kernel_blob *)b)->name);
}

static int read_blobs(struct kernel_tree *tree, int side_fd, const char *directory)
{
	int fd = openat(side_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		r = errno == ENOENT ? 0 : -errno;
		safe_close(fd);
		return r;
	}
	while (r >= 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = add_blob(tree, fd, entry->d_name);
	closedir(dir);
	if (tree->n_blobs > 1)
		qsort(tree->blobs, tree->n_blobs, sizeof(*tree->blobs), compare_blobs);
	return r;
}

/* The lines of a file as numbers; 0 of them if it can't be read. */
static size_t read_numbers(int root_fd, const char *path, uint64_t *ret, size_t max)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0;

	if (read_file_at(root_fd, path, 65536, &text, NULL) < 0)
		return 0;
	for (char *at = text, *end; n < max; at = end) {
		ret[n] = strtoull(at, &end, 16);
		if (end == at)
			break;
		n++;
	}
	return n;
}

static int read_scratch(struct kernel_tree *tree, int root_fd, const struct place *place)
{
	enum { MAX = 1024 }; /* one a NUMA node, and two */
	_cleanup_free_ uint64_t *numbers = calloc((size_t)2 * MAX, sizeof(*numbers));
	size_t n, n_sizes;

	if (!numbers)
		return -ENOMEM;
	n = read_numbers(root_fd, place->scratch_address, numbers, MAX);
	n_sizes = read_numbers(root_fd, place->scratch_size, numbers + MAX, MAX);
	if (n_sizes < n)
		n = n_sizes;
	tree->scratch = calloc(n ? n : 1, sizeof(*tree->scratch));
	if (!tree->scratch)
		return -ENOMEM;
	for (tree->n_scratch = 0; tree->n_scratch < n; tree->n_scratch++)
		tree->scratch[tree->n_scratch] = (struct kernel_scratch){
			numbers[tree->n_scratch], numbers[MAX + tree->n_scratch]};
	return 0;
}

/* Why the tree itself is not there, where the kernel shows anything at all. */
static const char *reason_no_root(const struct kernel_tree *tree)
{
	if (tree->root.error != -ENOENT)
		return strerror(-tree->root.error);
	if (tree->side == KERNEL_IN)
		return "the previous kernel's tree is not shown";
	if (tree->generation == KHO_FINALIZE)
		return "there is none yet: on this kernel, kexec --kho -l makes it";
	if (tree->generation == KHO_OUT_OF_TREE)
		return "there is none yet: handing over has not been activated";
	/* kernel/liveupdate/kexec_handover.c, kho_init */
	return "booted by a handover itself, this kernel does not show it, though it has one";
}

/* Why nothing is there: 6.16 and newer make in/ only where something arrived. */
static const char *reason_nothing(const struct kernel_tree *tree, const char *debugfs_problem)
{
	switch (tree->generation) {
	case KHO_OUT_OF_TREE:
	case KHO_FINALIZE:
	case KHO_STATELESS:
	case KHO_BOOTMEM:
		if (debugfs_problem)
			return debugfs_problem;
		return tree->side == KERNEL_IN
			       ? "nothing was handed to this kernel: the machine started cold, or "
				 "the previous kernel was not compatible"
			       : "this kernel does not show what it hands over";
	case KHO_UNKNOWN:
		if (debugfs_problem)
			return debugfs_problem;
		__attribute__((fallthrough));
	default:
		return kho_generation_advice(tree->generation);
	}
}

static int set_reason(struct kernel_tree *tree, const char *reason)
{
	tree->reason = strdup(reason);
	return tree->reason ? 0 : -ENOMEM;
}

int kernel_tree_read(int root_fd, enum kernel_side side, struct kernel_tree *ret)
{
	const struct place *place;
	_cleanup_close_ int fd = -EBADF;
	int r;

	*ret = (struct kernel_tree){.side = side, .generation = kernel_generation_at(root_fd)};
	place = place_of(ret->generation);
	fd = openat(root_fd, place->side[side], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT && errno != EACCES)
		return -errno;
	if (fd < 0) {
		r = set_reason(ret, reason_nothing(ret, kernel_debugfs_problem(root_fd)));
		return r < 0 ? r : -ENOENT;
	}
	r = read_blob(fd, place->root, "fdt", side, &ret->root);
	if (r == 0 && !ret->root.bytes)
		r = set_reason(ret, reason_no_root(ret));
	if (r == 0 && place->blobs)
		r = read_blobs(ret, fd, place->blobs);
	return r < 0 ? r : read_scratch(ret, root_fd, place);
}

void kernel_tree_done(struct kernel_tree *tree)
{
	blob_done(&tree->root);
	for (size_t i = 0; i < tree->n_blobs; i++)
		blob_done(&tree->blobs[i]);
	free(tree->blobs);
	free(tree->scratch);
	free(tree->reason);
	*tree = (struct kernel_tree){};
}

const struct kernel_blob *kernel_tree_find(const struct kernel_tree *tree, const char *name)
{
	if (strcmp(name, "fdt") == 0)
		return tree->root.name ? &tree->root : NULL;
	for (size_t i = 0; i < tree->n_blobs; i++)
		if (strcmp(tree->blobs[i].name, name) == 0)
			return &tree->blobs[i];
	return NULL;
}
