/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_LUO_SIGNPOST_H
#define KHO_TRANSPORT_LUO_SIGNPOST_H

/*
 * Sessions have names that are new in every update, and the kernel lists none of them: who has lost
 * the ledger, because the state directory is no disk or the disk is damaged, could not ask for
 * anything. So one more session, whose name never changes, holds a file with nothing but the
 * update's id.
 */
#define LUO_SIGNPOST_NAME "kho-update"
#define LUO_UPDATE_ID_LENGTH 16

struct luo_signpost {
	int session; /* -EBADF: none */
	int memory;  /* the file in it; -EBADF: not known to this process */
};
#define LUO_SIGNPOST_NONE ((struct luo_signpost){.session = -EBADF, .memory = -EBADF})

/*
 * Creates the session and preserves the file; both fds in *ret are the caller's. A session of an
 * earlier update that is just being released is waited for. Errors: those of luo_create_sessions
 * and luo_session_preserve, memfd_create(2)'s and write(2)'s. Blocks.
 */
int luo_signpost_put(const char *update_id, struct luo_signpost *ret);

/* Closes both, and waits a moment for the kernel to let go of the file. Blocks. */
void luo_signpost_remove(struct luo_signpost *signpost);

/*
 * In the next kernel: takes the session. Returns its fd, the caller's to luo_session_finish and
 * close; -ENOENT if there is none, -EINVAL if it was taken before in this boot. Blocks.
 */
int luo_signpost_attach(void);

/*
 * Reads the id from a session that was taken; can be called again. Errors: those of
 * luo_session_retrieve; -EBADMSG what is in there is no id. Blocks.
 */
int luo_signpost_read(int session, char ret_update_id[static LUO_UPDATE_ID_LENGTH + 1]);

#endif
