/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/sched_trace.c - tracepoints of the group `sched`, for `perf sched`.
 *
 * A thread is "on" the application hart whose user half it is: switched in when its
 * user code goes on there and another's was there before; switched out when its call
 * suspends, when it has to give way, and when it ends.  A call that a service hart
 * executes for it meanwhile is part of that, as a call is on Linux, unless another
 * thread gets the hart: then the first one was switched out as runnable.  Hence
 * records of both have the number of that hart, whoever writes them.
 *
 * Context: any but an interrupt in a call; takes no locks.
 */
#include <kernel/pmu/tracepoint.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/pmu/account.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/sample.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define COMM_LEN 16
#define NICE_0	 120 /* as Linux's tracepoints show a nice value of 0 */

enum prev_state { /* Linux's letters: R S X */
	STATE_RUNS = 0,
	STATE_SLEEPS = 1,
	STATE_DEAD = 0x10,
};

struct sched_switch {
	struct trace_common c;
	char prev_comm[COMM_LEN];
	s32 prev_pid, prev_prio;
	s64 prev_state;
	char next_comm[COMM_LEN];
	s32 next_pid, next_prio;
};
struct sched_task { /* sched_wakeup, sched_waking, sched_wakeup_new */
	struct trace_common c;
	char comm[COMM_LEN];
	s32 pid, prio, cpu, to_cpu; /* to_cpu: sched_migrate_task only */
};
struct sched_runtime {
	struct trace_common c;
	char comm[COMM_LEN];
	s32 pid, pad;
	u64 ns;
};
struct sched_fork {
	struct trace_common c;
	char parent_comm[COMM_LEN];
	s32 parent_pid;
	char child_comm[COMM_LEN];
	s32 child_pid;
};
struct sched_exec {
	struct trace_common c;
	u32 name_at; /* __data_loc */
	s32 pid, old_pid;
	char name[COMM_LEN];
};
STATIC_ASSERT(sizeof(struct sched_switch) == 64, "as the format says");
STATIC_ASSERT(offsetof(struct sched_runtime, ns) == 32, "as the format says");
STATIC_ASSERT(sizeof(struct sched_fork) == 48, "as the format says");

static struct trace_common common(u16 type)
{
	return (struct trace_common){ type, 0, 0, current ? current->tid : 0 };
}

static s32 prio_of(const struct thread *t)
{
	return t->rt_prio ? 99 - (s32)t->rt_prio : NICE_0 + load_once(&t->nice);
}

/* Who writes it: the thread whose coroutine runs, else @t. */
static void write_on(struct hart *on, struct thread *t, u32 id, const void *raw,
		     u32 n)
{
	sample_trace_on(on, t, id, raw, n);
}

static void tell_runtime(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);
	u64 now = clock_mono_ns(), since = load_once(&p->switched_ns);
	struct sched_runtime r = { common(TP_SCHED_STAT_RUNTIME), "", t->tid, 0,
				   now > since ? now - since : 0 };

	memcpy(r.comm, t->name, COMM_LEN);
	write_on(h, t, TP_SCHED_STAT_RUNTIME, &r, sizeof(r));
}

void sched_trace_in(struct hart *h, struct thread *t)
{
	struct pmu_hart *p = pmu_of(h);
	s32 was = atomic_xchg(&p->switched_tid, t->tid);
	struct sched_switch r = { common(TP_SCHED_SWITCH),
				  "",
				  was,
				  NICE_0,
				  STATE_RUNS,
				  "",
				  t->tid,
				  prio_of(t) };

	if (was == t->tid)
		return;
	if (was)
		memcpy(r.prev_comm, p->switched_comm, COMM_LEN);
	else
		scnprintf(r.prev_comm, COMM_LEN, "swapper/%u", h->cpu);
	memcpy(r.next_comm, t->name, COMM_LEN);
	memcpy(p->switched_comm, t->name, COMM_LEN);
	r.c.pid = was;
	if (t->traced_on && t->traced_on != h->cpu + 1) {
		struct sched_task m = { common(TP_SCHED_MIGRATE),
					"",
					t->tid,
					prio_of(t),
					(s32)t->traced_on - 1,
					(s32)h->cpu };

		memcpy(m.comm, t->name, COMM_LEN);
		write_on(h, t, TP_SCHED_MIGRATE, &m, sizeof(m));
	}
	t->traced_on = h->cpu + 1;
	write_on(h, t, TP_SCHED_SWITCH, &r, sizeof(r));
	sample_switch(h, t, SWITCH_IN);
	store_once(&p->switched_ns, clock_mono_ns());
}

static void switch_out(struct hart *h, struct thread *t, s64 state)
{
	struct sched_switch r = { common(TP_SCHED_SWITCH),
				  "",
				  t->tid,
				  prio_of(t),
				  state,
				  "",
				  0,
				  NICE_0 };

	if (atomic_cmpxchg(&pmu_of(h)->switched_tid, t->tid, 0) != t->tid)
		return; /* another one has had the hart since */
	tell_runtime(h, t);
	memcpy(r.prev_comm, t->name, COMM_LEN);
	scnprintf(r.next_comm, COMM_LEN, "swapper/%u", h->cpu);
	r.c.pid = t->tid;
	sample_switch(h, t, state ? SWITCH_OUT : SWITCH_PREEMPT);
	write_on(h, t, TP_SCHED_SWITCH, &r, sizeof(r));
}

void sched_trace_out(struct hart *h, struct thread *t)
{
	bool gave_way = h->user == t;

	if (t->home)
		switch_out(t->home, t, gave_way ? STATE_RUNS : STATE_SLEEPS);
}

static void tell_task(struct thread *t, u32 id)
{
	struct hart *home = load_once(&t->home), *h = this_hart();
	struct sched_task r = { common((u16)id),
				"",
				t->tid,
				prio_of(t),
				(s32)(home ? home->cpu : h->cpu),
				0 };

	memcpy(r.comm, t->name, COMM_LEN);
	write_on(h, current ? current : t, id, &r, offsetof(typeof(r), to_cpu));
}

void pmu_woken_slow(struct thread *t)
{
	if (!t->proc)
		return;
	tell_task(t, TP_SCHED_WAKING);
	tell_task(t, TP_SCHED_WAKEUP);
}

static void tell_fork(struct thread *t)
{
	struct thread *me = current;
	struct sched_fork r = { common(TP_SCHED_FORK), "", me->tid, "",
				t->tid };

	memcpy(r.parent_comm, me->name, COMM_LEN);
	memcpy(r.child_comm, t->name, COMM_LEN);
	write_on(this_hart(), me, TP_SCHED_FORK, &r, sizeof(r));
	tell_task(t, TP_SCHED_WAKEUP_NEW);
}

static void tell_exec(struct thread *t)
{
	struct sched_exec r = { common(TP_SCHED_EXEC),
				offsetof(struct sched_exec, name) |
					COMM_LEN << 16,
				t->tid, t->tid, "" };

	memcpy(r.name, t->name, COMM_LEN);
	write_on(this_hart(), t, TP_SCHED_EXEC, &r, sizeof(r));
}

/* @what: enum perf_side. */
void sched_trace_side(u32 what, struct thread *t)
{
	switch (what) {
	case PERF_SIDE_FORK:
		tell_fork(t);
		break;
	case PERF_SIDE_EXEC:
		tell_exec(t);
		break;
	case PERF_SIDE_EXIT:
		tell_task(t, TP_SCHED_EXIT);
		if (t->home)
			switch_out(t->home, t, STATE_DEAD);
		break;
	default:
		break;
	}
}

/* --- what tracefs says of them */

#define FIELD(decl, at, len, sign)                                          \
	"\tfield:" decl ";\toffset:" #at ";\tsize:" #len ";\tsigned:" #sign \
	";\n"
#define TASK_FIELDS                      \
	FIELD("char comm[16]", 8, 16, 0) \
	FIELD("pid_t pid", 24, 4, 1) FIELD("int prio", 28, 4, 1)

#define WAKE_FIELDS                                                            \
	TASK_FIELDS FIELD(                                                     \
		"int target_cpu", 32, 4,                                       \
		1) "\nprint fmt: \"comm=%s pid=%d prio=%d target_cpu=%03d\", " \
		   "REC->comm, REC->pid, REC->prio, REC->target_cpu\n"

static const struct {
	u32 id;
	const char *name, *text;
} points[] = {
	{ TP_SCHED_SWITCH, "sched_switch",
	  FIELD("char prev_comm[16]", 8, 16, 0) FIELD(
		  "pid_t prev_pid", 24, 4,
		  1) FIELD("int prev_prio", 28, 4,
			   1) FIELD("long prev_state", 32, 8,
				    1) FIELD("char next_comm[16]", 40, 16,
					     0) FIELD("pid_t next_pid", 56, 4,
						      1)
		  FIELD("int next_prio", 60, 4,
			1) "\nprint fmt: \"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s"
			   " ==> next_comm=%s next_pid=%d next_prio=%d\", REC->prev_comm, "
			   "REC->prev_pid, REC->prev_prio, (REC->prev_state & 0xff) ? "
			   "__print_flags(REC->prev_state & 0xff, \"|\", { 0x1, \"S\" }, "
			   "{ 0x10, \"X\" }) : \"R\", REC->next_comm, REC->next_pid, "
			   "REC->next_prio\n" },
	{ TP_SCHED_WAKEUP, "sched_wakeup", WAKE_FIELDS },
	{ TP_SCHED_WAKING, "sched_waking", WAKE_FIELDS },
	{ TP_SCHED_WAKEUP_NEW, "sched_wakeup_new", WAKE_FIELDS },
	{ TP_SCHED_MIGRATE, "sched_migrate_task",
	  TASK_FIELDS FIELD("int orig_cpu", 32, 4, 1) FIELD(
		  "int dest_cpu", 36, 4,
		  1) "\nprint fmt: \"comm=%s pid=%d prio=%d orig_cpu=%d dest_cpu=%d\", "
		     "REC->comm, REC->pid, REC->prio, REC->orig_cpu, REC->dest_cpu\n" },
	{ TP_SCHED_STAT_RUNTIME, "sched_stat_runtime",
	  FIELD("char comm[16]", 8, 16, 0) FIELD("pid_t pid", 24, 4, 1) FIELD(
		  "u64 runtime", 32, 8,
		  0) "\nprint fmt: \"comm=%s pid=%d runtime=%Lu [ns]\", REC->comm, "
		     "REC->pid, REC->runtime\n" },
	{ TP_SCHED_FORK, "sched_process_fork",
	  FIELD("char parent_comm[16]", 8, 16,
		0) FIELD("pid_t parent_pid", 24, 4,
			 1) FIELD("char child_comm[16]", 28, 16, 0)
		  FIELD("pid_t child_pid", 44, 4,
			1) "\nprint fmt: \"comm=%s pid=%d child_comm=%s child_pid=%d\", "
			   "REC->parent_comm, REC->parent_pid, REC->child_comm, "
			   "REC->child_pid\n" },
	{ TP_SCHED_EXEC, "sched_process_exec",
	  FIELD("__data_loc char[] filename", 8, 4, 0) FIELD("pid_t pid", 12, 4,
							     1)
		  FIELD("pid_t old_pid", 16, 4,
			1) "\nprint fmt: \"filename=%s pid=%d old_pid=%d\", "
			   "__get_str(filename), REC->pid, REC->old_pid\n" },
	{ TP_SCHED_EXIT, "sched_process_exit",
	  TASK_FIELDS "\nprint fmt: \"comm=%s pid=%d prio=%d\", REC->comm, "
		      "REC->pid, REC->prio\n" },
};

static s64 show_id(void *obj, const struct sys_attr *a __unused, char *buf,
		   size_t size)
{
	return scnprintf(buf, size, "%u\n", points[(u64)obj].id);
}

static s64 show_format(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "name: %s\nID: %u\n%s%s",
			 points[(u64)obj].name, points[(u64)obj].id,
			 tracepoint_common, points[(u64)obj].text);
}

s64 sched_format(u32 id, char *buf, size_t size)
{
	for (u64 i = 0; i < ARRAY_SIZE(points); i++) {
		if (points[i].id == id)
			return show_format((void *)i, NULL, buf, size);
	}
	return 0;
}

static const struct sys_attr attrs[] = {
	{ "id", 0444, .show = show_id },
	{ "format", 0444, .show = show_format },
};

static int sched_trace_init(void)
{
	struct sys_dir *d = sys_path("kernel/tracing/events/sched");

	for (u64 i = 0; i < ARRAY_SIZE(points); i++)
		(void)sys_add(sys_mkdir(d, points[i].name, (void *)i), attrs,
			      ARRAY_SIZE(attrs));
	return 0;
}
INITCALL(INIT_VFS, sched_trace_init);
