/* SPDX-License-Identifier: MIT */
/*
 * fs/dnotify.c - fcntl(F_NOTIFY): a signal when something happens in a directory.
 *
 * All marks are of one group; an open file has one at most.
 *
 * Locking: notify_lock (fs/mark.h).  Signals are sent without it.
 */
#include <fs/mark.h>

#include <fs/internal.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/errno.h>

#define POLL_MSG 3     /* si_code */
#define BAND_MSG 0x441 /* POLLIN, POLLRDNORM, POLLMSG */

#define DN_ACCESS    0x01u
#define DN_MODIFY    0x02u
#define DN_CREATE    0x04u
#define DN_DELETE    0x08u
#define DN_RENAME    0x10u
#define DN_ATTRIB    0x20u
#define DN_EVENTS    0x3fu
#define DN_MULTISHOT 0x80000000u

struct dmark {
	struct mark mark;  /* first; its mask: DN_* */
	struct file *file; /* [I] not counted: its release() frees us */
	int fd;		   /* [notify_lock] for the signal */
};

struct dsignal {
	struct later later; /* first */
	struct file_owner owner;
	int sig, fd;
};

u32 nr_dnotify; /* [a] */
static struct notify_group dnotify;

static struct dmark *dmark_of(struct mark *m)
{
	return container_of(m, struct dmark, mark);
}

static u32 dn_event(u32 event)
{
	return (event & IN_ACCESS ? DN_ACCESS : 0) |
	       (event & IN_MODIFY ? DN_MODIFY : 0) |
	       (event & IN_ATTRIB ? DN_ATTRIB : 0) |
	       (event & (IN_CREATE | IN_MOVED_TO) ? DN_CREATE : 0) |
	       (event & (IN_DELETE | IN_MOVED_FROM) ? DN_DELETE : 0) |
	       (event & FS_RENAME ? DN_RENAME : 0);
}

static void send(struct later *l)
{
	struct dsignal *s = container_of(l, struct dsignal, later);
	struct siginfo si = { .code = POLL_MSG, .poll.band = BAND_MSG };

	si.poll.fd = s->fd;
	(void)owner_signal(&s->owner, s->sig, &si);
	owner_clear(&s->owner);
	kfree(s);
}

static void dmark_ended(struct mark *m __unused)
{
	atomic_dec(&nr_dnotify);
}

/* Without memory the signal is lost. */
static void dmark_told(struct mark *m, enum mark_on on,
		       const struct happening *h, struct fan *fan)
{
	struct dmark *d = dmark_of(m);
	struct dsignal *s;
	int sig;

	if (!(m->mask & dn_event(h->mask)) ||
	    (on == ON_DIR2 && h->dir2 == h->dir))
		return;
	s = kzalloc(sizeof(*s));
	if (s) {
		sig = (int)load_once(&d->file->owner_sig);
		s->later.run = send;
		owner_update(&s->owner, &d->file->owner);
		s->sig = sig ? sig : SIGIO;
		s->fd = d->fd;
		list_add_tail(&s->later.node, &fan->later);
	}
	if (!(m->mask & DN_MULTISHOT)) {
		dmark_ended(m);
		mark_unlink(m, &fan->gone);
	}
}

static const struct group_ops dnotify_group = {
	.mark = dmark_told,
	.ended = dmark_ended,
};

static int dnotify_init(void)
{
	group_init(&dnotify, &dnotify_group);
	return 0;
}
INITCALL(INIT_CORE, dnotify_init);

static struct dmark *mark_of(const struct file *f)
{
	struct mark *m;

	list_for_each_entry(m, mark_bucket(f->inode), bucket)
		if (m->group == &dnotify && dmark_of(m)->file == f)
			return dmark_of(m);
	return NULL;
}

void dnotify_release(struct file *f)
{
	struct list_head gone;
	struct dmark *d;

	list_init(&gone);
	spin_lock(&notify_lock);
	d = mark_of(f);
	if (d) {
		dmark_ended(&d->mark);
		mark_unlink(&d->mark, &gone);
	}
	spin_unlock(&notify_lock);
	marks_free(&gone);
}

int dnotify_set(struct file *f, int fd, u32 arg)
{
	struct dmark *fresh, *d;

	if (!(arg & DN_EVENTS)) {
		dnotify_release(f);
		return 0;
	}
	if (!f->inode || !S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	fresh = kzalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	spin_lock(&notify_lock);
	d = mark_of(f);
	if (!d) {
		d = fresh;
		fresh = NULL;
		d->file = f;
		d->mark.kind = ON_INODE;
		d->mark.pins = true;
		d->mark.obj = f->inode;
		mark_link(&d->mark, &dnotify);
		atomic_inc(&nr_dnotify);
	}
	d->fd = fd;
	d->mark.mask |= arg & (DN_EVENTS | DN_MULTISHOT);
	owner_default(&f->owner);
	spin_unlock(&notify_lock);
	kfree(fresh);
	return 0;
}
