/* SPDX-License-Identifier: MIT */
/*
 * syscall/statmount.c - statmount, listmount: mounts by numbers that are never
 * given twice.
 */
#include <syscall/mountattr.h>
#include <syscall/syscall.h>
#include <syscall/ustruct.h>

#include <fs/fsctx.h>
#include <fs/mountns.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <lib/string.h>

#define FIRST_ID  BIT(31) /* all are larger */
#define LSMT_ROOT ~0ull

#define LISTMOUNT_REVERSE 1u
#define LISTMOUNT_MAX	  1000000u

#define STATMOUNT_SB_BASIC	 0x0001u
#define STATMOUNT_MNT_BASIC	 0x0002u
#define STATMOUNT_PROPAGATE_FROM 0x0004u
#define STATMOUNT_MNT_ROOT	 0x0008u
#define STATMOUNT_MNT_POINT	 0x0010u
#define STATMOUNT_FS_TYPE	 0x0020u
#define STATMOUNT_MNT_NS_ID	 0x0040u
#define STATMOUNT_MNT_OPTS	 0x0080u
#define STATMOUNT_SB_SOURCE	 0x0200u

struct mnt_id_req {
	u32 size, spare;
	u64 id, param, ns;
};

struct user_statmount {
	u32 size, mnt_opts;
	u64 mask;
	u32 sb_dev_major, sb_dev_minor;
	u64 sb_magic;
	u32 sb_flags, fs_type;
	u64 mnt_id, mnt_parent_id;
	u32 mnt_id_old, mnt_parent_id_old;
	u64 mnt_attr, mnt_propagation, mnt_peer_group, mnt_master,
		propagate_from;
	u32 mnt_root, mnt_point;
	u64 mnt_ns_id;
	u32 fs_subtype, sb_source;
	u64 spare[48];
};
_Static_assert(sizeof(struct user_statmount) == 512, "ABI");

/* Strings behind the structure. */
struct strings {
	char *buf; /* STR_ROOM bytes */
	u32 len;
};
#define STR_ROOM (4 * PAGE_SIZE)

static int get_req(struct mnt_id_req *req, uaddr_t from)
{
	u32 size;
	int err;

	if (get_user_u32(&size, from))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < offsetof(struct mnt_id_req, ns))
		return -EINVAL;
	err = ustruct_get(req, sizeof(*req), from, size);
	if (err)
		return err;
	if (req->spare || req->id <= FIRST_ID)
		return -EINVAL;
	return 0;
}

/* Which namespace is asked about, and from where it is seen. */
struct view {
	struct mnt_ns *ns; /* referenced */
	struct path root;  /* referenced */
};

static int view_open(struct view *v, const struct mnt_id_req *req)
{
	struct mnt_ns *mine = mnt_ns_current();

	v->ns = mine;
	if (req->ns && req->ns != mnt_ns_number(mine)) {
		v->ns = mnt_ns_find(req->ns);
		ns_put(&mine->ns);
		if (!v->ns)
			return -ENOENT;
		if (!ns_capable(v->ns->ns.owner, CAP_SYS_ADMIN)) {
			ns_put(&v->ns->ns);
			return -ENOENT;
		}
	}
	mnt_ns_root(v->ns, &v->root);
	return 0;
}

static void view_close(struct view *v)
{
	path_put(&v->root);
	ns_put(&v->ns->ns);
}

/* Outside of the root only with privilege. */
static bool may_see(const struct view *v, struct mount *m)
{
	return vfs_mount_visible(m, &v->root) ||
	       ns_capable(v->ns->ns.owner, CAP_SYS_ADMIN);
}

/* --- statmount */

static void put_string(struct user_statmount *u, struct strings *s, u32 *at,
		       s64 len, u32 flag)
{
	if (len < 0)
		return;
	*at = s->len;
	s->len += (u32)len + 1;
	u->mask |= flag;
}

static void put_basic(struct user_statmount *u, struct mount *m)
{
	struct super_block *sb = m->sb;

	u->sb_dev_major = MAJOR(sb->dev);
	u->sb_dev_minor = MINOR(sb->dev);
	u->sb_magic = sb->magic;
	u->sb_flags =
		(u32)(sb->flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC));
	u->mask |= STATMOUNT_SB_BASIC;
}

static void put_mnt_basic(struct user_statmount *u, struct mount *m)
{
	const struct mount *up = m->parent ? m->parent : m;

	u->mnt_id = m->unique_id;
	u->mnt_parent_id = up->unique_id;
	u->mnt_id_old = (u32)m->id;
	u->mnt_parent_id_old = (u32)up->id;
	u->mnt_attr = ms_to_mount_attr(load_once(&m->flags));
	u->mnt_propagation = (m->group ? MS_SHARED : 0) |
			     (m->master ? MS_SLAVE : 0) |
			     (m->unbindable ? MS_UNBINDABLE : 0);
	if (!u->mnt_propagation)
		u->mnt_propagation = MS_PRIVATE;
	u->mnt_peer_group = m->group;
	u->mnt_master = m->master;
	u->mask |= STATMOUNT_MNT_BASIC;
}

static void put_strings(struct user_statmount *u, struct mount *m, u64 want,
			struct strings *s, const struct path *root)
{
	struct path p = { m, m->root };
	char *at = s->buf;

	*at = '\0'; /* what there is not is found at 0, and empty */
	s->len = 1;

	if (want & STATMOUNT_FS_TYPE)
		put_string(u, s, &u->fs_type,
			   strscpy(at + s->len, m->sb->type->name, 64),
			   STATMOUNT_FS_TYPE);
	if (want & STATMOUNT_MNT_ROOT)
		put_string(u, s, &u->mnt_root,
			   mount_root_str(m, at + s->len, PAGE_SIZE),
			   STATMOUNT_MNT_ROOT);
	if (want & STATMOUNT_MNT_POINT)
		put_string(u, s, &u->mnt_point,
			   path_to_str(&p, root, at + s->len, PAGE_SIZE),
			   STATMOUNT_MNT_POINT);
	if ((want & STATMOUNT_MNT_OPTS) && m->sb->ops->show_options) {
		at += s->len;
		at[0] = '\0';
		m->sb->ops->show_options(m->sb, at, PAGE_SIZE / 2);
		if (*at) {
			memmove(at, at + 1, strlen(at)); /* the comma */
			put_string(u, s, &u->mnt_opts, (s64)strlen(at),
				   STATMOUNT_MNT_OPTS);
		}
		at = s->buf;
	}
	if (want & STATMOUNT_SB_SOURCE)
		put_string(u, s, &u->sb_source,
			   strscpy(at + s->len, m->devname, PAGE_SIZE / 2),
			   STATMOUNT_SB_SOURCE);
	if (s->len == 1)
		s->len = 0;
}

static s64 stat_mount(const struct view *v, struct mount *m, u64 want,
		      struct strings *s, uaddr_t to, u64 room)
{
	struct user_statmount u = { 0 };
	int err;

	if (want & STATMOUNT_SB_BASIC)
		put_basic(&u, m);
	if (want & STATMOUNT_MNT_BASIC)
		put_mnt_basic(&u, m);
	if (want & STATMOUNT_PROPAGATE_FROM) {
		u.propagate_from = mount_dominator(m, &v->root);
		u.mask |= STATMOUNT_PROPAGATE_FROM;
	}
	if (want & STATMOUNT_MNT_NS_ID) {
		u.mnt_ns_id = mnt_ns_number(v->ns);
		u.mask |= STATMOUNT_MNT_NS_ID;
	}
	put_strings(&u, m, want, s, &v->root);
	u.size = (u32)sizeof(u) + s->len;
	if (s->len && u.size > room)
		return -EOVERFLOW;
	err = copy_to_user(to, &u, room < sizeof(u) ? room : sizeof(u));
	if (!err && s->len)
		err = copy_to_user(to + sizeof(u), s->buf, s->len);
	return err;
}

SYSCALL4(457, statmount, uaddr_t, ureq, uaddr_t, to, u64, room, u32, flags)
{
	struct strings s = { NULL, 0 };
	struct mnt_id_req req;
	struct mount *m;
	struct view v;
	s64 n;

	if (flags)
		return -EINVAL;
	n = get_req(&req, ureq);
	if (!n)
		n = view_open(&v, &req);
	if (n)
		return n;
	m = mnt_ns_mount(v.ns, req.id);
	s.buf = kmalloc(STR_ROOM);
	if (!m)
		n = -ENOENT;
	else if (!s.buf)
		n = -ENOMEM;
	else if (!may_see(&v, m))
		n = -EPERM;
	else
		n = stat_mount(&v, m, req.param, &s, to, room);
	kfree(s.buf);
	mount_put(m);
	view_close(&v);
	return n;
}

/* --- listmount */

struct listing {
	const struct mount *top;
	struct path from;
	u64 last;
	bool with_top, reverse;
	u64 *ids;
	u64 nr, room;
};

static void list_one(struct mount *m, void *ctx)
{
	struct listing *l = ctx;

	if (m == l->top ? !l->with_top : !vfs_mount_visible(m, &l->from))
		return;
	if (l->last &&
	    (l->reverse ? m->unique_id >= l->last : m->unique_id <= l->last))
		return;
	if (l->nr < l->room)
		l->ids[l->nr] = m->unique_id;
	l->nr++;
}

static void turn_round(u64 *ids, u64 n)
{
	u64 i, id;

	for (i = 0; i < n / 2; i++) {
		id = ids[i];
		ids[i] = ids[n - 1 - i];
		ids[n - 1 - i] = id;
	}
}

static s64 list_mounts(struct listing *l, uaddr_t to, u64 nr)
{
	s64 n;

	l->room = mount_count() + 16; /* some more may come */
	l->ids = kcalloc(l->room, sizeof(*l->ids));
	if (!l->ids)
		return -ENOMEM;
	mount_for_each(list_one, l);
	if (l->nr > l->room)
		l->nr = l->room;
	if (l->reverse)
		turn_round(l->ids, l->nr);
	if (nr > l->nr)
		nr = l->nr;
	n = nr ? copy_to_user(to, l->ids, nr * sizeof(*l->ids)) : 0;
	kfree(l->ids);
	return n ? n : (s64)nr;
}

SYSCALL4(458, listmount, uaddr_t, ureq, uaddr_t, to, u64, nr, u32, flags)
{
	struct listing l = { .reverse = flags & LISTMOUNT_REVERSE };
	struct mnt_id_req req;
	struct mount *m;
	struct view v;
	s64 n;

	if (flags & ~LISTMOUNT_REVERSE)
		return -EINVAL;
	if (nr > LISTMOUNT_MAX)
		return -EOVERFLOW;
	n = get_req(&req, ureq);
	if (n)
		return n;
	if (req.param && req.param <= FIRST_ID)
		return -EINVAL;
	n = view_open(&v, &req);
	if (n)
		return n;
	l.last = req.param;
	l.with_top = req.id == LSMT_ROOT;
	m = l.with_top ? mount_get(v.root.mnt) : mnt_ns_mount(v.ns, req.id);
	if (m && !l.with_top && !may_see(&v, m))
		n = -EPERM;
	l.top = m;
	l.from = l.with_top ? v.root : (struct path){ m, m ? m->root : NULL };
	if (!n)
		n = m ? list_mounts(&l, to, nr) : -ENOENT;
	mount_put(m);
	view_close(&v);
	return n;
}
