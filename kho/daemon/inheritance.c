/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "kho/core/cleanup.h"
#include "kho/core/paths.h"
#include "kho/daemon/execution.h"
#include "kho/daemon/log.h"
#include "kho/daemon/startup.h"
#include "kho/transport/luo-signpost.h"

static int add_memory(struct inheritance *in, uint32_t id, int fd)
{
	struct inherited_memory *memory =
		reallocarray(in->memory, in->n_memory + 1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	in->memory = memory;
	memory[in->n_memory++] = (struct inherited_memory){.id = id, .fd = fd};
	return 0;
}

static int add_session(struct inheritance *in, const struct inherited_session *session)
{
	struct inherited_session *sessions =
		reallocarray(in->sessions, in->n_sessions + 1, sizeof(*sessions));

	if (!sessions)
		return -ENOMEM;
	in->sessions = sessions;
	sessions[in->n_sessions++] = *session;
	return 0;
}

static int add_by_name(struct inheritance *in, const char *name, int fd)
{
	struct inherited_session session = {.fd = fd};
	uint32_t id;

	if (!strcmp(name, KHO_HANDOVER_SOCKET))
		in->services = fd;
	else if (!strcmp(name, KHO_MANAGER_SOCKET))
		in->operators = fd;
	else if (!strcmp(name, REGISTRY_STORE_NAME) && in->tree < 0)
		in->tree = fd;
	else if (!strcmp(name, INCOMING_TREE_STORE_NAME) && in->arrived < 0)
		in->arrived = fd;
	else if (!strcmp(name, LUO_SIGNPOST_NAME) && in->signpost < 0)
		in->signpost = fd;
	else if (!strcmp(name, EXECUTION_STORE_NAME) && in->execution < 0)
		in->execution = fd;
	else if (region_store_name_parse(name, &id) >= 0)
		return add_memory(in, id, fd);
	else if (sscanf(name, "kho-%16[0-9a-f]-%u", session.update_id, &session.number) == 2)
		return add_session(in, &session);
	else
		return -ENOENT;
	return 0;
}

int inheritance_take(struct inheritance *ret)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(true, &names);

	*ret = (struct inheritance){.services = -EBADF,
				    .operators = -EBADF,
				    .tree = -EBADF,
				    .arrived = -EBADF,
				    .signpost = -EBADF,
				    .execution = -EBADF};
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (add_by_name(ret, names[i], fd) < 0) {
			log_warning("The fd \"%s\" is none of khod's: closed", names[i]);
			close(fd);
		}
		free(names[i]);
	}
	free(names);
	return 0;
}

void inheritance_done(struct inheritance *in)
{
	safe_close(in->services);
	safe_close(in->operators);
	safe_close(in->tree);
	safe_close(in->arrived);
	safe_close(in->signpost);
	safe_close(in->execution);
	for (size_t i = 0; i < in->n_memory; i++)
		safe_close(in->memory[i].fd);
	for (size_t i = 0; i < in->n_sessions; i++)
		safe_close(in->sessions[i].fd);
	free(in->memory);
	free(in->sessions);
}
