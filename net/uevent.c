/* SPDX-License-Identifier: MIT */
/*
 * net/uevent.c - sockets of NETLINK_KOBJECT_UEVENT: what happens to devices.
 *
 * The kernel speaks to group 1 (kernel/dev/uevent.h).  Programs with CAP_NET_ADMIN
 * speak to other groups and to single ports: udevd tells group 2 what it has made of
 * an event.  Each message comes with its sender's port, 0 for the kernel, and, if
 * SO_PASSCRED is on, with credentials.
 *
 * Locking: all_lock (RANK_FILE) guards the list of sockets, s->lock (RANK_PIPE) a
 * queue and the filter (filter.h); taken in that order.
 */
#include <net/filter.h>
#include <net/netlink.h>

#include <kernel/dev/uevent.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define SEND_MAX     32768u
#define KERNEL_GROUP 1u

#define SOL_NETLINK		270
#define NETLINK_ADD_MEMBERSHIP	1
#define NETLINK_DROP_MEMBERSHIP 2
#define NETLINK_NO_ENOBUFS	5

struct uev_msg {
	struct list_head node;
	u32 len, groups, port;
	struct sock_creds creds;
	u8 data[];
};

struct uev_sock {
	struct socket s;
	u32 port;	       /* [all_lock] 0: none yet */
	u32 groups;	       /* [all_lock] bit n - 1: group n */
	bool no_enobufs;       /* [a] */
	struct list_head node; /* [all_lock] */
	struct spinlock lock;
	struct list_head queue; /* [lock] */
	u32 queued;		/* [lock] bytes */
	struct mutex rd_mutex;
};

struct addr_nl {
	u16 pad;
	u32 port, groups;
} __packed;

static struct spinlock all_lock = SPINLOCK_INIT("uevent_all", RANK_FILE);
static struct list_head all_socks = LIST_HEAD_INIT(all_socks);

static struct uev_sock *to_uev(struct socket *s)
{
	return container_of(s, struct uev_sock, s);
}

/* --- sending */

/* How much of @m the filter of @u lets through; its lock is held. */
static u32 filtered(const struct uev_sock *u, const struct uev_msg *m)
{
	struct cbpf_packet p = { .part[2] = { m->data, m->len } };
	u32 keep;

	if (!u->s.filter)
		return m->len;
	return sock_filter_run(&u->s, &p, &keep) ? keep : 0;
}

/* A copy for one listener; who does not read loses it and is told once. */
static void tell_one(struct uev_sock *u, const struct uev_msg *m)
{
	struct uev_msg *c = kmalloc(sizeof(*c) + m->len);
	u32 len;

	spin_lock(&u->lock);
	len = filtered(u, m);
	if (!len) {
		kfree(c);
	} else if (!c || u->queued + len > load_once(&u->s.rcvbuf)) {
		kfree(c);
		if (!load_once(&u->no_enobufs))
			store_once(&u->s.error, ENOBUFS);
	} else {
		memcpy(c, m, sizeof(*c) + len);
		c->len = len;
		list_init(&c->node);
		list_add_tail(&c->node, &u->queue);
		u->queued += len;
	}
	spin_unlock(&u->lock);
	if (len)
		wake_up_all_key(&u->s.rd_wq, POLLIN | POLLRDNORM);
}

/* To all in m->groups but the sender. */
static void tell_groups(const struct uev_msg *m)
{
	struct uev_sock *u;

	spin_lock(&all_lock);
	list_for_each_entry(u, &all_socks, node)
		if (u->groups & m->groups && (!m->port || u->port != m->port))
			tell_one(u, m);
	spin_unlock(&all_lock);
}

static int tell_port(u32 port, const struct uev_msg *m)
{
	struct uev_sock *u;
	int err = -ECONNREFUSED;

	spin_lock(&all_lock);
	list_for_each_entry(u, &all_socks, node) {
		if (u->port == port) {
			tell_one(u, m);
			err = 0;
			break;
		}
	}
	spin_unlock(&all_lock);
	return err;
}

static void from_kernel(const char *text, size_t n)
{
	struct uev_msg *m = kzalloc(sizeof(*m) + n);

	if (!m)
		return;
	m->len = (u32)n;
	m->groups = 1u << (KERNEL_GROUP - 1);
	memcpy(m->data, text, n);
	tell_groups(m);
	kfree(m);
}

/* A port of its own for a socket without one: the pid, or something high. */
static u32 port_of(struct uev_sock *u, u32 wish)
{
	static u32 next; /* [all_lock] */
	struct uev_sock *o;
	u32 port = wish ? wish : (u32)current->proc->pid;

again:
	list_for_each_entry(o, &all_socks, node) {
		if (o == u || o->port != port)
			continue;
		if (wish)
			return 0;
		port = (u32)current->proc->pid + (++next << 20);
		goto again;
	}
	return port;
}

static int check_to(const struct sock_addr *to, struct addr_nl *a)
{
	*a = (struct addr_nl){ 0 };
	if (!to)
		return 0;
	if (to->family != AF_NETLINK || to->len < sizeof(*a))
		return -EINVAL;
	memcpy(a, to->name, sizeof(*a));
	return (a->port || a->groups) && !capable(CAP_NET_ADMIN) ? -EPERM : 0;
}

static int deliver(struct uev_sock *u, const struct addr_nl *a,
		   struct uev_msg *m)
{
	spin_lock(&all_lock);
	if (!u->port)
		u->port = port_of(u, 0);
	m->port = u->port;
	spin_unlock(&all_lock);
	if (a->groups)
		tell_groups(m);
	return a->port ? tell_port(a->port, m)
		       : 0; /* the kernel asks nothing */
}

static s64 uev_send(struct socket *s, struct sock_msg *sm)
{
	size_t len = iov_iter_count(sm->it);
	struct uev_msg *m;
	struct addr_nl a;
	int err;

	if (sm->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = check_to(sm->to, &a);
	if (err)
		return err;
	if (len > SEND_MAX)
		return -EMSGSIZE;
	m = kzalloc(sizeof(*m) + len);
	if (!m)
		return -ENOBUFS;
	m->len = (u32)len;
	m->groups = a.groups;
	m->creds = sm->creds;
	err = copy_from_iter(m->data, len, sm->it) == len
		      ? deliver(to_uev(s), &a, m)
		      : -EFAULT;
	kfree(m);
	return err ? err : (s64)len;
}

/* --- receiving */

static struct uev_msg *first(struct uev_sock *u)
{
	struct uev_msg *m;

	spin_lock(&u->lock);
	m = list_first_entry_or_null(&u->queue, struct uev_msg, node);
	spin_unlock(&u->lock);
	return m;
}

static s64 take(struct uev_sock *u, struct uev_msg *m, struct sock_msg *sm)
{
	size_t n = min_t(size_t, m->len, iov_iter_count(sm->it)), len = m->len;
	struct addr_nl a = { .port = m->port, .groups = m->groups };

	if (copy_to_iter(m->data, n, sm->it) < n)
		return -EFAULT;
	if (n < len)
		sm->out_flags |= MSG_TRUNC;
	if (sm->from) {
		*sm->from = (struct sock_addr){ .family = AF_NETLINK,
						.len = sizeof(a) };
		memcpy(sm->from->name, &a, sizeof(a));
	}
	sm->creds = m->creds;
	if (!(sm->flags & MSG_PEEK)) {
		spin_lock(&u->lock);
		list_del(&m->node);
		u->queued -= m->len;
		spin_unlock(&u->lock);
		kfree(m);
	}
	return (s64)(sm->flags & MSG_TRUNC ? len : n);
}

static s64 uev_recv(struct socket *s, struct sock_msg *sm)
{
	struct uev_sock *u = to_uev(s);
	u64 deadline = socket_deadline(s->rcv_timeout_ns);
	struct uev_msg *m;
	s64 r = 0;

	if (sm->flags & MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&u->rd_mutex);
	while (!(m = first(u))) {
		r = socket_take_error(s);
		if (r)
			break;
		r = -EAGAIN;
		if (sm->flags & MSG_DONTWAIT)
			break;
		mutex_unlock(&u->rd_mutex);
		r = wait_event_interruptible_timeout(
			&s->rd_wq,
			!list_empty(&u->queue) || load_once(&s->error),
			deadline);
		mutex_lock(&u->rd_mutex);
		if (r)
			break;
	}
	r = m ? take(u, m, sm) : socket_interrupted(r, s->rcv_timeout_ns);
	mutex_unlock(&u->rd_mutex);
	return r;
}

/* --- names and the rest */

static int uev_bind(struct socket *s, struct sock_addr *addr)
{
	struct uev_sock *u = to_uev(s);
	struct addr_nl a;
	int err = 0;
	u32 port;

	if (addr->family != AF_NETLINK || addr->len < sizeof(a))
		return -EINVAL;
	memcpy(&a, addr->name, sizeof(a));
	spin_lock(&all_lock);
	port = u->port && !a.port ? u->port : port_of(u, a.port);
	if (u->port && port != u->port)
		err = -EINVAL; /* it has another one */
	else if (!port)
		err = -EADDRINUSE;
	if (!err) {
		u->port = port;
		u->groups = a.groups;
	}
	spin_unlock(&all_lock);
	return err;
}

static int uev_connect(struct socket *s __unused, const struct sock_addr *addr,
		       bool nonblock __unused)
{
	return addr->family == AF_UNSPEC ? 0 : -EOPNOTSUPP;
}

static int uev_name(struct socket *s, bool peer, struct sock_addr *out)
{
	struct uev_sock *u = to_uev(s);
	struct addr_nl a = { 0 };

	if (!peer) {
		spin_lock(&all_lock);
		a.port = u->port;
		a.groups = u->groups;
		spin_unlock(&all_lock);
	}
	*out = (struct sock_addr){ .family = AF_NETLINK, .len = sizeof(a) };
	memcpy(out->name, &a, sizeof(a));
	return 0;
}

static int no_listen(struct socket *s __unused, int backlog __unused)
{
	return -EOPNOTSUPP;
}

static struct socket *no_accept(struct socket *s __unused, bool nb __unused)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static int no_shutdown(struct socket *s __unused, u32 how __unused)
{
	return -EOPNOTSUPP;
}

static int no_creds(struct socket *s __unused, struct sock_creds *out)
{
	*out = (struct sock_creds){ 0 };
	return 0;
}

static u32 uev_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct uev_sock *u = to_uev(s);

	poll_wait(pt, f, &s->rd_wq);
	return POLLOUT | POLLWRNORM | (load_once(&s->error) ? POLLERR : 0) |
	       (list_empty(&u->queue) ? 0 : POLLIN | POLLRDNORM);
}

static u64 uev_inq(struct socket *s)
{
	struct uev_msg *m = first(to_uev(s));

	return m ? m->len : 0;
}

static u64 uev_outq(struct socket *s __unused)
{
	return 0;
}

static int set_member(struct uev_sock *u, u32 group, bool in)
{
	if (group < 1 || group > 32)
		return -EINVAL;
	spin_lock(&all_lock);
	if (in)
		u->groups |= 1u << (group - 1);
	else
		u->groups &= ~(1u << (group - 1));
	spin_unlock(&all_lock);
	return 0;
}

static int uev_setopt(struct socket *s, int level, int opt, const void *val,
		      u32 len)
{
	struct uev_sock *u = to_uev(s);
	u32 v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (opt) {
	case NETLINK_ADD_MEMBERSHIP:
	case NETLINK_DROP_MEMBERSHIP:
		return set_member(u, v, opt == NETLINK_ADD_MEMBERSHIP);
	case NETLINK_NO_ENOBUFS:
		store_once(&u->no_enobufs, v != 0);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static struct spinlock *uev_lock(struct socket *s)
{
	return &to_uev(s)->lock;
}

static void uev_release(struct socket *s)
{
	struct uev_sock *u = to_uev(s);
	struct uev_msg *m;

	spin_lock(&all_lock);
	list_del(&u->node);
	spin_unlock(&all_lock);
	while ((m = first(u))) {
		list_del(&m->node);
		kfree(m);
	}
	socket_fini(s);
	kfree(u);
}

static const struct socket_ops uevent_ops = {
	.bind = uev_bind,
	.connect = uev_connect,
	.listen = no_listen,
	.accept = no_accept,
	.send = uev_send,
	.recv = uev_recv,
	.shutdown = no_shutdown,
	.name = uev_name,
	.peer_creds = no_creds,
	.poll = uev_poll,
	.inq = uev_inq,
	.outq = uev_outq,
	.release = uev_release,
	.setopt = uev_setopt,
	.queue_lock = uev_lock,
};

struct socket *uevent_create(int type)
{
	struct uev_sock *u;

	u = kzalloc(sizeof(*u));
	if (!u)
		return ERR_PTR(-ENOMEM);
	socket_init(&u->s, &uevent_ops, AF_NETLINK, (u16)type,
		    current_net_ns());
	u->s.protocol = NETLINK_KOBJECT_UEVENT;
	spin_init(&u->lock, "uevent", RANK_PIPE);
	list_init(&u->queue);
	mutex_init(&u->rd_mutex);
	spin_lock(&all_lock);
	list_add_tail(&u->node, &all_socks);
	spin_unlock(&all_lock);
	return &u->s;
}

static int uevent_net_init(void)
{
	uevent_sink = from_kernel;
	return 0;
}
INITCALL(INIT_CORE, uevent_net_init);
