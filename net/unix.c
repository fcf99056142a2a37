/* SPDX-License-Identifier: MIT */
/*
 * net/unix.c - Unix-domain sockets: who talks to whom.
 *
 *	IDLE --listen--> LISTEN		IDLE --connect, pair--> CONNECTED
 * connect() makes the server's socket, connected to the caller's, and puts it into
 * the listener's backlog; accept() takes it from there.
 *
 * INVARIANTS
 *   I1  Connected stream sockets point at each other until one of them is released;
 *       the other then is shut down in both directions.
 *   I2  A socket in a backlog has no file; the listener's release frees it.
 *   I3  A dead socket has no name, no peer and an empty queue, and stays so.
 *
 * Not here: names (unix_name.c), data (unix_msg.c).
 */
#include <net/unix.h>

#include <net/netdev.h>

#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/domain.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define BACKLOG_MAX 4096u
#define AT_ONCE	    128u /* sockets that are gone through under the lock */

struct spinlock unix_lock = SPINLOCK_INIT("unix", RANK_FILE);

static struct list_head all_socks = LIST_HEAD_INIT(all_socks); /* [unix_lock] */

static const struct socket_ops unix_ops;

struct unix_sock *unix_get(struct unix_sock *us)
{
	atomic_inc(&us->refs);
	return us;
}

static void put_cred(struct cred *c)
{
	if (c)
		cred_put(c);
}

void unix_put(struct unix_sock *us)
{
	if (!us || !atomic_dec_and_test(&us->refs))
		return;
	KASSERT(us->dead && !us->peer && list_empty(&us->queue));
	KASSERT(list_empty(&us->carriers) && list_empty(&us->pollers));
	spin_lock(&unix_lock);
	list_del(&us->all_node);
	spin_unlock(&unix_lock);
	unix_name_put(us->name);
	domain_put(us->domain);
	put_cred(us->cred);
	put_cred(us->peer_cred);
	socket_fini(&us->s);
	kfree(us);
}

struct unix_sock *unix_get_peer(struct unix_sock *us)
{
	struct unix_sock *peer;

	spin_lock(&unix_lock);
	peer = us->peer ? unix_get(us->peer) : NULL;
	spin_unlock(&unix_lock);
	return peer;
}

static struct unix_sock *alloc_sock(u16 type, struct net_ns *net)
{
	struct unix_sock *us = kzalloc(sizeof(*us));

	if (!us)
		return NULL;
	socket_init(&us->s, &unix_ops, AF_UNIX, type, net);
	us->refs = 1;
	us->max_queued = load_once(&net->ctl.unix_qlen);
	us->domain = domain_get(current->cred->domain);
	list_init(&us->backlog);
	list_init(&us->backlog_node);
	list_init(&us->flight_node);
	list_init(&us->carriers);
	list_init(&us->pollers);
	list_init(&us->poll_node);
	spin_init(&us->lock, "unix_queue", RANK_PIPE);
	list_init(&us->queue);
	mutex_init(&us->rd_mutex);
	waitq_init(&us->room_wq);
	spin_lock(&unix_lock);
	list_add_tail(&us->all_node, &all_socks);
	spin_unlock(&unix_lock);
	return us;
}

void unix_for_each(const struct net_ns *net,
		   void (*fn)(struct unix_sock *us, void *arg), void *arg)
{
	struct unix_sock *us, *was = NULL;
	u32 n = 0;

	spin_lock(&unix_lock);
	list_for_each_entry(us, &all_socks, all_node) {
		if (us->dead)
			continue; /* who is not has a reference, and keeps it */
		if (us->s.net == net)
			fn(us, arg);
		if (++n % AT_ONCE)
			continue;
		unix_get(us);
		spin_unlock(&unix_lock);
		unix_put(was);
		was = us;
		cond_resched();
		spin_lock(&unix_lock);
	}
	spin_unlock(&unix_lock);
	unix_put(was);
}

static void wake_everybody(struct unix_sock *us)
{
	wake_up_all(&us->s.rd_wq);
	wake_up_all(&us->s.wr_wq);
	wake_up_all(&us->room_wq);
}

/* Who listens or connects is remembered as he is now; unix_lock held.  What was there
 * before is to be put. */
static struct cred *sign_locked(struct unix_sock *us)
{
	struct cred *old = us->cred;

	us->creds = sock_creds_current();
	us->cred = cred_get(current->cred);
	return old;
}

/* Both ways; unix_lock held. */
static void connect_locked(struct unix_sock *a, struct unix_sock *b)
{
	a->peer = unix_get(b);
	b->peer = unix_get(a);
	a->state = b->state = UNIX_CONNECTED;
	a->peer_creds = b->creds;
	b->peer_creds = a->creds;
	a->peer_cred = cred_get(b->cred);
	b->peer_cred = cred_get(a->cred);
}

/* --- the end of a socket */

/* The other side of a connection learns that @us went away. */
static void hang_up(struct unix_sock *us, struct unix_sock *peer, bool unread)
{
	bool ours;

	if (unix_is_dgram(us))
		return;
	spin_lock(&unix_lock);
	ours = peer->peer == us;
	if (ours)
		(void)atomic_fetch_or(&peer->shut, SHUT_RD | SHUT_WR);
	spin_unlock(&unix_lock);
	if (!ours)
		return;
	if (unread)
		store_once(&peer->s.error, ECONNRESET);
	wake_everybody(peer);
}

static void kill_sock(struct unix_sock *us, bool reset)
{
	struct unix_sock *peer;
	bool unread;

	spin_lock(&unix_lock);
	store_once(&us->dead, true);
	unix_unbind_locked(us);
	unix_drop_carriers_locked(us);
	peer = us->peer;
	us->peer = NULL;
	us->state = UNIX_IDLE;
	spin_unlock(&unix_lock);
	(void)atomic_fetch_or(&us->shut, SHUT_RD | SHUT_WR);
	spin_lock(&us->lock);
	unread = !list_empty(&us->queue);
	spin_unlock(&us->lock);
	unix_purge(us);
	wake_everybody(us);
	unix_stop_polling(us);
	unix_tell_pollers(us);
	if (peer) {
		hang_up(us, peer, unread || reset);
		unix_put(peer);
	}
	unix_put(us);
}

static void kill_backlog(struct unix_sock *us)
{
	struct unix_sock *e;

	for (;;) {
		spin_lock(&unix_lock);
		us->max_backlog = 0;
		e = list_first_entry_or_null(&us->backlog, struct unix_sock,
					     backlog_node);
		if (e)
			list_del(&e->backlog_node);
		spin_unlock(&unix_lock);
		if (!e)
			return;
		kill_sock(e, true);
	}
}

static void unix_release(struct socket *s)
{
	struct unix_sock *us = to_unix(s);

	spin_lock(&unix_lock);
	unix_unbind_locked(us);
	store_once(&us->dead, true);
	spin_unlock(&unix_lock);
	kill_backlog(us);
	kill_sock(us, false);
	unix_gc();
}

/* --- connect, listen, accept */

static int unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *us = to_unix(s);
	struct cred *old = NULL;
	int err = 0;

	if (unix_is_dgram(us))
		return -EOPNOTSUPP;
	spin_lock(&unix_lock);
	if (!us->name || us->state == UNIX_CONNECTED) {
		err = -EINVAL;
	} else {
		us->state = UNIX_LISTEN;
		us->max_backlog = min((u32)backlog, BACKLOG_MAX);
		old = sign_locked(us);
		store_once(&s->listening, true);
	}
	spin_unlock(&unix_lock);
	put_cred(old);
	wake_up_all(&us->room_wq);
	return err;
}

/* Put @fresh, connected to @us, into @to's backlog.  -EAGAIN: it is full. */
static int enter_backlog(struct unix_sock *us, struct unix_sock *to,
			 struct unix_sock *fresh)
{
	struct cred *old = NULL;
	int err = 0;

	spin_lock(&unix_lock);
	if (us->state != UNIX_IDLE)
		err = us->state == UNIX_LISTEN ? -EINVAL : -EISCONN;
	else if (to->dead || to->state != UNIX_LISTEN ||
		 load_once(&to->shut) & SHUT_RD)
		err = -ECONNREFUSED;
	else if (to->nr_backlog > to->max_backlog)
		err = -EAGAIN;
	if (!err) {
		old = sign_locked(us);
		fresh->creds = to->creds;
		fresh->cred = cred_get(to->cred);
		fresh->name = unix_name_get(to->name);
		fresh->s.passcred = to->s.passcred;
		fresh->s.passpidfd = to->s.passpidfd;
		connect_locked(us, fresh);
		list_add_tail(&fresh->backlog_node, &to->backlog);
		to->nr_backlog++;
	}
	spin_unlock(&unix_lock);
	put_cred(old);
	return err;
}

static bool backlog_has_room(const struct unix_sock *to)
{
	return load_once(&to->dead) || load_once(&to->shut) & SHUT_RD ||
	       load_once(&to->nr_backlog) <= load_once(&to->max_backlog);
}

static int connect_stream(struct unix_sock *us, const struct sock_addr *addr,
			  bool nonblock)
{
	struct unix_sock *to = unix_find(us->s.net, addr, us->s.type);
	struct unix_sock *fresh;
	int err;

	if (IS_ERR(to))
		return (int)PTR_ERR(to);
	fresh = alloc_sock(us->s.type, us->s.net);
	err = fresh ? 0 : -ENOMEM;
	while (!err) {
		err = enter_backlog(us, to, fresh);
		if (err != -EAGAIN || nonblock)
			break;
		err = wait_event_interruptible_timeout(
			&to->room_wq, backlog_has_room(to),
			socket_deadline(us->s.snd_timeout_ns));
		err = (int)socket_interrupted(err, us->s.snd_timeout_ns);
	}
	if (!err) {
		wake_up_all_key(&to->s.rd_wq, POLLIN | POLLRDNORM);
	} else if (fresh) {
		fresh->dead = true;
		unix_put(fresh);
	}
	unix_put(to);
	return err;
}

static int connect_dgram(struct unix_sock *us, const struct sock_addr *addr)
{
	struct unix_sock *to = NULL, *old = NULL;
	int err = 0;

	if (addr->family != AF_UNSPEC) {
		to = unix_find(us->s.net, addr, us->s.type);
		if (IS_ERR(to))
			return (int)PTR_ERR(to);
	}
	spin_lock(&unix_lock);
	if (to && to->peer && to->peer != us) {
		old = to; /* who hears somebody else only */
		err = -EPERM;
	} else {
		old = us->peer;
		us->peer = to;
		us->state = to ? UNIX_CONNECTED : UNIX_IDLE;
	}
	spin_unlock(&unix_lock);
	unix_put(old);
	wake_up_all(&us->s.wr_wq);
	return err;
}

static int unix_connect(struct socket *s, const struct sock_addr *addr,
			bool nonblock)
{
	struct unix_sock *us = to_unix(s);
	int err = 0;

	if (addr->family == AF_UNSPEC)
		return unix_is_dgram(us) ? connect_dgram(us, addr) : -EINVAL;
	if (s->passcred || s->passpidfd)
		err = unix_autobind(us);
	if (err)
		return err;
	return unix_is_dgram(us) ? connect_dgram(us, addr)
				 : connect_stream(us, addr, nonblock);
}

static struct unix_sock *leave_backlog(struct unix_sock *us)
{
	struct unix_sock *e;

	spin_lock(&unix_lock);
	e = list_first_entry_or_null(&us->backlog, struct unix_sock,
				     backlog_node);
	if (e) {
		list_del(&e->backlog_node);
		us->nr_backlog--;
	}
	spin_unlock(&unix_lock);
	return e;
}

static struct socket *unix_accept(struct socket *s, bool nonblock)
{
	struct unix_sock *us = to_unix(s), *e;
	u64 deadline = socket_deadline(s->rcv_timeout_ns);

	if (unix_is_dgram(us))
		return ERR_PTR(-EOPNOTSUPP);
	if (!load_once(&s->listening))
		return ERR_PTR(-EINVAL);
	while (!(e = leave_backlog(us))) {
		int err;

		if (nonblock)
			return ERR_PTR(-EAGAIN);
		if (load_once(&us->shut) & SHUT_RD)
			return ERR_PTR(-EINVAL);
		err = wait_event_interruptible_timeout(
			&s->rd_wq,
			!list_empty(&us->backlog) ||
				load_once(&us->shut) & SHUT_RD,
			deadline);
		if (err)
			return ERR_PTR(
				socket_interrupted(err, s->rcv_timeout_ns));
	}
	wake_up_all(&us->room_wq);
	return &e->s;
}

/* --- the rest */

static int unix_shutdown(struct socket *s, u32 how)
{
	struct unix_sock *us = to_unix(s), *peer = unix_get_peer(us);
	u32 theirs =
		(how & SHUT_RD ? SHUT_WR : 0) | (how & SHUT_WR ? SHUT_RD : 0);

	(void)atomic_fetch_or(&us->shut, how);
	wake_everybody(us);
	if (peer) {
		if (!unix_is_dgram(us))
			(void)atomic_fetch_or(&peer->shut, theirs);
		wake_everybody(peer);
		unix_put(peer);
	}
	return 0;
}

static int unix_name(struct socket *s, bool of_peer, struct sock_addr *out)
{
	struct unix_sock *us = to_unix(s), *who = us;
	int err = 0;

	*out = (struct sock_addr){ .family = AF_UNIX };
	spin_lock(&unix_lock);
	if (of_peer)
		who = us->peer;
	if (!who)
		err = -ENOTCONN;
	else if (who->name)
		*out = who->name->addr;
	spin_unlock(&unix_lock);
	out->node = NULL;
	return err;
}

static int unix_peer_creds(struct socket *s, struct sock_creds *out)
{
	struct unix_sock *us = to_unix(s);

	*out = (struct sock_creds){ .uid = ~0u, .gid = ~0u };
	spin_lock(&unix_lock);
	if (us->peer_cred)
		*out = us->peer_creds;
	else if (us->state == UNIX_LISTEN)
		*out = us->creds;
	spin_unlock(&unix_lock);
	return 0;
}

struct cred *unix_peer_cred(struct socket *s)
{
	struct unix_sock *us = to_unix(s);
	struct cred *c;

	spin_lock(&unix_lock);
	c = us->peer_cred;
	if (!c && us->state == UNIX_LISTEN)
		c = us->cred;
	if (c)
		cred_get(c);
	spin_unlock(&unix_lock);
	return c;
}

/* Can something be sent to whom we are connected to? */
static bool writable(struct unix_sock *us)
{
	struct unix_sock *peer = unix_get_peer(us);
	bool can;

	if (!peer)
		return unix_is_dgram(us);
	can = unix_is_dgram(us)
		      ? unix_dgram_writable(us, peer)
		      : load_once(&peer->peer) != us ||
				unix_has_room(peer, unix_low_water(us));
	unix_put(peer);
	return can;
}

static u32 unix_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *us = to_unix(s);
	u32 ev = 0, shut;

	poll_wait(pt, f, &s->rd_wq);
	poll_wait(pt, f, &s->wr_wq);
	shut = load_once(&us->shut);
	if (load_once(&s->error))
		ev |= POLLERR;
	if (!list_empty(&us->queue) || !list_empty(&us->backlog) ||
	    (shut & SHUT_RD))
		ev |= POLLIN | POLLRDNORM;
	if (load_once(&us->oob))
		ev |= POLLPRI;
	if (shut & SHUT_RD)
		ev |= POLLRDHUP;
	if (shut == (SHUT_RD | SHUT_WR))
		ev |= POLLHUP;
	if (!unix_is_dgram(us) && load_once(&us->state) == UNIX_IDLE)
		ev |= POLLHUP;
	if (!s->listening && writable(us))
		ev |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return ev;
}

static s64 unix_ioctl(struct socket *s, unsigned int cmd, u64 arg)
{
	if (cmd == SIOCATMARK && s->type == SOCK_STREAM)
		return put_user_u32((u32)unix_oob_at_mark(s), arg);
	return netdev_ioctl(s, cmd, arg);
}

static u64 unix_inq(struct socket *s)
{
	struct unix_sock *us = to_unix(s);
	u64 n;

	spin_lock(&us->lock);
	n = us->bytes;
	if (s->type != SOCK_STREAM)
		n = list_empty(&us->queue)
			    ? 0
			    : list_first_entry(&us->queue, struct unix_msg,
					       node)
				      ->len;
	spin_unlock(&us->lock);
	return n;
}

static u64 unix_outq(struct socket *s)
{
	struct unix_sock *peer = unix_get_peer(to_unix(s));
	u64 n;

	if (!peer)
		return 0;
	n = load_once(&peer->queued);
	unix_put(peer);
	return n;
}

static struct spinlock *unix_queue_lock(struct socket *s)
{
	return &to_unix(s)->lock;
}

static const struct socket_ops unix_ops = {
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.send = unix_send,
	.recv = unix_recv,
	.shutdown = unix_shutdown,
	.name = unix_name,
	.peer_creds = unix_peer_creds,
	.poll = unix_poll,
	.inq = unix_inq,
	.outq = unix_outq,
	.release = unix_release,
	.queue_lock = unix_queue_lock,
	.ioctl = unix_ioctl,
	.peek_off = true,
};

struct socket *unix_create(int type, int protocol)
{
	struct unix_sock *us;

	if (protocol && protocol != AF_UNIX)
		return ERR_PTR(-EPROTONOSUPPORT);
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return ERR_PTR(-ESOCKTNOSUPPORT);
	us = alloc_sock((u16)type, current_net_ns());
	return us ? &us->s : ERR_PTR(-ENOMEM);
}

int unix_create_pair(int type, int protocol, struct socket *pair[2])
{
	struct socket *s;
	struct unix_sock *us[2];

	for (u32 i = 0; i < 2; i++) {
		s = unix_create(type, protocol);
		if (IS_ERR(s)) {
			if (i)
				unix_release(pair[0]);
			return (int)PTR_ERR(s);
		}
		pair[i] = s;
		us[i] = to_unix(s);
	}
	spin_lock(&unix_lock);
	(void)sign_locked(us[0]);
	(void)sign_locked(us[1]);
	connect_locked(us[0], us[1]);
	spin_unlock(&unix_lock);
	return 0;
}
