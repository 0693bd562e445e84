/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/kernel/cmdline.h"
#include "kho/kernel/verdict-private.h"

static void compare(struct verdict *v, const char *topic, const char *here, const char *there)
{
	if (here && there && strcmp(here, there) == 0)
		verdict_add_pair(v, FINDING_FINE, topic, here, there, "%s on both sides", here);
	else if (here && there)
		verdict_add_pair(v, FINDING_COPY, topic, here, there, "%s here, %s there", here,
				 there);
	else if (here)
		verdict_add_pair(v, FINDING_UNKNOWN, topic, here, there,
				 "%s here, and not found there", here);
	else if (there)
		verdict_add_pair(v, FINDING_UNKNOWN, topic, here, there,
				 "not known here, and %s there", there);
	else
		verdict_add(v, FINDING_UNKNOWN, topic, "not known on either side");
}

/*
 * Since luo-v5 sessions and FLBs have no strings of their own (include/linux/kho/abi/luo.h); with
 * an earlier one, one that is not found is one that is not known.
 */
static bool has_parts(const char *luo)
{
	unsigned int version = 0;

	return !luo || sscanf(luo, "luo-v%u", &version) != 1 || version < 5;
}

/* Where LUO itself differs, a part that only one side has says nothing more. */
static void compare_part(struct verdict *v, const char *topic, const struct abi *a,
			 const struct abi *b, const char *here, const char *there)
{
	bool same = a->luo && b->luo && strcmp(a->luo, b->luo) == 0;

	if (!here && !there && !has_parts(a->luo) && !has_parts(b->luo))
		return;
	if (!same && a->luo && b->luo && (!here || !there))
		return;
	compare(v, topic, here, there);
}

static bool has_handler(const struct abi *abi, const char *handler)
{
	for (char **h = abi->file_handlers; h && *h; h++)
		if (strcmp(*h, handler) == 0)
			return true;
	return false;
}

/* Memory that the kernel itself hands over for reserve_mem= (mm/memblock.c). */
static void compare_reserved(const struct verdict_question *q, struct verdict *v)
{
	const struct abi *here = &q->here->abi, *there = &q->image->abi;

	if (!cmdline_has(q->machine->cmdline, "reserve_mem"))
		return;
	compare(v, "memblock", here->memblock, there->memblock);
	compare(v, "reserve_mem", here->reserve_mem, there->reserve_mem);
}

static bool built_with(const struct verdict_question *q, struct verdict *v, const char *topic,
		       const char *symbol)
{
	if (verdict_config(q->image, symbol) != CONFIG_NO)
		return true;
	verdict_add(v, FINDING_COPY, topic, "the next kernel is built without %s", symbol);
	return false;
}

static void compare_luo(const struct verdict_question *q, struct verdict *v)
{
	const struct abi *here = &q->here->abi, *there = &q->image->abi;

	if (!built_with(q, v, "LUO", "CONFIG_LIVEUPDATE"))
		return;
	compare(v, "LUO", here->luo, there->luo);
	compare_part(v, "LUO sessions", here, there, here->luo_session, there->luo_session);
	compare_part(v, "LUO FLB", here, there, here->luo_flb, there->luo_flb);
	compare(v, "memfd", abi_find_file_handler(here, "memfd"),
		abi_find_file_handler(there, "memfd"));
}

void verdict_on_strings(const struct verdict_question *q, struct verdict *v)
{
	if (!built_with(q, v, "KHO", "CONFIG_KEXEC_HANDOVER"))
		return;
	/* A kernel that hands nothing over has nothing that could agree. */
	if (q->machine->kernel.generation == KHO_NONE ||
	    q->machine->kernel.generation == KHO_OUT_OF_TREE)
		return;
	if (q->image->problem)
		verdict_add(v, FINDING_UNKNOWN, "image", "the kernel in it can't be read: %s",
			    q->image->problem);
	if (q->here->problem)
		verdict_add(v, FINDING_NOTE, "running image", "%s", q->here->problem);
	compare(v, "KHO", q->here->abi.kho, q->image->abi.kho);
	if (q->machine->kernel.generation != KHO_FINALIZE)
		compare_luo(q, v);
	compare_reserved(q, v);
}

/* Which files a session of others has is not to be seen: any of them may have some. */
static void check_handler(const char *handler, const struct luo_sessions *sessions,
			  struct verdict *v)
{
	const struct luo_session_holder *first = sessions->holders;

	if (sessions->n_holders == 0)
		verdict_add_pair(v, FINDING_NOTE, "other files", handler, NULL,
				 "the next kernel takes no files of the kind %s; nobody hands over "
				 "any now",
				 handler);
	else if (sessions->n_holders == 1)
		verdict_add_pair(v, FINDING_COPY, "other files", handler, NULL,
				 "the next kernel takes no files of the kind %s, and session "
				 "\"%s\" of process %d (%s) may have some: end it first",
				 handler, first->name, (int)first->pid, first->program);
	else
		verdict_add_pair(v, FINDING_COPY, "other files", handler, NULL,
				 "the next kernel takes no files of the kind %s, and any of the "
				 "%zu sessions of others (\"%s\" of process %d, %s …) may have "
				 "some: end them first",
				 handler, sessions->n_holders, first->name, (int)first->pid,
				 first->program);
}

/*
 * A file whose handler is missing on the other side makes the first open of /dev/liveupdate fail
 * there, and so all sessions are lost, ours too (kernel/liveupdate/luo_session.c,
 * luo_session_deserialize).
 */
static void check_handlers(const struct verdict_question *q, struct verdict *v)
{
	for (char **h = q->here->abi.file_handlers; h && *h; h++)
		if (!has_handler(&q->image->abi, *h) && strncmp(*h, "memfd-v", 7) != 0)
			check_handler(*h, &q->machine->sessions, v);
}

static void list_sessions(const struct luo_sessions *sessions, struct verdict *v)
{
	for (size_t i = 0; i < sessions->n_holders; i++) {
		const struct luo_session_holder *holder = &sessions->holders[i];

		verdict_add(v, FINDING_NOTE, "session",
			    "\"%s\" is of process %d (%s): its files go along in place, and by no "
			    "copy",
			    holder->name, (int)holder->pid, holder->program);
	}
}

void verdict_on_sessions(const struct verdict_question *q, struct verdict *v)
{
	const struct machine *m = q->machine;

	if (!m->kernel.luo)
		return;
	if (!m->sessions_seen)
		verdict_add(v, FINDING_UNKNOWN, "sessions",
			    "whether other programs hand over files can't be seen: run this as "
			    "root");
	else
		verdict_add(v, FINDING_FINE, "sessions", "of other programs: %zu",
			    m->sessions.n_holders);
	list_sessions(&m->sessions, v);
	check_handlers(q, v);
}
