/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-json.h>

#include "kexec/staged.h"
#include "kho/core/cleanup.h"
#include "kho/core/paths.h"

#define RECORD "staged.json"
#define RECORD_NEW "staged.json.new"

static void json_unrefp(sd_json_variant **v)
{
	sd_json_variant_unref(*v);
}
#define _cleanup_json_ _cleanup_(json_unrefp)

static void free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

void staged_done(struct staged *staged)
{
	free(staged->update);
	staged_file_done(&staged->image);
	staged_file_done(&staged->initrd);
	free_words(staged->arguments);
	free_words(staged->archive_arguments);
	*staged = (struct staged){};
}

static int add_word(char ***list, const char *name, const char *value)
{
	size_t n = 0;
	char **words, *word;

	while (*list && (*list)[n])
		n++;
	words = reallocarray(*list, n + 2, sizeof(*words));
	if (!words)
		return -ENOMEM;
	*list = words;
	words[n] = words[n + 1] = NULL;
	if (asprintf(&word, "%s%s", name, value) < 0)
		return -ENOMEM;
	words[n] = word;
	return 0;
}

static int add_argument(struct staged *staged, const char *name, const char *value)
{
	return add_word(&staged->arguments, name, value);
}

int staged_add_archive_argument(struct staged *staged, const char *name, const char *value)
{
	return add_word(&staged->archive_arguments, name, value);
}

/* The next call may come from another directory. */
static int add_with_absolute_path(struct staged *staged, const char *word)
{
	static const char *const with_path[] = {"--initrd=", "--ramdisk=", "--dtb="};

	for (size_t i = 0; i < ARRAY_SIZE(with_path); i++) {
		_cleanup_free_ char *path = NULL;
		size_t length = strlen(with_path[i]);

		if (strncmp(word, with_path[i], length) != 0)
			continue;
		path = realpath(word + length, NULL);
		return add_argument(staged, with_path[i], path ?: word + length);
	}
	return add_argument(staged, word, "");
}

int staged_init(struct staged *ret, const struct kexec_options *o, char **ret_error)
{
	int r;

	*ret = (struct staged){};
	*ret_error = NULL;
	r = staged_file_identify(o->image, &ret->image, ret_error);
	if (r >= 0 && o->initrd)
		r = staged_file_identify(o->initrd, &ret->initrd, ret_error);
	for (size_t i = 0; r >= 0 && i < o->n_load_arguments; i++)
		r = add_with_absolute_path(ret, o->load_arguments[i]);
	return r;
}

int staged_set_cmdline(struct staged *staged, const char *cmdline)
{
	return add_argument(staged, "--command-line=", cmdline);
}

static const char *find_append(const struct staged *staged)
{
	static const char *const names[] = {"--append=", "--command-line="};
	const char *value = NULL;

	for (char **word = staged->arguments; word && *word; word++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strncmp(*word, names[i], strlen(names[i])) == 0)
				value = *word + strlen(names[i]);
	return value;
}

int staged_reuse_cmdline(struct staged *staged, const char *cmdline)
{
	const char *append = find_append(staged);
	_cleanup_free_ char *line = NULL;
	char **to = staged->arguments;

	if (asprintf(&line, "%s%s%s", cmdline, append ? " " : "", append ?: "") < 0)
		return -ENOMEM;
	for (char **word = staged->arguments; word && *word; word++)
		if (strcmp(*word, "--reuse-cmdline") == 0)
			free(*word);
		else
			*to++ = *word;
	if (to)
		*to = NULL;
	return staged_set_cmdline(staged, line);
}

/* The last word on which call it is counts. */
int staged_load_plainly(struct staged *staged)
{
	return add_argument(staged, "-c", "");
}

int staged_verify(const struct staged *staged, bool content, char **ret_error)
{
	int r = staged_file_verify(&staged->image, content, ret_error);

	if (r >= 0 && staged->initrd.path)
		r = staged_file_verify(&staged->initrd, content, ret_error);
	return r;
}

static int file_to_json(const struct staged_file *file, sd_json_variant **ret)
{
	if (!file->path)
		return sd_json_variant_new_null(ret);
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("path", file->path),
			      SD_JSON_BUILD_PAIR_UNSIGNED("device", file->device),
			      SD_JSON_BUILD_PAIR_UNSIGNED("inode", file->inode),
			      SD_JSON_BUILD_PAIR_UNSIGNED("size", file->size),
			      SD_JSON_BUILD_PAIR_UNSIGNED("mtimeNSec", file->mtime_nsec),
			      SD_JSON_BUILD_PAIR_STRING("digest", file->digest));
}

static int to_json(const struct staged *staged, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *image = NULL, *initrd = NULL;
	int r = file_to_json(&staged->image, &image);

	if (r >= 0)
		r = file_to_json(&staged->initrd, &initrd);
	if (r < 0)
		return r;
	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("update", staged->update),
		SD_JSON_BUILD_PAIR_VARIANT("image", image),
		SD_JSON_BUILD_PAIR_VARIANT("initrd", initrd),
		SD_JSON_BUILD_PAIR_BOOLEAN("byCopy", staged->by_copy),
		SD_JSON_BUILD_PAIR_STRV("arguments", staged->arguments),
		SD_JSON_BUILD_PAIR_STRV("archiveArguments", staged->archive_arguments));
}

/* Replaces the record in one step: it is whole, or still the earlier one. */
int staged_write(const struct staged *staged)
{
	_cleanup_json_ sd_json_variant *document = NULL;
	_cleanup_free_ char *path = runtime_path(RECORD), *new_path = runtime_path(RECORD_NEW);
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!path || !new_path)
		return -ENOMEM;
	r = to_json(staged, &document);
	if (r < 0)
		return r;
	(void)unlink(new_path);
	fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		return -errno;
	TAKE_FD(fd);
	r = sd_json_variant_dump(document, SD_JSON_FORMAT_NEWLINE, f, NULL);
	if (r < 0 || fflush(f) != 0 || rename(new_path, path) < 0)
		return r < 0 ? r : -errno;
	return 0;
}

static int read_file(const char *name, sd_json_variant *document, struct staged_file *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"path", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct staged_file, path), SD_JSON_MANDATORY},
		{"device", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct staged_file, device), SD_JSON_MANDATORY},
		{"inode", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct staged_file, inode), SD_JSON_MANDATORY},
		{"size", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct staged_file, size), SD_JSON_MANDATORY},
		{"mtimeNSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct staged_file, mtime_nsec), SD_JSON_MANDATORY},
		{}};
	sd_json_variant *object = sd_json_variant_by_key(document, name), *digest;
	int r;

	if (!object || sd_json_variant_is_null(object))
		return 0;
	r = sd_json_dispatch(object, table, SD_JSON_ALLOW_EXTENSIONS, ret);
	digest = sd_json_variant_by_key(object, "digest");
	if (r < 0 || !digest || !sd_json_variant_is_string(digest) ||
	    strlen(sd_json_variant_string(digest)) != sizeof(ret->digest) - 1)
		return r == -ENOMEM ? r : -EBADMSG;
	memcpy(ret->digest, sd_json_variant_string(digest), sizeof(ret->digest));
	return 0;
}

static int read_record(sd_json_variant *document, struct staged *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
		 offsetof(struct staged, update), SD_JSON_MANDATORY},
		{"arguments", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
		 offsetof(struct staged, arguments), SD_JSON_NULLABLE},
		{"archiveArguments", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
		 offsetof(struct staged, archive_arguments), SD_JSON_NULLABLE},
		{"byCopy", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
		 offsetof(struct staged, by_copy), 0},
		{}};
	int r = sd_json_dispatch(document, table, SD_JSON_ALLOW_EXTENSIONS, ret);

	if (r >= 0)
		r = read_file("image", document, &ret->image);
	if (r >= 0)
		r = read_file("initrd", document, &ret->initrd);
	if (r >= 0 && !ret->image.path)
		r = -EBADMSG;
	return r == -ENOMEM || r >= 0 ? r : -EBADMSG;
}

int staged_read(struct staged *ret)
{
	_cleanup_(staged_done) struct staged staged = {};
	_cleanup_json_ sd_json_variant *document = NULL;
	_cleanup_free_ char *path = runtime_path(RECORD);
	_cleanup_fclose_ FILE *f = NULL;
	struct stat st;
	int r;

	if (!path)
		return -ENOMEM;
	f = fopen(path, "re");
	if (!f || fstat(fileno(f), &st) < 0)
		return -errno;
	/* What is loaded and executed by it is root's to say. */
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return -EBADMSG;
	r = sd_json_parse_file(f, path, 0, &document, NULL, NULL);
	if (r >= 0)
		r = read_record(document, &staged);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	*ret = staged;
	staged = (struct staged){};
	return 0;
}
