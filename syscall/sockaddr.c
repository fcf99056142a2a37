/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockaddr.c - socket addresses; the nodes of Unix-domain path names.
 *
 * Other families decode for themselves what follows the family.
 */
#include <syscall/sock.h>

#include <fs/vfs.h>
#include <kernel/mm/user.h>
#include <lib/errno.h>
#include <lib/string.h>

#define FAMILY_LEN 2u /* sa_family, before the path */

struct sockaddr_un {
	u16 family;
	char path[UNIX_PATH_MAX];
};
STATIC_ASSERT(sizeof(struct sockaddr_un) == 110, "Linux's struct sockaddr_un");

void net_node_put(struct sock_addr *a)
{
	inode_put(a->node);
	mount_put(a->mnt);
	a->node = NULL;
	a->mnt = NULL;
}

int sock_ref(int fd, struct fdref *r, struct socket **s)
{
	*r = fd_ref(fd);
	if (!r->f)
		return -EBADF;
	*s = socket_of(r->f);
	if (*s)
		return 0;
	fd_unref(*r);
	return -ENOTSOCK;
}

static int node_make(struct sock_addr *a)
{
	int err = vfs_mknod_get(AT_FDCWD, a->name, S_IFSOCK | 0777, 0, &a->node,
				&a->mnt);

	return err == -EEXIST ? -EADDRINUSE : err;
}

/* The inode of the socket that @a names, with references. */
static int node_find(struct sock_addr *a)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, a->name, LOOKUP_FOLLOW, &p);

	if (err)
		return err;
	err = path_permission(&p, MAY_WRITE);
	if (!err && !S_ISSOCK(p.dentry->inode->mode))
		err = -ECONNREFUSED;
	if (!err) {
		a->node = inode_get(p.dentry->inode);
		a->mnt = mount_get(p.mnt);
	}
	path_put(&p);
	return err;
}

static int decode_path(const struct sockaddr_un *un, u32 len, enum addr_use use,
		       struct sock_addr *out)
{
	out->len = (u16)strnlen(un->path, len);
	memcpy(out->name, un->path, out->len);
	out->name[out->len] = '\0';
	return use == ADDR_BIND ? node_make(out) : node_find(out);
}

int sock_addr_read(const struct socket *s, uaddr_t uaddr, u32 len,
		   enum addr_use use, struct sock_addr *out)
{
	u8 raw[SOCKADDR_MAX];

	*out = (struct sock_addr){ 0 };
	if (len < FAMILY_LEN || len > sizeof(raw))
		return -EINVAL;
	if (copy_from_user(raw, uaddr, len))
		return -EFAULT;
	return sock_addr_decode(s, raw, len, use, out);
}

int sock_addr_decode(const struct socket *s, const void *raw, u32 len,
		     enum addr_use use, struct sock_addr *out)
{
	bool local = s->family == AF_UNIX;
	struct sockaddr_un un;

	*out = (struct sock_addr){ 0 };
	if (!local)
		len = min_t(u32, len, sizeof(un));
	if (len < FAMILY_LEN || len > sizeof(un))
		return -EINVAL;
	memcpy(&un, raw, len);
	out->family = un.family;
	if (!local) {
		out->len = (u16)(len - FAMILY_LEN);
		memcpy(out->name, un.path, out->len);
		return 0;
	}
	if (un.family == AF_UNSPEC && use == ADDR_FIND)
		return 0;
	if (un.family != s->family)
		return -EINVAL;
	len -= FAMILY_LEN;
	if (!len) /* bind: choose one */
		return use == ADDR_BIND ? 0 : -EINVAL;
	if (un.path[0])
		return decode_path(&un, len, use, out);
	out->abstract = true;
	out->len = (u16)(len - 1);
	memcpy(out->name, un.path + 1, len - 1);
	return 0;
}

void sock_addr_put(struct sock_addr *a)
{
	if (a->node)
		net_node_put(a);
}

void sock_addr_unmake(const struct sock_addr *a)
{
	(void)vfs_unlink(AT_FDCWD, a->name, false);
}

u32 sock_addr_encode(const struct sock_addr *a, void *raw)
{
	struct sockaddr_un un = { .family = a->family };
	u32 len = FAMILY_LEN;

	if (a->family != AF_UNIX) {
		memcpy(un.path, a->name, a->len);
		len += a->len;
	} else if (a->abstract) {
		memcpy(un.path + 1, a->name, a->len);
		len += 1u + a->len;
	} else if (a->len) {
		memcpy(un.path, a->name, a->len);
		len += min_t(u32, a->len + 1u, UNIX_PATH_MAX);
	}
	STATIC_ASSERT(sizeof(un) <= SOCKADDR_MAX, "room for any");
	memcpy(raw, &un, len);
	return len;
}

int sock_addr_copy(const struct sock_addr *a, uaddr_t uaddr, u32 room)
{
	u8 raw[SOCKADDR_MAX];
	u32 len = sock_addr_encode(a, raw);

	return copy_to_user(uaddr, raw, min(len, room)) ? -EFAULT : (int)len;
}

int sock_addr_write(const struct sock_addr *a, uaddr_t uaddr, uaddr_t ulen)
{
	u32 room;
	int len;

	if (get_user_u32(&room, ulen))
		return -EFAULT;
	if ((s32)room < 0)
		return -EINVAL;
	len = sock_addr_copy(a, uaddr, room);
	if (len < 0)
		return len;
	return put_user_u32((u32)len, ulen);
}
