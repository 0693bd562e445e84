/* SPDX-License-Identifier: GPL-2.0-or-later */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "kho/core/cleanup.h"
#include "kho/core/text.h"
#include "kho/daemon/log.h"

#define FIELDS_MAX 16

struct fields {
	struct iovec iov[FIELDS_MAX];
	int n;
};

static void fields_done(struct fields *fields)
{
	while (fields->n > 0)
		free(fields->iov[--fields->n].iov_base);
}

/* A field that there is no memory for is left out: the line counts. */
static void add(struct fields *fields, const char *name, const char *value)
{
	char *text;
	int length;

	if (!value || fields->n >= FIELDS_MAX)
		return;
	length = asprintf(&text, "%s=%s", name, value);
	if (length >= 0)
		fields->iov[fields->n++] = (struct iovec){.iov_base = text, .iov_len = length};
}

static void add_number(struct fields *fields, const char *name, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	add(fields, name, text);
}

/*
 * systemd.journal-fields(7): a daemon of root's names the unit that its message is about in
 * OBJECT_SYSTEMD_UNIT=, and journalctl -u shows it with what that unit says itself.
 */
static void add_owner(struct fields *fields, const char *owner)
{
	unsigned int uid;
	int n = 0;

	add(fields, "KHO_OWNER", owner);
	if (sscanf(owner, "uid:%u%n", &uid, &n) < 1) {
		add(fields, "OBJECT_SYSTEMD_UNIT", owner);
		return;
	}
	add_number(fields, "OBJECT_UID", uid);
	if (owner[n] == '/')
		add(fields, "OBJECT_SYSTEMD_USER_UNIT", owner + n + 1);
}

static void add_about(struct fields *fields, const struct log_about *about)
{
	if (about->tree) {
		add(fields, "KHO_UPDATE", about->tree->update_id);
		add(fields, "KHO_STATE", update_state_to_string(about->tree->state));
	}
	if (about->owner)
		add_owner(fields, about->owner);
	add(fields, "KHO_REGION", about->region);
	add(fields, "KHO_CAUSE", about->cause);
	add(fields, "KHO_RESULT", about->result);
}

/* systemd.exec(5): $JOURNAL_STREAM is passed on, also to who has another stderr by then. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static int to_journal(int level, enum message message, const struct log_about *about,
		      const char *text)
{
	_cleanup_(fields_done) struct fields fields = {};

	add(&fields, "MESSAGE", text);
	add_number(&fields, "PRIORITY", level);
	add(&fields, "SYSLOG_IDENTIFIER", "khod");
	add(&fields, "MESSAGE_ID", message_id(message));
	if (about)
		add_about(&fields, about);
	return sd_journal_sendv(fields.iov, fields.n);
}

void log_message(int level, enum message message, const struct log_about *about, const char *format,
		 ...)
{
	_cleanup_free_ char *text = NULL;
	bool journal = stderr_is_journal();
	va_list ap;

	va_start(ap, format);
	/* A name or a reason that a peer made up must not look like a line of khod's. */
	text = text_vformat(LOG_LINE_MAX, format, ap);
	va_end(ap);
	if (!text || (journal && to_journal(level, message, about, text) >= 0))
		return;
	if (journal)
		fprintf(stderr, "<%d>%s\n", level, text);
	else
		fprintf(stderr, "khod: %s\n", text);
}
