/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/uffd_move.c - userfaultfd(2): a fault is answered with a frame that the
 * program has elsewhere (UFFDIO_MOVE); nothing is copied.
 *
 * Only frames that nobody shares move: with mm->lock held for writing nobody faults
 * at either place, and the flush between taking the entry away and setting the other
 * one keeps everybody from writing at the old place.
 *
 * Context: coroutine.  Locking: uffd_int.h.
 */
#include <kernel/mm/uffd_int.h>

#include <kernel/mm/fault.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vma.h>
#include <kernel/task/process.h>
#include <lib/errno.h>

#define ALLOW_HOLES BIT(1) /* of the mode */
#define SAME_FLAGS  (VM_READ | VM_WRITE | VM_EXEC | VM_LOCKED)

struct move {
	u64 dst, src, len, mode;
};

/* Both places, each in one private anonymous area; the new one is @u's. */
static int vet_places(const struct uffd *u, const struct move *m,
		      struct vma **to)
{
	struct vma *d = vma_at(u->mm, m->dst), *s = vma_at(u->mm, m->src);

	if (!d || !s)
		return -ENOENT;
	if (d->ops || s->ops || ((d->flags | s->flags) & (VM_SHARED | VM_IO)) ||
	    m->dst + m->len > d->end || m->src + m->len > s->end ||
	    ((d->flags ^ s->flags) & SAME_FLAGS) || !(s->flags & VM_WRITE) ||
	    d->uffd != u)
		return -EINVAL;
	*to = d;
	return 0;
}

/* The entry is taken away from @p, *@e says which: 0, -EBUSY, or -ENOENT. */
static int take(struct mm *mm, pte_t *p, pte_t *e)
{
	int err = 0;

	spin_lock(&mm->pt_lock);
	*e = *p;
	if (!*e)
		err = -ENOENT;
	else if (!(*e & PTE_SPECIAL) && !page_is_sole(pte_page(*e)))
		err = -EBUSY;
	if (!err) {
		store_once(p, 0);
		table_page(p)->inuse--;
	}
	spin_unlock(&mm->pt_lock);
	if (!err)
		mm_flush(mm);
	return err;
}

/* mm->lock for writing. */
static int move_one(struct vma *to, u64 dst, u64 src, bool holes)
{
	struct mm *mm = to->mm;
	pte_t *from = pt_find(mm, src), *p = pt_make(mm, dst), e;
	int err;

	if (!p)
		return -ENOMEM;
	if (load_once(p))
		return -EEXIST;
	err = from ? take(mm, from, &e) : -ENOENT;
	if (err)
		return err == -ENOENT && holes ? 0 : err;
	if (!(e & PTE_SPECIAL))
		e = pte_make(pte_phys(e), pt_prot(to, true));
	spin_lock(&mm->pt_lock);
	store_once(&to->has_anon, true);
	pt_set(p, e & ~PTE_UFFD_WP);
	spin_unlock(&mm->pt_lock);
	return 0;
}

static int move_locked(struct uffd *u, const struct move *m, u64 done)
{
	struct vma *to;
	int err = -ESRCH;

	down_write(&u->mm->lock);
	if (load_once(&u->mm->users))
		err = vet_places(u, m, &to);
	if (!err)
		err = move_one(to, m->dst + done, m->src + done,
			       m->mode & ALLOW_HOLES);
	up_write(&u->mm->lock);
	return err;
}

s64 uffd_move(struct uffd *u, uaddr_t arg)
{
	struct move m;
	u64 done = 0;
	int err;

	if (copy_from_user(&m, arg, sizeof(m)))
		return -EFAULT;
	err = uffd_check_range(m.dst, m.len);
	if (!err)
		err = uffd_check_range(m.src, m.len);
	if (!err &&
	    (u->mm != current->mm || (m.mode & ~(MODE_DONTWAKE | ALLOW_HOLES))))
		err = -EINVAL;
	if (err)
		return err;
	for (; !err && done < m.len; done += err ? 0 : PAGE_SIZE) {
		err = move_locked(u, &m, done);
		if (load_once(&current->work) & WORK_EXIT)
			break; /* killed */
		cond_resched();
	}
	return uffd_tell_done(u, m.dst, done, m.len, err,
			      !(m.mode & MODE_DONTWAKE), arg + 32);
}
