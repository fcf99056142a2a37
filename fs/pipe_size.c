/* SPDX-License-Identifier: MIT */
/*
 * fs/pipe_size.c - how large pipes are, and what one user may have of them.
 *
 * Context: coroutine.  Locking: p->lock.
 */
#include <fs/pipe_int.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/user_use.h>
#include <lib/bitmap.h>
#include <lib/errno.h>

#define MAX_SIZE (256ul << 20)

u64 pipe_max_size = PIPE_MAX_SIZE;

u64 pipe_user_pages_soft = 16384; /* [a] for those without privileges */
u64 pipe_user_pages_hard;	  /* [a] 0: none */

static bool privileged(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}

bool pipe_charge(struct pipe *p, u32 nr)
{
	if (nr > p->charged &&
	    !user_charge(p->uid, USER_PIPES, nr - p->charged, ~0ull))
		return false;
	if (nr < p->charged)
		user_uncharge(p->uid, USER_PIPES, p->charged - nr);
	p->charged = nr;
	return true;
}

bool pipe_too_many(const struct pipe *p, const u64 *limit)
{
	u64 max = load_once(limit);

	return max && !privileged() && user_used(p->uid, USER_PIPES) > max;
}

s64 pipe_get_size(struct file *f)
{
	struct pipe *p = pipe_of(f);

	return p ? (s64)capacity(p) : -EBADF;
}

/* Move the pages into @slots, the front first; the lock is held. */
static void change_slots(struct pipe *p, void **slots, u32 nr)
{
	u64 first = (p->tail - p->base) >> PAGE_SHIFT, kept;
	u64 off = (p->tail - p->base) & (PAGE_SIZE - 1);

	for (kept = 0; kept < p->nr_pages; kept++) {
		void **slot = &p->pages[(first + kept) & (p->nr_pages - 1)];

		if (kept < nr)
			slots[kept] = *slot;
		else if (*slot)
			free_page_addr(*slot);
	}
	if (p->pages != p->def_pages)
		kfree(p->pages);
	p->pages = slots;
	store_once(&p->nr_pages, nr);
	p->base = p->tail - off;
}

/* Room for @nr packets, which are not fewer than there are; the lock is held. */
static int change_packets(struct pipe *p, u32 nr)
{
	struct packet *fresh = NULL;

	if (p->nr_packets) {
		fresh = kcalloc(nr, sizeof(*fresh));
		if (!fresh)
			return -ENOMEM;
	}
	for (u32 i = 0; i < p->nr_packets; i++)
		fresh[i] =
			p->packets[(p->first_packet + i) & (p->nr_pages - 1)];
	kfree(p->packets);
	p->packets = fresh;
	p->first_packet = 0;
	return 0;
}

s64 pipe_set_size(struct file *f, u64 bytes)
{
	struct pipe *p = pipe_of(f);
	void **slots;
	s64 err = 0;
	u64 nr;
	u32 old;

	if (!p)
		return -EBADF;
	if (bytes > 1ul << 31)
		return -EINVAL;
	if (bytes > MAX_SIZE)
		return -ENOMEM;
	nr = DIV_ROUND_UP(max(bytes, PAGE_SIZE), PAGE_SIZE);
	if (nr & (nr - 1))
		nr = 1ull << (log2_floor(nr) + 1);
	if (nr * PAGE_SIZE > load_once(&pipe_max_size) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	slots = kcalloc(nr, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	mutex_lock(&p->lock);
	old = p->charged;
	/* Data that begins in the middle of a page may need one page more. */
	if (((p->tail - p->base) & (PAGE_SIZE - 1)) + used(p) >
		    nr * PAGE_SIZE ||
	    p->nr_packets > nr)
		err = -EBUSY;
	else if (!pipe_charge(p, (u32)nr))
		err = -ENOMEM;
	else if (nr > old && (pipe_too_many(p, &pipe_user_pages_soft) ||
			      pipe_too_many(p, &pipe_user_pages_hard)))
		err = -EPERM;
	else
		err = change_packets(p, (u32)nr);
	if (!err)
		change_slots(p, slots, (u32)nr);
	else
		(void)pipe_charge(p, old);
	mutex_unlock(&p->lock);
	if (err) {
		kfree(slots);
		return err;
	}
	wake_writers(p);
	return (s64)(nr * PAGE_SIZE);
}
