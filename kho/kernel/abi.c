/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/abi.h"

static const struct {
	const char *name;
	size_t offset;
} slots[] = {
	{"kho", offsetof(struct abi, kho)},
	{"luo", offsetof(struct abi, luo)},
	{"luo-session", offsetof(struct abi, luo_session)},
	{"luo-flb", offsetof(struct abi, luo_flb)},
	{"memblock", offsetof(struct abi, memblock)},
	{"reserve-mem", offsetof(struct abi, reserve_mem)},
};

static char **slot_of(const struct abi *abi, size_t i)
{
	return (char **)((char *)abi + slots[i].offset);
}

static int find_slot(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		if (strlen(slots[i].name) == length && memcmp(slots[i].name, name, length) == 0)
			return (int)i;
	return -1;
}

int abi_init(struct abi *abi)
{
	*abi = (struct abi){.file_handlers = calloc(1, sizeof(char *))};
	return abi->file_handlers ? 0 : -ENOMEM;
}

void abi_done(struct abi *abi)
{
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		free(*slot_of(abi, i));
	for (char **handler = abi->file_handlers; handler && *handler; handler++)
		free(*handler);
	free(abi->file_handlers);
	*abi = (struct abi){};
}

int abi_copy(const struct abi *abi, struct abi *ret)
{
	_cleanup_(abi_done) struct abi copy = {};
	int r = abi_init(&copy);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(slots); i++) {
		if (!*slot_of(abi, i))
			continue;
		*slot_of(&copy, i) = strdup(*slot_of(abi, i));
		if (!*slot_of(&copy, i))
			r = -ENOMEM;
	}
	for (char **handler = abi->file_handlers; r == 0 && handler && *handler; handler++)
		r = abi_add_file_handler(&copy, *handler);
	if (r < 0)
		return r;
	copy.disputed = abi->disputed;
	*ret = copy;
	copy = (struct abi){};
	return 0;
}

int abi_add(struct abi *abi, const char *string)
{
	const char *version = strrchr(string, '-');
	char **slot;
	int i = version ? find_slot(string, (size_t)(version - string)) : -1;

	if (i < 0)
		return 0;
	slot = slot_of(abi, (size_t)i);
	if (abi->disputed & 1u << i)
		return 1;
	if (!*slot) {
		*slot = strdup(string);
		return *slot ? 0 : -ENOMEM;
	}
	if (strcmp(*slot, string) == 0)
		return 0;
	free(*slot);
	*slot = NULL;
	abi->disputed |= 1u << i;
	return 1;
}

int abi_add_file_handler(struct abi *abi, const char *handler)
{
	_cleanup_free_ char *copy = NULL;
	size_t n = 0, position = 0;
	char **grown;

	while (abi->file_handlers[n]) {
		int order = strcmp(abi->file_handlers[n], handler);

		if (order == 0)
			return 0;
		n++;
		if (order < 0)
			position = n;
	}
	copy = strdup(handler);
	grown = reallocarray(abi->file_handlers, n + 2, sizeof(*grown));
	if (grown)
		abi->file_handlers = grown;
	if (!copy || !grown)
		return -ENOMEM;
	memmove(grown + position + 1, grown + position, (n + 1 - position) * sizeof(*grown));
	grown[position] = TAKE_PTR(copy);
	return 0;
}

const char *abi_find_file_handler(const struct abi *abi, const char *name)
{
	size_t length = strlen(name);

	for (char **handler = abi->file_handlers; handler && *handler; handler++)
		if (strncmp(*handler, name, length) == 0 &&
		    strncmp(*handler + length, "-v", 2) == 0)
			return *handler;
	return NULL;
}
