/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kho/core/slots.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/registry.h"

struct custody {
	uint32_t id;
	int fd;
	dev_t device;
	ino_t inode;
};

static int map_tree(struct registry *registry)
{
	struct stat st;

	if (fstat(registry->tree_fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)SLOTS_SIZE)
		return -EBADMSG;
	registry->memory =
		mmap(NULL, SLOTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, registry->tree_fd, 0);
	if (registry->memory == MAP_FAILED) {
		registry->memory = NULL;
		return -errno;
	}
	return 0;
}

static int create_tree_memfd(void)
{
	_cleanup_close_ int fd = memfd_create("kho-tree", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, SLOTS_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int registry_create(struct registry *registry)
{
	int r;

	*registry = (struct registry){.tree_fd = -EBADF};
	registry->tree = handover_new();
	if (!registry->tree)
		return -ENOMEM;
	registry->tree_fd = create_tree_memfd();
	if (registry->tree_fd < 0)
		return registry->tree_fd;
	r = map_tree(registry);
	if (r < 0)
		return r;
	return fdstore_push(REGISTRY_STORE_NAME, registry->tree_fd);
}

int registry_resume(struct registry *registry, int tree_fd)
{
	_cleanup_free_ void *blob = NULL;
	uint64_t generation;
	size_t size;
	int r;

	*registry = (struct registry){.tree_fd = tree_fd};
	r = map_tree(registry);
	if (r >= 0)
		r = slots_read(registry->memory, SLOTS_SIZE, &blob, &size, &generation);
	if (r >= 0)
		r = handover_parse(blob, size, &registry->tree);
	if (r < 0) {
		registry_close(registry);
		return r;
	}
	registry->tree->generation = generation;
	return 0;
}

void registry_close(struct registry *registry)
{
	for (size_t i = 0; i < registry->n_custody; i++)
		safe_close(registry->custody[i].fd);
	free(registry->custody);
	if (registry->memory)
		munmap(registry->memory, SLOTS_SIZE);
	safe_close(registry->tree_fd);
	handover_free(registry->tree);
	*registry = (struct registry){.tree_fd = -EBADF};
}

int registry_save(struct registry *registry)
{
	_cleanup_free_ void *blob = NULL;
	size_t size;
	int r;

	registry->tree->generation++;
	r = handover_build(registry->tree, &blob, &size);
	if (r < 0)
		return r;
	return slots_write(registry->memory, SLOTS_SIZE, registry->tree->generation, blob, size);
}

int registry_hold(struct registry *registry, uint32_t id, int fd)
{
	_cleanup_close_ int owned = fd;
	struct custody *custody;
	struct stat st;

	if (fstat(owned, &st) < 0)
		return -errno;
	custody = reallocarray(registry->custody, registry->n_custody + 1, sizeof(*custody));
	if (!custody)
		return -ENOMEM;
	registry->custody = custody;
	custody[registry->n_custody++] = (struct custody){
		.id = id, .fd = TAKE_FD(owned), .device = st.st_dev, .inode = st.st_ino};
	return 0;
}

static struct custody *find_custody(const struct registry *registry, uint32_t id)
{
	for (size_t i = 0; i < registry->n_custody; i++)
		if (registry->custody[i].id == id)
			return &registry->custody[i];
	return NULL;
}

static void drop_custody(struct registry *registry, uint32_t id)
{
	struct custody *c = find_custody(registry, id);

	if (!c)
		return;
	safe_close(c->fd);
	*c = registry->custody[--registry->n_custody];
}

int registry_add(struct registry *registry, struct region *region, int fd)
{
	char name[REGION_STORE_NAME_MAX];
	_cleanup_close_ int held = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int r;

	if (held < 0)
		return -errno;
	r = handover_add_region(registry->tree, region);
	if (r < 0)
		return r;
	r = registry_hold(registry, region->id, TAKE_FD(held));
	if (r >= 0)
		r = registry_save(registry);
	if (r >= 0)
		r = fdstore_push(region_store_name(region->id, name), fd);
	if (r < 0) {
		drop_custody(registry, region->id);
		handover_remove(registry->tree, region);
		region->id = 0;
	}
	return r;
}

int registry_remove(struct registry *registry, struct region *region)
{
	_cleanup_region_ struct region *removed = handover_remove(registry->tree, region);
	char name[REGION_STORE_NAME_MAX];

	drop_custody(registry, removed->id);
	fdstore_remove(region_store_name(removed->id, name));
	return registry_save(registry);
}

int registry_fd(const struct registry *registry, const struct region *region)
{
	const struct custody *c = find_custody(registry, region->id);

	return c ? c->fd : -ENOENT;
}

struct region *registry_find_memory(const struct registry *registry, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	for (size_t i = 0; i < registry->n_custody; i++) {
		const struct custody *c = &registry->custody[i];

		if (c->device == st.st_dev && c->inode == st.st_ino)
			return handover_find_id(registry->tree, c->id);
	}
	return NULL;
}
