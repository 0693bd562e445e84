/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives khod's two servers over socket pairs, in this process, with a transport that keeps
 * nothing. An input is text, one step a line; N is a connection, 0 to 7:
 *
 *	Ns, No	connects N as a service, as an operator (who has to be root)
 *	Nc	closes N
 *	Nr	reads what N has been sent
 *	Nm KIND {...}	sends a message with fds of that kind, see send_fds(); $U is the update's id
 *	Np {...}	sends a message without its end
 *	term	khod is told to end by the next step, whatever it is in the middle of
 *	staged	the next kernel is loaded
 *	fail, keep	the transport refuses, or takes, what it is given from here
 *	full	there is no memory for what the transport is given from here
 *	grow	files grow just before they are preserved, from here
 *
 * After each step khod does all that it can do, and what is frozen must have every required region,
 * as it is. In the end nobody is connected, and khod must have
 * as many fds as before, and a tree that can be written.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kho/daemon/manager.h"
#include "kho/daemon/server.h"
#include "kho/daemon/updater.h"
#include "kho/transport/luo.h"

#define PEERS 8
#define FDS_MAX 253
#define STEPS_MAX 200
#define TURNS_MAX 20000

struct scene {
	struct manager m;
	int peers[PEERS];
	bool ending; /* in the middle of things */
	int memory;  /* the same for all that share one */
};

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-varlink: %s\n", what);
	abort();
}

/* The transport. What is to fail is said by a global, as a vtable has no data of its own. */

static atomic_bool transport_fails, memory_is_full, files_grow;

static int fake_probe(const struct kernel_info *kernel, char **ret_message)
{
	return 0;
}

static int fake_check(const struct transport_item *items, size_t n, char **ret_message)
{
	return memory_is_full ? -ENOMEM : 0;
}

static int fake_groom(int fd, uint64_t *offset, uint64_t deadline_usec)
{
	return 1;
}

static int fake_open(const char *update_id, size_t first, size_t n, int *ret_sessions,
		     char **ret_message)
{
	for (size_t i = 0; i < n; i++)
		ret_sessions[i] = eventfd(0, EFD_CLOEXEC);
	return 0;
}

static int fake_preserve(int session, uint32_t number, struct transport_item *items, size_t n,
			 const atomic_bool *cancel, size_t *ret_failed, char **ret_message)
{
	struct stat st;

	for (size_t i = 0; files_grow && i < n; i++)
		if (items[i].token > 0 && fstat(items[i].fd, &st) == 0)
			(void)!ftruncate(items[i].fd, st.st_size + 4096);
	if (!transport_fails)
		return 0;
	*ret_failed = n - 1;
	items[n - 1].error = -EBUSY;
	*ret_message = strdup("it is refused");
	return -EBUSY;
}

static int fake_stage(const struct transport_item *items, size_t n, size_t *ret_failed,
		      char **ret_message)
{
	return 0;
}

static int fake_abort(int *sessions, size_t n_sessions, const struct transport_item *items,
		      size_t n, uint64_t timeout_usec, size_t *ret_failed, char **ret_message)
{
	for (size_t i = 0; i < n_sessions; i++)
		sessions[i] = safe_close(sessions[i]);
	return 0;
}

/* khod. */

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	require(dir, "no /proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void start(struct scene *s, const struct transport *transport)
{
	int r;

	*s = (struct scene){
		.m = {.registry = {.tree_fd = -EBADF}, .transport = transport, .relay = -EBADF}};
	memset(s->peers, 0xff, sizeof(s->peers));
	s->memory = memfd_create("shared", MFD_CLOEXEC);
	transport_fails = memory_is_full = files_grow = false;
	r = sd_event_new(&s->m.event);
	s->m.update = update_new();
	require(r >= 0 && s->m.update && s->memory >= 0, "out of memory");
	r = updater_new(&s->m, &s->m.updater);
	if (r >= 0)
		r = registry_create(&s->m.registry);
	if (r >= 0)
		r = services_new(&s->m);
	if (r >= 0)
		r = operators_new(&s->m);
	require(r >= 0, "khod does not start");
}

static void check_frozen(const struct registry *registry)
{
	for (size_t i = 0; i < registry->tree->n_regions; i++) {
		const struct region *region = registry->tree->regions[i];
		int fd = registry_fd(registry, region);
		struct stat st;

		require(fd < 0 || region->transport || !region->required,
			"a required region is left behind");
		if (fd >= 0 && region->transport)
			require(fstat(fd, &st) == 0 && (uint64_t)st.st_size == region->size,
				"a region has another size than the tree says");
	}
}

/* Until khod waits for somebody else. */
static void settle(struct scene *s)
{
	/* As far as the first thread, if there is one. */
	for (int i = 0; s->ending && s->m.update->work == WORK_NONE && i < 10; i++)
		require(sd_event_run(s->m.event, 0) >= 0, "the loop fails");
	if (s->ending)
		return;
	for (int i = 0; i < TURNS_MAX; i++) {
		bool works = s->m.update->work != WORK_NONE;
		int r = sd_event_run(s->m.event, works ? 1000 : 0);

		require(r >= 0, "the loop fails");
		if (s->m.update->state == UPDATE_FROZEN)
			check_frozen(&s->m.registry);
		if (r == 0 && !works)
			return;
	}
	require(false, "khod does not come to rest");
}

static void stop(struct scene *s)
{
	for (size_t i = 0; i < PEERS && !s->ending; i++)
		s->peers[i] = safe_close(s->peers[i]);
	settle(s);
	require(s->ending || (s->m.n_peers == 0 && s->m.n_waiters == 0),
		"a connection is not forgotten");
	require(registry_save(&s->m.registry) >= 0, "the tree can't be written any more");
	require(sd_event_exit(s->m.event, 0) >= 0 && sd_event_loop(s->m.event) >= 0, "no end");
	manager_done(&s->m);
	for (size_t i = 0; i < PEERS; i++)
		safe_close(s->peers[i]);
	close(s->memory);
}

/* The steps. */

static void connect_peer(struct scene *s, int *peer, bool operator)
{
	int ends[2], r;

	*peer = safe_close(*peer);
	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0,
		"no sockets");
	r = operator ? operators_add(&s->m, ends[1]) : services_add(&s->m, ends[1]);
	if (r < 0)
		close(ends[1]);
	*peer = ends[0];
}

static int new_memory(char kind)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	require(fd >= 0, "no memory");
	if (kind != 'e' && ftruncate(fd, kind == 'h' ? (off_t)1 << 50 : 5000) < 0)
		abort();
	if (kind == 'w')
		(void)fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL);
	return fd;
}

/* m memory, e empty, h with a large hole, w sealed; d shared with others, r the same read-only, o
 * by O_PATH; p pipe, x device; f as many as go; anything else: none.
 */
static size_t make_fds(const struct scene *s, char kind, int fds[FDS_MAX])
{
	char path[32];
	int pipes[2];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->memory);
	switch (kind) {
	case 'm':
	case 'e':
	case 'h':
	case 'w':
		fds[0] = new_memory(kind);
		return 1;
	case 'd':
		fds[0] = open(path, O_RDWR | O_CLOEXEC);
		return 1;
	case 'r':
		fds[0] = open(path, O_RDONLY | O_CLOEXEC);
		return 1;
	case 'o':
		fds[0] = open(path, O_PATH | O_CLOEXEC);
		return 1;
	case 'p':
		require(pipe2(pipes, O_CLOEXEC) == 0, "no pipe");
		fds[0] = pipes[0];
		fds[1] = pipes[1];
		return 2;
	case 'x':
		fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
		return 1;
	case 'f':
		for (size_t i = 0; i < FDS_MAX; i++)
			fds[i] = fcntl(s->memory, F_DUPFD_CLOEXEC, 3);
		return FDS_MAX;
	}
	return 0;
}

static void send_bytes(const struct scene *s, int peer, char kind, const char *data, size_t size)
{
	union {
		char data[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = {.iov_base = (char *)data, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[FDS_MAX];
	size_t n = make_fds(s, kind, fds);

	if (n > 0) {
		message.msg_control = control.data;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.align = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS,
						 .cmsg_len = CMSG_LEN(n * sizeof(int))};
		memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
	}
	/* Whether khod still listens there is its affair. */
	(void)!sendmsg(peer, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* With $U replaced; the caller's to free. */
static char *expand(const struct scene *s, const char *text, size_t *ret_size)
{
	const char *update = s->m.registry.tree->update_id, *at;
	char *expanded;
	size_t size;
	FILE *f = open_memstream(&expanded, &size);

	require(f, "out of memory");
	while ((at = strstr(text, "$U"))) {
		fwrite(text, 1, at - text, f);
		fputs(update ? update : "none", f);
		text = at + 2;
	}
	fputs(text, f);
	require(fclose(f) == 0, "out of memory");
	*ret_size = size;
	return expanded;
}

static void send_message(const struct scene *s, int peer, char kind, const char *text, bool whole)
{
	_cleanup_free_ char *data = NULL;
	size_t size;

	if (peer < 0)
		return;
	data = expand(s, text, &size);
	send_bytes(s, peer, kind, data, size + whole);
}

/* Takes what has been sent, and closes the fds that came with it. */
static void read_all(int peer)
{
	char data[4096], control[CMSG_SPACE(FDS_MAX * sizeof(int))];

	for (;;) {
		struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
		struct msghdr message = {.msg_iov = &iov,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = sizeof(control)};
		struct cmsghdr *c;

		if (recvmsg(peer, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
			return;
		for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
			for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
				close(((int *)CMSG_DATA(c))[i]);
	}
}

static void peer_step(struct scene *s, const char *line)
{
	int *peer = &s->peers[(line[0] - '0') % PEERS];

	switch (line[1]) {
	case 's':
	case 'o':
		return connect_peer(s, peer, line[1] == 'o');
	case 'c':
		*peer = safe_close(*peer);
		return;
	case 'r':
		return read_all(*peer);
	case 'p':
		return send_message(s, *peer, 0, line + 2, false);
	case 'm':
		if (strlen(line) > 5)
			send_message(s, *peer, line[3], line + 5, true);
	}
}

static void step(struct scene *s, const char *line)
{
	if (line[0] >= '0' && line[0] <= '9')
		peer_step(s, line);
	else if (!strcmp(line, "staged"))
		(void)updater_feed(&s->m, &(struct update_event){.kind = EVENT_STAGED});
	else if (!strcmp(line, "fail") || !strcmp(line, "keep"))
		transport_fails = line[0] == 'f';
	else if (!strcmp(line, "term"))
		s->ending = true;
	else if (!strcmp(line, "full"))
		memory_is_full = true;
	else if (!strcmp(line, "grow"))
		files_grow = true;
	settle(s);
}

static void use_own_directories(void)
{
	static char directory[] = "/tmp/fuzz-varlink-XXXXXX";

	if (getenv("KHO_STATE_DIR"))
		return;
	require(mkdtemp(directory), "no directory");
	setenv("KHO_STATE_DIR", directory, 1);
	setenv("KHO_RUNTIME_DIR", directory, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct transport transport = {
		.name = "luo",
		.manner = "not at all",
		.probe = fake_probe,
		.place = transport_luo.place,
		.check = fake_check,
		.groom = fake_groom,
		.open = fake_open,
		.preserve = fake_preserve,
		.stage = fake_stage,
		.abort = fake_abort,
	};
	_cleanup_free_ char *text = strndup((const char *)data, size);
	size_t before, steps = 0;
	char *rest, *line;
	struct scene s;

	require(text, "out of memory");
	use_own_directories();
	before = count_fds();
	start(&s, &transport);
	for (line = strtok_r(text, "\n", &rest); line && steps++ < STEPS_MAX;
	     line = strtok_r(NULL, "\n", &rest))
		step(&s, line);
	stop(&s);
	require(count_fds() == before, "fds are left open");
	return 0;
}
