/* SPDX-License-Identifier: MIT */
/* syscall/keys.c - add_key(2), request_key(2), keyctl(2): users' arguments. */
#include <syscall/syscall.h>

#include <fs/watchqueue.h>
#include <kernel/file/file.h>
#include <kernel/keys/keys.h>
#include <kernel/keys/watch.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <lib/string.h>

#define TYPE_MAX 32

enum {
	KEYCTL_GET_KEYRING_ID,
	KEYCTL_JOIN_SESSION_KEYRING,
	KEYCTL_UPDATE,
	KEYCTL_REVOKE,
	KEYCTL_CHOWN,
	KEYCTL_SETPERM,
	KEYCTL_DESCRIBE,
	KEYCTL_CLEAR,
	KEYCTL_LINK,
	KEYCTL_UNLINK,
	KEYCTL_SEARCH,
	KEYCTL_READ,
	KEYCTL_INSTANTIATE,
	KEYCTL_NEGATE,
	KEYCTL_SET_REQKEY_KEYRING,
	KEYCTL_SET_TIMEOUT,
	KEYCTL_ASSUME_AUTHORITY,
	KEYCTL_GET_SECURITY,
	KEYCTL_REJECT = 19,
	KEYCTL_INSTANTIATE_IOV,
	KEYCTL_INVALIDATE,
	KEYCTL_GET_PERSISTENT,
	KEYCTL_RESTRICT_KEYRING = 29,
	KEYCTL_MOVE,
	KEYCTL_CAPABILITIES,
	KEYCTL_WATCH_KEY,
};
#define KEYCTL_MOVE_EXCL 1u

/* A string of less than @max bytes in kernel memory: *@out is the caller's. */
static int get_string(uaddr_t from, size_t max, char **out)
{
	char *s = kmalloc(max);
	s64 n;

	if (!s)
		return -ENOMEM;
	n = strncpy_from_user(s, from, max);
	if (n < 0 || (size_t)n >= max) {
		kfree(s);
		return n == -EFAULT ? -EFAULT : -EINVAL;
	}
	*out = s;
	return 0;
}

static int get_type(uaddr_t from, char type[TYPE_MAX])
{
	s64 n = strncpy_from_user(type, from, TYPE_MAX);

	if (n == -EFAULT)
		return -EFAULT;
	if (n <= 0 || n >= TYPE_MAX)
		return -EINVAL;
	return type[0] == '.' ? -EPERM : 0;
}

/* "" in *@out for NULL and for nothing. */
static int get_desc(uaddr_t from, char **out)
{
	if (from)
		return get_string(from, KEY_DESC_MAX, out);
	*out = kzalloc(1);
	return *out ? 0 : -ENOMEM;
}

static int get_payload(uaddr_t from, u64 len, void **out)
{
	*out = NULL;
	if (!len)
		return 0;
	*out = kmalloc(len);
	if (!*out)
		return -ENOMEM;
	if (!copy_from_user(*out, from, len))
		return 0;
	kfree(*out);
	*out = NULL;
	return -EFAULT;
}

SYSCALL5(217, add_key, uaddr_t, utype, uaddr_t, udesc, uaddr_t, upayload, u64,
	 len, s32, ring)
{
	char type[TYPE_MAX], *desc;
	void *payload;
	s64 n;

	if (len > KEY_MAX_PAYLOAD)
		return -EINVAL;
	n = get_type(utype, type);
	if (!n)
		n = get_desc(udesc, &desc);
	if (n)
		return n;
	if (desc[0] == '.' && !strcmp(type, "keyring"))
		n = -EPERM;
	if (!n)
		n = get_payload(upayload, len, &payload);
	if (!n)
		n = key_add(type, desc, payload, payload ? (u32)len : 0, ring);
	kfree(desc);
	return n;
}

SYSCALL4(218, request_key, uaddr_t, utype, uaddr_t, udesc, uaddr_t, ucallout,
	 s32, dest)
{
	char type[TYPE_MAX], *desc, *callout = NULL;
	s64 n = get_type(utype, type);

	if (!n)
		n = get_string(udesc, KEY_DESC_MAX, &desc);
	if (n)
		return n;
	if (ucallout)
		n = get_string(ucallout, PAGE_SIZE, &callout);
	if (!n)
		n = key_request(type, desc, ucallout != 0, dest);
	kfree(callout);
	kfree(desc);
	return n;
}

static s64 join_session(uaddr_t uname)
{
	char *name = NULL;
	s64 n = 0;

	if (uname)
		n = get_string(uname, KEY_DESC_MAX, &name);
	if (!n && name && (!name[0] || name[0] == '.'))
		n = name[0] ? -EPERM : -EINVAL;
	if (!n) {
		keys_begin();
		n = key_join_session(name);
		keys_end();
	}
	kfree(name);
	return n;
}

static s64 update(s32 id, uaddr_t from, u64 len)
{
	void *payload;
	int err;

	if (len > PAGE_SIZE)
		return -EINVAL;
	err = get_payload(from, len, &payload);
	return err ? err : key_update(id, payload, payload ? (u32)len : 0);
}

static s64 search(s32 ring, uaddr_t utype, uaddr_t udesc, s32 dest)
{
	char type[TYPE_MAX], *desc;
	s64 n = get_type(utype, type);

	if (!n)
		n = get_string(udesc, KEY_DESC_MAX, &desc);
	if (n)
		return n;
	n = key_search_in(ring, type, desc, dest);
	kfree(desc);
	return n;
}

/* @n bytes at @from, which is freed, if there is room for all; or an error. */
static s64 give(s64 n, void *from, uaddr_t to, u64 room)
{
	if (n > 0 && to && (u64)n <= room && copy_to_user(to, from, (size_t)n))
		n = -EFAULT;
	kfree(from);
	return n;
}

static s64 describe(s32 id, uaddr_t to, u64 room)
{
	char *s = NULL;
	s64 n = key_ctl_describe(id, &s);

	return give(n, s, to, room);
}

static s64 read_key(s32 id, uaddr_t to, u64 room)
{
	void *data = NULL;
	s64 n = key_ctl_read(id, to ? room : 0, &data);

	return give(n, data, to, room);
}

static s64 security(s32 id, uaddr_t to, u64 room)
{
	s64 n = key_ctl_security(id);

	if (n > 0 && to && room && copy_to_user(to, "", 1))
		return -EFAULT;
	return n;
}

static s64 capabilities(uaddr_t to, u64 room)
{
	/* itself, persistent keyrings, big keys, invalidate, restrict, move;
	 * watches */
	static const u8 caps[2] = { 0xf3, 0x04 };
	u64 n = min(room, (u64)sizeof(caps));

	if (n && copy_to_user(to, caps, n))
		return -EFAULT;
	if (room > n && clear_user(to + n, room - n))
		return -EFAULT;
	return sizeof(caps);
}

static s64 restrict_ring(s32 ring, uaddr_t utype, uaddr_t urule)
{
	char type[TYPE_MAX], *rule;
	s64 n;

	if (!utype != !urule)
		return -EINVAL;
	if (!utype)
		return key_ctl_restrict(ring, NULL);
	n = get_type(utype, type);
	if (!n)
		n = get_string(urule, PAGE_SIZE, &rule);
	if (n)
		return n;
	kfree(rule);
	return key_ctl_restrict(ring, type);
}

static s64 watch_key(s32 id, int fd, int watch)
{
	struct file *f;
	struct watch_queue *q;
	s64 n;

	if (watch < -1 || watch > 0xff)
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	q = watch_queue_of(f);
	n = q ? key_ctl_watch(id, q, watch) : -EINVAL;
	file_put(f);
	return n;
}

/* What only who is asked to make a key may do: nobody is. */
static s64 instantiate(u64 op, const u64 *a)
{
	s64 error = (s64)a[2];

	if (op == KEYCTL_INSTANTIATE && a[2] > KEY_MAX_PAYLOAD)
		return -EINVAL;
	if (op == KEYCTL_REJECT && ((u32)error == 0 || (u32)error >= 4095 ||
				    ((u32)error >= 512 && (u32)error <= 516)))
		return -EINVAL;
	return -EPERM;
}

SYSCALL5(219, keyctl, int, op, u64, a2, u64, a3, u64, a4, u64, a5)
{
	const u64 args[4] = { a2, a3, a4, a5 };
	s32 id = (s32)a2;

	switch (op) {
	case KEYCTL_GET_KEYRING_ID:
		return key_ctl_ring_id(id, (int)a3);
	case KEYCTL_JOIN_SESSION_KEYRING:
		return join_session(a2);
	case KEYCTL_UPDATE:
		return update(id, a3, a4);
	case KEYCTL_REVOKE:
		return key_ctl_revoke(id);
	case KEYCTL_CHOWN:
		return key_ctl_chown(id, (u32)a3, (u32)a4);
	case KEYCTL_SETPERM:
		return key_ctl_setperm(id, (u32)a3);
	case KEYCTL_DESCRIBE:
		return describe(id, a3, (u32)a4);
	case KEYCTL_CLEAR:
		return key_ctl_clear(id);
	case KEYCTL_LINK:
		return key_ctl_link(id, (s32)a3);
	case KEYCTL_UNLINK:
		return key_ctl_unlink(id, (s32)a3);
	case KEYCTL_SEARCH:
		return search(id, a3, a4, (s32)a5);
	case KEYCTL_READ:
		return read_key(id, a3, a4);
	case KEYCTL_INSTANTIATE:
	case KEYCTL_INSTANTIATE_IOV:
	case KEYCTL_NEGATE:
	case KEYCTL_REJECT:
		return instantiate((u64)op, args);
	case KEYCTL_SET_REQKEY_KEYRING:
		return key_ctl_reqkey_dest((int)a2);
	case KEYCTL_SET_TIMEOUT:
		return key_ctl_timeout(id, (u32)a3);
	case KEYCTL_ASSUME_AUTHORITY:
		return id < 0 ? -EINVAL : id ? -ENOKEY : 0;
	case KEYCTL_GET_SECURITY:
		return security(id, a3, a4);
	case KEYCTL_INVALIDATE:
		return key_ctl_invalidate(id);
	case KEYCTL_GET_PERSISTENT:
		return key_ctl_persistent((u32)a2, (s32)a3);
	case KEYCTL_RESTRICT_KEYRING:
		return restrict_ring(id, a3, a4);
	case KEYCTL_MOVE:
		if ((u32)a5 & ~KEYCTL_MOVE_EXCL)
			return -EINVAL;
		return key_ctl_move(id, (s32)a3, (s32)a4, (u32)a5);
	case KEYCTL_WATCH_KEY:
		return watch_key(id, (int)a3, (int)a4);
	case KEYCTL_CAPABILITIES:
		return capabilities(a2, a3);
	default:
		return -EOPNOTSUPP;
	}
}
