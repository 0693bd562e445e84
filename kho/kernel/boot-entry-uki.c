/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>

#include "kho/core/strv.h"
#include "kho/core/text.h"
#include "kho/kernel/boot-entry-private.h"
#include "kho/kernel/image.h"

#define FOLDER "EFI/Linux"
#define OSREL_MAX 65536

/* What os-release(5) in the image says, as far as entries are sorted by it. */
struct osrel {
	char *image_id, *id;
	char *image_version, *version, *version_id, *build_id;
};

static void osrel_done(struct osrel *osrel)
{
	free(osrel->image_id);
	free(osrel->id);
	free(osrel->image_version);
	free(osrel->version);
	free(osrel->version_id);
	free(osrel->build_id);
}

/* As a shell would, but for backslashes, which none of these has. */
static char *unquote(char *value)
{
	size_t length = strlen(value);

	if (length >= 2 && (*value == '"' || *value == '\'') && value[length - 1] == *value) {
		value[length - 1] = '\0';
		value++;
	}
	return value;
}

static int parse_osrel(char *text, struct osrel *ret)
{
	const struct {
		const char *key;
		char **value;
	} fields[] = {
		{"IMAGE_ID", &ret->image_id},		{"ID", &ret->id},
		{"IMAGE_VERSION", &ret->image_version}, {"VERSION", &ret->version},
		{"VERSION_ID", &ret->version_id},	{"BUILD_ID", &ret->build_id},
	};
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *value = line + strcspn(line, "=");

		line[strcspn(line, "\r")] = '\0';
		if (!*value)
			continue;
		*value++ = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
			if (strcmp(fields[i].key, line) != 0)
				continue;
			free(*fields[i].value);
			*fields[i].value = strdup(unquote(value));
			if (!*fields[i].value)
				return -ENOMEM;
		}
	}
	return 0;
}

static int read_osrel(int root_fd, const char *path, const struct image *image, char **ret)
{
	_cleanup_close_ int fd = openat(root_fd, path + 1, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	size_t size = (size_t)image->osrel.size;

	if (fd < 0)
		return -errno;
	if (image->osrel.size == 0 || image->osrel.size > OSREL_MAX)
		return -EBADMSG;
	text = calloc(size + 1, 1);
	if (!text)
		return -ENOMEM;
	if (pread(fd, text, size, (off_t)image->osrel.offset) != (ssize_t)size)
		return -EBADMSG;
	if (!text_is_utf8(text, strlen(text)))
		return -EBADMSG;
	*ret = TAKE_PTR(text);
	return 0;
}

static char *copy_first(const char *a, const char *b, const char *c, const char *d)
{
	const char *first = a ?: b ?: c ?: d;

	return first ? strdup(first) : NULL;
}

/* Precise ones before vague ones: systemd, src/fundamental/bootspec.c. */
static int name(struct boot_entry *entry, const struct osrel *o)
{
	entry->sort_key = copy_first(o->image_id, o->id, NULL, NULL);
	entry->version = copy_first(o->image_version, o->version, o->version_id, o->build_id);
	if (!entry->sort_key && (o->image_id || o->id))
		return -ENOMEM;
	if (!entry->version && (o->image_version || o->version || o->version_id || o->build_id))
		return -ENOMEM;
	return 0;
}

static int take_image(struct boot_entry *entry, const struct image *image)
{
	static const char *const efi_names[_IMAGE_ARCH_MAX] = {
		[IMAGE_X86_32] = "ia32", [IMAGE_X86_64] = "x64", [IMAGE_AARCH64] = "aa64"};

	entry->image = strdup(entry->path);
	entry->architecture = strdup(efi_names[image->arch] ?: "unknown");
	if (image->profile.size > 0)
		entry->problem = strdup("has several profiles, of which kexec can't choose one");
	if (!entry->image || !entry->architecture || (image->profile.size > 0 && !entry->problem))
		return -ENOMEM;
	return 0;
}

/* What systemd-stub would put to it, and kexec does not: addons, credentials, extensions. */
static int note_companions(int root_fd, struct boot_entry *entry)
{
	_cleanup_free_ char *folder = NULL;

	if (asprintf(&folder, "%s.extra.d", entry->path) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	if (faccessat(root_fd, folder + 1, F_OK, 0) < 0)
		return 0;
	return strv_appendf(&entry->notes, "%s has no effect: no boot loader hands it over",
			    folder);
}

int boot_entry_read_uki(int root_fd, const char *root, const char *file, struct boot_entry *ret)
{
	_cleanup_(osrel_done) struct osrel osrel = {};
	_cleanup_free_ char *text = NULL, *message = NULL;
	_cleanup_image_ struct image *image = NULL;
	int r = boot_entry_init(ret, root, FOLDER, file, ".efi");

	if (r >= 0)
		r = image_read_header_at(root_fd, ret->path + 1, &image, &message);
	if (r == -ENOEXEC || (r >= 0 && image->kind != IMAGE_UKI))
		return -EBADMSG;
	if (r >= 0)
		r = read_osrel(root_fd, ret->path, image, &text);
	if (r >= 0)
		r = parse_osrel(text, &osrel);
	if (r >= 0)
		r = name(ret, &osrel);
	if (r >= 0)
		r = take_image(ret, image);
	return r < 0 ? r : note_companions(root_fd, ret);
}
