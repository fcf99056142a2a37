/* SPDX-License-Identifier: MIT */
/*
 * net/unix_oob.c - the urgent byte of a Unix-domain stream.
 *
 * As on Linux it is a message of its own in the queue: us->oob.  MSG_OOB takes the
 * byte out of it and leaves the empty message as the mark; a later urgent byte makes
 * it an ordinary one.  A read ends before the byte or its mark, and the next one,
 * unless SO_OOBINLINE, goes on behind it.
 *
 * Locking: us->lock; readers hold us->rd_mutex as well.
 */
#include <net/unix.h>

#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static bool is_mark(const struct unix_msg *um)
{
	return um->off == um->len;
}

static struct unix_msg *head_locked(struct unix_sock *us)
{
	return list_first_entry_or_null(&us->queue, struct unix_msg, node);
}

static struct unix_msg *behind_locked(struct unix_sock *us, struct unix_msg *um)
{
	return um->node.next == &us->queue ? NULL : list_next_entry(um, node);
}

/* Off the queue, to @gone; what is the first one now. */
static struct unix_msg *drop_locked(struct unix_sock *us, struct unix_msg *um,
				    struct list_head *gone)
{
	us->bytes -= um->len - um->off;
	store_once(&us->queued, us->queued - um->cost);
	store_once(&us->nr_queued, us->nr_queued - 1);
	list_move_tail(&um->node, gone);
	return head_locked(us);
}

/* One step from @um, a mark or the byte itself; NULL: the read ends here. */
static struct unix_msg *step_locked(struct unix_sock *us, struct unix_msg *um,
				    bool peek, bool began,
				    struct list_head *gone)
{
	if (is_mark(um)) {
		if (began && !us->oob)
			return NULL;
		return peek ? behind_locked(us, um) : drop_locked(us, um, gone);
	}
	if (began)
		return NULL;
	if (peek)
		return us->s.oobinline ? um : behind_locked(us, um);
	store_once(&us->oob, NULL);
	return us->s.oobinline ? um : drop_locked(us, um, gone);
}

struct unix_msg *unix_oob_pass(struct unix_sock *us, struct unix_msg *um,
			       bool peek, bool began, struct list_head *gone)
{
	struct unix_msg *was;

	spin_lock(&us->lock);
	while (um && (is_mark(um) || um == us->oob)) {
		was = um;
		um = step_locked(us, um, peek, began, gone);
		if (um == was)
			break; /* inline */
	}
	spin_unlock(&us->lock);
	return um;
}

bool unix_oob_peekable(struct unix_sock *us)
{
	struct unix_msg *um;
	bool yes = false;

	spin_lock(&us->lock);
	list_for_each_entry(um, &us->queue, node) {
		yes = !is_mark(um) && (um != us->oob || us->s.oobinline);
		if (yes)
			break;
	}
	spin_unlock(&us->lock);
	return yes;
}

s64 unix_oob_recv(struct unix_sock *us, struct sock_msg *m)
{
	struct unix_msg *um = NULL;
	u8 byte = 0;

	spin_lock(&us->lock);
	if (!us->s.oobinline)
		um = us->oob;
	if (um) {
		byte = um->data[um->off];
		m->creds = um->creds;
	}
	if (um && !(m->flags & MSG_PEEK)) {
		store_once(&us->oob, NULL);
		um->off++;
		us->bytes--;
	}
	spin_unlock(&us->lock);
	if (!um)
		return -EINVAL;
	if (iov_iter_count(m->it) && copy_to_iter(&byte, 1, m->it) != 1)
		return -EFAULT;
	m->out_flags |= MSG_OOB;
	return 1;
}

int unix_oob_at_mark(struct socket *s)
{
	struct unix_sock *us = to_unix(s);
	struct unix_msg *um, *next;
	int at = 0;

	spin_lock(&us->lock);
	um = head_locked(us);
	if (um) {
		next = behind_locked(us, um);
		at = um == us->oob ||
		     (is_mark(um) && (!us->oob || next == us->oob));
	}
	spin_unlock(&us->lock);
	return at;
}
