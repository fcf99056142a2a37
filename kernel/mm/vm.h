/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/vm.h - user address spaces.
 *
 * A struct mm is a set of areas (struct vma, by address, not overlapping) and an
 * Sv39 table.  The areas say what may be there; the table is a cache of what is,
 * filled by mm_fault().
 *
 * Two locks.  mm->lock (rwsem): the areas; writers change them, faults and
 * look-ups read.  mm->pt_lock (spinlock, RANK_PT): the table's entries; held for
 * every change.
 *
 * User copies take no lock: they announce the address space in hart->ucopy, and
 * mm_flush() waits for those who do.  So "after mm_flush()" holds for copies as
 * it does for TLBs.
 *
 * TLBs.  Service harts never load a user table.  A hart that has the table in satp
 * has its bit in mm->active.  After an entry was made weaker the changer calls
 * mm_flush(): mm->tlb_gen is advanced, and every hart in mm->active gets an SBI
 * RFENCE - unless the caller is the only thread of the address space: then its hart
 * compares generations before it returns to user mode, and nobody else can run it.
 * From the first such entry until the flush it is counted in mm->due: who relies on an
 * entry that is weak already (write-back, on one that is read-only) flushes himself.
 *
 * ORDERING
 *   TLBGEN  table change, tlb_gen, full fence, look at mm->active; the hart: bit
 *           in mm->active, full fence, then satp and a flush (kernel/relay/user.c).
 *   UCOPY   table change, full fence, look at who copies (mm_flush()); the copier:
 *           announce, full fence, walk (kernel/mm/user.c).
 */
#ifndef KERNEL_MM_VM_H
#define KERNEL_MM_VM_H

#include <arch/riscv/mmu.h>
#include <kernel/mm/page.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <lib/rbtree.h>
#include <lib/types.h>

struct file;
struct mapping;
struct vma;
struct mm;

/* vma->flags */
#define VM_READ		BIT(0)
#define VM_WRITE	BIT(1)
#define VM_EXEC		BIT(2)
#define VM_SHARED	BIT(3)
#define VM_MAYREAD	BIT(4)
#define VM_MAYWRITE	BIT(5)
#define VM_MAYEXEC	BIT(6)
#define VM_GROWSDOWN	BIT(7)
#define VM_LOCKED	BIT(8)
#define VM_DONTFORK	BIT(9)
#define VM_WIPEONFORK	BIT(10)
#define VM_NORESERVE	BIT(11)
#define VM_IO		BIT(12) /* device memory: no struct page */
#define VM_DONTDUMP	BIT(13)
#define VM_SEALED	BIT(14) /* mseal(2) */
#define VM_SECRET	BIT(15) /* memfd_secret(2): nobody else may look */
#define VM_DROPPABLE	BIT(26) /* MAP_DROPPABLE: droppable.c */
#define VM_UFFD_MISSING BIT(24) /* uffd.h */
#define VM_UFFD_WP	BIT(25)
#define VM_UFFD_MINOR	BIT(27)
#define VM_UFFD		(VM_UFFD_MISSING | VM_UFFD_WP | VM_UFFD_MINOR)
#define VM_LOCKONFAULT	BIT(28) /* with VM_LOCKED: pages come when touched */
#define VM_LOCKS	((u32)(VM_LOCKED | VM_LOCKONFAULT))
#define VM_POLICY_SHIFT 16 /* a byte: mpolicy.c */
#define VM_POLICY	(0xffu << VM_POLICY_SHIFT)

/* Are an area's pages to be there as soon as it is? */
static inline bool vma_locked_now(u32 flags)
{
	return (flags & VM_LOCKS) == VM_LOCKED;
}

struct vm_ops {
	/*
	 * Give the page at @pgoff (in pages of the object) with a reference, for
	 * reading or, if @write and VM_SHARED, for writing (dirty tracking is
	 * the object's).  0, -EFAULT/-EIO (SIGBUS) or -ENOMEM.  May sleep.
	 */
	int (*fault)(struct vma *v, u64 pgoff, bool write, struct page **pg);
	/* A shared page becomes writable: about to be dirtied. 0 or -errno. */
	int (*mkwrite)(struct vma *v, u64 pgoff, struct page *pg);
	void (*open)(struct vma *v);	    /* v was copied (fork, split) */
	void (*close)(struct vma *v);	    /* v goes away */
	const char *(*name)(struct vma *v); /* for /proc/pid/maps, or NULL */
	bool whole;			    /* is not cut: -EINVAL */
};

struct vma {
	struct rb_node node;	  /* [mm.lock] */
	struct mm *mm;		  /* [I] */
	u64 start, end;		  /* [mm.lock] page-aligned, half-open */
	u32 flags;		  /* [mm.lock] VM_* */
	u64 pgoff;		  /* [mm.lock] object page at start */
	struct file *file;	  /* [I] owned reference or NULL (anonymous) */
	const struct vm_ops *ops; /* [I] NULL: private anonymous */
	void *priv;		  /* ops' */
	const char *label;	 /* [I] "[heap]", "[stack]", "[vdso]" or NULL */
	struct mapping *mapping; /* [I] page cache behind file, or NULL */
	struct list_head map_node; /* [mapping's i_mmap lock] reverse map */
	paddr_t phys;		   /* VM_IO: base */
	struct uffd *uffd; /* [mm.lock] who answers faults, owned, or NULL */
	bool has_anon;	   /* [a] only set: private pages may be in the table */
};

/* Who gets core files, and may look: prctl(PR_SET_DUMPABLE). */
enum dumpable {
	DUMP_NOBODY,
	DUMP_OWNER,
	DUMP_ROOT, /* root gets core files; nobody may look */
};
extern u64 suid_dumpable; /* [a] what a program is whose ids have changed */

struct mm {
	u32 refs;  /* [a] */
	u32 users; /* [a] threads on it: kernel/task/mmref.c */
	u32 uffds; /* [a] through which others may change its areas: uffd.c */
	struct rwsem lock;
	struct spinlock pt_lock; /* RANK_PT */
	struct rb_root vmas;	 /* [lock] */
	u32 nr_vmas;		 /* [lock] */
	pte_t *root;		 /* [I] */
	u64 tlb_gen;		 /* [a] edge TLBGEN */
	u64 active; /* [a] dense harts with root in satp, user side */
	u32 due;    /* [a] who made entries weaker and has yet to flush */
	u64 start_code, end_code, start_data, end_data; /* [lock] */
	u64 start_brk, brk, start_stack, mmap_base;	/* [lock] */
	u64 arg_start, arg_end, env_start, env_end;	/* [lock] */
	u64 total_pages, locked_pages;			/* [lock] */
	u64 most_pages;		/* [lock] that total_pages has been */
	u64 data_pages;		/* [lock] private writable */
	u64 map_hint, map_hole; /* [lock] vma.c: where to look for room */
	u32 def_flags;		/* [lock] mlockall(MCL_FUTURE): VM_LOCKED */
	u64 rss_anon, rss_file, rss_shmem, rss_max; /* [pt_lock] */
	u64 pt_pages;				    /* [pt_lock] */
	u32 cow_faults;	  /* [pt_lock] since the last fork; fork.c */
	u32 nr_forks;	  /* [lock] */
	struct file *exe; /* [lock] /proc/pid/exe */
	uaddr_t sigpage;  /* [I] rt_sigreturn trampoline */
	u64 auxv[48];	  /* [I after exec] */
	u32 nr_auxv;
	u64 membarrier_state;
	bool oom_victim;  /* [a] */
	u32 dumpable;	  /* [a] enum dumpable */
	u8 mdwe;	  /* [lock] MDWE_*: prctl(PR_SET_MDWE) */
	u32 core_filter;  /* [a] CORE_FILTER_*: what a core file has */
	bool thp_disable; /* [a] prctl: kept only */
	u32 core_dumping; /* [a] somebody has begun to */
	bool droppable;	  /* [a] only set: there is, or was, such an area */
	u32 dropped; /* [droppable.c] the round in which it was looked at */
};

/* /proc/pid/coredump_filter */
#define CORE_FILTER_ANON_PRIVATE BIT(0)
#define CORE_FILTER_ANON_SHARED	 BIT(1)
#define CORE_FILTER_FILE_PRIVATE BIT(2)
#define CORE_FILTER_FILE_SHARED	 BIT(3)
#define CORE_FILTER_ELF_HEADERS	 BIT(4)
#define CORE_FILTER_DEFAULT	 0x33u /* and private huge pages */
#define CORE_FILTER_ALL		 0x1ffu
#define MDWE_REFUSE_EXEC_GAIN	 1u
#define MDWE_NO_INHERIT		 2u

/* 0: refuse what could never be; 1: refuse nothing. [a] */
#define OVERCOMMIT_NEVER 2u
extern u64 overcommit_ratio,
	overcommit_kbytes; /* [a] for that; the latter first */
u64 mm_commit_limit(void); /* in pages */
extern u64 overcommit_memory;
struct mm *mm_new(void); /* empty, refs 1; NULL: -ENOMEM */
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm);	    /* last one unmaps all; may sleep */
struct mm *mm_fork(struct mm *old); /* COW copy; ERR_PTR */
/* Forget all areas (exec failed half-way, exit).  No thread runs on it. */
void mm_unmap_all(struct mm *mm);

/* mmap(2) flags */
#define MAP_SHARED	    0x01
#define MAP_PRIVATE	    0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE	    0x0f
#define MAP_FIXED	    0x10
#define MAP_ANONYMOUS	    0x20
#define MAP_GROWSDOWN	    0x100
#define MAP_LOCKED	    0x2000
#define MAP_NORESERVE	    0x4000
#define MAP_POPULATE	    0x8000
#define MAP_NONBLOCK	    0x10000
#define MAP_STACK	    0x20000
#define MAP_FIXED_NOREPLACE 0x100000
#define PROT_READ	    1
#define PROT_WRITE	    2
#define PROT_EXEC	    4

/* Address or -errno.  @file is borrowed.  @pgoff in pages. */
s64 mm_mmap(struct mm *mm, u64 addr, u64 len, u32 prot, u32 flags,
	    struct file *file, u64 pgoff);
int mm_seal(struct mm *mm, u64 start, u64 len);
/* Memory policies, a byte that means something to syscall/numa.c; 0: none. */
int mm_set_policy(struct mm *mm, u64 start, u64 end, u32 policy); /* -EFAULT */
int mm_get_policy(struct mm *mm, u64 addr);			  /* -EFAULT */
/* @fn of each area that has one, until it fails; -ENOENT: none has. */
int mm_each_policy(struct mm *mm, u64 start, u64 end, int (*fn)(u32 policy));
int mm_munmap(struct mm *mm, u64 addr, u64 len);
int mm_mprotect(struct mm *mm, u64 addr, u64 len, u32 prot);
s64 mm_mremap(struct mm *mm, u64 old, u64 old_len, u64 new_len, u32 flags,
	      u64 new_addr);
/* Show the object that is mapped shared there from its page @pgoff on. */
int mm_remap_file(struct mm *mm, u64 addr, u64 len, u64 pgoff, bool populate);
s64 mm_brk(struct mm *mm, u64 brk);
/* A labelled private anonymous area at a fixed place (stack, brk). */
int mm_map_anon(struct mm *mm, u64 start, u64 len, u32 vmflags,
		const char *label);
/* Map one kernel page read-exec to user (vDSO), and hold it. */
int mm_map_page(struct mm *mm, u64 va, struct page *pg, u32 vmflags,
		const char *label);
/* Map @pg instead of what mm_map_page() mapped. */
void mm_change_page(struct mm *mm, struct page *pg);
struct vma *mm_find_vma(struct mm *mm, u64 addr); /* [lock] first end > addr */
/* The rest of the family; arguments as the system calls have them. */
int mm_madvise(struct mm *mm, u64 addr, u64 len, int advice);
/* 0 when there is a page at @va, -ENOENT when nobody touched it, -EFAULT. */
int mm_page_there(struct mm *mm, u64 va);
int mm_mincore(struct mm *mm, u64 addr, u64 len, uaddr_t vec);
int mm_msync(struct mm *mm, u64 addr, u64 len, u32 flags);
int mm_mlock(struct mm *mm, u64 addr, u64 len, bool lock, bool on_fault);
int mm_mlockall(struct mm *mm, u32 flags);
int mm_munlockall(struct mm *mm);

/*
 * Resolve a fault of @mm at @addr.  @access: VM_READ, VM_WRITE or VM_EXEC.
 * 0, or -EFAULT (SIGSEGV: *@code = SEGV_MAPERR/ACCERR), -EIO (SIGBUS BUS_ADRERR),
 * -ENOMEM (OOM: victim killed or nothing to free), -ERESTARTSYS (being killed).
 * Coroutine context; takes mm->lock for reading.
 */
int mm_fault(struct mm *mm, u64 addr, u32 access, int *code);
/* The request REQ_FAULT of current: calls mm_fault and sends the signal. */
void do_user_fault(struct thread *t);

/* Entries of @mm became weaker; see TLBGEN.  pt_lock may be held. */
void mm_flush(struct mm *mm);

/* Reverse map: drop every user mapping of pages [start, end) of @m (truncate), or
 * write-protect them (write-back).  May sleep. */
void mapping_unmap_user(struct mapping *m, u64 start, u64 end);
void mapping_wrprotect_user(struct mapping *m, u64 start, u64 end);

/* /proc/pid/maps and smaps: calls back under mm->lock. */
void mm_for_each_vma(struct mm *mm, void (*fn)(struct vma *v, void *ctx),
		     void *ctx);

/* Kill the largest process; true when one was chosen. */
/* A file_ops.mmap for memory without a file: /dev/zero. */
int mm_mmap_zero(struct file *f, struct vma *v);

bool oom_kill(const char *why);

#endif /* KERNEL_MM_VM_H */
