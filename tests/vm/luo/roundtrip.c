/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/vm/luo/luo-test.h"

/* Item i is sample i modulo their number, in session i modulo the number of sessions. */
static struct transport_item *items_new(size_t n_sessions, size_t *ret_n)
{
	size_t n = n_sessions > n_samples ? n_sessions : n_samples;
	struct transport_item *items = calloc(n, sizeof(*items));

	CHECK(items);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct transport_item){
			.fd = -EBADF,
			.session = (uint32_t)(i % n_sessions),
			.token = i * 3,
			.label = samples[i % n_samples].label,
		};
	*ret_n = n;
	return items;
}

static size_t sessions_wanted(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	CHECK(n > 0);
	return n;
}

/* Stays behind with the sessions, for the kexec to find them. */
static int stay(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid > 0)
		return 0;
	setsid();
	for (;;)
		pause();
}

int verb_hold(int argc, char **argv)
{
	size_t n_sessions = sessions_wanted(argc, argv), n, failed = 0;
	_cleanup_free_ struct transport_item *items = items_new(n_sessions, &n);
	_cleanup_free_ int *sessions = calloc(n_sessions, sizeof(*sessions));
	_cleanup_free_ char *message = NULL;
	uint64_t start;

	CHECK(sessions);
	for (size_t i = 0; i < n; i++)
		items[i].fd = sample_create(&samples[i % n_samples], i);
	must(transport_luo.check(items, n, &message), message, "check");
	must(transport_luo.open(TEST_UPDATE, 0, n_sessions, sessions, &message), message, "open");
	CHECK(transport_luo.stage(items, n, &failed, NULL) == -ESTALE);
	start = now_usec();
	for (size_t i = 0; i < n_sessions; i++)
		must(transport_luo.preserve(sessions[i], (uint32_t)i, items, n, NULL, &failed,
					    &message),
		     message, "preserve");
	printf("preserved %zu files in %zu sessions in %" PRIu64 " us\n", n, n_sessions,
	       now_usec() - start);
	/* Doing it again is no error, and changes nothing. */
	must(transport_luo.preserve(sessions[0], 0, items, n, NULL, &failed, &message), message,
	     "preserve again");
	must(transport_luo.stage(items, n, &failed, &message), message, "stage");
	for (size_t i = 0; i < n; i++)
		if (samples[i % n_samples].collapse && i < n_samples)
			census_print(samples[i % n_samples].label, items[i].fd);
	return stay();
}

/* Out of fds the kernel gives none away: nothing is lost by asking too early. */
static void retrieve_without_fds(int session, struct transport_item *items, size_t n)
{
	struct rlimit old, none;

	CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CHECK(transport_luo.retrieve(session, 0, items, n) > 0);
	CHECK(items[0].error == -EMFILE && !transport_luo.is_final(items[0].error));
	CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

int verb_verify(int argc, char **argv)
{
	size_t n_sessions = sessions_wanted(argc, argv), n;
	_cleanup_free_ struct transport_item *items = items_new(n_sessions, &n);
	_cleanup_free_ int *sessions = calloc(n_sessions + 1, sizeof(*sessions));
	_cleanup_free_ char *message = NULL;
	uint64_t start = now_usec();
	int r;

	CHECK(sessions);
	/* One more than there are: that one is missing, and says so alone. */
	r = must(transport_luo.attach(TEST_UPDATE, 0, n_sessions + 1, sessions, &message), message,
		 "attach");
	CHECK((size_t)r == n_sessions);
	CHECK(sessions[n_sessions] == -ENOENT);
	retrieve_without_fds(sessions[0], items, n);
	for (size_t i = 0; i < n_sessions; i++)
		must(transport_luo.retrieve(sessions[i], (uint32_t)i, items, n), NULL, "retrieve");
	printf("retrieved %zu files of %zu sessions in %" PRIu64 " us\n", n, n_sessions,
	       now_usec() - start);
	for (size_t i = 0; i < n; i++) {
		if (items[i].fd < 0)
			die("%s: %s", items[i].label,
			    transport_luo.retrieve_advice(items[i].error));
		sample_verify(&samples[i % n_samples], i, items[i].fd);
		if (samples[i % n_samples].collapse && i < n_samples)
			census_print(samples[i % n_samples].label, items[i].fd);
	}
	for (size_t i = 0; i < n_sessions; i++)
		must(transport_luo.finish(sessions[i]), NULL, "finish");
	for (size_t i = 0; i < n_sessions; i++)
		sessions[i] = safe_close(sessions[i]);
	for (size_t i = 0; i < n; i++)
		sample_verify(&samples[i % n_samples], i, items[i].fd);
	printf("verified %zu files\n", n);

	/* A session is taken once; what was never handed over says so. */
	r = must(transport_luo.attach(TEST_UPDATE, 0, 1, sessions, &message), message, "attach");
	CHECK(r == 0 && sessions[0] == -ENOENT);
	return 0;
}
