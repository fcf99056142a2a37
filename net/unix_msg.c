/* SPDX-License-Identifier: MIT */
/*
 * net/unix_msg.c - Unix-domain sockets: what they say.
 *
 * A send makes a message (a stream: several) with a copy of the bytes and queues it
 * at the receiver; so no copy is made under a lock.  A stream's reader takes bytes
 * from messages; it does not go past files or another sender's credentials.
 *
 * INVARIANTS
 *   I1  A message is taken off a queue by a reader (rd_mutex), or when the socket's
 *       file is gone and there are no readers.
 *   I2  Nothing is queued at a dead socket; and no message with sockets once it is dead.
 *   I3  Files of messages that nobody will read are closed by one thread at a time
 *       and not from within each other's release, however deep sockets are sent
 *       in sockets.
 *
 * Not here: cycles of sockets that are only held by messages to each other
 * (unix_gc.c).
 */
#include <net/unix.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/filter.h>

#define STREAM_CHUNK (32u * 1024u - sizeof(struct unix_msg))
#define SMALL_CHUNK  (2048u - sizeof(struct unix_msg))

static struct spinlock purge_lock = SPINLOCK_INIT("unix_purge", RANK_PIPE);
static struct list_head purge_list =
	LIST_HEAD_INIT(purge_list); /* [purge_lock] */
static bool purging;		    /* [purge_lock] */

/* --- messages */

static void msg_free(struct unix_msg *m)
{
	sock_files_put(unix_land(m));
	unix_name_put(m->from);
	kfree(m);
}

/* See I3: whoever comes while somebody is at it leaves the work to them, but for messages
 * without files, which are their own. */
void unix_free_messages(struct list_head *list)
{
	struct unix_msg *um, *next;

	list_for_each_entry_safe(um, next, list, node) {
		if (um->files)
			continue;
		list_del(&um->node);
		msg_free(um);
		cond_resched_lazy();
	}
	if (likely(list_empty(list)))
		return;
	spin_lock(&purge_lock);
	list_splice_tail_init(list, &purge_list);
	if (purging) {
		spin_unlock(&purge_lock);
		return;
	}
	purging = true;
	while (!list_empty(&purge_list)) {
		struct unix_msg *m =
			list_first_entry(&purge_list, struct unix_msg, node);

		list_del(&m->node);
		spin_unlock(&purge_lock);
		msg_free(m);
		cond_resched_lazy();
		spin_lock(&purge_lock);
	}
	purging = false;
	spin_unlock(&purge_lock);
}

void unix_take_queue(struct unix_sock *us, struct list_head *list)
{
	spin_lock(&us->lock);
	list_splice_tail_init(&us->queue, list);
	us->queued = us->bytes = 0;
	store_once(&us->nr_queued, 0);
	store_once(&us->oob, NULL);
	spin_unlock(&us->lock);
}

void unix_purge(struct unix_sock *us)
{
	struct list_head list;

	list_init(&list);
	unix_take_queue(us, &list);
	unix_free_messages(&list);
}

static struct unix_msg *msg_new(struct unix_sock *us, struct sock_msg *m,
				size_t len)
{
	struct unix_msg *um = kmalloc(sizeof(*um) + len);

	if (!um)
		return ERR_PTR(-ENOBUFS);
	list_init(&um->node);
	um->off = 0;
	um->len = copy_from_iter(um->data, len, m->it);
	if (um->len < len && (us->s.type != SOCK_STREAM || !um->len)) {
		kfree(um);
		return ERR_PTR(-EFAULT);
	}
	um->cost = um->len + sizeof(*um);
	um->creds = m->creds;
	spin_lock(&unix_lock);
	um->from = unix_name_get(us->name);
	spin_unlock(&unix_lock);
	um->files = NULL;
	um->urgent = um->peeked = false;
	return um;
}

/* --- sending */

bool unix_has_room(const struct unix_sock *to, u64 limit)
{
	u64 queued = load_once(&to->queued);

	return !queued || queued < limit;
}

/* Has @to a filter that does not want @um? */
static bool unwanted(const struct unix_sock *to, struct unix_msg *um)
{
	struct cbpf_packet p = { .part[2] = { um->data, (u32)um->len } };
	u32 keep;

	if (!sock_filter_run(&to->s, &p, &keep))
		return true;
	um->len = keep;
	return false;
}

/* 0: queued.  1: nobody wants it.  -EAGAIN: no room.  @m's files go along. */
static int enqueue(const struct unix_sock *us, struct unix_sock *to,
		   struct unix_msg *um, u64 limit, struct sock_msg *m)
{
	bool carrier = m->files && m->files->nr_unix;
	int err = 0;

	if (unlikely(carrier))
		spin_lock(&unix_lock);
	spin_lock(&to->lock);
	if (to->dead)
		err = unix_is_dgram(to) ? -ECONNREFUSED : -EPIPE;
	else if (to->shut & SHUT_RD)
		err = -EPIPE;
	else if ((to->queued && to->queued + um->cost > limit) ||
		 unix_queue_full(us, to))
		err = -EAGAIN;
	else if (unlikely(to->s.filter) && unwanted(to, um))
		err = 1;
	if (!err) {
		um->files = m->files;
		m->files = NULL;
		um->stamp_ns = socket_stamp(&to->s);
		list_add_tail(&um->node, &to->queue);
		store_once(&to->queued, to->queued + um->cost);
		store_once(&to->nr_queued, to->nr_queued + 1);
		to->bytes += um->len;
		if (um->urgent)
			store_once(&to->oob, um);
		if (unlikely(carrier))
			list_add_tail(&um->carrier, &to->carriers);
	}
	spin_unlock(&to->lock);
	if (unlikely(carrier))
		spin_unlock(&unix_lock);
	return err;
}

static bool may_queue(const struct unix_sock *us, const struct unix_sock *to,
		      u64 cost, u64 limit)
{
	u64 queued = load_once(&to->queued);

	return ((!queued || queued + cost <= limit) &&
		!unix_queue_full(us, to)) ||
	       load_once(&to->dead) || (load_once(&to->shut) & SHUT_RD) ||
	       (load_once(&us->shut) & SHUT_WR);
}

/* Queue @um at @to, waiting for room.  On error @um is still the caller's. */
static s64 deliver(struct unix_sock *us, struct unix_sock *to,
		   struct unix_msg *um, struct sock_msg *m)
{
	u64 deadline = socket_deadline(us->s.snd_timeout_ns);
	u64 limit =
		load_once(unix_is_dgram(us) ? &to->s.rcvbuf : &us->s.sndbuf);
	u64 cost = um->cost; /* um is theirs once it is queued */
	bool urgent = um->urgent;
	s64 err;

	for (;;) {
		if (load_once(&us->shut) & SHUT_WR)
			return -EPIPE;
		err = enqueue(us, to, um, limit, m);
		if (err != -EAGAIN || (m->flags & MSG_DONTWAIT))
			break;
		err = wait_event_interruptible_timeout(
			&to->room_wq, may_queue(us, to, cost, limit), deadline);
		if (err)
			return socket_interrupted(err, us->s.snd_timeout_ns);
	}
	if (!err)
		wake_up_all_key(&to->s.rd_wq,
				POLLIN | POLLRDNORM | (urgent ? POLLPRI : 0));
	if (!err && urgent)
		socket_urgent(&to->s);
	return err;
}

static s64 send_one(struct unix_sock *us, struct unix_sock *to,
		    struct sock_msg *m, size_t len, bool urgent)
{
	struct unix_msg *um = msg_new(us, m, len);
	s64 err;

	if (IS_ERR(um))
		return PTR_ERR(um);
	len = um->len;
	um->urgent = urgent;
	err = unix_take_off(m->files);
	if (err) {
		msg_free(um);
		return err;
	}
	err = deliver(us, to, um, m);
	if (err) {
		unix_take_back(m->files);
		msg_free(um);
		return err < 0 ? err : (s64)len;
	}
	return (s64)len;
}

static s64 send_stream(struct unix_sock *us, struct unix_sock *to,
		       struct sock_msg *m)
{
	size_t chunk =
		min_t(size_t, STREAM_CHUNK, load_once(&us->s.sndbuf) / 2);
	s64 done = 0, n;
	size_t left;

	while ((left = iov_iter_count(m->it))) {
		/* The last byte is the urgent one. */
		bool oob = m->flags & MSG_OOB, urgent = oob && left == 1;

		n = send_one(us, to, m, min(left - (oob && !urgent), chunk),
			     urgent);
		if (n == -ENOBUFS && chunk > SMALL_CHUNK) {
			chunk = SMALL_CHUNK; /* memory is in small pieces */
			continue;
		}
		if (n < 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

/* Whom the datagram is for, with a reference. */
static struct unix_sock *dgram_target(struct unix_sock *us,
				      const struct sock_msg *m)
{
	struct unix_sock *to;

	if (m->to)
		return unix_find(us->s.net, m->to, us->s.type);
	to = unix_get_peer(us);
	return to ? to : ERR_PTR(-ENOTCONN);
}

/* A peer that is gone is none from now on. */
static void forget_dead(struct unix_sock *us, struct unix_sock *to)
{
	bool ours;

	if (!load_once(&to->dead))
		return;
	spin_lock(&unix_lock);
	ours = us->peer == to;
	if (ours) {
		us->peer = NULL;
		us->state = UNIX_IDLE;
	}
	spin_unlock(&unix_lock);
	if (ours)
		unix_put(to); /* which the caller has too */
}

static s64 send_packet(struct unix_sock *us, struct unix_sock *to,
		       struct sock_msg *m)
{
	struct unix_sock *theirs;
	size_t len = iov_iter_count(m->it);
	bool stranger;
	s64 n;

	if (len > load_once(&us->s.sndbuf))
		return -EMSGSIZE;
	/* Who is connected to somebody hears nobody else. */
	theirs = unix_get_peer(to);
	stranger = theirs && theirs != us;
	unix_put(theirs);
	if (unix_is_dgram(us) && stranger)
		return -EPERM;
	n = send_one(us, to, m, len, false);
	if (n == -ECONNREFUSED && unix_is_dgram(us))
		forget_dead(us, to);
	return n;
}

s64 unix_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *us = to_unix(s), *to;
	s64 n = 0;

	if ((m->flags & MSG_OOB) &&
	    (s->type != SOCK_STREAM || !iov_iter_count(m->it)))
		return -EOPNOTSUPP;
	if (m->to && s->type == SOCK_STREAM)
		return load_once(&us->state) == UNIX_CONNECTED ? -EISCONN
							       : -EOPNOTSUPP;
	if (unix_is_dgram(us)) {
		if (s->passcred || s->passpidfd)
			n = unix_autobind(us);
		to = dgram_target(us, m);
	} else {
		if (s->type == SOCK_SEQPACKET)
			n = socket_take_error(s);
		to = unix_get_peer(us);
		to = to ? to : ERR_PTR(-ENOTCONN);
	}
	if (IS_ERR(to))
		return PTR_ERR(to);
	if (!n)
		n = s->type == SOCK_STREAM ? send_stream(us, to, m)
					   : send_packet(us, to, m);
	unix_put(to);
	if (n == -EPIPE && !unix_is_dgram(us) && !(m->flags & MSG_NOSIGNAL))
		(void)signal_thread(current, SIGPIPE, SEND_KERNEL);
	return n;
}

/* --- receiving; rd_mutex held */

static struct unix_msg *first_msg(struct unix_sock *us)
{
	struct unix_msg *um;

	spin_lock(&us->lock);
	um = list_first_entry_or_null(&us->queue, struct unix_msg, node);
	spin_unlock(&us->lock);
	return um;
}

static struct unix_msg *next_msg(struct unix_sock *us, struct unix_msg *um)
{
	struct unix_msg *next = NULL;

	spin_lock(&us->lock);
	if (um->node.next != &us->queue)
		next = list_next_entry(um, node);
	spin_unlock(&us->lock);
	return next;
}

/* @n more bytes of @um were read; @all: it goes, whatever is left. */
static void consumed(struct unix_sock *us, struct unix_msg *um, size_t n,
		     bool all)
{
	struct list_head gone;

	list_init(&gone);
	spin_lock(&us->lock);
	all = all || um->off + n == um->len;
	us->bytes -= all ? um->len - um->off : n;
	um->off += n;
	if (all) {
		list_move_tail(&um->node, &gone);
		store_once(&us->queued, us->queued - um->cost);
		store_once(&us->nr_queued, us->nr_queued - 1);
	}
	spin_unlock(&us->lock);
	unix_free_messages(&gone);
}

/* Room was made: let senders go on. */
static void made_room(struct unix_sock *us)
{
	struct unix_sock *peer;

	wake_up_all(&us->room_wq);
	if (unix_is_dgram(us))
		unix_tell_pollers(us);
	peer = unix_get_peer(us);
	if (!peer)
		return;
	if (unix_has_room(us, unix_low_water(peer)))
		wake_up_all_key(&peer->s.wr_wq, POLLOUT | POLLWRNORM);
	unix_put(peer);
}

/* Files and sender of @um for the caller. */
static void take_extras(struct unix_msg *um, struct sock_msg *m)
{
	m->creds = um->creds;
	m->stamp_ns = um->stamp_ns;
	if (m->from) {
		*m->from = (struct sock_addr){ .family = AF_UNIX };
		if (um->from)
			*m->from = um->from->addr;
		m->from->node = NULL;
	}
	if (!um->files)
		return;
	if (!(m->flags & MSG_PEEK)) {
		m->files = unix_land(um);
		return;
	}
	m->files = kmemdup(um->files, sizeof(*um->files));
	if (m->files)
		unix_hold_files(m->files);
}

static bool peeks_off(const struct unix_sock *us, u32 flags)
{
	return unlikely((flags & MSG_PEEK) && load_once(&us->s.peek_off) >= 0);
}

/* What a peek with SO_PEEK_OFF looks at, from *@off on; or NULL. */
static struct unix_msg *peek_at(struct unix_sock *us, u32 *off)
{
	struct unix_msg *um, *found = NULL;

	*off = socket_peek_at(&us->s, MSG_PEEK);
	spin_lock(&us->lock);
	list_for_each_entry(um, &us->queue, node) {
		u32 left = (u32)(um->len - um->off);

		if (*off < left || (!*off && !left && !um->peeked)) {
			found = um;
			break;
		}
		*off -= left;
	}
	spin_unlock(&us->lock);
	return found;
}

/* Is there anything to take, or for a peek to look at? */
static bool has_queued(struct unix_sock *us, u32 flags)
{
	u32 off;

	if (us->s.type == SOCK_STREAM && (flags & MSG_PEEK))
		return unix_oob_peekable(us) &&
		       load_once(&us->bytes) > socket_peek_at(&us->s, flags);
	return peeks_off(us, flags) ? peek_at(us, &off) != NULL
				    : !list_empty(&us->queue);
}

static bool has_input(struct unix_sock *us, u32 flags)
{
	bool queued = has_queued(us, flags);

	return queued || (load_once(&us->shut) & SHUT_RD) ||
	       load_once(&us->s.error);
}

/* Nothing is queued: true: now there may be; else what the call returns in *@r, unless
 * it has something already (@done). */
static bool wait_input(struct unix_sock *us, const struct sock_msg *m,
		       bool done, u64 deadline, s64 *r)
{
	*r = 0;
	if (done && load_once(&us->s.error))
		return false; /* it stays for the next one */
	*r = socket_take_error(&us->s);
	if (*r || (load_once(&us->shut) & SHUT_RD))
		return false;
	if (!unix_is_dgram(us) && load_once(&us->state) != UNIX_CONNECTED) {
		*r = us->s.type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
		return false;
	}
	*r = -EAGAIN;
	if (m->flags & MSG_DONTWAIT)
		return false;
	mutex_unlock(&us->rd_mutex);
	*r = wait_event_interruptible_timeout(
		&us->s.rd_wq, has_input(us, m->flags), deadline);
	mutex_lock(&us->rd_mutex);
	*r = socket_interrupted(*r, us->s.rcv_timeout_ns);
	return !*r;
}

static bool same_sender(const struct unix_msg *um, const struct sock_msg *m)
{
	return um->creds.pid == m->creds.pid && um->creds.uid == m->creds.uid &&
	       um->creds.gid == m->creds.gid;
}

/*
 * Move what the queue has now into the iterator: bytes or -EFAULT.  *@stop: the next
 * message must be left to another call.
 */
static s64 drain_stream(struct unix_sock *us, struct sock_msg *m, bool first,
			bool *stop)
{
	struct list_head gone = LIST_HEAD_INIT(gone);
	u32 skip = socket_peek_at(&us->s, m->flags);
	struct unix_msg *um = first_msg(us);
	s64 done = 0;

	while (um && iov_iter_count(m->it)) {
		size_t n, moved;

		if (unlikely(um->off == um->len || um == load_once(&us->oob)))
			um = unix_oob_pass(us, um, m->flags & MSG_PEEK, !first,
					   &gone);
		if (!um) {
			*stop = !first;
			break;
		}
		if (unlikely(skip >= um->len - um->off)) {
			skip -= (u32)(um->len - um->off);
			um = next_msg(us, um);
			continue;
		}
		n = min(um->len - um->off - skip, iov_iter_count(m->it));
		if (!first &&
		    (um->files || ((us->s.passcred || us->s.passpidfd) &&
				   !same_sender(um, m)))) {
			*stop = true;
			break;
		}
		moved = copy_to_iter(um->data + um->off + skip, n, m->it);
		skip = 0;
		if (!moved) {
			*stop = true;
			done = done ? done : -EFAULT;
			break;
		}
		if (first || um->files)
			take_extras(um, m);
		first = false;
		done += (s64)moved;
		*stop = moved < n || m->files;
		if (m->flags & MSG_PEEK) {
			um = next_msg(us, um);
		} else {
			consumed(us, um, moved, false);
			um = first_msg(us);
		}
		if (*stop)
			break;
	}
	if (unlikely(!list_empty(&gone)))
		unix_free_messages(&gone);
	return done;
}

static s64 recv_stream(struct unix_sock *us, struct sock_msg *m)
{
	u64 want = socket_wanted(&us->s, m->flags, iov_iter_count(m->it));
	u64 deadline = socket_deadline(us->s.rcv_timeout_ns);
	bool peek = m->flags & MSG_PEEK;
	bool stop = false;
	s64 done = 0, n = 0;

	if (m->from)
		*m->from = (struct sock_addr){ 0 };
	while (iov_iter_count(m->it) && !stop) {
		n = drain_stream(us, m, !done, &stop);
		if (n < 0)
			break;
		done += n;
		if ((u64)done >= want || (done && peek))
			break;
		if (!n && !stop && !wait_input(us, m, done, deadline, &n))
			break;
	}
	if (done)
		socket_peeked(&us->s, m->flags, (u64)done);
	return done ? done : n;
}

/* What is read next, from *@off on. */
static struct unix_msg *packet_at(struct unix_sock *us, u32 flags, u32 *off)
{
	struct unix_msg *um;

	*off = 0;
	if (!peeks_off(us, flags))
		return first_msg(us);
	um = peek_at(us, off);
	if (um && !um->len)
		um->peeked = true;
	return um;
}

static s64 recv_packet(struct unix_sock *us, struct sock_msg *m)
{
	u64 deadline = socket_deadline(us->s.rcv_timeout_ns);
	size_t room = iov_iter_count(m->it);
	struct unix_msg *um;
	u32 off;
	s64 r;

	while (!(um = packet_at(us, m->flags, &off))) {
		if (!wait_input(us, m, false, deadline, &r))
			return r;
	}
	r = socket_put_packet(m, um->data + off, um->len - off);
	if (r < 0)
		return r;
	socket_peeked(&us->s, m->flags,
		      m->flags & MSG_PEEK ? room - iov_iter_count(m->it)
					  : um->len);
	if (us->s.type == SOCK_SEQPACKET)
		m->out_flags |= MSG_EOR;
	take_extras(um, m);
	if (!(m->flags & MSG_PEEK))
		consumed(us, um, 0, true);
	return r;
}

s64 unix_recv(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *us = to_unix(s);
	s64 n;

	if ((m->flags & MSG_OOB) && s->type != SOCK_STREAM)
		return -EOPNOTSUPP;
	if (s->listening)
		return -EINVAL;
	mutex_lock(&us->rd_mutex);
	if (m->flags & MSG_OOB)
		n = unix_oob_recv(us, m);
	else
		n = s->type == SOCK_STREAM ? recv_stream(us, m)
					   : recv_packet(us, m);
	mutex_unlock(&us->rd_mutex);
	if (n >= 0 && !(m->flags & MSG_PEEK))
		made_room(us);
	return n;
}
