/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockfile.c - a socket's file, and the attribute of its inode.
 *
 * system.sockprotoname is the name of the protocol that the socket was made for,
 * with the NUL behind it.  lsof(8) and lsfd(1) ask for it by /proc/<pid>/fd/.  The
 * inode may outlive the socket, so it keeps the name and not the socket.
 */
#include <syscall/sock.h>

#include <fs/anon.h>
#include <fs/vfs.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/inet.h>

static const char *inet_protocol(const struct socket *s, bool six)
{
	if (s->type == SOCK_RAW)
		return six ? "RAWv6" : "RAW";
	if (s->type == SOCK_STREAM)
		return six ? "TCPv6" : "TCP";
	switch (s->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return six ? "PINGv6" : "PING";
	case IPPROTO_UDPLITE:
		return six ? "UDPLITEv6" : "UDP-Lite";
	default:
		return six ? "UDPv6" : "UDP";
	}
}

/* Lives for ever. */
static const char *protocol_name(const struct socket *s)
{
	u16 family = load_once(&s->family);

	switch (family) {
	case AF_INET:
	case AF_INET6:
		return inet_protocol(s, family == AF_INET6);
	case AF_UNIX:
		return s->type == SOCK_STREAM ? "UNIX-STREAM" : "UNIX";
	case AF_NETLINK:
		return "NETLINK";
	default:
		return "PACKET";
	}
}

/* Not a copy of @text, with its NUL, when @n is 0. */
static s64 give(const char *text, void *buf, size_t n)
{
	size_t len = strlen(text) + 1;

	if (n && n < len)
		return -ERANGE;
	if (n)
		memcpy(buf, text, len);
	return (s64)len;
}

static s64 sock_getxattr(struct inode *i, const char *name, void *buf, size_t n)
{
	if (strcmp(name, SOCK_XATTR_NAME) != 0)
		return -EOPNOTSUPP;
	return give(i->priv, buf, n);
}

static s64 sock_listxattr(struct inode *i __unused, char *buf, size_t n)
{
	return give(SOCK_XATTR_NAME, buf, n);
}

static const struct inode_ops sock_iops = {
	.getxattr = sock_getxattr,
	.listxattr = sock_listxattr,
};

bool sock_has_xattr(const struct inode *i, const char *name)
{
	return i->ops == &sock_iops && !strcmp(name, SOCK_XATTR_NAME);
}

struct file *sock_file(struct socket *s, u32 flags)
{
	struct inode *i = anon_inode_new(S_IFSOCK | 0777);
	struct file *f = i ? socket_file(s, flags & O_NONBLOCK) : NULL;

	if (!f) {
		if (i)
			inode_put(i);
		s->ops->release(s);
		return NULL;
	}
	i->ops = &sock_iops;
	i->priv = (void *)protocol_name(s);
	f->inode = i;
	s->ino = i->ino;
	return f;
}

int sock_install(struct socket *s, u32 flags)
{
	struct file *f = sock_file(s, flags);

	return f ? fd_open(f, flags) : file_no_alloc();
}
