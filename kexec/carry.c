/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/carry.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "kexec/archive-load.h"
#include "kexec/archive.h"
#include "kexec/initrd-kind.h"
#include "kexec/load.h"
#include "kho/client/format.h"
#include "kho/kernel/file.h"
#include "kho/kernel/machine.h"
#include "kho/kernel/memory.h"
#include "kho/transport/initrd.h"

#define CMDLINE_SIZE_MAX 65536

/* The value of the last word that begins so; NULL: none does. */
static const char *last_value(const struct staged *staged, const char *const *names, size_t n)
{
	const char *value = NULL;

	for (char **word = staged->arguments; word && *word; word++)
		for (size_t i = 0; i < n; i++)
			if (strncmp(*word, names[i], strlen(names[i])) == 0)
				value = *word + strlen(names[i]);
	return value;
}

static const char *find_append(const struct staged *staged)
{
	static const char *const names[] = {"--append=", "--command-line="};

	return last_value(staged, names, ARRAY_SIZE(names));
}

static bool reuses_cmdline(const struct staged *staged)
{
	static const char *const names[] = {"--reuse-cmdline"};

	return last_value(staged, names, ARRAY_SIZE(names)) != NULL;
}

int carry_clean_cmdline(struct staged *staged)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *line = NULL, *clean = NULL;
	int r = root < 0 ? -errno
			 : read_file_at(root, "proc/cmdline", CMDLINE_SIZE_MAX, &line, NULL);

	if (r < 0)
		return r;
	line[strcspn(line, "\n")] = '\0';
	clean = archive_load_clean(line);
	return clean ? staged_reuse_cmdline(staged, clean) : 0;
}

static struct archive_load describe(const struct staged *staged, const struct image *image,
				    const struct machine *machine)
{
	return (struct archive_load){
		.generation = machine->kernel.generation,
		.locked_down = machine->locked_down,
		.append = find_append(staged),
		.reused = reuses_cmdline(staged) ? machine->cmdline : NULL,
		.has_initrd = staged->initrd.path != NULL,
		.release = image->release,
		.init_size = image->init_size,
		.initrd_size = staged->initrd.size,
		.memory_total = machine->memory_total,
	};
}

/* What kexec-tools is told beside what it is told anyway: the last of each word counts. */
static int add_arguments(struct staged *staged, const struct archive_load *load)
{
	_cleanup_free_ char *append = archive_load_append(load);
	int r = append ? staged_add_archive_argument(staged, "--append=", append) : -ENOMEM;

	if (r < 0 || !archive_load_by_segments(load))
		return r;
	r = staged_add_archive_argument(staged, "-c", "");
	/* Every slice has a checksum of its own, which kexec-tools' would double. */
	return r < 0 ? r : staged_add_archive_argument(staged, "--no-checks", "");
}

static int check_parts(const struct staged *staged, const struct archive_load *load,
		       char **ret_message)
{
	if (archive_check_installed(ret_message) < 0)
		return -EOPNOTSUPP;
	if (staged->initrd.path)
		return initrd_keeps_copies(staged->initrd.path, ret_message);
	return archive_load_check_root(load, ret_message);
}

enum exit_code run_check_archive(struct run *run, struct staged *staged, const struct image *image)
{
	const char *transport = run->options->transport;
	_cleanup_(machine_done) struct machine machine = {};
	_cleanup_free_ char *message = NULL;
	struct archive_load load;
	int r;

	if (transport && strcmp(transport, "auto") != 0 && strcmp(transport, "initrd") != 0)
		return EXIT_DONE;
	r = machine_read(&machine);
	if (r >= 0) {
		load = describe(staged, image, &machine);
		r = check_parts(staged, &load, &message);
	}
	if (r >= 0)
		r = add_arguments(staged, &load);
	run->may_archive = r >= 0;
	if (r >= 0 || !transport || strcmp(transport, "initrd") != 0)
		return EXIT_DONE;
	return complain(run, EXIT_REFUSED, "copies can't go in the initrd: %s",
			message ?: strerror(-r));
}

/*
 * khod has looked for room for the copies; only here it is known how much comes behind them. Of
 * what has to be there three times, one is there already.
 */
static int check_memory(const struct staged *staged, int archive, char **ret_message)
{
	char need_text[FORMAT_SIZE_MAX], available_text[FORMAT_SIZE_MAX];
	uint64_t need, available;
	struct stat st;
	int r = fstat(archive, &st) < 0 ? -errno : memory_available(&available);

	if (r < 0)
		return r;
	need = initrd_memory_needed((uint64_t)st.st_size, staged->initrd.size) -
	       (uint64_t)st.st_size;
	if (need <= available)
		return 0;
	if (asprintf(ret_message, "loading it takes %s, and %s are available: free some memory",
		     format_size(need, need_text), format_size(available, available_text)) < 0)
		*ret_message = NULL;
	return -ENOSPC;
}

/* Returns the fd that kexec-tools reads, or has undone the update with *ret. */
static int complete(struct run *run, const struct staged *staged, int archive, enum exit_code *ret)
{
	_cleanup_close_ int memory = archive;
	_cleanup_free_ char *message = NULL, *words = NULL;
	int r = check_memory(staged, memory, &message);

	if (r >= 0)
		r = archive_complete(memory, staged->initrd.path, &message);
	if (r >= 0)
		r = archive_freeze(&memory);
	if (r >= 0)
		return r;
	if (asprintf(&words, "the initrd with the copies can't be made: %s",
		     message ?: strerror(-r)) < 0)
		words = NULL;
	*ret = run_undo(run, true, words ?: "out of memory");
	return -ECANCELED;
}

enum exit_code run_load_archive(struct run *run, const struct staged *staged, int archive)
{
	_cleanup_free_ char **arguments = NULL;
	_cleanup_close_ int fd = -EBADF;
	char initrd[64];
	struct stat st;
	enum exit_code r;
	size_t n = 0;

	if (archive < 0)
		return EXIT_DONE;
	fd = complete(run, staged, archive, &r);
	if (fd < 0)
		return r;
	while (staged->archive_arguments && staged->archive_arguments[n])
		n++;
	arguments = calloc(n + 4, sizeof(*arguments));
	if (!arguments || fstat(fd, &st) < 0)
		return run_undo(run, true, "out of memory");
	if (n > 0)
		memcpy(arguments, staged->archive_arguments, n * sizeof(*arguments));
	snprintf(initrd, sizeof(initrd), "--initrd=/proc/self/fd/%d", fd);
	arguments[n++] = initrd;
	/* fs/kernel_read_file.c: kexec_file_load takes no larger file, on older kernels. */
	if (st.st_size > INT_MAX) {
		arguments[n++] = (char *)"-c";
		arguments[n++] = (char *)"--no-checks";
	}
	return run_load_frozen(run, staged, arguments);
}
