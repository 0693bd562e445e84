/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "kho/kernel/cmdline.h"

/* Up to the white space that ends the word: quotes hide white space. */
static const char *end_of_word(const char *p, const char **ret_equals)
{
	bool quoted = false;

	*ret_equals = NULL;
	for (; *p && (quoted || !isspace((unsigned char)*p)); p++) {
		if (*p == '=' && !*ret_equals)
			*ret_equals = p;
		if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

/* Quotes are taken off the ends alone: of the whole word or of its value. */
static void split(const char *start, const char *end, const char *equals, struct cmdline_word *ret)
{
	bool quoted = *start == '"';
	const char *value = equals ? equals + 1 : NULL;

	*ret = (struct cmdline_word){.name = start + quoted};
	if (quoted && end > ret->name && end[-1] == '"')
		end--;
	if (!value) {
		ret->name_length = (size_t)(end - ret->name);
		return;
	}
	ret->name_length = (size_t)(equals - ret->name);
	if (value < end && *value == '"') {
		value++;
		if (end > value && end[-1] == '"')
			end--;
	}
	ret->value = value;
	ret->value_length = (size_t)(end - value);
}

bool cmdline_next(const char **cursor, struct cmdline_word *ret)
{
	const char *start = *cursor, *end, *equals;

	while (isspace((unsigned char)*start))
		start++;
	if (!*start)
		return false;
	end = end_of_word(start, &equals);
	split(start, end, equals, ret);
	*cursor = end;
	return ret->value || ret->name_length != 2 || memcmp(ret->name, "--", 2) != 0;
}

static char underscore(char c)
{
	return c == '-' ? '_' : c;
}

bool cmdline_word_is(const struct cmdline_word *word, const char *name)
{
	if (word->name_length != strlen(name))
		return false;
	for (size_t i = 0; i < word->name_length; i++)
		if (underscore(word->name[i]) != underscore(name[i]))
			return false;
	return true;
}

/* Only what kstrtobool (lib/kstrtox.c) has understood ever since there is KHO. */
static enum cmdline_switch switch_of(const struct cmdline_word *word)
{
	const char *value = word->value;

	if (!value || word->value_length == 0)
		return SWITCH_ABSENT;
	if (strchr("yY1", value[0]))
		return SWITCH_ON;
	if (strchr("nN0", value[0]))
		return SWITCH_OFF;
	if (word->value_length < 2 || (value[0] | 0x20) != 'o')
		return SWITCH_ABSENT;
	switch (value[1] | 0x20) {
	case 'n':
		return SWITCH_ON;
	case 'f':
		return SWITCH_OFF;
	default:
		return SWITCH_ABSENT;
	}
}

enum cmdline_switch cmdline_switch(const char *cmdline, const char *name)
{
	enum cmdline_switch result = SWITCH_ABSENT, now;
	struct cmdline_word word;

	while (cmdline_next(&cmdline, &word)) {
		if (!cmdline_word_is(&word, name))
			continue;
		now = switch_of(&word);
		if (now != SWITCH_ABSENT)
			result = now;
	}
	return result;
}

bool cmdline_ends_early(const char *cmdline)
{
	struct cmdline_word word = {};

	while (cmdline_next(&cmdline, &word))
		;
	return word.name_length == 2 && memcmp(word.name, "--", 2) == 0;
}

static bool find_last(const char *cmdline, const char *name, struct cmdline_word *ret)
{
	struct cmdline_word word;
	bool found = false;

	while (cmdline_next(&cmdline, &word))
		if (cmdline_word_is(&word, name)) {
			*ret = word;
			found = true;
		}
	return found;
}

bool cmdline_has(const char *cmdline, const char *name)
{
	struct cmdline_word word;

	return find_last(cmdline, name, &word);
}

char *cmdline_value(const char *cmdline, const char *name)
{
	struct cmdline_word word;

	if (!find_last(cmdline, name, &word) || !word.value)
		return NULL;
	return strndup(word.value, word.value_length);
}

/* lib/cmdline.c, memparse: a number and a suffix; what follows is left to the caller. */
static uint64_t parse_memory(const char *text, const char **ret_end)
{
	static const char suffixes[] = "KMGTPE";
	char *end;
	uint64_t value = strtoull(text, &end, 0);
	const char *suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
	unsigned int shift;

	if (suffix) {
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
		value = value > UINT64_MAX >> shift ? UINT64_MAX : value << shift;
		end++;
	}
	if (ret_end)
		*ret_end = end;
	return value;
}

/* "SIZE", "SIZE,high" or "1G-4G:128M,4G-:256M", each perhaps with "@OFFSET". */
static uint64_t parse_crashkernel(const char *text, uint64_t memory_total)
{
	const char *p = text;

	if (!strchr(text, ':')) {
		uint64_t size = parse_memory(text, &p);

		return *p == '\0' || *p == '@' || *p == ',' ? size : 0;
	}
	while (*p) {
		uint64_t from = parse_memory(p, &p), to = UINT64_MAX, size;

		if (*p++ != '-')
			return 0;
		if (*p != ':')
			to = parse_memory(p, &p);
		if (*p++ != ':')
			return 0;
		size = parse_memory(p, &p);
		if (memory_total >= from && memory_total < to)
			return size;
		if (*p++ != ',')
			return 0;
	}
	return 0;
}

/* "SIZE,high" and "SIZE,low" are words of their own, and add up. */
static uint64_t all_crashkernels(const char *cmdline, uint64_t memory_total)
{
	uint64_t plain = 0, more = 0;
	struct cmdline_word word;

	while (cmdline_next(&cmdline, &word)) {
		char *value;

		if (!cmdline_word_is(&word, "crashkernel") || !word.value)
			continue;
		value = strndup(word.value, word.value_length);
		if (!value)
			continue;
		if (strstr(value, ",high") || strstr(value, ",low"))
			more += parse_crashkernel(value, memory_total);
		else
			plain = parse_crashkernel(value, memory_total);
		free(value);
	}
	return plain > 0 ? plain : more;
}

static uint64_t size_of(const char *cmdline, const char *name)
{
	char *value = cmdline_value(cmdline, name);
	uint64_t size = value ? parse_memory(value, NULL) : 0;

	free(value);
	return size;
}

struct cmdline_reservations cmdline_reservations(const char *cmdline, uint64_t memory_total)
{
	return (struct cmdline_reservations){
		.crashkernel = all_crashkernels(cmdline, memory_total),
		.cma = size_of(cmdline, "cma"),
		.log_buf = size_of(cmdline, "log_buf_len"),
	};
}
