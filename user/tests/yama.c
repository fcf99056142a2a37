/* SPDX-License-Identifier: MIT */
/*
 * user/tests/yama.c - kernel.yama.ptrace_scope and PR_SET_PTRACER: who may attach to
 * whom.  Scope 3 cannot be taken back, so it is not tried here.
 */
#include "utest.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

#define KNOB "/proc/sys/kernel/yama/ptrace_scope"
#define USER 1000

static int was = -1;

static int knob(const char *s)
{
	int fd = open(KNOB, O_WRONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = write(fd, s, strlen(s));
	close(fd);
	return n < 0 ? -1 : 0;
}

static void put_back(void)
{
	(void)knob((char[]){ (char)('0' + was), '\0' });
}

static void set_scope(const char *s)
{
	char c = '0';
	int fd = open(KNOB, O_RDONLY);

	if (fd < 0)
		ut_skip("no Yama");
	if (geteuid())
		ut_skip("root only");
	CHECK_EQ(read(fd, &c, 1), 1);
	close(fd);
	was = c - '0';
	CHECK_OK(knob(s));
}

/* --- somebody of the same user attaches, and his victim */

struct scene {
	long named;	/* for PR_SET_PTRACER */
	bool name_him;	/* the attacker, instead */
	bool take_back; /* and nobody after all */
	int to_attacker[2], ready[2];
	pid_t attacker;
};
static int secret = 4711;

static void become_user(void)
{
	CHECK_OK(setgid(USER));
	CHECK_OK(setuid(USER));
	CHECK_OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* Of reading its memory and of attaching: 0, or the errno of both. */
static int take_hold(pid_t pid)
{
	int got = 0;
	struct iovec to = { &got, sizeof(got) };
	struct iovec from = { &secret, sizeof(secret) };
	int err = process_vm_readv(pid, &to, 1, &from, 1, 0) < 0 ? errno : 0;

	CHECK_EQ(got, err ? 0 : secret);
	CHECK_EQ(ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 ? errno : 0, err);
	if (!err)
		CHECK_EQ(process_vm_readv(pid, &to, 1, &from, 1, 0),
			 (long)sizeof(got));
	return err;
}

static int attacks(void *arg)
{
	struct scene *s = arg;
	pid_t victim;

	become_user();
	CHECK_EQ(read(s->to_attacker[0], &victim, sizeof(victim)),
		 (long)sizeof(victim));
	return take_hold(victim);
}

static int suffers(void *arg)
{
	struct scene *s = arg;
	long named = s->name_him ? s->attacker : s->named;

	become_user();
	if (named)
		CHECK_OK(prctl(PR_SET_PTRACER, named, 0, 0, 0));
	if (s->take_back)
		CHECK_OK(prctl(PR_SET_PTRACER, 0, 0, 0, 0));
	CHECK_EQ(write(s->ready[1], "", 1), 1);
	pause();
	return 0;
}

static int play(struct scene s)
{
	pid_t victim;
	char c;
	int err;

	CHECK_OK(pipe(s.to_attacker));
	CHECK_OK(pipe(s.ready));
	s.attacker = ut_fork(attacks, &s);
	victim = ut_fork(suffers, &s);
	CHECK_EQ(read(s.ready[0], &c, 1), 1);
	CHECK_EQ(write(s.to_attacker[1], &victim, sizeof(victim)),
		 (long)sizeof(victim));
	err = ut_wait(s.attacker);
	CHECK_OK(kill(victim, SIGKILL));
	CHECK_EQ(ut_wait(victim), UT_SIGNALLED(SIGKILL));
	return err;
}

TEST(yama, scope_0)
{
	int err;

	set_scope("0");
	err = play((struct scene){ 0 });
	put_back();
	CHECK_EQ(err, 0);
}

TEST(yama, scope_1)
{
	int stranger, him, above, all, nobody;

	set_scope("1");
	stranger = play((struct scene){ 0 });
	him = play((struct scene){ .name_him = true });
	above = play((struct scene){ .named = getpid() });
	all = play((struct scene){ .named = -1 });
	nobody = play((struct scene){ .named = -1, .take_back = true });
	put_back();
	CHECK_EQ(stranger, EPERM);
	CHECK_EQ(him, 0);
	CHECK_EQ(above, 0);
	CHECK_EQ(all, 0);
	CHECK_EQ(nobody, EPERM);
}

TEST(yama, scope_2)
{
	int all;

	set_scope("2");
	all = play((struct scene){ .named = -1 });
	put_back();
	CHECK_EQ(all, EPERM);
}

/* --- children */

static int waits(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

static int holds_child(void *arg)
{
	pid_t pid;
	int err;

	(void)arg;
	become_user();
	pid = ut_fork(waits, NULL);
	err = take_hold(pid);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	return err;
}

static int lets_parent(void *arg)
{
	(void)arg;
	return ptrace(PTRACE_TRACEME, 0, 0, 0) ? errno : 0;
}

/* PTRACE_TRACEME of a child of user @arg. */
static int is_let(void *arg)
{
	if (arg)
		become_user();
	return ut_wait(ut_fork(lets_parent, NULL));
}

TEST(yama, children)
{
	int held[3], let[3], root[3];
	static const char *const scopes[] = { "0", "1", "2" };

	for (int i = 0; i < 3; i++) {
		set_scope(scopes[i]);
		held[i] = ut_wait(ut_fork(holds_child, NULL));
		let[i] = ut_wait(ut_fork(is_let, "user"));
		root[i] = ut_wait(ut_fork(is_let, NULL));
		put_back();
	}
	CHECK_EQ(held[0] | held[1], 0);
	CHECK_EQ(held[2], EPERM);
	CHECK_EQ(let[0] | let[1], 0);
	CHECK_EQ(let[2], EPERM);
	CHECK_EQ(root[0] | root[1] | root[2], 0);
}

TEST(yama, settings)
{
	set_scope("1");
	put_back();
	CHECK_ERR(knob("4"), EINVAL);
	CHECK_ERR(knob("x"), EINVAL);
	CHECK_ERR(prctl(PR_SET_PTRACER, 99999999, 0, 0, 0), EINVAL);
	CHECK_OK(prctl(PR_SET_PTRACER, (long)getppid(), 0, 0, 0));
	CHECK_OK(prctl(PR_SET_PTRACER, 0, 0, 0, 0));
}

#define SYS_LSM_LIST_MODULES 461
#define LSM_YAMA	     105

TEST(yama, module)
{
	unsigned long ids[64];
	unsigned size = sizeof(ids);
	bool seen = false;
	long n;

	if (access(KNOB, F_OK))
		ut_skip("no Yama");
	NEED(n = syscall(SYS_LSM_LIST_MODULES, ids, &size, 0));
	for (long i = 0; i < n; i++)
		seen = seen || ids[i] == LSM_YAMA;
	CHECK(seen);
}
