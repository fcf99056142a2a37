/* SPDX-License-Identifier: MIT */
/*
 * net/unix_room.c - is there room in the queue of a Unix-domain datagram socket, and who
 * polls for some?
 *
 * Two that are connected to each other are limited by bytes.  A queue that many may send
 * to has a number of messages besides, as on Linux, so that its senders are not told that
 * they can write and then cannot.
 *
 * INVARIANTS
 *   R1  A socket is in the list of pollers of one other at most, which has a reference on
 *       it; who leaves the list gives that back.
 *   R2  Nobody joins the list of a dead socket.
 *   R3  Who joins looks at the queue again; who takes from a queue looks at the list
 *       afterwards: both with unix_lock in between, so one of them sees the other.
 */
#include <net/unix.h>

#include <kernel/file/file.h>
#include <lib/atomic.h>

bool unix_queue_full(const struct unix_sock *us, const struct unix_sock *to)
{
	return unix_is_dgram(to) && to != us && load_once(&to->peer) != us &&
	       load_once(&to->nr_queued) > to->max_queued;
}

static bool has_room(const struct unix_sock *us, const struct unix_sock *to)
{
	return !unix_queue_full(us, to) &&
	       unix_has_room(to, load_once(&to->s.rcvbuf) / 2);
}

/* @us is told when there is room at @to. */
static void join(struct unix_sock *us, struct unix_sock *to)
{
	spin_lock(&unix_lock);
	if (!load_once(&to->dead) && !load_once(&us->dead)) {
		if (list_is_linked(&us->poll_node))
			list_move_tail(&us->poll_node, &to->pollers);
		else
			list_add_tail(&unix_get(us)->poll_node, &to->pollers);
	}
	spin_unlock(&unix_lock);
}

bool unix_dgram_writable(struct unix_sock *us, struct unix_sock *to)
{
	if (load_once(&to->peer) == us)
		return unix_has_room(to, unix_low_water(us));
	if (has_room(us, to) || load_once(&to->dead))
		return true;
	join(us, to);
	return has_room(us, to) || load_once(&to->dead);
}

void unix_tell_pollers(struct unix_sock *us)
{
	struct unix_sock *p;

	for (;;) {
		spin_lock(&unix_lock);
		p = list_first_entry_or_null(&us->pollers, struct unix_sock,
					     poll_node);
		if (p && !load_once(&us->dead) && !has_room(p, us))
			p = NULL;
		if (p)
			list_del(&p->poll_node);
		spin_unlock(&unix_lock);
		if (!p)
			return;
		wake_up_all_key(&p->s.wr_wq, POLLOUT | POLLWRNORM);
		unix_put(p);
	}
}

void unix_stop_polling(struct unix_sock *us)
{
	bool was;

	spin_lock(&unix_lock);
	was = list_is_linked(&us->poll_node);
	if (was)
		list_del(&us->poll_node);
	spin_unlock(&unix_lock);
	if (was)
		unix_put(us);
}
