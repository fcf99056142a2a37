/* SPDX-License-Identifier: MIT */
/*
 * net/socket.c - what all sockets have in common: their file, errors, time limits.
 */
#include <net/socket.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/ns/user.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/filter.h>
#include <net/netns.h>

#define FIONREAD 0x541bu
#define SIOCOUTQ 0x5411u

void socket_init(struct socket *s, const struct socket_ops *ops, u16 family,
		 u16 type, struct net_ns *net)
{
	s->ops = ops;
	s->net = net_ns_get(net);
	s->family = family;
	s->type = type;
	waitq_init(&s->rd_wq);
	waitq_init(&s->wr_wq);
	s->rcvbuf = s->sndbuf = SOCK_BUF_DEFAULT;
	s->lowat = 1;
	s->peek_off = -1;
	s->last_stamp = -1;
	s->wanted_cpu = ~0u;
	s->pacing = ~0ul;
}

void socket_fini(struct socket *s)
{
	sock_filter_free(s);
	net_ns_put(s->net);
}

struct socket *socket_create(int family, int type, int protocol)
{
	if (family == AF_UNIX)
		return unix_create(type, protocol);
	if (family == AF_INET || family == AF_INET6)
		return inet_create(family, type, protocol);
	if (family == AF_NETLINK)
		return netlink_create(type, protocol);
	if (family == AF_PACKET)
		return packet_create(type, protocol);
	return ERR_PTR(-EAFNOSUPPORT);
}

int socket_create_pair(int family, int type, int protocol,
		       struct socket *pair[2])
{
	struct socket *s;

	if (family == AF_UNIX)
		return unix_create_pair(type, protocol, pair);
	s = socket_create(family, type, protocol);
	if (IS_ERR(s))
		return (int)PTR_ERR(s);
	s->ops->release(s);
	return -EOPNOTSUPP;
}

int sock_no_listen(struct socket *s __unused, int backlog __unused)
{
	return -EOPNOTSUPP;
}

struct socket *sock_no_accept(struct socket *s __unused, bool nonblock __unused)
{
	return ERR_PTR(-EOPNOTSUPP);
}

int sock_no_shutdown(struct socket *s __unused, u32 how __unused)
{
	return -EOPNOTSUPP;
}

u64 sock_no_outq(struct socket *s __unused)
{
	return 0;
}

void sock_files_put(struct sock_files *sf)
{
	if (!sf)
		return;
	for (u32 i = 0; i < sf->nr; i++)
		file_put(sf->f[i]);
	kfree(sf);
}

static void put_big(struct sock_msg *m, s32 level, s32 type, const void *data,
		    u32 len)
{
	struct sock_cmsg_big **at = &m->big, *c = kzalloc(sizeof(*c));

	if (!c) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	c->level = level;
	c->type = type;
	c->len = min(len, (u32)sizeof(c->data));
	memcpy(c->data, data, c->len);
	while (*at)
		at = &(*at)->next;
	*at = c;
}

void sock_put_cmsg(struct sock_msg *m, s32 level, s32 type, const void *data,
		   u32 len)
{
	struct sock_cmsg *c = &m->cmsg[m->nr_cmsg];

	if (m->nr_cmsg == SOCK_CMSG_MAX || len > sizeof(c->data)) {
		put_big(m, level, type, data, len);
		return;
	}
	m->nr_cmsg++;
	c->level = level;
	c->type = type;
	c->len = len;
	memcpy(c->data, data, len);
}

void sock_msg_end(struct sock_msg *m)
{
	struct sock_cmsg_big *next;

	sock_files_put(m->files);
	for (; unlikely(m->big); m->big = next) {
		next = m->big->next;
		kfree(m->big);
	}
}

int socket_take_error(struct socket *s)
{
	return load_once(&s->error) ? -(int)atomic_xchg(&s->error, 0u) : 0;
}

u64 socket_deadline(u64 timeout_ns)
{
	return timeout_ns ? clock_mono_ns() + timeout_ns : WAIT_FOREVER;
}

s64 socket_interrupted(s64 err, u64 timeout_ns)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -ERESTARTSYS && timeout_ns ? -EINTR : err;
}

void socket_move_peek(struct socket *s, u32 flags, u64 n)
{
	s64 off = load_once(&s->peek_off);

	if (off < 0)
		return;
	off = flags & MSG_PEEK ? off + (s64)n : max(off - (s64)n, (s64)0);
	store_once(&s->peek_off, (s32)min(off, (s64)INT32_MAX));
}

s64 socket_put_packet(struct sock_msg *m, const void *data, size_t len)
{
	size_t n = min(len, iov_iter_count(m->it));

	if (copy_to_iter(data, n, m->it) < n)
		return -EFAULT;
	if (n < len)
		m->out_flags |= MSG_TRUNC;
	return (s64)(m->flags & MSG_TRUNC ? len : n);
}

s64 socket_await_packet(struct socket *s, struct mutex *rd,
			const struct list_head *queue, const struct sock_msg *m,
			u64 deadline)
{
	int err;

	if (m->flags & MSG_DONTWAIT)
		return -EAGAIN;
	mutex_unlock(rd);
	err = wait_event_interruptible_timeout(
		&s->rd_wq, !list_empty(queue) || load_once(&s->error),
		deadline);
	mutex_lock(rd);
	return socket_interrupted(err, s->rcv_timeout_ns);
}

struct sock_creds sock_creds_shown(const struct sock_creds *c)
{
	struct sock_creds s = *c;

	if (s.pid > 0)
		s.pid = pid_shown(s.pid);
	if (s.uid != INVALID_ID)
		s.uid = uid_shown(s.uid);
	if (s.gid != INVALID_ID)
		s.gid = gid_shown(s.gid);
	return s;
}

struct sock_creds sock_creds_current(void)
{
	const struct cred *c = current_cred();

	return (struct sock_creds){
		.pid = current->proc->pid,
		.uid = c->euid,
		.gid = c->egid,
		.born = current->proc->start_ns,
	};
}

int sock_creds_pidfd(const struct sock_creds *c)
{
	struct process *p;
	int fd = -EINVAL;

	if (c->pid <= 0)
		return -ENODATA;
	p = process_find(c->pid);
	if (p && p->start_ns == c->born)
		fd = pidfd_create(p, 0);
	process_put(p);
	return fd;
}

u64 socket_stamp(const struct socket *s)
{
	return load_once(&s->stamped) ? clock_real_ns() : 0;
}

static s64 sock_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct socket *s = f->priv;
	struct sock_msg m = {
		.it = to,
		.flags = (f->flags & O_NONBLOCK) || (to->rwf & IOV_NOWAIT)
				 ? MSG_DONTWAIT
				 : 0,
	};
	s64 n;

	if (!iov_iter_count(to)) /* no message is taken for it, as by recv(2) */
		return 0;
	n = s->ops->recv(s, &m);
	sock_msg_end(&m);
	return n;
}

static s64 sock_write(struct file *f, struct iov_iter *from, u64 *pos __unused)
{
	struct socket *s = f->priv;
	struct sock_msg m = {
		.it = from,
		.flags = (f->flags & O_NONBLOCK) || (from->rwf & IOV_NOWAIT)
				 ? MSG_DONTWAIT
				 : 0,
		.creds = sock_creds_current(),
	};

	return s->ops->send(s, &m);
}

static u32 sock_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->priv;

	return s->ops->poll(s, f, pt);
}

static s64 sock_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct socket *s = f->priv;

	switch (cmd) {
	case FIONREAD:
		if (s->listening)
			return -EINVAL;
		return put_user_u32((u32)s->ops->inq(s), arg);
	case SIOCOUTQ:
		return put_user_u32((u32)s->ops->outq(s), arg);
	case SIOCGSKNS:
		return net_ns_open(s->net);
	default:
		return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
	}
}

/* F_SETOWN of the file is the socket's: of SIGURG. */
static int sock_setfl(struct file *f, u32 flags __unused)
{
	struct socket *s = f->priv;

	owner_update(&s->owner, &f->owner);
	return 0;
}

void socket_urgent(struct socket *s)
{
	struct siginfo si;

	memset(&si, 0, sizeof(si));
	si.code = SI_KERNEL;
	(void)owner_signal(&s->owner, SIGURG, &si);
}

static int sock_mmap(struct file *f, struct vma *v)
{
	struct socket *s = f->priv;

	return s->ops->mmap ? s->ops->mmap(s, v) : -ENODEV;
}

static void sock_release(struct file *f)
{
	struct socket *s = f->priv;

	owner_clear(&s->owner);
	s->ops->release(s);
}

static const struct file_ops socket_fops = {
	.sigio = true,
	.nowait = true,
	.read = sock_read,
	.write = sock_write,
	.poll = sock_poll,
	.ioctl = sock_ioctl,
	.setfl = sock_setfl,
	.mmap = sock_mmap,
	.release = sock_release,
};

struct file *socket_file(struct socket *s, bool nonblock)
{
	return file_alloc(&socket_fops, O_RDWR | (nonblock ? O_NONBLOCK : 0),
			  s);
}

struct socket *socket_of(struct file *f)
{
	return f->ops == &socket_fops ? f->priv : NULL;
}
