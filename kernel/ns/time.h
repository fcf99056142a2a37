/* SPDX-License-Identifier: MIT */
/*
 * kernel/ns/time.h - time namespaces: by how much CLOCK_MONOTONIC and CLOCK_BOOTTIME
 * differ inside.
 *
 * Inside the kernel all times are the first namespace's.  Where one crosses to a
 * program an offset is added, and taken off an absolute one that it gives.  The
 * offsets may be set until the first process is in the namespace: unshare(2) makes one
 * for children, who enter it with their own address space, at fork or exec.
 *
 * A namespace has a vDSO page of its own, which knows its offsets; entering it changes
 * the page that an address space maps.
 *
 * Context: any for what is inline, else coroutine, without spinlocks.
 */
#ifndef KERNEL_NS_TIME_H
#define KERNEL_NS_TIME_H

#include <kernel/ns/ns.h>
#include <lib/types.h>

struct cred;
struct mm;
struct page;

struct time_ns {
	struct ns_common ns;
	s64 mono, boot; /* [offset_mutex] ns; [I] once frozen */
	bool frozen;	/* [offset_mutex] only set: somebody is or was inside */
	struct page *vdso; /* [I] owned; NULL: everybody's */
};
extern const struct ns_ops time_ns_ops;
extern struct time_ns init_time_ns;

/* With the offsets of @old; or ERR_PTR. */
struct time_ns *time_ns_new(struct time_ns *old, struct user_ns *owner);
/* Who has @mm is in @n from now on: nothing can fail. */
void time_ns_enter(struct time_ns *n, struct mm *mm);

/* ns that clock @id (kernel/time/posix.h) shows more to current than to the first
 * namespace. */
s64 time_ns_offset_slow(const struct time_ns *n, int id);
static inline s64 time_ns_offset(int id)
{
	const struct time_ns *n = current_nsproxy()->time;

	return likely(n == &init_time_ns) ? 0 : time_ns_offset_slow(n, id);
}
/* @ns of clock @id, below 2^63, as current has it: in the first namespace; saturates. */
u64 time_ns_to_host(int id, u64 ns);

struct time_offset {
	int clock;
	s64 sec, nsec; /* nsec below NSEC_PER_SEC */
};
/* The namespace of @p's children, with a reference; NULL: it has ended. */
struct time_ns *time_ns_of_children(struct process *p);
/* All or none.  0, -EPERM (of @by), -ERANGE, -EACCES: frozen. */
int time_ns_set(struct time_ns *n, const struct cred *by,
		const struct time_offset *o, unsigned int nr);
void time_ns_get_offsets(struct time_ns *n, s64 *mono, s64 *boot);

#endif /* KERNEL_NS_TIME_H */
