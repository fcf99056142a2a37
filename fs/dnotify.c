/* SPDX-License-Identifier: MIT */
/*
 * fs/dnotify.c - fcntl(F_NOTIFY): a signal when something happens in a directory.
 *
 * The elder of inotify, and fed by it.  Marks are rare: they are on one list.
 *
 * Locking: dn_lock.  Signals are sent without it.
 */
#include <fs/notify.h>

#include <fs/internal.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <lib/errno.h>

#define POLL_MSG 3 /* si_code */

#define DN_ACCESS    0x01u
#define DN_MODIFY    0x02u
#define DN_CREATE    0x04u
#define DN_DELETE    0x08u
#define DN_RENAME    0x10u
#define DN_ATTRIB    0x20u
#define DN_EVENTS    0x3fu
#define DN_MULTISHOT 0x80000000u

struct mark {
	struct list_head node; /* [dn_lock] marks */
	struct file *file;     /* [I] not counted: its release() frees us */
	int fd;		       /* [dn_lock] for the signal */
	u32 mask;	       /* [dn_lock] DN_* */
	u64 told;	       /* [dn_lock] the last event it was told of */
};

u32 nr_dnotify; /* [a] */
static struct spinlock dn_lock = SPINLOCK_INIT("dnotify", RANK_INODE);
static struct list_head marks = LIST_HEAD_INIT(marks);
static u64 last_event; /* [dn_lock] */

static u32 dn_event(u32 event)
{
	return (event & IN_ACCESS ? DN_ACCESS : 0) |
	       (event & IN_MODIFY ? DN_MODIFY : 0) |
	       (event & IN_ATTRIB ? DN_ATTRIB : 0) |
	       (event & (IN_CREATE | IN_MOVED_TO) ? DN_CREATE : 0) |
	       (event & (IN_DELETE | IN_MOVED_FROM) ? DN_DELETE : 0) |
	       (event & DNOTIFY_RENAMED ? DN_RENAME : 0);
}

static void remove_locked(struct mark *m)
{
	list_del(&m->node);
	atomic_dec(&nr_dnotify);
	atomic_dec(&notify_nr_watches);
}

static struct mark *mark_of(const struct file *f)
{
	struct mark *m;

	list_for_each_entry(m, &marks, node)
		if (m->file == f)
			return m;
	return NULL;
}

/* Who is to be told of event @id and was not yet; dn_lock held. */
static struct mark *next_to_tell(const struct inode *dir, u32 mask, u64 id)
{
	struct mark *m;

	list_for_each_entry(m, &marks, node)
		if (m->file->inode == dir && (m->mask & mask) && m->told != id)
			return m;
	return NULL;
}

void dnotify_report(struct inode *dir, u32 event)
{
	u32 mask = dn_event(event);
	struct siginfo si = { .code = POLL_MSG };
	struct mark *m;
	s32 pid;
	u64 id;
	int sig;

	spin_lock(&dn_lock);
	id = ++last_event;
	while (mask && (m = next_to_tell(dir, mask, id)) != NULL) {
		m->told = id;
		si.poll.fd = m->fd;
		pid = (s32)load_once(&m->file->owner_pid);
		sig = (int)load_once(&m->file->owner_sig);
		if (m->mask & DN_MULTISHOT)
			m = NULL;
		else
			remove_locked(m);
		spin_unlock(&dn_lock);
		kfree(m);
		if (pid)
			(void)task_signal_owner(pid, sig ? sig : SIGIO, &si);
		spin_lock(&dn_lock);
	}
	spin_unlock(&dn_lock);
}

void dnotify_release(struct file *f)
{
	struct mark *m;

	spin_lock(&dn_lock);
	m = mark_of(f);
	if (m)
		remove_locked(m);
	spin_unlock(&dn_lock);
	kfree(m);
}

int dnotify_set(struct file *f, int fd, u32 arg)
{
	struct mark *fresh, *m;

	if (!(arg & DN_EVENTS)) {
		dnotify_release(f);
		return 0;
	}
	if (!f->inode || !S_ISDIR(f->inode->mode))
		return -ENOTDIR;
	fresh = kzalloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	spin_lock(&dn_lock);
	m = mark_of(f);
	if (!m) {
		m = fresh;
		fresh = NULL;
		m->file = f;
		list_add_tail(&m->node, &marks);
		atomic_inc(&nr_dnotify);
		atomic_inc(&notify_nr_watches);
	}
	m->fd = fd;
	m->mask |= arg & (DN_EVENTS | DN_MULTISHOT);
	if (!f->owner_pid)
		f->owner_pid = (u32)current->proc->pid;
	spin_unlock(&dn_lock);
	kfree(fresh);
	return 0;
}
