/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/ask.h"
#include "kho/cli/json.h"
#include "kho/cli/owner.h"
#include "kho/cli/say.h"

enum exit_code owner_drop(const char *owner, const char *name)
{
	_cleanup_json_ sd_json_variant *parameters = NULL;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("owner", owner),
			   SD_JSON_BUILD_PAIR_STRING("name", name)) < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	return ask_manager("Drop", parameters, NULL, NULL);
}

enum exit_code owner_give(const char *owner, const char *name, const char *new_owner)
{
	_cleanup_json_ sd_json_variant *parameters = NULL;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("owner", owner),
			   SD_JSON_BUILD_PAIR_STRING("name", name),
			   SD_JSON_BUILD_PAIR_CONDITION(!!new_owner, "newOwner",
							SD_JSON_BUILD_STRING(new_owner))) < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	return ask_manager("Give", parameters, NULL, NULL);
}

enum exit_code owner_take(const char *owner, const char *name, bool damaged, int *ret_fd)
{
	_cleanup_json_ sd_json_variant *parameters = NULL;
	_cleanup_close_ int fd = -EBADF;
	enum exit_code code;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("owner", owner),
			   SD_JSON_BUILD_PAIR_STRING("name", name),
			   SD_JSON_BUILD_PAIR_BOOLEAN("damaged", damaged)) < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	code = ask_manager("Take", parameters, NULL, &fd);
	if (code != EXIT_DONE)
		return code;
	if (fd < 0) {
		say("khod sent no memory for %s: systemctl restart khod, it may be of another "
		    "version",
		    name);
		return EXIT_UNREACHABLE;
	}
	*ret_fd = TAKE_FD(fd);
	return EXIT_DONE;
}
