/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/open.c - perf_event_open(2): what is meant, whether it may, and where
 * it belongs.
 *
 * Everything is checked before anything is changed.
 */
#include <kernel/pmu/event.h>

#include <kernel/file/file.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/pid.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/overflow.h>
#include <kernel/pmu/ring.h>
#include <kernel/pmu/sample.h>
#include <kernel/pmu/tracepoint.h>
#include <kernel/pmu/unit.h>
#include <kernel/relay/relay.h>
#include <kernel/task/process.h>
#include <kernel/task/trace.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

u64 perf_paranoid = 2;
u64 perf_max_rate = 100000;
u64 perf_mlock_kb = 516;
u64 perf_max_stack = 127;
u64 perf_cpu_percent = 25;
u64 perf_max_contexts = 8;
u64 kptr_restrict = 1;

#define CAP_PERFMON 38

static bool perfmon_capable(void)
{
	return capable(CAP_PERFMON) || capable(CAP_SYS_ADMIN);
}

/* --- what it counts */

/* PERF_COUNT_HW_* to firmware's code [SBI 2.0, 11.2.1]: one more. */
static int hw_slot(struct perf_event *e, u64 id)
{
	int s;

	if (id >= PERF_COUNT_HW_MAX)
		return -EINVAL;
	e->kind = KIND_SLOT;
	if (id == PERF_COUNT_HW_CPU_CYCLES ||
	    id == PERF_COUNT_HW_INSTRUCTIONS) {
		e->slot = id == PERF_COUNT_HW_CPU_CYCLES ? SLOT_CYCLES
							 : SLOT_INSTRET;
		return 0;
	}
	s = pmu_slot_get(PMU_HW(id + 1), 0);
	e->slot = s < 0 ? 0 : (u32)s;
	return s < 0 ? s : 0;
}

static int dynamic(struct perf_event *e, u64 event, u64 data)
{
	int s = pmu_slot_get(event, data);

	e->kind = KIND_SLOT;
	e->slot = s < 0 ? 0 : (u32)s;
	return s < 0 ? s : 0;
}

static int cache_slot(struct perf_event *e, u64 config)
{
	u64 id = config & 0xff, op = (config >> 8) & 0xff,
	    result = (config >> 16) & 0xff;

	if (id > 6 || op > 2 || result > 1)
		return -EINVAL;
	return dynamic(e, PMU_CACHE(id << 3 | op << 1 | result), 0);
}

/* Bits 62 and 63: events of firmware's, as Linux has them for riscv. */
static int raw_slot(struct perf_event *e, u64 config)
{
	u64 number = config & (BIT(48) - 1);

	switch (config >> 62) {
	case 0:
		return config >> 48 ? -EINVAL : dynamic(e, PMU_RAW, config);
	case 2:
		return dynamic(e, PMU_FW(config & 0xffff), 0);
	case 3: /* the platform's own */
		return dynamic(e, PMU_FW(0xffff), number);
	default:
		return -ENOENT;
	}
}

static int software(struct perf_event *e, u64 config)
{
	switch (config) {
	case PERF_COUNT_SW_CPU_CLOCK:
	case PERF_COUNT_SW_TASK_CLOCK:
		e->kind = KIND_CLOCK;
		return 0;
	case PERF_COUNT_SW_PAGE_FAULTS:
	case PERF_COUNT_SW_CONTEXT_SWITCHES:
	case PERF_COUNT_SW_CPU_MIGRATIONS:
	case PERF_COUNT_SW_PAGE_FAULTS_MIN:
	case PERF_COUNT_SW_PAGE_FAULTS_MAJ:
		e->kind = KIND_SW;
		e->sw = (u32)config;
		return 0;
	case PERF_COUNT_SW_ALIGNMENT_FAULTS: /* firmware's matter: none */
	case PERF_COUNT_SW_EMULATION_FAULTS:
	case PERF_COUNT_SW_DUMMY:
	case PERF_COUNT_SW_BPF_OUTPUT:
	case PERF_COUNT_SW_CGROUP_SWITCHES: /* nobody changes his */
		e->kind = KIND_NONE;
		return 0;
	default:
		return -ENOENT;
	}
}

/* ours: a generic event, and the side that counts: 1 own hart, 2 service hart */
static int relay_event(struct perf_event *e, u64 config)
{
	u64 side = (config >> 8) & 0xff;

	if (config >> 16 || side > 2)
		return -EINVAL;
	if (side == 1)
		e->sides &= ~BIT(SIDE_SERVICE);
	else if (side == 2)
		e->sides &= BIT(SIDE_SERVICE);
	if ((config & 0xff) == 0xff) {
		e->kind = KIND_CLOCK;
		return 0;
	}
	return hw_slot(e, config & 0xff);
}

static int what(struct perf_event *e)
{
	const struct perf_attr *a = &e->attr;

	e->sides = SIDES_ALL;
	if (a->flags & ATTR_EXCLUDE_USER)
		e->sides &= ~BIT(SIDE_USER);
	if (a->flags & ATTR_EXCLUDE_KERNEL)
		e->sides &= BIT(SIDE_USER);
	switch (a->type) {
	case PERF_TYPE_HARDWARE:
		if (a->config >> 32)
			return -ENOENT;
		return hw_slot(e, a->config);
	case PERF_TYPE_HW_CACHE:
		return cache_slot(e, a->config);
	case PERF_TYPE_RAW:
		return raw_slot(e, a->config);
	case PERF_TYPE_SOFTWARE:
		return software(e, a->config);
	case PERF_TYPE_TRACEPOINT:
		e->kind = KIND_TRACE;
		e->sw = (u32)a->config;
		return tracepoint_exists(a->config) ? 0 : -EINVAL;
	case PERF_TYPE_RELAY:
		return relay_event(e, a->config);
	default:
		return -ENOENT;
	}
}

/* --- whether it may */

static int check_rights(const struct perf_attr *a, int pid)
{
	s64 paranoid = (s64)load_once(&perf_paranoid);

	if (perfmon_capable())
		return 0;
	if (!(a->flags & ATTR_EXCLUDE_KERNEL) && paranoid > 1)
		return -EACCES;
	if (paranoid > 2)
		return -EACCES;
	if (pid == -1 && paranoid > 0)
		return -EACCES;
	if ((a->sample_type & PERF_SAMPLE_PHYS_ADDR) && paranoid > 1)
		return -EACCES;
	if (a->flags & ATTR_NAMESPACES)
		return -EACCES;
	if (a->type == PERF_TYPE_TRACEPOINT && paranoid > -1)
		return -EPERM;
	return 0;
}

/* --- where it belongs */

static struct pmu_ctx *ctx_of_hart(u32 cpu)
{
	struct pmu_hart *p = pmu_of(harts[cpu]);
	struct pmu_ctx *c;

	if (!p->wide) {
		c = pmu_ctx_new(NULL, cpu, 1);
		if (!c)
			return ERR_PTR(-ENOMEM);
		/* It stays; the hart takes note of it at its next boundary. */
		/* PMUSET (release) - pairs with the hart: by the address. */
		store_release(&p->wide, c);
	}
	return p->wide;
}

/* pmu_active counts us already: a thread that begins to exit after our look at its
 * work comes to perf_exit_slow() and waits for the mutex. */
static struct pmu_ctx *ctx_of_thread(int tid)
{
	struct pmu_ctx *c = pmu_ctx_new(NULL, 0, nr_harts), *res;
	struct thread *t;
	int err = 0;

	if (!c)
		return ERR_PTR(-ENOMEM);
	spin_lock(&task_lock);
	t = tid ? thread_find(pid_given(tid)) : current;
	if (!t || !t->proc || (atomic_fetch_or(&t->work, 0) & WORK_EXIT))
		err = -ESRCH;
	else if (t != current && !perfmon_capable())
		err = trace_may_access_locked(t->proc, false) ? -EACCES : 0;
	res = err ? ERR_PTR(err) : t->pmu;
	if (!res) {
		c->thread = t;
		/* PMUSET (release) - pairs with the hart: by the address. */
		store_release(&t->pmu, c);
		res = c;
		c = NULL;
	}
	spin_unlock(&task_lock);
	kfree(c);
	return res;
}

static int join_group(struct perf_event *e, struct perf_event *leader,
		      struct pmu_ctx *c, int cpu)
{
	if (!leader)
		return 0;
	if (leader->leader != leader || leader->exited)
		return -EINVAL;
	if (leader->ctx != c || leader->cpu != cpu)
		return -EINVAL;
	if (e->attr.flags & (ATTR_EXCLUSIVE | ATTR_PINNED))
		return -EINVAL;
	if (perf_group_full(leader))
		return -E2BIG;
	if ((e->attr.flags ^ leader->attr.flags) & ATTR_INHERIT && c->thread)
		return -EINVAL;
	return 0;
}

static void set_sampling(struct perf_event *e)
{
	const struct perf_attr *a = &e->attr;

	if (!a->sample_period)
		return;
	e->samples = true;
	if (a->flags & ATTR_FREQ) {
		e->interval = NSEC_PER_SEC / a->sample_period;
		return;
	}
	e->period = a->sample_period;
	e->interval = NSEC_PER_SEC / min(load_once(&perf_max_rate), 4000ul);
	if (e->kind == KIND_CLOCK)
		e->interval = max(a->sample_period,
				  NSEC_PER_SEC / load_once(&perf_max_rate));
}

/* perf_mutex held.  @e is complete but for its place. */
static int place(struct perf_event *e, int pid, int cpu,
		 struct perf_event *leader)
{
	struct pmu_ctx *c =
		pid == -1 ? ctx_of_hart((u32)cpu) : ctx_of_thread(pid);
	int err;

	if (IS_ERR(c))
		return (int)PTR_ERR(c);
	err = join_group(e, leader, c, cpu);
	if (!err)
		err = what(e);
	if (!err && !perf_group_fits(leader, e))
		err = -EINVAL;
	if (err)
		return err;
	e->cpu = cpu;
	set_sampling(e);
	if (e->samples && e->kind == KIND_SLOT)
		e->overflow = overflow_get(e->slot);
	sample_rate(e);
	perf_event_attach(e, c, leader);
	perf_regroup(e->leader, false);
	return 0;
}

static void activate(void)
{
	/* full: before we look at anybody's work */
	if (atomic_add_return(&pmu_active, 1) == 1) {
		pmu_sync_harts();
	}
}

static void deactivate(void)
{
	if (atomic_dec_and_test(&pmu_active)) {
		pmu_sync_harts();
	}
}

static int build(struct perf_event *e, int pid, int cpu, int group_fd,
		 bool no_group, struct file **group)
{
	struct perf_event *leader = NULL;
	int err;

	*group = NULL;
	if (group_fd != -1) { /* whether it is wanted as one or not */
		*group = fd_get(group_fd);
		if (!*group)
			return -EBADF;
		leader = perf_event_of(*group);
		if (!leader)
			return -EBADF;
		if (no_group)
			leader = NULL;
	}
	mutex_lock(&perf_mutex);
	activate();
	err = place(e, pid, cpu, leader);
	if (err) {
		deactivate();
	} else {
		perf_owned(e);
		if (perf_traces(e))
			atomic_inc(&pmu_tracing);
		if (!(e->attr.flags & ATTR_DISABLED))
			perf_arm(e, true);
		else
			e->exec_on = e->attr.flags & ATTR_ENABLE_ON_EXEC;
	}
	mutex_unlock(&perf_mutex);
	return err;
}

struct file *perf_open(struct perf_attr *attr, int pid, int cpu, int group_fd,
		       u32 flags)
{
	struct file *f = NULL, *group;
	struct perf_event *e;
	int err;

	if (flags & ~(u32)(PERF_FLAG_FD_NO_GROUP | PERF_FLAG_FD_OUTPUT |
			   PERF_FLAG_PID_CGROUP | PERF_FLAG_FD_CLOEXEC))
		return ERR_PTR(-EINVAL);
	err = perf_check_attr(attr);
	if (!err && (cpu >= (int)nr_harts || cpu < -1 || pid < -1 ||
		     (pid == -1 && cpu == -1)))
		err = pid < -1 ? -ESRCH : -EINVAL;
	if (!err)
		err = check_rights(attr, pid);
	if (err)
		return ERR_PTR(err);
	/* @pid would be a directory of cgroups: no descriptor is one. */
	if (flags & PERF_FLAG_PID_CGROUP)
		return ERR_PTR(pid == -1 || cpu == -1 ? -EINVAL : -EBADF);
	e = perf_event_new(attr);
	if (!e)
		return ERR_PTR(-ENOMEM);
	f = file_alloc(&perf_fops, O_RDWR, e);
	if (!f) {
		perf_event_free(e);
		return ERR_PTR(file_no_alloc());
	}
	err = build(e, pid, cpu, group_fd, flags & PERF_FLAG_FD_NO_GROUP,
		    &group);
	if (group)
		file_put(group);
	if (!err)
		return f;
	perf_open_failed(f);
	return ERR_PTR(err);
}
