/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/fault.h - what the parts of kernel/mm/ share about filling tables.
 */
#ifndef KERNEL_MM_FAULT_H
#define KERNEL_MM_FAULT_H

#include <kernel/hart.h>
#include <kernel/mm/vm.h>

/* Codes of SIGSEGV and SIGBUS. */
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRERR  2

/*
 * Harts that return to user mode compare their icache_gen with what they have seen and
 * execute fence.i when it differs: instructions appeared in memory.  Edge ICACHE.
 */
void mm_icache_changed(struct mm *mm);

/* Fill [start, end) as if it was touched; stops at the first error. */
int mm_populate(struct mm *mm, u64 start, u64 end, bool write);

/* Is mm only reached by the thread that runs now?  Then its areas cannot change
 * under it and mm->lock is not needed to read them. */
bool mm_is_private(struct mm *mm);

/* fault_file.c: @v has ops.  mm->lock held (or private). 0, -EAGAIN: look again,
 * or as mm_fault(). */
int fault_file(struct vma *v, u64 addr, pte_t *p, bool write);
int fault_shared_write(struct vma *v, u64 addr, pte_t *p, pte_t e);

/*
 * @p, which is @e and leads to a frame (that of zeroes, too), leads to a private copy
 * of it with @prot.  pt_lock is held, and given up.  0, also when @p has changed
 * meanwhile; -ENOMEM: it has not.
 */
int fault_copy_frame(struct vma *v, pte_t *p, pte_t e, u64 prot);

/* Wait until a user page may be had again: reclaims, kills.  0: try again;
 * -ERESTARTSYS: current is being killed; -ENOMEM: it is the victim. */
int oom_wait(void);
struct memcg;
struct process;
/* How likely @p, which runs on @mm, is to be chosen: 0 (never) to 2000. */
s64 oom_score(const struct process *p, const struct mm *mm);
/* A process of @mc (or below) is killed, or all of its group; false: nobody is left.
 * While one dies no other is killed. */
bool oom_kill_in(struct memcg *mc);
bool oom_victim_gone(void); /* who was killed last has no memory any more */
/* droppable.c: take what programs said may go (MAP_DROPPABLE) from one of them.
 * False: there was nothing.  May sleep; no mm's lock held. */
bool droppable_reclaim(void);

/* A new program's area: map at once what a fault would find in the cache.  Nobody
 * runs on @v->mm yet. */
void fault_ahead(struct vma *v);

/* pagecache.c: uptodate pages of [index, index + nr) with references, NULL
 * where there is none; returns how many.  The range does not cross a multiple of
 * RADIX_SLOTS. */
unsigned int mapping_find_range(struct mapping *m, u64 index, unsigned int nr,
				struct page **pg);
extern const struct vm_ops mapping_vm_ops;

#endif /* KERNEL_MM_FAULT_H */
