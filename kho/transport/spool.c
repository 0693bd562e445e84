/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/paths.h"
#include "kho/core/region.h"
#include "kho/transport/message.h"
#include "kho/transport/spool-directory.h"
#include "kho/transport/spool-file.h"
#include "kho/transport/spool-room.h"

struct carrier_load {
	char *where;
	char *update_id;
	int dir; /* of the update */
};

static struct carrier_load *spool_close(struct carrier_load *load)
{
	if (!load)
		return NULL;
	safe_close(load->dir);
	free(load->where);
	free(load->update_id);
	free(load);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct carrier_load *, spool_close)

static struct carrier_load *load_new(const char *where, const char *update_id)
{
	_cleanup_(spool_closep) struct carrier_load *load = calloc(1, sizeof(*load));

	if (!load)
		return NULL;
	load->dir = -EBADF;
	load->where = strdup(where);
	load->update_id = strdup(update_id);
	return load->where && load->update_id ? TAKE_PTR(load) : NULL;
}

static int say(int error, const char *where, const char *what, char **ret_message)
{
	if (error == -ENOSPC || error == -EDQUOT)
		message_set(ret_message,
			    "%s: no room left in %s: make room, or name another directory "
			    "(--kho-spool=DIR)",
			    what, where);
	else if (error < 0 && error != -ECANCELED)
		message_set(ret_message, "%s: can't be written to %s: %s", what, where,
			    strerror(-error));
	return error;
}

static int spool_create(const char *where, const char *update_id, struct carrier_load **ret,
			char **ret_message)
{
	_cleanup_(spool_closep) struct carrier_load *load = load_new(where, update_id);
	int r;

	if (!load)
		return -ENOMEM;
	r = spool_discard(where, update_id);
	if (r >= 0)
		r = load->dir = spool_directory_make(where, update_id);
	if (r < 0)
		return say(r, where, "the directory of the update", ret_message);
	*ret = TAKE_PTR(load);
	return 0;
}

static int spool_put(struct carrier_load *load, const struct carrier_item *item,
		     struct copy_progress *progress, char **ret_message)
{
	char name[REGION_STORE_NAME_MAX];
	_cleanup_close_ int fd = openat(load->dir, region_store_name(item->id, name),
					O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : spool_file_write(fd, load->update_id, item, progress);

	return say(r, load->where, item->label, ret_message);
}

static int spool_flush(struct carrier_load *load, char **ret_message)
{
	int r = syncfs(load->dir) < 0 ? -errno : 0;

	return say(r, load->where, "the copies", ret_message);
}

/* Everything else is there before the tree, which says so. */
static int spool_seal(struct carrier_load *load, const void *tree, size_t tree_size,
		      char **ret_message)
{
	int r = spool_directory_write(load->dir, SPOOL_TREE, tree, tree_size);

	if (r >= 0)
		r = spool_directory_sync(load->where);
	return say(r, load->where, "the copies", ret_message);
}

static int spool_open(const char *where, const char *update_id, struct carrier_load **ret,
		      char **ret_message)
{
	_cleanup_(spool_closep) struct carrier_load *load = load_new(where, update_id);

	if (!load)
		return -ENOMEM;
	load->dir = spool_directory_open(where, update_id);
	if (load->dir < 0) {
		message_set(ret_message, "the spool %s/" SPOOL_PREFIX "%s can't be read: %s", where,
			    update_id, strerror(-load->dir));
		return load->dir;
	}
	*ret = TAKE_PTR(load);
	return 0;
}

static int spool_get(struct carrier_load *load, struct carrier_item *item,
		     struct copy_progress *progress, char **ret_message)
{
	char name[REGION_STORE_NAME_MAX];
	_cleanup_close_ int fd = openat(load->dir, region_store_name(item->id, name),
					O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r = fd < 0 ? -errno : spool_file_read(fd, load->update_id, item, progress);

	if (r == -EBADMSG)
		message_set(ret_message, "its copy in the spool %s/" SPOOL_PREFIX "%s is damaged",
			    load->where, load->update_id);
	else if (r < 0)
		message_set(ret_message,
			    "its copy in the spool %s/" SPOOL_PREFIX "%s can't be read: %s",
			    load->where, load->update_id, strerror(-r));
	return r;
}

static int spool_drop(const char *where, const char *update_id, uint32_t id)
{
	_cleanup_close_ int dir = spool_directory_open(where, update_id);
	char name[REGION_STORE_NAME_MAX];

	if (dir < 0)
		return dir;
	return unlinkat(dir, region_store_name(id, name), 0) < 0 ? -errno : 0;
}

char *spool_default(void)
{
	return state_path("spool");
}

const struct carrier carrier_spool = {
	.name = "spool",
	.manner = "by copy on disk",
	.room = spool_room,
	.hold = spool_hold,
	.create = spool_create,
	.put = spool_put,
	.flush = spool_flush,
	.seal = spool_seal,
	.open = spool_open,
	.get = spool_get,
	.close = spool_close,
	.drop = spool_drop,
	.discard = spool_discard,
};
