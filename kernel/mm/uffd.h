/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/uffd.h - userfaultfd: a program answers faults of (its own) memory.
 *
 * An area that is registered (vma->uffd) has VM_UFFD_MISSING: who touches what is not
 * there waits, and the descriptor tells; or VM_UFFD_WP: likewise who writes to an
 * entry with PTE_UFFD_WP.  Private anonymous memory only.  A file in memory may have
 * VM_UFFD_MINOR: who touches what the file has, but the table has not, waits.
 *
 * Locking: mm->lock for vma->uffd and the flags; see uffd.c.
 */
#ifndef KERNEL_MM_UFFD_H
#define KERNEL_MM_UFFD_H

#include <kernel/mm/pt.h>

struct uffd;

/* Of mm_fault()'s parts: the program has to be asked. */
#define FAULT_UFFD 2

extern u64 unprivileged_userfaultfd; /* [a] /proc/sys/vm */

/* Has the file the page for @addr? */
bool uffd_has_page(const struct vma *v, u64 addr);
/* Of a registered area: is entry @e for its program?  mm->lock. */
static inline bool uffd_wants(const struct vma *v, u64 addr, pte_t e,
			      bool write)
{
	if (!e)
		return v->flags & VM_UFFD_MINOR ? uffd_has_page(v, addr)
						: v->flags & VM_UFFD_MISSING;
	return write && (v->flags & VM_UFFD_WP) && (e & PTE_UFFD_WP);
}
/* Ask, and wait: 0: look again; -EIO: SIGBUS; -ERESTARTSYS: a signal. */
int uffd_fault(struct mm *mm, u64 addr, bool write);
/* @v is another one's now (fork, mremap), or goes. */
void uffd_drop_slow(struct vma *v);
static inline void uffd_drop(struct vma *v)
{
	if (unlikely(v->uffd != NULL))
		uffd_drop_slow(v);
}
void uffd_hold_slow(struct vma *v);
static inline void uffd_hold(struct vma *v) /* it is a copy */
{
	if (unlikely(v->uffd != NULL))
		uffd_hold_slow(v);
}
/* userfaultfd(2): a file, or ERR_PTR(-ENOMEM).  @user_only: not the kernel's faults. */
struct file *uffd_create(bool user_only, u32 flags);

#endif /* KERNEL_MM_UFFD_H */
