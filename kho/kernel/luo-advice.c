/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/luo.h"

struct advice {
	int error;
	const char *text;
};

static const char *advice_find(const struct advice *table, size_t n, int error,
			       const char *otherwise)
{
	if (error < 0)
		error = -error;
	for (size_t i = 0; i < n; i++)
		if (table[i].error == error)
			return table[i].text;
	return otherwise;
}

/* kernel/liveupdate/luo_file.c, luo_preserve_file; mm/memfd_luo.c, memfd_luo_preserve */
static const struct advice preserve_table[] = {
	{EEXIST, "the session has a file under this number already: abort the update and begin "
		 "anew"},
	{EBUSY, "another live update session holds the same memory: close that session, see "
		"[luo_session] in /proc/*/fd"},
	{ENOENT, "this kernel can't hand over a file of this kind: put the content in a memfd "
		 "without MFD_HUGETLB"},
	{EOPNOTSUPP, "it has a seal that this kernel can't hand over: create the memfd without "
		     "that seal"},
	{EFBIG, "it is larger than this kernel can hand over: split it into several memfds"},
	{ENOSPC, "the session is full: an update takes at most 100 files in each"},
	{ENOMEM, "the kernel found no memory for its list of pages: free some memory, or use "
		 "larger pages"},
	{EINVAL, "the session came from the previous kernel and takes nothing new: finish "
		 "restoring first"},
	{EBADF, "the file is not open: register it again"},
	{EPERM, "the file does not allow it: register a memfd that is open for writing"},
	{ENOTTY, "this kernel does not know the call: boot a kernel with CONFIG_LIVEUPDATE of "
		 "6.19 or newer"},
};

const char *luo_preserve_advice(int error)
{
	return advice_find(preserve_table, ARRAY_SIZE(preserve_table), error,
			   "the kernel refused to hand it over: see the kernel log");
}

/* kernel/liveupdate/luo_file.c, luo_retrieve_file; mm/memfd_luo.c, memfd_luo_retrieve */
static const struct advice retrieve_table[] = {
	{ENOENT, "the previous kernel did not hand it over: start the service without it"},
	{ENOMEM, "there was not enough memory, or a memory limit was in the way, and the kernel "
		 "does not try twice: lift the limit before the next update"},
	{EIO, "the kernel could not restore its pages: see the kernel log"},
	{EOPNOTSUPP, "it has a seal that this kernel does not know: boot a newer kernel"},
	{EINVAL, "the session is not one of the previous kernel, or its list of pages did not "
		 "arrive: see the kernel log"},
	{EMFILE, "too many files are open: raise LimitNOFILE= of khod.service and ask again"},
	{ENFILE, "too many files are open on the host: raise fs.file-max and ask again"},
	{EBADF, "the session did not arrive: see the kernel log"},
};

const char *luo_retrieve_advice(int error)
{
	return advice_find(retrieve_table, ARRAY_SIZE(retrieve_table), error,
			   "the kernel could not restore it: see the kernel log");
}

/* These come before the kernel has touched the file (luo_session.c, luo_session_retrieve_fd). */
bool luo_retrieve_is_final(int error)
{
	if (error < 0)
		error = -error;
	return error != EMFILE && error != ENFILE && error != EINTR;
}

/* kernel/liveupdate/luo_core.c, luo_open; kernel/liveupdate/luo_session.c */
static const struct advice session_table[] = {
	{ENOENT, "there is no such session, or no " LUO_DEVICE ": boot with kho=on liveupdate=on "
		 "on the kernel command line"},
	{ENODEV, LUO_DEVICE " has no driver: boot with kho=on liveupdate=on on the kernel command "
			    "line"},
	{EACCES, LUO_DEVICE " may be opened by root alone"},
	{EPERM, LUO_DEVICE " may be opened by root alone"},
	{EBUSY, "another program keeps " LUO_DEVICE " open: end it, and try again"},
	{EIO, "this kernel could not read what the previous one handed over, and takes nothing "
	      "new in this boot: reboot"},
	{EEXIST, "a live update session of this name exists: abort the update and begin anew"},
	{ENOSPC, "the kernel has no room for more live update sessions: close some, see "
		 "[luo_session] in /proc/*/fd"},
	{ENOMEM, "the kernel found no memory for a live update session: free some memory"},
	{EINVAL, "the live update session was taken already in this boot, or its name is too "
		 "long: see [luo_session] in /proc/*/fd for who has it"},
	{EMFILE, "too many files are open: raise LimitNOFILE= of khod.service"},
	{ENFILE, "too many files are open on the host: raise fs.file-max"},
};

const char *luo_session_advice(int error)
{
	return advice_find(session_table, ARRAY_SIZE(session_table), error,
			   "the kernel refused the live update session: see the kernel log");
}
