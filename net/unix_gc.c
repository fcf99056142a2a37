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
 * one would have to receive it first.  Messages with sockets are on a list of where they
 * wait, so the others, of which there may be many, cost nothing.
 */
#include <net/unix.h>

#include <kernel/file/file.h>
#include <kernel/task/process.h>
#include <kernel/task/user_use.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static struct list_head flights = LIST_HEAD_INIT(flights); /* [u] */
static struct list_head loose =
	LIST_HEAD_INIT(loose); /* [u] carriers that are in no queue any more */
static u32 nr_flights;	       /* [u] sum of us->flights; read racily */

#define GC_LIVES (-1)

static struct unix_sock *unix_of(struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->family == AF_UNIX ? to_unix(s) : NULL;
}

static u32 count_unix(const struct sock_files *sf)
{
	u32 n = 0;

	for (u32 i = 0; i < sf->nr; i++)
		n += unix_of(sf->f[i]) != NULL;
	return n;
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
	sf->nr_unix = count_unix(sf);
	if (likely(!sf->nr_unix))
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

static void land_all_locked(struct sock_files *sf)
{
	for (u32 i = 0; i < sf->nr; i++) {
		struct unix_sock *us = unix_of(sf->f[i]);

		if (us)
			land_locked(us);
	}
	sf->nr_unix = 0;
}

static void end_flights(struct sock_files *sf)
{
	if (sf->flights)
		user_uncharge(sf->uid, USER_FLIGHTS, sf->nr);
	sf->flights = false;
}

struct sock_files *unix_land(struct unix_msg *um)
{
	struct sock_files *sf = um->files;

	if (likely(!sf))
		return NULL;
	end_flights(sf);
	if (likely(!sf->nr_unix)) {
		um->files = NULL;
		return sf;
	}
	spin_lock(&unix_lock);
	land_all_locked(sf);
	list_del(&um->carrier);
	um->files = NULL;
	spin_unlock(&unix_lock);
	return sf;
}

void unix_take_back(struct sock_files *sf)
{
	if (likely(!sf))
		return;
	end_flights(sf);
	if (likely(!sf->nr_unix))
		return;
	spin_lock(&unix_lock);
	land_all_locked(sf);
	spin_unlock(&unix_lock);
}

void unix_drop_carriers_locked(struct unix_sock *us)
{
	assert_held(&unix_lock);
	list_splice_tail_init(&us->carriers, &loose);
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

	list_for_each_entry(um, &at->carriers, carrier) {
		for (u32 i = 0; i < um->files->nr; i++) {
			struct unix_sock *us = unix_of(um->files->f[i]);

			if (us)
				fn(us, arg);
		}
	}
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

static bool suspect(void)
{
	struct unix_sock *us;
	bool any = false;

	list_for_each_entry(us, &flights, flight_node) {
		bool alone = load_once(&us->file->refs) == us->flights;

		us->gc_rest = alone ? (s32)us->flights : GC_LIVES;
		any |= alone;
	}
	if (!any)
		return false;
	list_for_each_entry(us, &flights, flight_node) {
		if (us->gc_rest != GC_LIVES)
			each_waiting(us, take_one, NULL);
	}
	return true;
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

	unix_drop_carriers_locked(us);
	unix_take_queue(us, gone);
	list_for_each_entry(e, &us->backlog, backlog_node) {
		unix_drop_carriers_locked(e);
		unix_take_queue(e, gone);
	}
}

void unix_gc(void)
{
	struct list_head living = LIST_HEAD_INIT(living);
	struct list_head gone = LIST_HEAD_INIT(gone);
	struct unix_sock *us;

	if (likely(!load_once(&nr_flights)))
		return;
	spin_lock(&unix_lock);
	if (suspect()) {
		find_living(&living);
		list_for_each_entry(us, &flights, flight_node)
			take_messages(us, &gone);
		list_splice_tail_init(&living, &flights);
	}
	spin_unlock(&unix_lock);
	if (!list_empty(&gone))
		unix_free_messages(&gone);
}
