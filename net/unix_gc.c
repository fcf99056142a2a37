/* SPDX-License-Identifier: MIT */
/*
 * net/unix_gc.c - sockets that only messages to each other hold.
 *
 * A socket may lie in a message that waits at another socket, or at itself.  When no
 * descriptor, and no message that somebody could receive, leads to it any more, nobody
 * closes it: references do not end a cycle.  So whenever a socket is released while
 * others are in flight they are looked through:
 *
 *	1  A socket whose file has just as many references as it has flights is held by
 *	   messages alone: a suspect.
 *	2  From its flights are taken those in messages at suspects.  What is left comes
 *	   from messages that somebody can reach, or that are on their way.
 *	3  Suspects with such a rest live, and so does what waits at them.
 *	4  The others are garbage: their messages are dropped, which closes them.
 *
 * unix_lock is held all the while, and every change of flights, so that nothing takes
 * off or lands meanwhile; a suspect's references cannot grow, because who could take
 * one would have to receive it first.
 */
#include <net/unix.h>

#include <kernel/file/file.h>
#include <kernel/task/process.h>
#include <kernel/task/user_use.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static struct list_head flights = LIST_HEAD_INIT(flights); /* [u] */
static u32 nr_flights; /* [u] sum of us->flights; read racily */

#define GC_LIVES (-1)

static struct unix_sock *unix_of(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == AF_UNIX ? to_unix(s) : NULL;
}

static bool carries_unix(const struct sock_files *sf)
{
	for (u32 i = 0; i < sf->nr; i++) {
		if (unix_of(sf->f[i]))
			return true;
	}
	return false;
}

static void take_off_locked(struct unix_sock *us, struct file *f)
{
	if (!us->flights++) {
		us->file = f;
		list_add_tail(&us->flight_node, &flights);
	}
	store_once(&nr_flights, nr_flights + 1);
}

static void land_locked(struct unix_sock *us)
{
	if (!--us->flights)
		list_del(&us->flight_node);
	store_once(&nr_flights, nr_flights - 1);
}

/* As on Linux: who is beyond it may not send any more. */
static bool count_flights(struct sock_files *sf)
{
	u64 limit = rlimit_cur(RLIMIT_NOFILE);

	if (limit > INT64_MAX || capable(CAP_SYS_RESOURCE) ||
	    capable(CAP_SYS_ADMIN))
		limit = INT64_MAX;
	sf->uid = current_cred()->uid;
	sf->flights =
		user_charge(sf->uid, USER_FLIGHTS, sf->nr, limit + sf->nr);
	return sf->flights;
}

int unix_take_off(struct sock_files *sf)
{
	struct unix_sock *us;

	if (likely(!sf))
		return 0;
	if (!count_flights(sf))
		return -ETOOMANYREFS;
	if (likely(!carries_unix(sf)))
		return 0;
	spin_lock(&unix_lock);
	for (u32 i = 0; i < sf->nr; i++) {
		us = unix_of(sf->f[i]);
		if (us)
			take_off_locked(us, sf->f[i]);
	}
	spin_unlock(&unix_lock);
	return 0;
}

struct sock_files *unix_land(struct sock_files **at)
{
	struct sock_files *sf = *at;
	struct unix_sock *us;

	if (sf && sf->flights) {
		user_uncharge(sf->uid, USER_FLIGHTS, sf->nr);
		sf->flights = false;
	}
	if (!sf)
		return NULL;
	/* also if none is ours: the collector may be looking at them */
	spin_lock(&unix_lock);
	for (u32 i = 0; i < sf->nr; i++) {
		us = unix_of(sf->f[i]);
		if (us)
			land_locked(us);
	}
	*at = NULL;
	spin_unlock(&unix_lock);
	return sf;
}

void unix_hold_files(struct sock_files *sf)
{
	spin_lock(&unix_lock);
	for (u32 i = 0; i < sf->nr; i++)
		file_get(sf->f[i]);
	spin_unlock(&unix_lock);
}

/* --- looking through them; unix_lock held */

static void each_in_queue(struct unix_sock *at,
			  void (*fn)(struct unix_sock *us, void *arg),
			  void *arg)
{
	struct unix_msg *um;

	spin_lock(&at->lock);
	list_for_each_entry(um, &at->queue, node) {
		for (u32 i = 0; um->files && i < um->files->nr; i++) {
			struct unix_sock *us = unix_of(um->files->f[i]);

			if (us && us->flights)
				fn(us, arg);
		}
	}
	spin_unlock(&at->lock);
}

/* What waits at a listener waits at those that it has not accepted yet. */
static void each_waiting(struct unix_sock *at,
			 void (*fn)(struct unix_sock *us, void *arg), void *arg)
{
	struct unix_sock *e;

	each_in_queue(at, fn, arg);
	list_for_each_entry(e, &at->backlog, backlog_node)
		each_in_queue(e, fn, arg);
}

static void take_one(struct unix_sock *us, void *arg __unused)
{
	if (us->gc_rest > 0)
		us->gc_rest--;
}

static void let_live(struct unix_sock *us, void *living)
{
	if (us->gc_rest == GC_LIVES)
		return;
	us->gc_rest = GC_LIVES;
	list_move_tail(&us->flight_node, living);
}

static void suspect(void)
{
	struct unix_sock *us;

	list_for_each_entry(us, &flights, flight_node)
		us->gc_rest = load_once(&us->file->refs) == us->flights
				      ? (s32)us->flights
				      : GC_LIVES;
	list_for_each_entry(us, &flights, flight_node) {
		if (us->gc_rest != GC_LIVES)
			each_waiting(us, take_one, NULL);
	}
}

/* Leaves the garbage in flights. */
static void find_living(struct list_head *living)
{
	struct unix_sock *us, *next;

	list_for_each_entry_safe(us, next, &flights, flight_node) {
		if (us->gc_rest == GC_LIVES)
			list_move_tail(&us->flight_node, living);
		else if (us->gc_rest > 0)
			let_live(us, living);
	}
	/* The list grows while it is gone through. */
	list_for_each_entry(us, living, flight_node)
		each_waiting(us, let_live, living);
}

static void take_messages(struct unix_sock *us, struct list_head *gone)
{
	struct unix_sock *e;

	unix_take_queue(us, gone);
	list_for_each_entry(e, &us->backlog, backlog_node)
		unix_take_queue(e, gone);
}

void unix_gc(void)
{
	struct list_head living = LIST_HEAD_INIT(living);
	struct list_head gone = LIST_HEAD_INIT(gone);
	struct unix_sock *us;

	if (likely(!load_once(&nr_flights)))
		return;
	spin_lock(&unix_lock);
	suspect();
	find_living(&living);
	list_for_each_entry(us, &flights, flight_node)
		take_messages(us, &gone);
	list_splice_tail_init(&living, &flights);
	spin_unlock(&unix_lock);
	if (!list_empty(&gone))
		unix_free_messages(&gone);
}
