/* SPDX-License-Identifier: MIT */
/*
 * syscall/mm.c - memory: mmap and its family, membarrier, process_vm_*.
 *
 * Not here: what they do (kernel/mm/).  There is one memory node and there are no
 * protection keys: those calls are absent (ENOSYS).
 */
#include <syscall/syscall.h>

#include <fs/vfs.h>
#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/hart.h>
#include <kernel/mm/fault.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/pid.h>
#include <kernel/task/rseq.h>
#include <kernel/task/trace.h>

#define MLOCK_ONFAULT 1u
#define IOV_MAX	      1024u

#define READ_IMPLIES_EXEC 0x0400000u /* personality(2) */

SYSCALL1(214, brk, u64, addr)
{
	return mm_brk(current->mm, addr);
}

SYSCALL2(215, munmap, u64, addr, u64, len)
{
	return mm_munmap(current->mm, addr, len);
}

SYSCALL3(462, mseal, u64, addr, u64, len, u64, flags)
{
	return flags ? -EINVAL : mm_seal(current->mm, addr, len);
}

SYSCALL5(216, mremap, u64, old, u64, old_len, u64, new_len, u32, flags, u64,
	 new_addr)
{
	return mm_mremap(current->mm, old, old_len, new_len, flags, new_addr);
}

static bool no_exec(const struct file *f)
{
	return f->mnt && (load_once(&f->mnt->flags) & MS_NOEXEC);
}

/* What is asked for when @prot is, and @f (or NULL) may be executed or not. */
static u32 prot_meant(u32 prot, const struct file *f)
{
	if (likely(!(current->personality & READ_IMPLIES_EXEC)) ||
	    !(prot & PROT_READ) || (f && no_exec(f)))
		return prot;
	return prot | PROT_EXEC;
}

SYSCALL6(222, mmap, u64, addr, u64, len, u32, prot, u32, flags, int, fd, u64,
	 off)
{
	struct file *f = NULL;
	s64 ret;

	if (off & (PAGE_SIZE - 1))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_get(fd);
		if (!f)
			return -EBADF;
		if ((prot & PROT_EXEC) && no_exec(f)) {
			file_put(f);
			return -EPERM;
		}
	}
	ret = mm_mmap(current->mm, addr, len, prot_meant(prot, f), flags, f,
		      off >> PAGE_SHIFT);
	if (f)
		file_put(f);
	return ret;
}

SYSCALL5(234, remap_file_pages, u64, addr, u64, len, u32, prot, u64, pgoff, u32,
	 flags)
{
	return prot ? -EINVAL
		    : mm_remap_file(current->mm, addr, len, pgoff,
				    !(flags & MAP_NONBLOCK));
}

SYSCALL3(226, mprotect, u64, addr, u64, len, u32, prot)
{
	return mm_mprotect(current->mm, addr, len, prot);
}

SYSCALL3(227, msync, u64, addr, u64, len, u32, flags)
{
	return mm_msync(current->mm, addr, len, flags);
}

SYSCALL2(228, mlock, u64, addr, u64, len)
{
	return mm_mlock(current->mm, addr, len, true, false);
}

SYSCALL2(229, munlock, u64, addr, u64, len)
{
	return mm_mlock(current->mm, addr, len, false, false);
}

SYSCALL1(230, mlockall, u32, flags)
{
	return mm_mlockall(current->mm, flags);
}

SYSCALL0(231, munlockall)
{
	return mm_munlockall(current->mm);
}

SYSCALL3(232, mincore, u64, addr, u64, len, uaddr_t, vec)
{
	return mm_mincore(current->mm, addr, len, vec);
}

SYSCALL3(233, madvise, u64, addr, u64, len, int, advice)
{
	return mm_madvise(current->mm, addr, len, advice);
}

SYSCALL3(284, mlock2, u64, addr, u64, len, u32, flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return mm_mlock(current->mm, addr, len, true, flags & MLOCK_ONFAULT);
}

SYSCALL3(259, riscv_flush_icache, u64, start __unused, u64, end __unused, u64,
	 flags)
{
	if (flags & ~1ull) /* SYS_RISCV_FLUSH_ICACHE_LOCAL */
		return -EINVAL;
	mm_icache_changed(current->mm);
	return 0;
}

/* --- membarrier(2) */

enum membarrier {
	MEMBARRIER_QUERY = 0,
	MEMBARRIER_GLOBAL = 1 << 0,
	MEMBARRIER_GLOBAL_EXPEDITED = 1 << 1,
	MEMBARRIER_REGISTER_GLOBAL = 1 << 2,
	MEMBARRIER_PRIVATE = 1 << 3,
	MEMBARRIER_REGISTER_PRIVATE = 1 << 4,
	MEMBARRIER_SYNC_CORE = 1 << 5,
	MEMBARRIER_REGISTER_SYNC_CORE = 1 << 6,
	MEMBARRIER_RSEQ = 1 << 7,
	MEMBARRIER_REGISTER_RSEQ = 1 << 8,
	MEMBARRIER_GET_REGISTRATIONS = 1 << 9,
};
#define MEMBARRIER_ALL	    (MEMBARRIER_GET_REGISTRATIONS * 2 - 1)
#define MEMBARRIER_FLAG_CPU 1u

SYSCALL3(283, membarrier, int, cmd, u32, flags, int, cpu)
{
	struct mm *mm = current->mm;

	if (flags && (cmd != MEMBARRIER_RSEQ || flags != MEMBARRIER_FLAG_CPU))
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_QUERY:
		return MEMBARRIER_ALL;
	case MEMBARRIER_GET_REGISTRATIONS:
		return (s64)load_once(&mm->membarrier_state);
	case MEMBARRIER_REGISTER_GLOBAL:
	case MEMBARRIER_REGISTER_PRIVATE:
	case MEMBARRIER_REGISTER_SYNC_CORE:
	case MEMBARRIER_REGISTER_RSEQ:
		(void)atomic_fetch_or(&mm->membarrier_state, (u64)cmd);
		return 0;
	case MEMBARRIER_PRIVATE:
	case MEMBARRIER_SYNC_CORE:
	case MEMBARRIER_RSEQ:
		/* the registration is the next bit */
		if (!(load_once(&mm->membarrier_state) & ((u64)cmd << 1)))
			return -EPERM;
		break;
	case MEMBARRIER_GLOBAL:
	case MEMBARRIER_GLOBAL_EXPEDITED:
		break;
	default:
		return -EINVAL;
	}
	/* every hart passes through the firmware, which is a full fence */
	hart_fence_i_all();
	if (cmd == MEMBARRIER_RSEQ)
		rseq_restart_others(flags ? cpu : -1);
	return 0;
}

/* --- process_vm_readv(2), process_vm_writev(2) */

/* One side of the copy: segments, and how far we are. */
struct side {
	struct iovec_user iov[IOV_MAX];
	u32 nr, seg;
	u64 off;
};

/* 0, -EINVAL, -EFAULT. */
static int side_load(struct side *s, uaddr_t iov, u64 nr, bool local)
{
	s64 total = 0;

	if (nr > IOV_MAX)
		return -EINVAL;
	if (copy_from_user(s->iov, iov, nr * sizeof(s->iov[0])))
		return -EFAULT;
	for (u64 i = 0; i < nr; i++) {
		if ((s64)s->iov[i].len < 0 ||
		    __builtin_add_overflow(total, (s64)s->iov[i].len, &total))
			return -EINVAL;
		if (local && (s->iov[i].len > USER_TOP ||
			      s->iov[i].base > USER_TOP - s->iov[i].len))
			return -EFAULT; /* before anything is copied */
	}
	s->nr = (u32)nr;
	s->seg = 0;
	s->off = 0;
	return 0;
}

/* Bytes that lie together at the present place, at most @max. */
static u64 side_room(struct side *s, u64 max)
{
	while (s->seg < s->nr && s->off == s->iov[s->seg].len) {
		s->seg++;
		s->off = 0;
	}
	return s->seg < s->nr ? min(s->iov[s->seg].len - s->off, max) : 0;
}

static uaddr_t side_addr(const struct side *s)
{
	return s->iov[s->seg].base + s->off;
}

static s64 vm_copy(struct mm *mm, struct side *local, struct side *remote,
		   char *buf, bool write)
{
	s64 done = 0;
	u64 n;

	while ((n = side_room(local, PAGE_SIZE)) &&
	       (n = side_room(remote, n))) {
		size_t got, put;

		if (write) {
			got = copy_from_user_partial(buf, side_addr(local), n);
			put = mm_copy_to(mm, side_addr(remote), buf, got,
					 false);
		} else {
			got = mm_copy_from(mm, buf, side_addr(remote), n);
			put = copy_to_user_partial(side_addr(local), buf, got);
		}
		local->off += put;
		remote->off += put;
		done += (s64)put;
		if (put < n)
			return done ? done : -EFAULT;
		cond_resched();
	}
	return done;
}

static s64 vm_rw(int pid, uaddr_t liov, u64 nr_l, uaddr_t riov, u64 nr_r,
		 u64 flags, bool write)
{
	struct side *s;
	struct process *p;
	struct mm *mm;
	void *buf;
	s64 ret;

	if (flags)
		return -EINVAL;
	s = kmalloc(2 * sizeof(*s));
	buf = get_free_page(GFP_KERNEL);
	ret = s && buf ? 0 : -ENOMEM;
	if (!ret)
		ret = side_load(&s[0], liov, nr_l, true);
	if (!ret)
		ret = side_load(&s[1], riov, nr_r, false);
	if (!ret) {
		p = process_find(pid_given(pid));
		mm = p ? process_mm(p) : NULL;
		ret = mm ? trace_may_attach(p, false) : -ESRCH;
		if (!ret)
			ret = vm_copy(mm, &s[0], &s[1], buf, write);
		if (mm)
			mm_put(mm);
		if (p)
			process_put(p);
	}
	free_page_addr(buf);
	kfree(s);
	return ret;
}

SYSCALL6(270, process_vm_readv, int, pid, uaddr_t, liov, u64, nr_l, uaddr_t,
	 riov, u64, nr_r, u64, flags)
{
	return vm_rw(pid, liov, nr_l, riov, nr_r, flags, false);
}

SYSCALL6(271, process_vm_writev, int, pid, uaddr_t, liov, u64, nr_l, uaddr_t,
	 riov, u64, nr_r, u64, flags)
{
	return vm_rw(pid, liov, nr_l, riov, nr_r, flags, true);
}
