/* SPDX-License-Identifier: MIT */
/*
 * net/tcp_data.c - streams: bytes.
 *
 * A send copies bytes into buffers of its own and queues them at the receiver; no
 * copy is made under a lock, but for a few bytes that fit into the last buffer.
 *
 * INVARIANTS
 *   D1  A buffer is taken off the queue by a reader (rd_mutex), or when the socket's
 *       file is gone.
 *   D2  Nothing is queued at a dead socket: its sender is reset instead.
 *   D3  Nothing is queued at a socket that has left its sender: who leaves drops its peer,
 *       then what is queued, and only then has another peer.
 */
#include <net/inet.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/netdev.h>
#include <net/tcp/wire.h>

#define CHUNK_MAX   (32u * 1024u - sizeof(struct inet_buf))
#define CHUNK_SMALL (2048u - sizeof(struct inet_buf))
#define TCP_HEADER  32u	       /* with time stamps */
#define LOWAT_MAX   (3u << 20) /* half of what a queue may grow to, on Linux */
#define MERGE_MAX   128u       /* so many bytes are put into the last buffer */
#define MERGE_CAP   (1024u - sizeof(struct inet_buf))

/* What the receiver has no room for was not sent yet: TCP_NOTSENT_LOWAT. */
static u64 limit_of(const struct inet_sock *from, const struct inet_sock *to)
{
	u32 unsent = load_once(&from->s.sndbuf);
	u32 lowat = load_once(&from->notsent_lowat);

	if (unlikely(lowat))
		unsent = min(unsent, lowat);
	return (u64)unsent + load_once(&to->s.rcvbuf);
}

/* A third must be free before a writer is told that it can go on. */
bool tcp_has_room(const struct inet_sock *is, const struct inet_sock *peer)
{
	u64 limit = limit_of(is, peer);

	return load_once(&peer->queued) <= limit - limit / 3 ||
	       load_once(&peer->dead);
}

/* A reader's lowest number may be more than what its queue was to hold. */
void tcp_set_lowat(struct socket *s, u32 v)
{
	bool locked = load_once(&s->buf_locks) & SOCK_RCVBUF_LOCK;
	u32 most = locked ? load_once(&s->rcvbuf) / 2 : LOWAT_MAX;

	v = max(min(v, most), 1u);
	store_once(&s->lowat, v);
	if (!locked && v * 2 > load_once(&s->rcvbuf))
		store_once(&s->rcvbuf, v * 2);
	wake_up_all_key(&s->rd_wq, POLLIN | POLLRDNORM);
}

/* --- sending */

/* The receiver is gone: what we send is answered by a reset.  False: @is has nothing to
 * do with it any more. */
static bool sent_to_nobody(struct inet_sock *is, const struct inet_sock *to)
{
	bool ours;

	spin_lock(&inet_lock);
	ours = is->peer == to;
	if (ours)
		tcp_end_locked(is, EPIPE);
	spin_unlock(&inet_lock);
	inet_wake_all(is);
	return ours;
}

/* Does @to hear @is no more?  See D3; lock held. */
static bool left(const struct inet_sock *is, const struct inet_sock *to)
{
	return load_once(&to->dead) || load_once(&to->peer) != is;
}

/* 0: queued, or -EAGAIN: no room; -EPIPE: nobody is there. */
static int enqueue(const struct inet_sock *is, struct inet_sock *to,
		   struct inet_buf *b, u64 limit, bool urgent)
{
	int err = 0;

	spin_lock(&to->lock);
	if (left(is, to))
		err = -EPIPE;
	else if (to->queued && to->queued + inet_buf_cost(b) > limit)
		err = -EAGAIN;
	if (!err) {
		b->stamp_ns = socket_stamp(&to->s);
		list_add_tail(&b->node, &to->queue);
		store_once(&to->queued, to->queued + inet_buf_cost(b));
		store_once(&to->bytes, to->bytes + b->len);
		store_once(&to->got_bytes, to->got_bytes + b->len);
		store_once(&to->got_segs, to->got_segs + 1);
	}
	if (!err && unlikely(urgent)) {
		to->oob = OOB_SET | b->data[0];
		to->oob_at = to->bytes - 1;
	}
	spin_unlock(&to->lock);
	return err;
}

/* A few bytes behind the last ones: no buffer of their own. */
static bool merge(const struct inet_sock *is, struct inet_sock *to,
		  const u8 *data, u32 n)
{
	struct inet_buf *b;
	bool done = false;

	spin_lock(&to->lock);
	if (!list_empty(&to->queue) && !left(is, to)) {
		b = list_last_entry(&to->queue, struct inet_buf, node);
		done = b->cap - b->len >= n;
		if (done) {
			memcpy(b->data + b->len, data, n);
			b->len += n;
			b->stamp_ns = socket_stamp(&to->s);
			store_once(&to->bytes, to->bytes + n);
			store_once(&to->got_bytes, to->got_bytes + n);
			store_once(&to->got_segs, to->got_segs + 1);
		}
	}
	spin_unlock(&to->lock);
	return done;
}

static bool may_queue(struct inet_sock *is, struct inet_sock *to, u64 limit)
{
	return load_once(&to->queued) < limit - limit / 3 ||
	       load_once(&to->dead) || (load_once(&is->shut) & SHUT_WR) ||
	       load_once(&is->s.error) || load_once(&is->peer) != to;
}

static struct inet_buf *new_buf(struct iov_iter *it, u32 len)
{
	u32 cap = len <= MERGE_MAX ? MERGE_CAP : len;
	struct inet_buf *b = kmalloc(sizeof(*b) + cap);

	if (!b)
		return ERR_PTR(-ENOBUFS);
	list_init(&b->node);
	b->frame = NULL;
	b->off = 0;
	b->cap = cap;
	b->len = (u32)copy_from_iter(b->data, len, it);
	if (b->len)
		return b;
	kfree(b);
	return ERR_PTR(-EFAULT);
}

/* Why nothing can be sent.  The error stays for who tells it: tcp_send(). */
static int send_error(const struct inet_sock *is)
{
	int err = socket_error(&is->s);

	if (err)
		return err;
	if (load_once(&is->shut) & SHUT_WR)
		return -EPIPE;
	return 0;
}

static s64 queue_buf(struct inet_sock *is, struct inet_sock *to,
		     struct inet_buf *b, const struct sock_msg *m, bool urgent)
{
	u64 deadline = socket_deadline(is->s.snd_timeout_ns);
	u64 limit = limit_of(is, to);
	s64 err;

	for (;;) {
		err = send_error(is);
		if (!err && load_once(&is->peer) != to)
			err = -EPIPE; /* disconnected */
		if (err)
			return err;
		err = enqueue(is, to, b, limit, urgent);
		if (err != -EAGAIN || (m->flags & MSG_DONTWAIT))
			return err;
		err = wait_event_interruptible_timeout(
			&is->s.wr_wq, may_queue(is, to, limit), deadline);
		if (err)
			return socket_interrupted(err, is->s.snd_timeout_ns);
	}
}

static void count(struct inet_sock *is, s64 n)
{
	net_count(is->s.net, NET_TCP_SEGMENTS, 1);
	netdev_count(is->s.net, inet_is_v4(&is->remote), (u64)n + TCP_HEADER);
}

/* Bytes sent of at most @len, or -errno. */
static s64 send_some(struct inet_sock *is, struct inet_sock *to,
		     struct sock_msg *m, u32 len, bool urgent)
{
	struct inet_buf *b = new_buf(m->it, len);
	s64 err;

	if (IS_ERR(b))
		return PTR_ERR(b);
	len = b->len; /* b is theirs once it is queued */
	if (len <= MERGE_MAX && !urgent && !send_error(is) &&
	    merge(is, to, b->data, len)) {
		kfree(b);
		return len;
	}
	err = queue_buf(is, to, b, m, urgent);
	if (!err)
		return len;
	kfree(b);
	if (err != -EPIPE || !load_once(&to->dead))
		return err;
	return sent_to_nobody(is, to) ? (s64)len : err;
}

/* All but the last @keep bytes, or as many as were sent when the connection ended. */
static s64 send_all(struct inet_sock *is, struct inet_sock *to,
		    struct sock_msg *m, u32 keep)
{
	size_t chunk = CHUNK_MAX;
	s64 done = 0, n = 0;

	while (iov_iter_count(m->it) > keep) {
		n = send_some(is, to, m,
			      (u32)min(iov_iter_count(m->it) - keep, chunk),
			      false);
		if (n == -ENOBUFS && chunk > CHUNK_SMALL) {
			chunk = CHUNK_SMALL; /* memory is in small pieces */
			continue;
		}
		if (n < 0)
			break;
		wake_up_all_key(&to->s.rd_wq, POLLIN | POLLRDNORM);
		count(is, n);
		done += n;
		if (unlikely(send_error(is)))
			break;
	}
	return done ? done : n;
}

#define TCP_CM_INQ 36

static void drop_passed(struct inet_sock *is);

/* The last byte, which is urgent: its reader hears of it at once. */
static s64 send_urgent_byte(struct inet_sock *is, struct inet_sock *to,
			    struct sock_msg *m)
{
	s64 n;

	/* who reads just now may keep the lock for as long as he likes */
	if (mutex_trylock(&to->rd_mutex)) {
		drop_passed(to);
		mutex_unlock(&to->rd_mutex);
	}
	n = send_some(is, to, m, 1, true);
	if (n == 1) {
		socket_urgent(&to->s);
		wake_up_all_key(&to->s.rd_wq, POLLIN | POLLRDNORM | POLLPRI);
	}
	return n;
}

static s64 send_urgent(struct inet_sock *is, struct inet_sock *to,
		       struct sock_msg *m)
{
	size_t len = iov_iter_count(m->it);
	s64 n = 0, last;

	if (len > 1)
		n = send_all(is, to, m, 1);
	if (n < 0 || iov_iter_count(m->it) != 1)
		return n;
	last = send_urgent_byte(is, to, m);
	return last < 0 && n ? n : n + last;
}

/*
 * MSG_FASTOPEN: connect and send in one.  There is no packet that could carry the first
 * bytes, so that this is what Linux does with a peer that it does not know yet.
 */
static int open_fast(struct inet_sock *is, struct sock_msg *m)
{
	if (!m->to)
		return load_once(&is->state) == INET_CONNECTED ? -EISCONN
							       : -EINVAL;
	if (m->to->family == AF_UNSPEC)
		return -EOPNOTSUPP;
	return tcp_connect(&is->s, m->to, m->flags & MSG_DONTWAIT);
}

/* To a peer elsewhere, or to nobody. */
static s64 send_wire(struct inet_sock *is, struct sock_msg *m)
{
	struct tcp_conn *c = tcp_wire_get(is);
	s64 n = c ? tcp_wire_send(is, c, m) : -EPIPE;

	tcp_wire_put(c);
	return n;
}

/* Nothing was sent: an error of the socket is told once, and by this call. */
static void tell_failure(struct socket *s, const struct sock_msg *m, s64 err)
{
	if (err == socket_error(s))
		(void)socket_take_error(s);
	if (err == -EPIPE && !(m->flags & MSG_NOSIGNAL))
		(void)signal_thread(current, SIGPIPE, SEND_KERNEL);
}

s64 tcp_send(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = to_inet(s), *to;
	s64 n;

	if (unlikely(m->flags & MSG_ZEROCOPY))
		return inet_send_zerocopy(is, m, tcp_send);
	if (unlikely(m->flags & MSG_FASTOPEN)) {
		n = open_fast(is, m);
		if (n)
			return n;
	}
	n = send_error(is);
	if (!n && load_once(&is->state) == INET_CONNECTING &&
	    !load_once(&is->conn))
		n = m->flags & MSG_DONTWAIT ? -EAGAIN : -EPIPE;
	to = inet_get_peer(is);
	if (!n && !to)
		n = send_wire(is, m);
	else if (!n)
		n = m->flags & MSG_OOB ? send_urgent(is, to, m)
				       : send_all(is, to, m, 0);
	inet_put(to);
	if (n > 0)
		inet_stamp_stream(is, m, (u32)n);
	else if (n < 0)
		tell_failure(s, m, n);
	return n;
}

/* --- receiving; rd_mutex held */

static struct inet_buf *next_buf(struct inet_sock *is, struct inet_buf *b)
{
	struct inet_buf *next = NULL;

	spin_lock(&is->lock);
	if (!b)
		next = list_first_entry_or_null(&is->queue, struct inet_buf,
						node);
	else if (b->node.next != &is->queue)
		next = list_next_entry(b, node);
	spin_unlock(&is->lock);
	return next;
}

/*
 * How much of @b, from @at on, can be read in one go: up to its end, or to the urgent byte, where
 * a call stops that has read something (0).  The byte itself is passed over (*@skip)
 * unless it is to be inline.
 */
static u32 readable(struct inet_sock *is, struct inet_buf *b, u32 at,
		    u64 before, bool started, bool *skip)
{
	u32 n;

	*skip = false;
	spin_lock(&is->lock);
	n = b->len - b->off - at;
	if (is->oob != OOB_NONE && is->oob_at >= before &&
	    is->oob_at < before + n) {
		if (is->oob_at > before)
			n = (u32)(is->oob_at - before);
		else if (started)
			n = 0;
		else if (!load_once(&is->s.oobinline))
			*skip = true;
	}
	spin_unlock(&is->lock);
	return *skip ? 1 : n;
}

static void consumed(struct inet_sock *is, struct inet_buf *b, u32 n)
{
	bool all;

	spin_lock(&is->lock);
	b->off += n;
	all = b->off == b->len;
	store_once(&is->bytes, is->bytes - n);
	if (is->oob != OOB_NONE) {
		if (is->oob_at < n)
			is->oob = OOB_NONE;
		else
			is->oob_at -= n;
	}
	if (all) {
		list_del(&b->node);
		store_once(&is->queued, is->queued - inet_buf_cost(b));
	}
	spin_unlock(&is->lock);
	if (all)
		inet_buf_free(b);
}

/* An urgent byte that is next, and that nobody will read any more, makes room for
 * another. */
static void drop_passed(struct inet_sock *is)
{
	struct inet_buf *b;
	bool drop;

	spin_lock(&is->lock);
	drop = is->oob != OOB_NONE && !is->oob_at && is->bytes > 1 &&
	       !load_once(&is->s.oobinline);
	spin_unlock(&is->lock);
	b = drop ? next_buf(is, NULL) : NULL;
	if (b)
		consumed(is, b, 1);
}

/* Where a peek begins: the buffer, or NULL, and how many bytes lie before in all and in
 * the buffer. */
static struct inet_buf *peek_start(struct inet_sock *is, u64 *before, u32 *at)
{
	u32 off = socket_peek_at(&is->s, MSG_PEEK);
	struct inet_buf *b = next_buf(is, NULL);

	*before = off;
	while (b && off >= b->len - b->off) {
		off -= b->len - b->off;
		b = next_buf(is, b);
	}
	*at = off;
	return b;
}

/* MSG_TRUNC of a stream: bytes are passed over. */
static size_t move(struct sock_msg *m, const u8 *from, size_t n)
{
	if (likely(!(m->flags & MSG_TRUNC)))
		return copy_to_iter(from, n, m->it);
	iov_iter_advance(m->it, n);
	return n;
}

static s64 drain(struct inet_sock *is, struct sock_msg *m)
{
	bool peek = m->flags & MSG_PEEK, skip;
	u64 before = 0;
	u32 at = 0; /* in b: peeked at */
	struct inet_buf *b = unlikely(peek) ? peek_start(is, &before, &at)
					    : next_buf(is, NULL);
	s64 done = 0;

	while (b && iov_iter_count(m->it)) {
		u32 n = readable(is, b, at, before, done > 0, &skip);
		size_t want = min_t(size_t, n, iov_iter_count(m->it)), moved;

		if (!n)
			break;
		moved = skip ? 1
			     : move(m, inet_buf_bytes(b) + b->off + at, want);
		if (!moved)
			return done ? done : -EFAULT;
		if (!skip)
			done += (s64)moved;
		m->stamp_ns = b->stamp_ns;
		if (!peek) {
			consumed(is, b, (u32)moved);
			b = next_buf(is, NULL);
		} else {
			before += moved;
			at += (u32)moved;
			if (b->off + at == b->len) {
				b = next_buf(is, b);
				at = 0;
			}
		}
		if (moved < n)
			break;
	}
	return done;
}

static void made_room(struct inet_sock *is, u64 n)
{
	struct inet_sock *peer = inet_get_peer(is);

	if (!peer)
		tcp_wire_read(is, n);
	else if (tcp_has_room(peer, is))
		wake_up_all_key(&peer->s.wr_wq, POLLOUT | POLLWRNORM);
	inet_put(peer);
}

/* Is there a connection, or will there be one? */
static bool talks(enum inet_state state)
{
	return state == INET_CONNECTED || state == INET_CONNECTING;
}

/* An urgent byte is next, and not for an ordinary read. */
static bool urgent_next(const struct inet_sock *is)
{
	return load_once(&is->oob) != OOB_NONE && !load_once(&is->oob_at) &&
	       !load_once(&is->s.oobinline);
}

/* Are there @n bytes behind those that a peek does not look at? */
static bool can_peek(const struct inet_sock *is, u64 n)
{
	return load_once(&is->bytes) >=
	       n + socket_peek_at(&is->s, MSG_PEEK) + urgent_next(is);
}

bool tcp_readable(const struct inet_sock *is)
{
	u64 n = load_once(&is->bytes), want = load_once(&is->s.lowat);

	if (likely(want == 1))
		return n > urgent_next(is);
	/* what there is no room for will not come */
	return n >= want + urgent_next(is) ||
	       (n &&
		load_once(&is->queued) + CHUNK_MAX > load_once(&is->s.rcvbuf));
}

static bool has_input(struct inet_sock *is, u64 to_peek)
{
	return (to_peek ? can_peek(is, to_peek) : load_once(&is->bytes) > 0) ||
	       (load_once(&is->shut) & SHUT_RD) || load_once(&is->s.error) ||
	       !talks(load_once(&is->state));
}

/* True: look again; else what the call returns is in *@r.  @to_peek: so many bytes to
 * peek at; 0: any to read.  @done: it has some already, so an error stays. */
static bool wait_input(struct inet_sock *is, const struct sock_msg *m,
		       u64 to_peek, bool done, u64 deadline, s64 *r)
{
	enum inet_state state = load_once(&is->state);

	*r = 0;
	if (done && load_once(&is->s.error))
		return false;
	/* that nobody took what we sent is no reader's: it has had all */
	if (load_once(&is->s.error) == EPIPE)
		return false;
	*r = socket_take_error(&is->s);
	if (*r || (load_once(&is->shut) & SHUT_RD))
		return false;
	*r = -ENOTCONN;
	if (!talks(state))
		return false;
	*r = -EAGAIN;
	if (m->flags & MSG_DONTWAIT)
		return false;
	mutex_unlock(&is->rd_mutex);
	*r = wait_event_interruptible_timeout(&is->s.rd_wq,
					      has_input(is, to_peek), deadline);
	mutex_lock(&is->rd_mutex);
	*r = socket_interrupted(*r, is->s.rcv_timeout_ns);
	return !*r;
}

static s64 peek_stream(struct inet_sock *is, struct sock_msg *m, u64 want)
{
	u64 deadline = socket_deadline(is->s.rcv_timeout_ns);
	s64 n, r = 0;

	while (want && !can_peek(is, want) &&
	       wait_input(is, m, want, can_peek(is, 1), deadline, &r))
		;
	n = drain(is, m);
	if (n > 0)
		socket_peeked(&is->s, MSG_PEEK, (u64)n);
	return n ? n : r;
}

static s64 recv_stream(struct inet_sock *is, struct sock_msg *m)
{
	u64 want = socket_wanted(&is->s, m->flags, iov_iter_count(m->it));
	u64 deadline;
	s64 done = 0, n = 0;

	if (unlikely(m->flags & MSG_PEEK))
		return peek_stream(is, m, want);
	deadline = socket_deadline(is->s.rcv_timeout_ns);
	while (iov_iter_count(m->it)) {
		n = drain(is, m);
		if (n < 0)
			break;
		done += n;
		if (n)
			made_room(is, (u64)n);
		if ((u64)done >= want)
			break;
		if (!n && !wait_input(is, m, 0, done, deadline, &n))
			break;
	}
	if (done)
		socket_peeked(&is->s, 0, (u64)done);
	return done ? done : n;
}

static s64 recv_urgent(struct inet_sock *is, struct sock_msg *m)
{
	s64 r = -EINVAL;
	u8 byte = 0;

	spin_lock(&is->lock);
	if ((is->oob & OOB_SET) && !is->s.oobinline) {
		byte = (u8)is->oob;
		if (!(m->flags & MSG_PEEK))
			is->oob = OOB_READ;
		r = 1;
	}
	spin_unlock(&is->lock);
	if (r == 1 && iov_iter_count(m->it) && !copy_to_iter(&byte, 1, m->it))
		return -EFAULT;
	m->out_flags |= MSG_OOB;
	return r;
}

/* TCP_INQ: how much there is still to read; 1 may be the end, as on Linux. */
static void tell_left(struct inet_sock *is, struct sock_msg *m)
{
	struct sock_cmsg *c = &m->cmsg[m->nr_cmsg++];
	u64 left = load_once(&is->bytes);
	s32 n = (s32)min(left, (u64)INT32_MAX);

	if (!n && (load_once(&is->shut) & SHUT_RD))
		n = 1;
	*c = (struct sock_cmsg){ .level = IPPROTO_TCP,
				 .type = TCP_CM_INQ,
				 .len = sizeof(n) };
	memcpy(c->data, &n, sizeof(n));
}

s64 tcp_recv(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *is = to_inet(s);
	s64 n;

	if (m->from)
		*m->from = (struct sock_addr){ 0 };
	if (unlikely(m->flags & MSG_ERRQUEUE))
		return inet_recv_error(is, m);
	if (load_once(&is->state) == INET_LISTEN ||
	    load_once(&is->state) == INET_IDLE)
		return -ENOTCONN;
	mutex_lock(&is->rd_mutex);
	n = m->flags & MSG_OOB ? recv_urgent(is, m) : recv_stream(is, m);
	if (is->inq && n >= 0 && !(m->flags & MSG_OOB))
		tell_left(is, m);
	mutex_unlock(&is->rd_mutex);
	return n;
}
