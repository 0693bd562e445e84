/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/json.h"

static sd_json_variant *field_of(sd_json_variant *object, const char *field)
{
	return sd_json_variant_is_object(object) ? sd_json_variant_by_key(object, field) : NULL;
}

const char *json_string(sd_json_variant *object, const char *field)
{
	sd_json_variant *v = field_of(object, field);

	return sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";
}

uint64_t json_unsigned(sd_json_variant *object, const char *field)
{
	sd_json_variant *v = field_of(object, field);

	return sd_json_variant_is_unsigned(v) ? sd_json_variant_unsigned(v) : 0;
}

bool json_boolean(sd_json_variant *object, const char *field)
{
	sd_json_variant *v = field_of(object, field);

	return sd_json_variant_is_boolean(v) && sd_json_variant_boolean(v);
}

sd_json_variant *json_array(sd_json_variant *object, const char *field)
{
	sd_json_variant *v = field_of(object, field);

	return sd_json_variant_is_array(v) ? v : NULL;
}

bool json_has(sd_json_variant *object, const char *field)
{
	sd_json_variant *v = field_of(object, field);

	return v && !sd_json_variant_is_null(v);
}

size_t json_length(sd_json_variant *array)
{
	return array ? sd_json_variant_elements(array) : 0;
}

void json_print(sd_json_variant *document)
{
	sd_json_variant_dump(document, SD_JSON_FORMAT_PRETTY_AUTO | SD_JSON_FORMAT_NEWLINE, stdout,
			     NULL);
}
