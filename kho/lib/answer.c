/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kho/lib/answer.h"
#include "kho/lib/call.h"
#include "kho/lib/error.h"
#include "kho/lib/watch.h"

void question_clear(struct question *question)
{
	free(question->update);
	free(question->reason);
	*question = (struct question){};
}

int question_ask(struct question *question, enum phase phase, const char *update)
{
	question_clear(question);
	question->update = strdup(update);
	if (!question->update)
		return -ENOMEM;
	question->phase = phase;
	return 0;
}

/* Whether khod refuses an answer because of what is there instead of the update. */
static bool is_another_update(const struct question *question, sd_json_variant *error)
{
	sd_json_variant *update = sd_json_variant_by_key(error, "update");
	sd_json_variant *state = sd_json_variant_by_key(error, "state");

	if (!update || !sd_json_variant_is_string(update) || !state ||
	    !sd_json_variant_is_string(state))
		return true;
	return strcmp(sd_json_variant_string(update), question->update) != 0 ||
	       strcmp(sd_json_variant_string(state), "aborting") == 0 ||
	       strcmp(sd_json_variant_string(state), "idle") == 0;
}

/* What question it is about, and reason, which may be NULL. */
static int build_answer(struct kho *k, const char *reason, sd_json_variant **ret)
{
	const struct question *question = &k->watch.question;

	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_UNSIGNED("participant", k->watch.participant),
		SD_JSON_BUILD_PAIR_STRING("update", question->update),
		SD_JSON_BUILD_PAIR_STRING("phase",
					  question->phase == PHASE_FREEZE ? "freeze" : "prepare"),
		SD_JSON_BUILD_PAIR_CONDITION(!!reason, "reason", SD_JSON_BUILD_STRING(reason)));
}

static int tell_khod(struct kho *k)
{
	const struct question *question = &k->watch.question;
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r = build_answer(k, question->reason, &parameters);

	if (r >= 0)
		r = sd_json_variant_set_field_boolean(&parameters, "accept", question->accepted);
	if (r < 0)
		return fail(k, r, "can't answer khod: %s", kho_strerror(r));
	r = call_khod(
		k,
		&(struct call){.method = "io.kho.Handover.Acknowledge", .parameters = parameters},
		&answer);
	return r == -EBUSY && is_another_update(question, answer.parameters) ? -ESTALE : r;
}

/* The update is off, and nobody else will say so. */
static int resume(struct kho *k)
{
	struct question *question = &k->watch.question;
	int r = watch_tell(k, &(struct kho_event){.type = KHO_EVENT_RESUME,
						  .update = question->update,
						  .timeout_usec = UINT64_MAX,
						  .reason = k->message});

	if (r >= 0)
		question_clear(question);
	return r;
}

int question_repeat(struct kho *k)
{
	int r;

	if (k->watch.question.phase == PHASE_NONE)
		return 0;
	k->watch.question.orphaned = true;
	if (!k->watch.question.answered)
		return 0;
	r = tell_khod(k);
	return r == -ESTALE ? resume(k) : r;
}

static int answer_question(struct kho *k, bool accepted, const char *reason)
{
	struct question *question;
	int r;

	if (!k)
		return -EINVAL;
	question = &k->watch.question;
	if (question->phase == PHASE_NONE)
		return fail(k, -ESTALE, "%s", kho_strerror(ESTALE));
	free(question->reason);
	question->reason = reason ? strdup(reason) : NULL;
	if (reason && !question->reason)
		return fail(k, -ENOMEM, "%s", kho_strerror(ENOMEM));
	question->answered = true;
	question->accepted = accepted;

	/* A khod that is away is told when it is back, see question_repeat(). */
	if (!k->watch.established || watch_is_broken(k))
		return 0;
	r = tell_khod(k);
	if (r == -ECONNREFUSED || (r == -ESTALE && watch_is_broken(k)))
		return 0;
	if (r == -ESTALE && question->orphaned)
		resume(k);
	return r;
}

int kho_acknowledge(struct kho *k)
{
	return answer_question(k, true, NULL);
}

int kho_refuse(struct kho *k, const char *reason)
{
	return answer_question(k, false, reason);
}

/* khod says how much there is now. */
static int read_timeout(struct kho *k, sd_json_variant *reply, uint64_t *ret)
{
	sd_json_variant *usec = sd_json_variant_by_key(reply, "timeoutUSec");

	if (!usec || !sd_json_variant_is_unsigned(usec))
		return fail(k, -EPROTO, "khod's reply to ExtendTimeout is not understood");
	if (ret)
		*ret = sd_json_variant_unsigned(usec);
	return 0;
}

int kho_extend_timeout(struct kho *k, uint64_t timeout_usec, const char *reason,
		       uint64_t *ret_timeout_usec)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r;

	if (!k)
		return -EINVAL;
	/* A khod that was away has given the question up, or asks it anew. */
	if (k->watch.question.phase == PHASE_NONE || k->watch.question.answered)
		return fail(k, -ESTALE, "%s", kho_strerror(ESTALE));
	r = build_answer(k, reason, &parameters);
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(&parameters, "timeoutUSec", timeout_usec);
	if (r < 0)
		return fail(k, r, "can't ask khod: %s", kho_strerror(r));
	r = call_khod(
		k,
		&(struct call){.method = "io.kho.Handover.ExtendTimeout", .parameters = parameters},
		&answer);
	if (r < 0)
		return r == -EBUSY ? -ESTALE : r;
	return read_timeout(k, answer.parameters, ret_timeout_usec);
}
