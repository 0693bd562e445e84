/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/cli/json.h"
#include "kho/cli/monitor-line.h"
#include "kho/client/format.h"

/* $X stands for the field of that letter; what is in [] is left out if its field is empty. */
static const struct words {
	const char *event, *text;
} words[] = {
	{"monitoring", "khod is $s[, update $u]"},
	{"state", "$s[, update $u]"},
	{"joined", "$o takes part in updates"},
	{"left", "$o takes part no longer"},
	{"told", "$o is told: $p[, $r]"},
	{"accepted", "$o accepts: $p"},
	{"refused", "$o refuses: $p[, $r]"},
	{"extended", "$o asks for more time: $p[, $r]"},
	{"abort", "update $u does not happen ($c): $r"},
	{"problem", "problem: $r"},
	{"registered", "$o registers \"$n\", $z"},
	{"unregistered", "$o unregisters \"$n\""},
	{"claimed", "$o claims \"$n\", $z"},
	{"released", "$o gives \"$n\" back"},
	{"taken", "root takes the content of \"$n\" of $o"},
	{"given", "root makes \"$n\" a region of $o"},
	{"dropped", "root drops \"$n\" of $o"},
	{"lost", "\"$n\" of $o is lost[: $r]"},
	{"damaged", "\"$n\" of $o is damaged[: $r]"},
	{"restored", "restoring ends[: $r]"},
};

static const char *words_of(const char *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].event, event) == 0)
			return words[i].text;
	/* Of a later khod. */
	return "$e[ $o][ \"$n\"][ $p][: $r]";
}

static const char *field(sd_json_variant *event, char letter, char size[static FORMAT_SIZE_MAX])
{
	static const struct {
		char letter;
		const char *name;
	} fields[] = {{'e', "event"}, {'s', "state"}, {'u', "update"}, {'o', "owner"},
		      {'p', "phase"}, {'n', "name"},  {'c', "cause"},  {'r', "reason"}};

	if (letter == 'z')
		return format_size(json_unsigned(event, "size"), size);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].letter == letter)
			return json_string(event, fields[i].name);
	return "";
}

/* What others named must not be able to steer the operator's terminal. */
static void put_safely(const char *text, FILE *out)
{
	for (; *text; text++)
		putc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

static void put_words(sd_json_variant *event, const char *text, FILE *out)
{
	char size[FORMAT_SIZE_MAX];

	for (; *text; text++)
		if (*text == '$')
			put_safely(field(event, *++text, size), out);
		else if (*text == '[' && !*field(event, strchr(text, '$')[1], size))
			text = strchr(text, ']');
		else if (*text != '[' && *text != ']')
			putc(*text, out);
}

char *monitor_line(sd_json_variant *event)
{
	char time[FORMAT_TIME_MAX], *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s  ", format_time(json_unsigned(event, "realtimeUSec"), time));
	put_words(event, words_of(json_string(event, "event")), out);
	if (fclose(out) == 0)
		return line;
	free(line);
	return NULL;
}
