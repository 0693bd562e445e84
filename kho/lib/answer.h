/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_ANSWER_H
#define KHO_LIB_ANSWER_H

#include "kho/lib/handle.h"

/* khod asks: from now on there is something to answer. */
int question_ask(struct question *question, enum phase phase, const char *update);

void question_clear(struct question *question);

/*
 * khod is back: tells it the answer that it may not have, which also shows whether the update is
 * still on; if not, the service is told to resume.
 */
int question_repeat(struct kho *k);

#endif
