/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/luo.h"
#include "kho/transport/luo-signpost.h"

#define PAUSES_MAX 100
#define HEX_DIGITS "0123456789abcdef"

static void make_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static int create_session(void)
{
	int r = luo_create_session(LUO_SIGNPOST_NAME);

	for (int i = 0; r == -EEXIST && i < PAUSES_MAX; i++) {
		make_pause();
		r = luo_create_session(LUO_SIGNPOST_NAME);
	}
	return r;
}

static int write_memory(const char *update_id)
{
	_cleanup_close_ int fd = memfd_create(LUO_SIGNPOST_NAME, MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* Twice: a damaged one must not be believed more than a good ledger. */
	for (int i = 0; i < 2; i++)
		if (write(fd, update_id, LUO_UPDATE_ID_LENGTH) != LUO_UPDATE_ID_LENGTH)
			return -EIO;
	return TAKE_FD(fd);
}

int luo_signpost_put(const char *update_id, struct luo_signpost *ret)
{
	_cleanup_close_ int session = -EBADF, memory = -EBADF;
	int r;

	if (strlen(update_id) != LUO_UPDATE_ID_LENGTH)
		return -EINVAL;
	memory = write_memory(update_id);
	if (memory < 0)
		return memory;
	session = create_session();
	if (session < 0)
		return session;
	r = luo_session_preserve(session, memory, 0);
	if (r < 0)
		return r;
	*ret = (struct luo_signpost){.session = TAKE_FD(session), .memory = TAKE_FD(memory)};
	return 0;
}

void luo_signpost_remove(struct luo_signpost *signpost)
{
	signpost->session = safe_close(signpost->session);
	if (signpost->memory >= 0)
		for (int i = 0; luo_is_preserved(signpost->memory) == 1 && i < PAUSES_MAX; i++)
			make_pause();
	signpost->memory = safe_close(signpost->memory);
}

int luo_signpost_attach(void)
{
	return luo_retrieve_session(LUO_SIGNPOST_NAME);
}

int luo_signpost_read(int session, char ret_update_id[static LUO_UPDATE_ID_LENGTH + 1])
{
	_cleanup_close_ int memory = luo_session_retrieve(session, 0);
	char twice[2 * LUO_UPDATE_ID_LENGTH];
	ssize_t n;

	if (memory < 0)
		return memory;
	n = pread(memory, twice, sizeof(twice), 0);
	if (n < 0)
		return -errno;
	if (n != sizeof(twice) || memcmp(twice, twice + LUO_UPDATE_ID_LENGTH, LUO_UPDATE_ID_LENGTH))
		return -EBADMSG;
	memcpy(ret_update_id, twice, LUO_UPDATE_ID_LENGTH);
	ret_update_id[LUO_UPDATE_ID_LENGTH] = '\0';
	return strspn(ret_update_id, HEX_DIGITS) == LUO_UPDATE_ID_LENGTH ? 0 : -EBADMSG;
}
