/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>

#include "kho/daemon/messages.h"

const char *message_id(enum message message)
{
	static const char *const ids[_MESSAGE_MAX] = {
#define MESSAGE_ENTRY(name, id) [MESSAGE_##name] = id,
		KHO_MESSAGES(MESSAGE_ENTRY)
#undef MESSAGE_ENTRY
	};

	return ids[message];
}
