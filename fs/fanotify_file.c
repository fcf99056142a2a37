/* SPDX-License-Identifier: MIT */
/*
 * fs/fanotify_file.c - the descriptor of fanotify_init(2): events are read from it,
 * answers written to it.
 */
#include <fs/fanotify.h>

#include <fs/internal.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/ns/pid.h>
#include <kernel/task/task.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define FIONREAD 0x541bu

#define FAN_NOFD    (-1)
#define FAN_NOPIDFD (-1)
#define FAN_EPIDFD  (-2)

/* linux/fanotify.h */
struct metadata {
	u32 event_len;
	u8 vers, reserved;
	u16 metadata_len;
	u64 mask;
	s32 fd, pid;
};
struct info_head {
	u8 type, pad;
	u16 len;
};
struct info_fid {
	struct info_head head;
	u32 fsid[2];
	struct fhandle fh; /* its data as long as it is; then a name */
};
struct info_pidfd {
	struct info_head head;
	s32 pidfd;
};
struct info_error {
	struct info_head head;
	s32 error;
	u32 count;
};
struct response {
	s32 fd;
	u32 response;
};
enum {
	INFO_FID = 1,
	INFO_DFID_NAME,
	INFO_DFID,
	INFO_PIDFD,
	INFO_ERROR,
	INFO_OLD_DFID_NAME = 10,
	INFO_NEW_DFID_NAME = 12,
};
#define FAN_INFO_FID_MAX (offsetof(struct info_fid, fh.data) + 12 + 256)

/* --- building: into memory, @room of which the caller has asked for before */

struct out {
	char *at;
	size_t n;
};

static size_t fid_len(const struct fhandle *h, size_t name)
{
	if (!h->type)
		return 0;
	return ALIGN_UP(offsetof(struct info_fid, fh.data) + h->bytes +
				(name ? name + 1 : 0),
			4);
}

static bool dot_named(const struct fanotify *fa, const struct fan_event *e)
{
	return (fa->flags & FAN_REPORT_NAME) && (e->mask & IN_ISDIR) &&
	       !e->dir.type && !e->dir2.type;
}

static size_t event_len(const struct fanotify *fa, const struct fan_event *e)
{
	size_t n = sizeof(struct metadata);

	n += fid_len(&e->dir, e->len) + fid_len(&e->dir2, e->len2) +
	     fid_len(&e->obj, dot_named(fa, e) ? 1 : 0);
	if (fa->flags & FAN_REPORT_PIDFD)
		n += sizeof(struct info_pidfd);
	if (e->mask & FS_ERROR)
		n += sizeof(struct info_error);
	return n;
}

static void put(struct out *o, const void *p, size_t n)
{
	memcpy(o->at + o->n, p, n);
	o->n += n;
}

static void put_fid(struct out *o, u8 type, u64 fsid, const struct fhandle *h,
		    const char *name, size_t len)
{
	size_t n = fid_len(h, len), start = o->n;
	struct info_fid f = { .head = { .type = type, .len = (u16)n },
			      .fsid = { (u32)fsid, (u32)(fsid >> 32) },
			      .fh = *h };

	if (!n)
		return;
	memset(o->at + start, 0, n);
	put(o, &f, offsetof(struct info_fid, fh.data) + h->bytes);
	memcpy(o->at + o->n, name, len);
	o->n = start + n;
}

static u8 obj_type(const struct fanotify *fa, const struct fan_event *e)
{
	if ((fa->flags & FAN_FID_BITS) == FAN_REPORT_FID || e->dir.type ||
	    e->dir2.type || (e->mask & FS_ERROR))
		return INFO_FID;
	if (dot_named(fa, e))
		return INFO_DFID_NAME;
	return e->mask & (FS_NAME_EVENTS | IN_ISDIR) ? INFO_DFID : INFO_FID;
}

static void put_infos(const struct fanotify *fa, const struct fan_event *e,
		      s32 pidfd, struct out *o)
{
	const struct info_pidfd p = { { .type = INFO_PIDFD, .len = sizeof(p) },
				      pidfd };
	const struct info_error err = {
		{ .type = INFO_ERROR, .len = sizeof(err) },
		e->error < 0 ? -e->error : e->error,
		e->error_count,
	};
	u8 type = e->len ? INFO_DFID_NAME : INFO_DFID;

	if (e->mask & FS_RENAME)
		type = INFO_OLD_DFID_NAME;
	put_fid(o, type, e->fsid, &e->dir, e->names, e->len);
	put_fid(o, INFO_NEW_DFID_NAME, e->fsid, &e->dir2, e->names + e->len,
		e->len2);
	put_fid(o, obj_type(fa, e), e->fsid, &e->obj, ".",
		dot_named(fa, e) ? 1 : 0);
	if (fa->flags & FAN_REPORT_PIDFD)
		put(o, &p, sizeof(p));
	if (e->mask & FS_ERROR)
		put(o, &err, sizeof(err));
}

/* --- reading */

/* The first event if it fits into @room: NULL: none; -EINVAL: it does not. */
static struct fan_event *take(struct fanotify *fa, size_t room)
{
	struct fan_event *e;

	spin_lock(&notify_lock);
	e = list_first_entry_or_null(&fa->group.events, struct fan_event, node);
	if (e && event_len(fa, e) > room) {
		e = ERR_PTR(-EINVAL);
	} else if (e) {
		list_del(&e->node);
		fa->group.nr_events--;
		if (e->mask & IN_Q_OVERFLOW)
			fa->overflowed = false;
		if (e->state == ASK_QUEUED)
			e->state = ASK_TAKEN;
	}
	spin_unlock(&notify_lock);
	return e;
}

/* @e was read, as @fd, or could not be (@err). */
static void taken(struct fanotify *fa, struct fan_event *e, int fd, int err)
{
	bool last = false;

	spin_lock(&notify_lock);
	if (e->state == ASK_TAKEN && e->refs > 1 && !err && !fa->dead) {
		e->state = ASK_SHOWN;
		e->fd = fd;
		list_add_tail(&e->node, &fa->asked);
	} else if (e->state == ASK_TAKEN && e->refs > 1) {
		fanotify_answer(fa, e, err ? FAN_DENY : FAN_ALLOW);
	} else {
		last = !--e->refs;
	}
	spin_unlock(&notify_lock);
	if (last)
		fan_event_free(e);
}

/* A descriptor of what @e tells of, not installed yet: or -errno. */
static int event_fd(const struct fanotify *fa, const struct fan_event *e,
		    struct file **out)
{
	struct file *f;
	int fd;

	*out = NULL;
	if (!e->path.mnt)
		return FAN_NOFD;
	fd = fd_alloc(0, fa->event_flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	f = vfs_open_unwatched(&e->path, fa->event_flags);
	if (IS_ERR(f)) {
		fd_unreserve(fd);
		return (int)PTR_ERR(f);
	}
	*out = f;
	return fd;
}

static s32 event_pidfd(const struct fanotify *fa, const struct fan_event *e)
{
	bool errors = fa->flags & FAN_REPORT_FD_ERROR;
	struct process *p;
	int fd;

	if (!(fa->flags & FAN_REPORT_PIDFD) || !e->proc)
		return FAN_NOPIDFD;
	p = process_find(e->proc->pid);
	process_put(p);
	if (p != e->proc)
		return errors ? -ESRCH : FAN_NOPIDFD; /* reaped */
	fd = pidfd_create(e->proc, 0);
	return fd >= 0 || errors ? fd : FAN_EPIDFD;
}

static s64 give_with(const struct fanotify *fa, const struct fan_event *e,
		     int fd, s32 pidfd, struct iov_iter *to)
{
	size_t n = event_len(fa, e);
	struct metadata m = {
		.event_len = (u32)n,
		.vers = 3,
		.metadata_len = sizeof(m),
		.mask = e->mask & (FAN_EVENTS | FAN_PERM_EVENTS |
				   IN_Q_OVERFLOW | IN_ISDIR),
		.fd = fd,
		.pid = pid_shown((int)e->pid),
	};
	struct out o = { .at = kmalloc(n) };
	size_t moved;

	if (!o.at)
		return -ENOMEM;
	if (fa->unprivileged && e->pid != (u32)current->proc->pid)
		m.pid = 0;
	put(&o, &m, sizeof(m));
	put_infos(fa, e, pidfd, &o);
	moved = copy_to_iter(o.at, n, to);
	kfree(o.at);
	return moved == n ? (s64)n : -EFAULT;
}

static s64 give(struct fanotify *fa, struct fan_event *e, struct iov_iter *to)
{
	struct file *f;
	int fd = event_fd(fa, e, &f);
	s32 pidfd = FAN_NOPIDFD;
	s64 n = fd;

	if (f || !e->path.mnt || (fa->flags & FAN_REPORT_FD_ERROR)) {
		pidfd = event_pidfd(fa, e);
		n = give_with(fa, e, fd, pidfd, to);
	}
	if (f && n < 0) {
		fd_unreserve(fd);
		file_put(f);
	} else if (f) {
		fd_install(fd, f);
	}
	if (n < 0 && pidfd >= 0)
		(void)fd_close(pidfd);
	/* nobody can answer for a file that was not opened */
	taken(fa, e, fd, n < 0 ? (int)n : e->path.mnt && !f ? fd : 0);
	return n;
}

static s64 fan_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct fanotify *fa = f->priv;
	s64 done = 0, r;

	for (;;) {
		struct fan_event *e = take(fa, iov_iter_count(to));

		if (IS_ERR(e))
			return done ? done : PTR_ERR(e);
		if (e) {
			r = give(fa, e, to);
			if (r < 0)
				return done && r != -EFAULT ? done : r;
			done += r;
			continue;
		}
		if (done)
			return done;
		r = group_wait(f);
		if (r)
			return r;
	}
}

/* --- the rest */

static int answer(struct fanotify *fa, const struct response *r)
{
	struct fan_event *e;
	int err = -ENOENT;

	if (r->response != FAN_ALLOW && r->response != FAN_DENY)
		return -EINVAL;
	if (r->fd < 0)
		return -EINVAL;
	spin_lock(&notify_lock);
	list_for_each_entry(e, &fa->asked, node) {
		if (e->fd != r->fd)
			continue;
		fanotify_answer(fa, e, r->response);
		err = 0;
		break;
	}
	spin_unlock(&notify_lock);
	return err;
}

static s64 fan_write(struct file *f, struct iov_iter *from, u64 *pos __unused)
{
	struct response r;
	int err;

	if (iov_iter_count(from) < sizeof(r))
		return -EINVAL;
	if (copy_from_iter(&r, sizeof(r), from) != sizeof(r))
		return -EFAULT;
	err = answer(f->priv, &r);
	return err ? err : (s64)sizeof(r);
}

static s64 fan_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct fanotify *fa = f->priv;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return put_user_u32((u32)(load_once(&fa->group.nr_events) *
				  sizeof(struct metadata)),
			    arg);
}

static void fan_release(struct file *f)
{
	struct fanotify *fa = f->priv;
	struct fan_event *e, *next;

	fanotify_perm_end(fa);
	group_end(&fa->group);
	list_for_each_entry_safe(e, next, &fa->group.events, node) {
		list_del(&e->node);
		fan_event_free(e);
	}
	fanotify_put(fa);
}

static size_t mark_line(const struct mark *m, char *buf, size_t n)
{
	const struct inode *i = m->obj;
	const struct mount *mnt = m->obj;
	const struct super_block *sb = m->obj;
	u32 flags = m->flags;
	size_t len;

	switch (m->kind) {
	case ON_MOUNT:
		len = (size_t)scnprintf(buf, n, "fanotify mnt_id:%x", mnt->id);
		break;
	case ON_SB:
		len = (size_t)scnprintf(buf, n, "fanotify sdev:%x", sb->dev);
		break;
	default:
		len = (size_t)scnprintf(buf, n, "fanotify ino:%lx sdev:%x",
					i->ino, i->sb->dev);
		break;
	}
	len += (size_t)scnprintf(buf + len, n - len,
				 " mflags:%x mask:%x ignored_mask:%x%s", flags,
				 m->mask, m->ignored,
				 m->kind == ON_INODE ? " " : "\n");
	if (m->kind == ON_INODE)
		len += inode_handle_str(i, buf + len, n - len);
	return len;
}

static size_t fan_fdinfo(struct file *f, char *buf, size_t n)
{
	struct fanotify *fa = f->priv;
	struct mark *m;
	size_t len;

	len = (size_t)scnprintf(buf, n, "fanotify flags:%x event-flags:%x\n",
				fa->flags, fa->event_flags);
	spin_lock(&notify_lock);
	list_for_each_entry(m, &fa->group.marks, node) {
		if (len + 192 > n)
			break;
		len += mark_line(m, buf + len, n - len);
	}
	spin_unlock(&notify_lock);
	return len;
}

const struct file_ops fanotify_fops = {
	.fdinfo = fan_fdinfo,
	.sigio = true,
	.read = fan_read,
	.write = fan_write,
	.poll = group_poll,
	.ioctl = fan_ioctl,
	.release = fan_release,
	.anon_name = "anon_inode:[fanotify]",
};
