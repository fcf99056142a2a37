/* SPDX-License-Identifier: MIT */
/*
 * syscall/mqueue.c - POSIX message queues.  Not here: what they do
 * (kernel/ipc/mqueue.h).
 */
#include <syscall/syscall.h>
#include <syscall/timeout.h>

#include <fs/vfs.h>
#include <kernel/file/file.h>
#include <kernel/ipc/mqueue.h>
#include <kernel/ns/ns.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/time/posix.h>
#include <lib/string.h>
#include <net/netlink.h>

/* The C library has taken the first slash away. */
static int read_name(char *name, uaddr_t uname)
{
	s64 n = strncpy_from_user(name, uname, MQ_NAME_MAX + 1);

	if (n < 0)
		return (int)n;
	if (!n)
		return -ENOENT;
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return -EACCES;
	return strchr(name, '/') ? -EACCES : 0;
}

SYSCALL4(180, mq_open, uaddr_t, uname, u32, oflag, u32, mode, uaddr_t, uattr)
{
	char name[MQ_NAME_MAX + 1];
	struct mq_attr a;
	int err = read_name(name, uname);

	if (err)
		return err;
	if ((oflag & O_CREAT) && uattr && copy_from_user(&a, uattr, sizeof(a)))
		return -EFAULT;
	return mq_open_name(name, oflag, mode & ~current->fs->umask,
			    (oflag & O_CREAT) && uattr ? &a : NULL);
}

SYSCALL1(181, mq_unlink, uaddr_t, uname)
{
	char name[MQ_NAME_MAX + 1];
	int err = read_name(name, uname);

	return err ? err : mq_unlink_name(current_nsproxy()->ipc, name);
}

static int queue_ref(int fd, struct fdref *r, bool write)
{
	*r = fd_ref(fd);
	if (!r->f)
		return -EBADF;
	if (mq_is_queue(r->f) && (write ? r->f->can_write : r->f->can_read))
		return 0;
	fd_unref(*r);
	return -EBADF;
}

/* An absolute time of CLOCK_REALTIME. */
static int read_deadline(uaddr_t uts, u64 *deadline)
{
	u64 ns;
	int err;

	*deadline = WAIT_FOREVER;
	if (!uts)
		return 0;
	err = timespec_read(uts, &ns);
	if (!err)
		*deadline = ns | DEADLINE_REAL;
	return err;
}

SYSCALL5(182, mq_timedsend, int, fd, uaddr_t, buf, u64, len, u32, prio, uaddr_t,
	 uts)
{
	struct mq_msg *m;
	struct fdref r;
	u64 deadline;
	s64 n;

	if (prio >= MQ_PRIO_MAX)
		return -EINVAL;
	n = read_deadline(uts, &deadline);
	if (!n)
		n = queue_ref(fd, &r, true);
	if (n)
		return n;
	m = len > mq_msgsize(r.f) ? ERR_PTR(-EMSGSIZE) : mq_msg_new(len);
	if (!m || IS_ERR(m)) {
		fd_unref(r);
		return m ? PTR_ERR(m) : -ENOMEM;
	}
	m->prio = prio;
	n = copy_from_user(m->data, buf, len);
	if (!n)
		n = mq_send(r.f, m, deadline);
	if (n)
		kfree(m);
	fd_unref(r);
	return n;
}

SYSCALL5(183, mq_timedreceive, int, fd, uaddr_t, buf, u64, len, uaddr_t, uprio,
	 uaddr_t, uts)
{
	struct mq_msg *m;
	struct fdref r;
	u64 deadline;
	s64 n = read_deadline(uts, &deadline);

	if (!n)
		n = queue_ref(fd, &r, false);
	if (n)
		return n;
	m = mq_receive(r.f, len, deadline);
	fd_unref(r);
	if (IS_ERR(m))
		return PTR_ERR(m);
	n = (s64)m->len;
	if ((uprio && put_user_u32(m->prio, uprio)) ||
	    copy_to_user(buf, m->data, m->len))
		n = -EFAULT;
	kfree(m);
	return n;
}

struct sigevent64 {
	u64 value;
	s32 signo, notify;
	u8 rest[48];
};
#define SIGEV_SIGNAL 0
#define SIGEV_NONE   1
#define SIGEV_THREAD 2

/* SIGEV_THREAD: the signal's number is a netlink socket of the C library, which gets
 * the cookie that the value points to. */
static int notify_by_socket(const struct sigevent64 *ev, struct mq_notify *n)
{
	struct file *to;

	if (copy_from_user(n->cookie, ev->value, sizeof(n->cookie)))
		return -EFAULT;
	to = fd_get(ev->signo);
	if (!to)
		return -EBADF;
	if (!netlink_file(to)) {
		int err = socket_of(to) ? -EINVAL : -ENOTSOCK;

		file_put(to);
		return err;
	}
	n->to = to;
	n->deliver = netlink_deliver;
	return 0;
}

static int read_notify(uaddr_t uev, struct mq_notify *n)
{
	struct sigevent64 ev;

	*n = (struct mq_notify){ .to = NULL };
	if (copy_from_user(&ev, uev, sizeof(ev)))
		return -EFAULT;
	switch (ev.notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_SIGNAL:
		n->sig = ev.signo;
		n->value = ev.value;
		return ev.signo < 0 || ev.signo > NSIG ? -EINVAL : 0;
	case SIGEV_THREAD:
		return notify_by_socket(&ev, n);
	default:
		return -EINVAL;
	}
}

SYSCALL2(184, mq_notify, int, fd, uaddr_t, uev)
{
	struct mq_notify n = { .to = NULL };
	s64 err = uev ? read_notify(uev, &n) : 0;
	struct fdref r;

	if (err)
		return err;
	r = fd_ref(fd);
	err = r.f && mq_is_queue(r.f) ? mq_notify_set(r.f, uev ? &n : NULL)
				      : -EBADF;
	if (r.f)
		fd_unref(r);
	if (err && n.to)
		file_put(n.to);
	return err;
}

SYSCALL3(185, mq_getsetattr, int, fd, uaddr_t, unew, uaddr_t, uold)
{
	struct mq_attr new, old;
	struct fdref r;
	s64 n;

	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	r = fd_ref(fd);
	if (!r.f)
		return -EBADF;
	n = mq_is_queue(r.f) ? mq_attr(r.f, unew ? &new : NULL, &old) : -EBADF;
	fd_unref(r);
	if (!n && uold)
		n = copy_to_user(uold, &old, sizeof(old));
	return n;
}
