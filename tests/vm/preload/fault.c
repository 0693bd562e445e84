/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded by tests into khod or kexec(8): makes the calls that matter fail, stand still or be the
 * last, once, as files in the folder $KHO_FAULTS say. A file is named after the call, and has lines
 * of "N ACTION", one after the other: at the Nth call from now on
 *
 *	error ERRNO	the call fails so, without having been made
 *	hold		it waits until the file is gone; meanwhile there is a file CALL.held
 *	mark		there is that file, and the call goes on
 *	kill, stop	the process gets SIGKILL or SIGSTOP before the call
 *	killafter	or after it
 *
 * $KHO_FAULTS_HASTE divides all times that the event loop waits.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct fault {
	char path[PATH_MAX];
	char action[16];
	int error;
};

/* What is left to do, of which the first line has come one call nearer. */
static void write_rest(const struct fault *fault, unsigned int n, const char *rest)
{
	FILE *f;

	if (n == 0 && !*rest) {
		unlink(fault->path);
		return;
	}
	f = fopen(fault->path, "we");
	if (!f)
		abort();
	if (n > 0)
		fprintf(f, "%u %s %d\n", n, fault->action, fault->error);
	fputs(rest, f);
	fclose(f);
}

/* Whether this call is the one; counts down to it otherwise. */
static bool is_due(struct fault *fault)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	char line[64] = "", rest[256] = "";
	unsigned int n = 0;
	FILE *f;

	pthread_mutex_lock(&lock);
	f = fopen(fault->path, "re");
	if (f) {
		if (fgets(line, sizeof(line), f))
			rest[fread(rest, 1, sizeof(rest) - 1, f)] = 0;
		fclose(f);
		if (sscanf(line, "%u %15s %d", &n, fault->action, &fault->error) < 2)
			abort();
		if (n > 1 || strcmp(fault->action, "hold") != 0)
			write_rest(fault, n - 1, rest);
	}
	pthread_mutex_unlock(&lock);
	return n == 1;
}

static void mark(const struct fault *fault, char held[static PATH_MAX + 8])
{
	FILE *f;

	snprintf(held, PATH_MAX + 8, "%s.held", fault->path);
	f = fopen(held, "we");
	if (!f)
		abort();
	fclose(f);
}

static void hold(const struct fault *fault)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	char held[PATH_MAX + 8];

	mark(fault, held);
	while (access(fault->path, F_OK) == 0)
		nanosleep(&pause, NULL);
	unlink(held);
}

/* True: the call fails with errno. */
static bool fault_before(struct fault *fault, const char *call)
{
	const char *folder = getenv("KHO_FAULTS");
	int before = errno;

	*fault = (struct fault){};
	if (!folder || !call)
		return false;
	snprintf(fault->path, sizeof(fault->path), "%s/%s", folder, call);
	if (!is_due(fault)) {
		fault->action[0] = 0;
		errno = before;
		return false;
	}
	if (strcmp(fault->action, "kill") == 0)
		raise(SIGKILL);
	if (strcmp(fault->action, "stop") == 0)
		kill(getpid(), SIGSTOP);
	if (strcmp(fault->action, "hold") == 0)
		hold(fault);
	if (strcmp(fault->action, "mark") == 0)
		mark(fault, (char[PATH_MAX + 8]){});
	errno = fault->error ? fault->error : before;
	return fault->error;
}

static void fault_after(const struct fault *fault)
{
	if (strcmp(fault->action, "killafter") == 0)
		raise(SIGKILL);
}

#define WITH_FAULT(call, result)                                                                   \
	({                                                                                         \
		struct fault fault;                                                                \
		long r = fault_before(&fault, call) ? -1 : (result);                               \
		fault_after(&fault);                                                               \
		r;                                                                                 \
	})

/* include/uapi/linux/liveupdate.h */
static const char *name_of_ioctl(unsigned long request)
{
	switch (request) {
	case _IO(0xBA, 0x00):
		return "create";
	case _IO(0xBA, 0x01):
		return "attach";
	case _IO(0xBA, 0x40):
		return "preserve";
	case _IO(0xBA, 0x41):
		return "retrieve";
	case _IO(0xBA, 0x42):
		return "finish";
	default:
		return NULL;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return WITH_FAULT(name_of_ioctl(request), REAL(ioctl)(fd, request, arg));
}

int fsync(int fd)
{
	return WITH_FAULT("fsync", REAL(fsync)(fd));
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	return WITH_FAULT("fallocate", REAL(fallocate)(fd, mode, offset, size));
}

int reboot(int how)
{
	return WITH_FAULT("reboot", ((int (*)(int))dlsym(RTLD_NEXT, "reboot"))(how));
}

/* What goes to the service manager. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const char *text = message->msg_iovlen > 0 ? message->msg_iov[0].iov_base : NULL;
	size_t size = text ? message->msg_iov[0].iov_len : 0;
	const char *call = NULL;

	if (size > 9 && memcmp(text, "FDSTORE=1", 9) == 0)
		call = "store";
	else if (size > 15 && memcmp(text, "FDSTOREREMOVE=1", 15) == 0)
		call = "unstore";
	return WITH_FAULT(call, REAL(sendmsg)(fd, message, flags));
}

/* kexec-tools has no other way to load. */
long syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return WITH_FAULT(number == SYS_kexec_file_load ? "load" : NULL,
			  REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* libsystemd's; declared here, as tests are built without its headers. */
int sd_event_add_time_relative(void *event, void **ret, clockid_t clock, uint64_t usec,
			       uint64_t accuracy, void *callback, void *userdata);

int sd_event_add_time_relative(void *event, void **ret, clockid_t clock, uint64_t usec,
			       uint64_t accuracy, void *callback, void *userdata)
{
	const char *haste = getenv("KHO_FAULTS_HASTE");

	return REAL(sd_event_add_time_relative)(event, ret, clock, usec / (haste ? atoi(haste) : 1),
						accuracy, callback, userdata);
}
