/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A complete service whose memory survives a live update of the kernel: it counts, ten times a
 * second, and after the update goes on from where it was.
 *
 *	cc counter.c $(pkg-config --cflags --libs libkho libsystemd) -o counter
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <kho.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* What is in the region. A later version of this program may find it: so it says what it is. */
struct page {
	uint64_t magic;
	uint64_t count;
};
#define MAGIC UINT64_C(0x317265746e756f63) /* "counter1" in memory */

struct counter {
	const char *name;
	bool recreate_lost;
	struct kho *kho; /* NULL: there is no khod here */
	struct page *page;
	bool frozen;
};

static int map_page(struct counter *c, int fd)
{
	c->page = mmap(NULL, sizeof(*c->page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c->page == MAP_FAILED) {
		fprintf(stderr, "can't map region %s: %s\n", c->name, strerror(errno));
		return -errno;
	}
	return 0;
}

/* Without khod the service works as well, only that no update keeps its memory. */
static int begin_without_khod(struct counter *c)
{
	int fd, r;

	fd = memfd_create(c->name, MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, sizeof(*c->page)) < 0) {
		fprintf(stderr, "can't create memory: %s\n", strerror(errno));
		return -errno;
	}
	r = map_page(c, fd);
	close(fd);
	return r;
}

static int begin(struct counter *c)
{
	int fd, how, r;

	how = kho_claim_or_create(c->kho, c->name, sizeof(*c->page),
				  c->recreate_lost ? KHO_RECREATE_LOST : 0, &fd, NULL);
	if (how < 0) {
		fprintf(stderr, "no memory to count in: %s\n", kho_error_message(c->kho));
		if (how == -ENODATA)
			fprintf(stderr, "--recreate-lost starts over at 0\n");
		return how;
	}
	r = map_page(c, fd);
	close(fd);
	if (r < 0)
		return r;

	if (how == KHO_CLAIMED && c->page->magic == MAGIC)
		printf("claimed, going on from %" PRIu64 "\n", c->page->count);
	else if (how == KHO_CLAIMED && c->page->magic != 0) {
		fprintf(stderr, "region %s is not a counter's: choose another --name=\n", c->name);
		return -EBADMSG;
	} else if (how == KHO_RECREATED)
		printf("lost in the last update, starting over from 0\n");
	else
		printf("created, counting from 0\n");

	r = kho_watch(c->kho, 0);
	if (r < 0)
		fprintf(stderr, "can't take part in updates: %s\n", kho_error_message(c->kho));
	return r;
}

static void answer(struct counter *c)
{
	int r = kho_acknowledge(c->kho);

	if (r < 0)
		fprintf(stderr, "can't answer khod: %s\n", kho_error_message(c->kho));
}

static void handle(struct counter *c, const struct kho_event *event)
{
	switch (event->type) {
	case KHO_EVENT_PREPARE:
		printf("update %s is being prepared\n", event->update);
		answer(c);
		break;
	case KHO_EVENT_FREEZE:
		c->frozen = true; /* not one write after the answer */
		printf("frozen at %" PRIu64 "\n", c->page->count);
		answer(c);
		break;
	case KHO_EVENT_RESUME:
		c->frozen = false;
		printf("no update (%s), going on from %" PRIu64 "\n",
		       event->reason ? event->reason : "no reason given", c->page->count);
		break;
	case KHO_EVENT_COMMITTED:
		printf("the machine goes down, and takes the memory along\n");
		break;
	case KHO_EVENT_DISCONNECTED:
		printf("khod is away\n");
		break;
	case KHO_EVENT_RECONNECTED:
		printf("khod is back\n");
		break;
	case KHO_EVENT_REGISTERED_AGAIN:
		printf("region %s is registered again\n", event->region);
		break;
	case KHO_EVENT_NOT_KEPT:
		printf("region %s is not kept any longer: %s\n", event->region, event->reason);
		break;
	}
}

static int process(struct counter *c)
{
	const struct kho_event *event;
	int r;

	while ((r = kho_process(c->kho, &event)) > 0)
		handle(c, event);
	if (r < 0)
		fprintf(stderr, "libkho: %s\n", kho_error_message(c->kho));
	return r;
}

/* What systemctl status shows is brought up to date once a second. */
static void count(struct counter *c, uint64_t ticks)
{
	uint64_t before = c->page->count;

	c->page->count += ticks;
	if (c->page->count / 10 != before / 10)
		sd_notifyf(0, "STATUS=counting, at %" PRIu64, c->page->count);
}

/* An fd that is readable every tenth of a second. */
static int tick_fd(void)
{
	const struct timespec tenth = {.tv_nsec = 100000000};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &(struct itimerspec){tenth, tenth}, NULL);
	return fd;
}

/* An fd that is readable when the service is to end. */
static int stop_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run(struct counter *c)
{
	struct pollfd fds[] = {
		{.fd = stop_fd(), .events = POLLIN},
		{.fd = tick_fd(), .events = POLLIN},
		{.fd = c->kho ? kho_get_fd(c->kho) : -1, .events = POLLIN},
	};
	uint64_t ticks;
	int r = 0;

	sd_notify(0, "READY=1");
	while (r >= 0 && !(fds[0].revents & POLLIN)) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			r = -errno;
		if (r >= 0 && (fds[2].revents & POLLIN))
			r = process(c);
		if (read(fds[1].fd, &ticks, sizeof(ticks)) == sizeof(ticks) && !c->frozen)
			count(c, ticks);
	}
	sd_notify(0, "STOPPING=1");
	close(fds[0].fd);
	close(fds[1].fd);
	return r;
}

static int parse(struct counter *c, int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
						{"recreate-lost", no_argument, NULL, 'r'},
						{"help", no_argument, NULL, 'h'},
						{}};
	int o;

	while ((o = getopt_long(argc, argv, "n:rh", options, NULL)) != -1)
		switch (o) {
		case 'n':
			c->name = optarg;
			break;
		case 'r':
			c->recreate_lost = true;
			break;
		default:
			fprintf(o == 'h' ? stdout : stderr,
				"usage: %s [--name=REGION] [--recreate-lost]\n"
				"Counts in memory that survives a live update of the kernel.\n",
				argv[0]);
			exit(o == 'h' ? EXIT_SUCCESS : EXIT_FAILURE);
		}
	return 0;
}

int main(int argc, char **argv)
{
	struct counter c = {.name = "counter"};
	int r;

	setlinebuf(stdout);
	parse(&c, argc, argv);
	r = kho_connect(&c.kho);
	if (r < 0) {
		fprintf(stderr, "%s\nCounting all the same, until this process ends.\n",
			kho_strerror(r));
		r = begin_without_khod(&c);
	} else
		r = begin(&c);
	if (r >= 0) {
		c.page->magic = MAGIC;
		r = run(&c);
		printf("stopped at %" PRIu64 "\n", c.page->count);
	}
	kho_close(c.kho);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
