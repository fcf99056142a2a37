/* SPDX-License-Identifier: MIT */
/*
 * user/tests/taskstats.c - the family TASKSTATS: what threads used, and who hears of
 * their ends.  Others may end meanwhile: what is not about ours is passed over.
 */
#include "genl.h"

#include <linux/acct.h>
#include <linux/cgroupstats.h>
#include <linux/taskstats.h>
#include <pthread.h>

#define OP_ADMIN 1
#define AGROUP	 0x20 /* not in every <linux/acct.h> */

struct record {
	unsigned pid; /* or tgid */
	struct taskstats s;
};

/* A socket, and the family's number. */
static int stats_socket(int *family)
{
	struct req r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	int nl = genl_socket();
	const struct nlattr *id;

	add(&r, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME, 10);
	id = of(ask(nl, &r), CTRL_ATTR_FAMILY_ID);
	CHECK(id);
	*family = *(const unsigned short *)(id + 1);
	return nl;
}

/* What the message says of a thread, or of all of a process; false: nothing. */
static bool record(const struct nlmsghdr *h, int type, struct record *r)
{
	bool group = type == TASKSTATS_TYPE_AGGR_TGID;
	const struct nlattr *both = of(h, type), *s;

	if (!both)
		return false;
	r->pid = word(
		inside(both, group ? TASKSTATS_TYPE_TGID : TASKSTATS_TYPE_PID));
	s = inside(both, TASKSTATS_TYPE_STATS);
	CHECK(s && s->nla_len - NLA_HDRLEN >= (long)sizeof(r->s));
	CHECK_EQ(((const char *)(s + 1) - (const char *)h) % 8, 0);
	memcpy(&r->s, s + 1, sizeof(r->s));
	CHECK(r->s.version >= 13);
	return true;
}

static struct req get(int family, int type, unsigned id)
{
	struct req r = begin(family, TASKSTATS_CMD_GET);

	add(&r, type, &id, sizeof(id));
	return r;
}

static int list_error(int nl, int family, int type, const char *list)
{
	struct req r = begin(family, TASKSTATS_CMD_GET);

	r.h.nlmsg_flags |= NLM_F_ACK;
	add(&r, type, list, (int)strlen(list) + 1);
	return error_of(nl, &r);
}

TEST(taskstats, family)
{
	struct req r = begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	const struct nlmsghdr *h;
	const struct nlattr *ops;
	int nl = genl_socket();

	add(&r, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME, 10);
	h = ask(nl, &r);
	CHECK_EQ(word(of(h, CTRL_ATTR_VERSION)), TASKSTATS_GENL_VERSION);
	CHECK_EQ(word(of(h, CTRL_ATTR_HDRSIZE)), 0);
	CHECK(!of(h, CTRL_ATTR_MCAST_GROUPS));
	ops = of(h, CTRL_ATTR_OPS);
	CHECK_EQ(word(inside(inside(ops, 1), CTRL_ATTR_OP_ID)),
		 TASKSTATS_CMD_GET);
	CHECK_EQ(word(inside(inside(ops, 1), CTRL_ATTR_OP_FLAGS)),
		 OP_ADMIN | GENL_CMD_CAP_DO | GENL_CMD_CAP_HASPOL);
	CHECK_EQ(word(inside(inside(ops, 2), CTRL_ATTR_OP_ID)),
		 CGROUPSTATS_CMD_GET);
	CHECK(!inside(ops, 3));
}

TEST(taskstats, thread)
{
	unsigned me = (unsigned)getpid();
	struct record a, b;
	struct stat exe;
	struct req r;
	int family, nl = stats_socket(&family);

	r = get(family, TASKSTATS_CMD_ATTR_PID, me);
	CHECK(record(ask(nl, &r), TASKSTATS_TYPE_AGGR_PID, &a));
	CHECK_EQ(((const struct genlmsghdr *)NLMSG_DATA(answer))->cmd,
		 TASKSTATS_CMD_NEW);
	CHECK_EQ(a.pid, me);
	CHECK_EQ(a.s.ac_pid, me);
	CHECK_EQ(a.s.ac_tgid, me);
	CHECK_EQ(a.s.ac_ppid, getppid());
	CHECK_EQ(a.s.ac_uid, 0);
	CHECK_EQ(a.s.ac_flag & (AFORK | AGROUP), AFORK); /* utest's child */
	CHECK(!strcmp(a.s.ac_comm, "utest"));
	CHECK_OK(stat("/proc/self/exe", &exe));
	CHECK_EQ(a.s.ac_exe_inode, exe.st_ino);
	CHECK(a.s.ac_minflt > 0 && a.s.hiwater_rss > 0 && a.s.hiwater_vm > 0);
	CHECK(a.s.ac_btime64 + 1 >=
	      (unsigned long)time(NULL) - a.s.ac_etime / 1000000);
	r = get(family, TASKSTATS_CMD_ATTR_PID, me);
	CHECK(record(ask(nl, &r), TASKSTATS_TYPE_AGGR_PID, &b));
	CHECK(b.s.ac_etime > a.s.ac_etime);
	CHECK(b.s.cpu_run_real_total >= a.s.cpu_run_real_total);
}

static void *nothing(void *arg)
{
	return arg;
}

TEST(taskstats, process)
{
	unsigned me = (unsigned)getpid();
	struct record a;
	struct req r;
	pthread_t t;
	int family, nl = stats_socket(&family);

	CHECK_EQ(pthread_create(&t, NULL, nothing, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	r = get(family, TASKSTATS_CMD_ATTR_TGID, me);
	CHECK(record(ask(nl, &r), TASKSTATS_TYPE_AGGR_TGID, &a));
	CHECK_EQ(a.pid, me);
	CHECK(a.s.ac_etime > 0);
	CHECK_EQ(a.s.ac_pid, 0); /* nobody's in particular */
	CHECK_EQ(a.s.hiwater_rss, 0);
}

TEST(taskstats, refused)
{
	unsigned me = (unsigned)getpid();
	struct req r;
	int family, fd = 0, nl = stats_socket(&family);

	r = get(family, TASKSTATS_CMD_ATTR_PID, 0);
	CHECK_EQ(error_of(nl, &r), -ESRCH);
	r = get(family, TASKSTATS_CMD_ATTR_PID, 99999999);
	CHECK_EQ(error_of(nl, &r), -ESRCH);
	r = get(family, TASKSTATS_CMD_ATTR_TGID, 0);
	CHECK_EQ(error_of(nl, &r), -ESRCH);
	r = get(family, 9, me);
	CHECK_EQ(error_of(nl, &r), -EINVAL);
	r = begin(family, TASKSTATS_CMD_GET);
	CHECK_EQ(error_of(nl, &r), -EINVAL);
	add(&r, TASKSTATS_CMD_ATTR_PID, &me, 2);
	CHECK_EQ(error_of(nl, &r), -ERANGE);
	r = get(family, TASKSTATS_CMD_ATTR_PID, me);
	r.h.nlmsg_flags |= NLM_F_DUMP;
	CHECK_EQ(error_of(nl, &r), -EOPNOTSUPP);
	r = begin(family, TASKSTATS_CMD_NEW);
	CHECK_EQ(error_of(nl, &r), -EOPNOTSUPP);
	r = begin(family, CGROUPSTATS_CMD_GET);
	CHECK_EQ(error_of(nl, &r), -EINVAL);
	add(&r, CGROUPSTATS_CMD_ATTR_FD, &fd, sizeof(fd));
	CHECK_EQ(error_of(nl, &r), -EINVAL);
}

TEST(taskstats, masks)
{
	static const struct {
		const char *list;
		int err;
	} m[] = {
		{ "", 0 },	    { ",", 0 },		 { "0,", 0 },
		{ " 0", 0 },	    { "0\n", 0 },	 { "x", -EINVAL },
		{ "2-1", -EINVAL }, { "0-0x", -EINVAL }, { "4000", -ERANGE },
	};
	int family, nl = stats_socket(&family);

	for (size_t i = 0; i < sizeof(m) / sizeof(*m); i++) {
		CHECK_EQ(list_error(nl, family,
				    TASKSTATS_CMD_ATTR_DEREGISTER_CPUMASK,
				    m[i].list),
			 m[i].err);
	}
}

static int as_user(void *arg)
{
	int family, fd = 0, nl = stats_socket(&family);
	struct req r = get(family, TASKSTATS_CMD_ATTR_PID, (unsigned)getpid());

	(void)arg;
	/* The socket is root's, who sends is not; then neither is. */
	CHECK_OK(setuid(1000));
	CHECK_EQ(error_of(nl, &r), -EPERM);
	nl = genl_socket();
	CHECK_EQ(error_of(nl, &r), -EPERM);
	r = begin(family, CGROUPSTATS_CMD_GET);
	add(&r, CGROUPSTATS_CMD_ATTR_FD, &fd, sizeof(fd));
	CHECK_EQ(error_of(nl, &r), -EINVAL);
	return 0;
}

TEST(taskstats, privilege)
{
	CHECK_EQ(ut_wait(ut_fork(as_user, NULL)), 0);
}

/* --- ends */

static void hear_all(int nl, int family, int type)
{
	char list[32];

	snprintf(list, sizeof(list), "0-%ld",
		 sysconf(_SC_NPROCESSORS_CONF) - 1);
	CHECK_EQ(list_error(nl, family, type, list), 0);
}

/* The next message. */
static const struct nlmsghdr *hear(int nl)
{
	CHECK(recv(nl, answer, sizeof(answer), 0) >= (long)NLMSG_HDRLEN);
	return (const void *)answer;
}

static int exits(void *arg)
{
	return *(int *)arg;
}

/* It has ended, and nobody has waited for it. */
TEST(taskstats, zombie)
{
	int family, nl = stats_socket(&family), status = 3;
	pid_t pid = ut_fork(exits, &status);
	siginfo_t si;
	struct record a;
	struct req r;

	CHECK_OK(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	r = get(family, TASKSTATS_CMD_ATTR_PID, (unsigned)pid);
	CHECK(record(ask(nl, &r), TASKSTATS_TYPE_AGGR_PID, &a));
	CHECK_EQ(a.s.ac_pid, pid);
	CHECK_EQ(a.s.ac_exitcode, 3 << 8);
	CHECK_EQ(a.s.hiwater_vm, 0);
	CHECK_EQ(ut_wait(pid), 3);
}

TEST(taskstats, end)
{
	int family, nl = stats_socket(&family), status = 5;
	const struct nlmsghdr *h;
	struct record a;
	struct req r;
	pid_t pid;

	hear_all(nl, family, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK);
	pid = ut_fork(exits, &status);
	CHECK_EQ(ut_wait(pid), 5);
	do {
		h = hear(nl);
		CHECK_EQ(h->nlmsg_type, family);
		CHECK_EQ(h->nlmsg_pid, 0);
		CHECK(record(h, TASKSTATS_TYPE_AGGR_PID, &a));
	} while (a.pid != (unsigned)pid);
	CHECK_EQ(a.s.ac_pid, pid);
	CHECK_EQ(a.s.ac_ppid, getpid());
	CHECK_EQ(a.s.ac_exitcode, 5 << 8);
	CHECK_EQ(a.s.ac_flag & (AFORK | AGROUP | AXSIG), AFORK | AGROUP);
	CHECK(a.s.ac_exe_inode > 0);
	CHECK(!of(h, TASKSTATS_TYPE_AGGR_TGID)); /* it was alone */

	hear_all(nl, family, TASKSTATS_CMD_ATTR_DEREGISTER_CPUMASK);
	pid = ut_fork(exits, &status);
	CHECK_EQ(ut_wait(pid), 5);
	r = get(family, TASKSTATS_CMD_ATTR_PID, (unsigned)getpid());
	h = ask(nl, &r);
	CHECK(record(h, TASKSTATS_TYPE_AGGR_PID, &a));
	CHECK_EQ(a.pid, getpid());
}

static int dies_of_term(void *arg)
{
	pthread_t t;

	(void)arg;
	CHECK_EQ(pthread_create(&t, NULL, nothing, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	raise(SIGTERM);
	return 0;
}

/* A thread's end is its own; the last one's says what all used. */
TEST(taskstats, group_end)
{
	int family, nl = stats_socket(&family), threads = 0;
	const struct nlmsghdr *h;
	struct record a, all;
	bool last = false;
	pid_t pid;

	hear_all(nl, family, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK);
	pid = ut_fork(dies_of_term, NULL);
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGTERM));
	while (threads < 2) {
		h = hear(nl);
		CHECK(record(h, TASKSTATS_TYPE_AGGR_PID, &a));
		if (a.s.ac_tgid != (unsigned)pid)
			continue;
		threads++;
		if (a.s.ac_pid != (unsigned)pid) {
			CHECK_EQ(a.s.ac_flag & AFORK, 0);
			continue;
		}
		CHECK_EQ(a.s.ac_exitcode, SIGTERM);
		CHECK_EQ(a.s.ac_flag & AXSIG, AXSIG);
		if (!(a.s.ac_flag & AGROUP))
			continue;
		CHECK(record(h, TASKSTATS_TYPE_AGGR_TGID, &all));
		CHECK_EQ(all.pid, pid);
		CHECK(all.s.ac_etime > a.s.ac_etime);
		last = true;
	}
	CHECK(last);
}
