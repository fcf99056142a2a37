/* SPDX-License-Identifier: MIT */
/* kernel/ns/time.c - time namespaces; see time.h. */
#include <kernel/ns/time.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/user.h>
#include <kernel/task/clone.h>
#include <kernel/task/vdso.h>
#include <kernel/time/posix.h>
#include <lib/errno.h>

static struct mutex offset_mutex = MUTEX_INIT(offset_mutex);

static void time_ns_free(struct ns_common *ns)
{
	struct time_ns *n = container_of(ns, struct time_ns, ns);

	page_put(n->vdso);
	kfree(n);
}

/* A thread whose clocks jump must not share memory with one whose do not. */
static int time_ns_install(struct nsset *set, struct ns_common *ns)
{
	struct time_ns *n = container_of(ns, struct time_ns, ns);

	if (load_once(&current->proc->nr_threads) > 1 ||
	    load_once(&current->mm->users) > 1)
		return -EUSERS;
	if (!nsset_may_enter(set, ns))
		return -EPERM;
	ns_get(ns);
	ns_get(ns);
	ns_replace(set->nsproxy->time, n);
	ns_replace(set->nsproxy->time_children, n);
	return 0;
}

const struct ns_ops time_ns_ops = {
	.name = "time",
	.flag = CLONE_NEWTIME,
	.count = &time_ns_count,
	.free = time_ns_free,
	.install = time_ns_install,
};

struct time_ns init_time_ns = {
	.ns = NS_INIT(time, NS_INO_TIME),
	.frozen = true,
};

struct time_ns *time_ns_new(struct time_ns *old, struct user_ns *owner)
{
	struct time_ns *n = kzalloc(sizeof(*n));
	int err = -ENOMEM;

	if (!n)
		return ERR_PTR(-ENOMEM);
	n->vdso = vdso_page_new();
	if (n->vdso)
		err = ns_init(&n->ns, &time_ns_ops, owner);
	if (err) {
		if (n->vdso)
			page_put(n->vdso);
		kfree(n);
		return ERR_PTR(err);
	}
	time_ns_get_offsets(old, &n->mono, &n->boot);
	return n;
}

void time_ns_enter(struct time_ns *n, struct mm *mm)
{
	mutex_lock(&offset_mutex);
	if (!n->frozen) {
		vdso_page_shift(n->vdso, n->mono, n->boot);
		n->frozen = true;
	}
	mutex_unlock(&offset_mutex);
	vdso_change(mm, n->vdso);
}

s64 time_ns_offset_slow(const struct time_ns *n, int id)
{
	switch (id) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
		return n->mono;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return n->boot;
	default:
		return 0;
	}
}

u64 time_ns_to_host(int id, u64 ns)
{
	s64 offset = time_ns_offset(id), r;

	if (likely(!offset))
		return ns;
	if (__builtin_sub_overflow((s64)ns, offset, &r))
		return offset > 0 ? 0 : ~0ull >> 1;
	return r > 0 ? (u64)r : 0;
}

#define SEC_MAX ((s64)(~0ull >> 1) / (s64)NSEC_PER_SEC)

/* The clock stays above 0, and far below where it would run over. */
static int check_offset(const struct time_offset *o, u64 now)
{
	s64 sec, nsec = o->nsec + (s64)(now % NSEC_PER_SEC);

	if (o->sec > SEC_MAX || o->sec < -SEC_MAX)
		return -ERANGE;
	sec = o->sec + (s64)(now / NSEC_PER_SEC) + nsec / (s64)NSEC_PER_SEC;
	return sec < 0 || sec > SEC_MAX / 2 ? -ERANGE : 0;
}

int time_ns_set(struct time_ns *n, const struct cred *by,
		const struct time_offset *o, unsigned int nr)
{
	u64 now = clock_mono_ns();
	int err = 0;

	if (!cred_capable(by, n->ns.owner, CAP_SYS_TIME))
		return -EPERM;
	for (unsigned int i = 0; i < nr && !err; i++)
		err = check_offset(&o[i], now);
	if (err)
		return err;
	mutex_lock(&offset_mutex);
	if (n->frozen)
		err = -EACCES;
	for (unsigned int i = 0; i < nr && !err; i++) {
		s64 ns = o[i].sec * (s64)NSEC_PER_SEC + o[i].nsec;

		if (o[i].clock == CLOCK_MONOTONIC)
			n->mono = ns;
		else
			n->boot = ns;
	}
	mutex_unlock(&offset_mutex);
	return err;
}

void time_ns_get_offsets(struct time_ns *n, s64 *mono, s64 *boot)
{
	mutex_lock(&offset_mutex);
	*mono = n->mono;
	*boot = n->boot;
	mutex_unlock(&offset_mutex);
}
