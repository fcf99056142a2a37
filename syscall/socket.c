/* SPDX-License-Identifier: MIT */
/*
 * syscall/socket.c - making, naming and connecting sockets.
 *
 * Not here: data (sockmsg.c), options (sockoptcall.c).
 */
#include <syscall/sock.h>
#include <syscall/syscall.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/string.h>

#define SOCK_CLOEXEC   O_CLOEXEC
#define SOCK_NONBLOCK  O_NONBLOCK
#define SOCK_TYPE_MASK 0xf

static int check_type(int type)
{
	int flags = type & ~SOCK_TYPE_MASK;

	return flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) ? -EINVAL : 0;
}

SYSCALL3(198, socket, int, family, int, type, int, protocol)
{
	struct socket *s;

	if (check_type(type))
		return -EINVAL;
	s = socket_create(family, type & SOCK_TYPE_MASK, protocol);
	return IS_ERR(s) ? PTR_ERR(s) : sock_install(s, (u32)type);
}

SYSCALL4(199, socketpair, int, family, int, type, int, protocol, uaddr_t, ufds)
{
	struct socket *pair[2];
	int fds[2], err;

	if (check_type(type))
		return -EINVAL;
	err = socket_create_pair(family, type & SOCK_TYPE_MASK, protocol, pair);
	if (err)
		return err;
	fds[0] = sock_install(pair[0], (u32)type);
	fds[1] = sock_install(pair[1], (u32)type);
	if (fds[0] >= 0 && fds[1] >= 0 && !copy_to_user(ufds, fds, sizeof(fds)))
		return 0;
	err = fds[0] < 0 ? fds[0] : fds[1] < 0 ? fds[1] : -EFAULT;
	if (fds[0] >= 0)
		(void)fd_close(fds[0]);
	if (fds[1] >= 0)
		(void)fd_close(fds[1]);
	return err;
}

SYSCALL3(200, bind, int, fd, uaddr_t, uaddr, u32, len)
{
	struct sock_addr a;
	struct socket *s;
	struct fdref r;
	int err = sock_ref(fd, &r, &s);

	if (err)
		return err;
	err = sock_addr_read(s, uaddr, len, ADDR_BIND, &a);
	if (!err) {
		bool made = s->family == AF_UNIX && a.node;

		err = s->ops->bind(s, &a);
		if (err && made) /* it has a name already */
			sock_addr_unmake(&a);
		sock_addr_put(&a);
	}
	fd_unref(r);
	return err;
}

SYSCALL3(203, connect, int, fd, uaddr_t, uaddr, u32, len)
{
	struct sock_addr a;
	struct socket *s;
	struct fdref r;
	int err = sock_ref(fd, &r, &s);

	if (err)
		return err;
	err = sock_addr_read(s, uaddr, len, ADDR_FIND, &a);
	if (!err) {
		err = s->ops->connect(s, &a, r.f->flags & O_NONBLOCK);
		sock_addr_put(&a);
	}
	fd_unref(r);
	return err;
}

SYSCALL2(201, listen, int, fd, int, backlog)
{
	struct socket *s;
	struct fdref r;
	int err = sock_ref(fd, &r, &s);

	if (err)
		return err;
	err = s->ops->listen(s, backlog);
	fd_unref(r);
	return err;
}

/* @new becomes @fd, or goes. */
static int give_accepted(int fd, struct socket *new, uaddr_t uaddr,
			 uaddr_t ulen, u32 flags)
{
	struct sock_addr a;
	struct file *f;
	int err = 0;

	if (uaddr) {
		if (new->ops->name(new, true, &a))
			a = (struct sock_addr){ .family = new->family };
		err = sock_addr_write(&a, uaddr, ulen);
	}
	if (err) {
		new->ops->release(new);
		return err;
	}
	f = sock_file(new, flags);
	if (!f)
		return file_no_alloc();
	fd_install(fd, f);
	return 0;
}

s64 sock_accept(struct file *f, uaddr_t uaddr, uaddr_t ulen, u32 flags,
		bool nonblock)
{
	struct socket *s = socket_of(f), *new;
	s64 fd, n;

	if (flags & ~(u32)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (!s)
		return -ENOTSOCK;
	/* a connection that there is no descriptor for waits on */
	fd = fd_alloc(0, flags & SOCK_CLOEXEC);
	if (fd < 0)
		return fd;
	new = s->ops->accept(s, nonblock || (f->flags & O_NONBLOCK));
	n = IS_ERR(new) ? PTR_ERR(new)
			: give_accepted((int)fd, new, uaddr, ulen, flags);
	if (n) {
		fd_unreserve((int)fd);
		return n;
	}
	return fd;
}

static s64 do_accept(int fd, uaddr_t uaddr, uaddr_t ulen, u32 flags)
{
	struct fdref r = fd_ref(fd);
	s64 n;

	if (!r.f)
		return -EBADF;
	n = sock_accept(r.f, uaddr, ulen, flags, false);
	fd_unref(r);
	return n;
}

SYSCALL3(202, accept, int, fd, uaddr_t, uaddr, uaddr_t, ulen)
{
	return do_accept(fd, uaddr, ulen, 0);
}

SYSCALL4(242, accept4, int, fd, uaddr_t, uaddr, uaddr_t, ulen, u32, flags)
{
	return do_accept(fd, uaddr, ulen, flags);
}

static s64 do_name(int fd, bool peer, uaddr_t uaddr, uaddr_t ulen)
{
	struct sock_addr a;
	struct socket *s;
	struct fdref r;
	int err = sock_ref(fd, &r, &s);

	if (err)
		return err;
	err = s->ops->name(s, peer, &a);
	fd_unref(r);
	return err ? err : sock_addr_write(&a, uaddr, ulen);
}

SYSCALL3(204, getsockname, int, fd, uaddr_t, uaddr, uaddr_t, ulen)
{
	return do_name(fd, false, uaddr, ulen);
}

SYSCALL3(205, getpeername, int, fd, uaddr_t, uaddr, uaddr_t, ulen)
{
	return do_name(fd, true, uaddr, ulen);
}

SYSCALL2(210, shutdown, int, fd, u32, how)
{
	struct socket *s;
	struct fdref r;
	int err;

	err = sock_ref(fd, &r, &s);
	if (err)
		return err;
	err = how > 2 ? -EINVAL : s->ops->shutdown(s, how + 1);
	fd_unref(r);
	return err;
}
