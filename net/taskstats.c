/* SPDX-License-Identifier: MIT */
/*
 * net/taskstats.c - the family TASKSTATS of NETLINK_GENERIC: what threads used.
 *
 * A request is answered for a thread or for a process.  A socket may hear besides of
 * every thread that ends on some harts (the application harts that these ran on): its
 * nl->exit_cpus.  It loses what does not fit its queue, and is told so.
 *
 * There are no groups of cgroup v1 to tell of, which CGROUPSTATS_CMD_GET is about.
 *
 * INVARIANT: task_stats_heard is how many sockets have exit_cpus other than 0; whoever
 * changes it from or to 0 counts.
 */
#include <net/genetlink.h>

#include <kernel/file/file.h>
#include <kernel/hart.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/task/stats.h>
#include <kernel/upcalls.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define TASKSTATS_ID	  19 /* what Linux may give as well */
#define TASKSTATS_VERSION 1

#define TASKSTATS_CMD_GET   1
#define TASKSTATS_CMD_NEW   2
#define CGROUPSTATS_CMD_GET 4

enum { /* of requests */
	ATTR_PID = 1,
	ATTR_TGID = 2,
	ATTR_REGISTER = 3,
	ATTR_DEREGISTER = 4,
};
#define CGROUP_ATTR_FD 1
enum { /* of answers */
	TYPE_PID = 1,
	TYPE_TGID = 2,
	TYPE_STATS = 3,
	TYPE_AGGR_PID = 4,
	TYPE_AGGR_TGID = 5,
	TYPE_NULL = 6,
};

#define LIST_MAX (100u + 6 * MAX_HARTS) /* bytes of a list of harts */

#define RECORD_ID 8u /* bytes of the attribute that says whose record it is */

/* --- answers */

/* @type: TYPE_PID or TYPE_TGID.  The record is aligned to 8 bytes of the message @h. */
static void put_record(struct nl_out *o, const struct nlmsghdr *h, u16 type,
		       u32 id, const struct task_stats *s)
{
	u16 both = type == TYPE_PID ? TYPE_AGGR_PID : TYPE_AGGR_TGID;
	struct nlattr *list = nl_nest(o, both);
	size_t at = (size_t)((const u8 *)list - (const u8 *)h);

	nl_attr32(o, type, id);
	if ((at + sizeof(*list) + RECORD_ID) % 8 == 0)
		nl_attr(o, TYPE_NULL, NULL, 0);
	nl_attr(o, TYPE_STATS, s, sizeof(*s));
	nl_nest_end(o, list);
}

static int answer(struct nl_out *o, const struct nlmsghdr *req, u16 type,
		  u32 id)
{
	struct task_stats s;
	struct nlmsghdr *h;
	int err = type == TYPE_PID ? task_stats_of((int)id, &s)
				   : task_stats_of_group((int)id, &s);

	if (err)
		return err;
	h = genl_begin(o, req, &taskstats_family, TASKSTATS_CMD_NEW, 0);
	if (!h)
		return -ENOBUFS;
	put_record(o, h, type, id, &s);
	nl_end(o, h);
	return 0;
}

/* --- who hears of ends */

/* The last byte stands for the end, whatever it is. */
static int harts_of(const struct nlattr *a, u64 *mask)
{
	u32 n = a->len - (u32)sizeof(*a);
	char list[LIST_MAX];

	if (n > sizeof(list))
		return -E2BIG;
	memcpy(list, a + 1, n);
	list[n - 1] = '\0';
	return parse_number_list(list, nr_harts, mask);
}

static void hear(struct nl_sock *nl, u64 mask)
{
	if (mask && !atomic_fetch_or(&nl->exit_cpus, mask))
		atomic_inc(&task_stats_heard);
}

static void hear_not(struct nl_sock *nl, u64 mask)
{
	u64 was = atomic_fetch_and(&nl->exit_cpus, ~mask);

	if (was && !(was & ~mask))
		atomic_dec(&task_stats_heard);
}

static int change(struct nl_sock *nl, const struct nlattr *a,
		  void (*how)(struct nl_sock *nl, u64 mask))
{
	u64 mask;
	int err = harts_of(a, &mask);

	if (err)
		return err;
	if (!in_first_user_ns() || current_pid_ns() != &init_pid_ns)
		return -EINVAL;
	how(nl, mask);
	return 0;
}

void taskstats_release(struct nl_sock *nl)
{
	hear_not(nl, ~0ul);
}

/* --- requests */

static int taskstats_get(struct nl_sock *nl, struct nl_out *o,
			 const struct nlmsghdr *req, u32 len,
			 bool dump __unused)
{
	static const u32 least[] = { [ATTR_PID] = 4,
				     [ATTR_TGID] = 4,
				     [ATTR_REGISTER] = 1,
				     [ATTR_DEREGISTER] = 1 };
	const struct nlattr *a[ARRAY_SIZE(least)] = { NULL };
	u16 type;
	u32 id;

	for (u32 i = ATTR_PID; i < ARRAY_SIZE(least); i++) {
		a[i] = genl_find(req, len, (u16)i);
		if (a[i] && a[i]->len - sizeof(*a[i]) < least[i])
			return -ERANGE;
	}
	if (a[ATTR_REGISTER])
		return change(nl, a[ATTR_REGISTER], hear);
	if (a[ATTR_DEREGISTER])
		return change(nl, a[ATTR_DEREGISTER], hear_not);
	type = a[ATTR_PID] ? ATTR_PID : ATTR_TGID;
	if (!a[type])
		return -EINVAL;
	memcpy(&id, a[type] + 1, sizeof(id));
	return answer(o, req, type == ATTR_PID ? TYPE_PID : TYPE_TGID, id);
}

/* A descriptor that is none has no answer, any other is no group's. */
static int cgroupstats_get(struct nl_sock *nl __unused,
			   struct nl_out *o __unused,
			   const struct nlmsghdr *req, u32 len,
			   bool dump __unused)
{
	const struct nlattr *a = genl_find(req, len, CGROUP_ATTR_FD);
	struct file *f;
	u32 fd;

	if (!a)
		return -EINVAL;
	if (a->len < sizeof(*a) + sizeof(fd))
		return -ERANGE;
	memcpy(&fd, a + 1, sizeof(fd));
	f = fd_get((int)fd);
	if (!f)
		return 0;
	file_put(f);
	return -EINVAL;
}

static const struct genl_op taskstats_ops[] = {
	{ TASKSTATS_CMD_GET,
	  GENL_CMD_ADMIN | GENL_CMD_CAP_DO | GENL_CMD_CAP_HASPOL,
	  taskstats_get },
	{ CGROUPSTATS_CMD_GET, GENL_CMD_CAP_DO | GENL_CMD_CAP_HASPOL,
	  cgroupstats_get },
};

const struct genl_family taskstats_family = {
	.name = "TASKSTATS",
	.id = TASKSTATS_ID,
	.version = TASKSTATS_VERSION,
	.nr_ops = ARRAY_SIZE(taskstats_ops),
	.ops = taskstats_ops,
};

/* --- ends */

static u32 seqs[MAX_HARTS]; /* [a] messages about each hart */

static bool hears(const struct nl_sock *nl, const void *arg)
{
	return load_once(&nl->exit_cpus) >> *(const u32 *)arg & 1;
}

static void put_end(struct nl_out *o, const struct nlmsghdr *like, int status,
		    bool last)
{
	struct nlmsghdr *h =
		genl_begin(o, like, &taskstats_family, TASKSTATS_CMD_NEW, 0);
	struct task_stats s;

	if (!h)
		return;
	task_stats_end(status, last, &s);
	put_record(o, h, TYPE_PID, s.pid, &s);
	if (last && task_stats_end_group(&s))
		put_record(o, h, TYPE_TGID, (u32)current->proc->pid, &s);
	nl_end(o, h);
}

void taskstats_exit(int status, bool last)
{
	const struct hart *home = current->home;
	u32 cpu = home ? home->cpu : 0;
	struct nlmsghdr like = { 0 };
	struct nl_out o;

	if (!netlink_listened(hears, &cpu))
		return;
	like.seq = atomic_fetch_add(&seqs[cpu], 1);
	nl_out_init(&o);
	put_end(&o, &like, status, last);
	netlink_tell_those(hears, &cpu, &o);
}
