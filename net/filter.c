/* SPDX-License-Identifier: MIT */
/* net/filter.c - programs that choose what a socket hears; see filter.h. */
#include <net/filter.h>

#include <kernel/hart.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet.h>
#include <net/netdev.h>

static size_t size_of(u32 len)
{
	return sizeof(struct sock_filter) +
	       (size_t)len * sizeof(struct cbpf_insn);
}

struct sock_filter *sock_filter_alloc(u32 len)
{
	struct sock_filter *f = kmalloc(size_of(len));

	if (f)
		f->len = len;
	return f;
}

int sock_filter_set(struct socket *s, struct sock_filter *f)
{
	struct sock_filter *was = f;
	struct spinlock *lock =
		s->ops->queue_lock ? s->ops->queue_lock(s) : NULL;
	int err = f ? cbpf_check_packet(f->insns, f->len) : 0;

	if (!err && (!lock || s->type == SOCK_STREAM))
		err = f ? -ENOPROTOOPT : -ENOENT;
	if (err) {
		kfree(f);
		return err;
	}
	spin_lock(lock);
	if (s->filter_locked)
		err = -EPERM;
	else if (!f && !s->filter)
		err = -ENOENT;
	if (!err) {
		was = s->filter;
		s->filter = f;
	}
	spin_unlock(lock);
	kfree(was);
	return err;
}

struct sock_filter *sock_filter_get(struct socket *s, int *err)
{
	struct spinlock *lock =
		s->ops->queue_lock ? s->ops->queue_lock(s) : NULL;
	struct sock_filter *f = NULL;

	*err = 0;
	if (!lock)
		return NULL;
	spin_lock(lock);
	if (s->filter) {
		f = kmemdup(s->filter, size_of(s->filter->len));
		*err = f ? 0 : -ENOMEM;
	}
	spin_unlock(lock);
	return f;
}

void sock_filter_free(struct socket *s)
{
	kfree(s->filter);
	s->filter = NULL;
}

void sock_filter_fill(const struct socket *s, struct cbpf_packet *p)
{
	u32 all = 0;

	for (u32 i = 0; i < CBPF_PARTS; i++)
		all += p->part[i].len;
	p->len = all - p->start;
	if (s->family != AF_UNIX && !p->ifindex) {
		p->ifindex = LOOPBACK_INDEX;
		p->hatype = ARPHRD_LOOPBACK;
	}
	p->cpu = this_hart()->cpu;
	random_bytes(&p->random, sizeof(p->random));
}

bool sock_filter_run(const struct socket *s, struct cbpf_packet *p, u32 *keep)
{
	sock_filter_fill(s, p);
	*keep = cbpf_run_packet(s->filter->insns, p);
	if (!*keep)
		return false;
	*keep = min(*keep, p->len);
	return true;
}
