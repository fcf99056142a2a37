/* SPDX-License-Identifier: MIT */
/*
 * syscall/sockfilter.c - SO_ATTACH_FILTER and its kin: programs of sockets come in and go
 * out; net/filter.h has what they do.
 */
#include <syscall/sockfilter.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <net/filter.h>
#include <net/inet.h>
#include <syscall/fprog.h>

/* The program that a struct sock_fprog at @uval names, or ERR_PTR. */
static struct sock_filter *read_prog(const struct socket *s, uaddr_t uval,
				     u32 len)
{
	struct sock_fprog prog;
	struct sock_filter *f;

	if (len != sizeof(prog))
		return ERR_PTR(-EINVAL);
	if (copy_from_user(&prog, uval, sizeof(prog)))
		return ERR_PTR(-EFAULT);
	if (s->filter_locked)
		return ERR_PTR(-EPERM);
	if (!prog.len || prog.len > CBPF_MAX_LEN || !prog.filter)
		return ERR_PTR(-EINVAL);
	f = sock_filter_alloc(prog.len);
	if (!f)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_user(f->insns, prog.filter,
			    prog.len * sizeof(f->insns[0])))
		return f;
	kfree(f);
	return ERR_PTR(-EFAULT);
}

int sock_attach_filter(struct socket *s, uaddr_t uval, u32 len)
{
	struct sock_filter *f = read_prog(s, uval, len);

	return IS_ERR(f) ? (int)PTR_ERR(f) : sock_filter_set(s, f);
}

int sock_attach_chooser(struct socket *s, uaddr_t uval, u32 len)
{
	struct sock_filter *f = read_prog(s, uval, len);

	return IS_ERR(f) ? (int)PTR_ERR(f) : inet_set_chooser(s, f);
}

int sock_lock_filter(struct socket *s, u32 v)
{
	if (v)
		store_once(&s->filter_locked, true);
	return !v && load_once(&s->filter_locked) ? -EPERM : 0;
}

/* Lengths are in instructions, as on Linux. */
int sock_get_filter(struct socket *s, uaddr_t uval, u32 room)
{
	int err, n;
	struct sock_filter *f = sock_filter_get(s, &err);

	if (!f)
		return err;
	n = (int)f->len;
	if (room && room < f->len)
		n = -EINVAL;
	else if (room &&
		 copy_to_user(uval, f->insns, f->len * sizeof(f->insns[0])))
		n = -EFAULT;
	kfree(f);
	return n;
}
