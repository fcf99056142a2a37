/* SPDX-License-Identifier: MIT */
/*
 * user/tests/owner.c - F_SETOWN: whom a file's signals may reach.
 *
 * They are sent in the name of who called F_SETOWN: not to others' processes, one by
 * one or as a group, whatever the file is, and not out of a Landlock scope.
 */
#include "utest.h"

#include <sys/prctl.h>
#include <sys/socket.h>

static volatile sig_atomic_t got;

static void on_signal(int sig)
{
	got = sig;
}

static bool told(int sig)
{
	for (int i = 0; i < 100 && got != sig; i++)
		ut_sleep_ms(2);
	return got == sig;
}

/* A file whose signal is @sig to @owner, armed; what makes it ready in @*w. */
static int armed(int owner, int sig, int *w)
{
	int p[2];

	CHECK_OK(pipe(p));
	CHECK_OK(fcntl(p[0], F_SETOWN, owner));
	CHECK_OK(fcntl(p[0], F_SETSIG, sig));
	CHECK_OK(fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	*w = p[1];
	return p[0];
}

/* As nobody: @arg is told by pipes, directories and leases. */
static int stranger(void *arg)
{
	int target = *(int *)arg, w, d, l;

	CHECK_OK(setresuid(1234, 1234, 1234));
	(void)armed(target, SIGUSR1, &w);
	CHECK_EQ(write(w, "x", 1), 1);
	CHECK_OK(mkdir("watched", 0777));
	CHECK_OK(d = open("watched", O_RDONLY));
	CHECK_OK(fcntl(d, F_SETOWN, target));
	CHECK_OK(fcntl(d, F_SETSIG, SIGUSR1));
	CHECK_OK(fcntl(d, F_NOTIFY, DN_CREATE));
	CHECK_OK(l = open("watched/leased", O_CREAT | O_RDWR, 0666));
	close(l);
	CHECK_OK(l = open("watched/leased", O_RDONLY));
	CHECK_OK(fcntl(l, F_SETOWN, target));
	CHECK_OK(fcntl(l, F_SETSIG, SIGUSR1));
	CHECK_OK(fcntl(l, F_SETLEASE, F_RDLCK));
	CHECK_ERR(open("watched/leased", O_RDWR | O_NONBLOCK), EWOULDBLOCK);
	ut_sleep_ms(50);
	return 0;
}

TEST(owner, not_of_strangers)
{
	int me = getpid(), group = -me;

	if (getuid())
		ut_skip("needs root");
	CHECK_OK(chmod(".", 0777));
	CHECK_OK(setpgid(0, 0));
	signal(SIGUSR1, on_signal);
	CHECK_EQ(ut_wait(ut_fork(stranger, &me)), 0);
	CHECK_EQ(got, 0);
	CHECK_OK(unlink("watched/leased"));
	CHECK_OK(rmdir("watched"));
	CHECK_EQ(ut_wait(ut_fork(stranger, &group)), 0);
	CHECK_EQ(got, 0);
}

static int in_own_group(void *arg)
{
	int w;

	(void)arg;
	signal(SIGUSR1, on_signal);
	(void)armed(-getppid(), SIGUSR1, &w);
	CHECK_EQ(write(w, "x", 1), 1);
	CHECK(told(SIGUSR1));
	return 0;
}

/* What root names reaches the whole group. */
TEST(owner, group)
{
	CHECK_OK(setpgid(0, 0));
	signal(SIGUSR1, on_signal);
	CHECK_EQ(ut_wait(ut_fork(in_own_group, NULL)), 0);
	CHECK(told(SIGUSR1));
}

/* --- Landlock */

static void scope_signals(void)
{
	uint64_t attr[3] = { 0, 0, 2 };
	int fd = (int)syscall(444, attr, sizeof(attr), 0);

	NEED(fd);
	CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK_OK(syscall(446, fd, 0));
}

static int scoped_group(void *arg)
{
	int w;

	(void)arg;
	signal(SIGUSR1, on_signal);
	scope_signals();
	(void)armed(-getppid(), SIGUSR1, &w);
	CHECK_EQ(write(w, "x", 1), 1);
	CHECK(told(SIGUSR1)); /* itself it may tell */
	return 0;
}

TEST(owner, scope_of_a_group)
{
	CHECK_OK(setpgid(0, 0));
	signal(SIGUSR1, on_signal);
	CHECK_EQ(ut_wait(ut_fork(scoped_group, NULL)), 0);
	ut_sleep_ms(20);
	CHECK_EQ(got, 0);
}

/* It is the domain at F_SETOWN that counts, not that of the moment. */
static int scoped_later(void *arg)
{
	int w;

	(void)arg;
	(void)armed(getppid(), SIGUSR1, &w);
	scope_signals();
	CHECK_EQ(write(w, "x", 1), 1);
	ut_sleep_ms(50);
	return 0;
}

TEST(owner, scope_of_then)
{
	signal(SIGUSR1, on_signal);
	CHECK_EQ(ut_wait(ut_fork(scoped_later, NULL)), 0);
	CHECK(told(SIGUSR1));
}

static int urgent(void *arg)
{
	int s[2];

	(void)arg;
	scope_signals();
	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK_OK(fcntl(s[1], F_SETOWN, getppid()));
	CHECK_EQ(send(s[0], "x", 1, MSG_OOB), 1);
	ut_sleep_ms(20);
	signal(SIGURG, on_signal);
	CHECK_OK(fcntl(s[1], F_SETOWN, getpid()));
	CHECK_EQ(send(s[0], "x", 1, MSG_OOB), 1);
	CHECK(told(SIGURG));
	return 0;
}

TEST(owner, scope_of_urgent)
{
	signal(SIGURG, on_signal);
	CHECK_EQ(ut_wait(ut_fork(urgent, NULL)), 0);
	CHECK_EQ(got, 0);
}

/* Who named it need not exist any more. */
static int names_and_leaves(void *arg)
{
	CHECK_OK(fcntl(*(int *)arg, F_SETOWN, getppid()));
	return 0;
}

TEST(owner, named_by_another)
{
	int w, r = armed(getpid(), SIGUSR1, &w);

	signal(SIGUSR1, on_signal);
	CHECK_OK(fcntl(r, F_SETOWN, 0));
	CHECK_EQ(fcntl(r, F_GETOWN), 0);
	CHECK_EQ(ut_wait(ut_fork(names_and_leaves, &r)), 0);
	CHECK_EQ(fcntl(r, F_GETOWN), getpid());
	CHECK_EQ(write(w, "x", 1), 1);
	CHECK(told(SIGUSR1));
}
