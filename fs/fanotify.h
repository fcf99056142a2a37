/* SPDX-License-Identifier: MIT */
/*
 * fs/fanotify.h - fanotify(7): groups of marks with a queue of events that tell of
 * files by descriptors or by handles, and with a say in who may open them.
 *
 *	fanotify.c	groups, which events they want, the queue and merging
 *	fanotify_perm.c	permission events: ask, wait, answer
 *	fanotify_file.c	the file: read(), write(), poll() ...
 *	fanotify_mark.c	marks
 *
 * Numbers and structures: linux/fanotify.h.
 */
#ifndef FS_FANOTIFY_H
#define FS_FANOTIFY_H

#include <fs/mark.h>

#define FAN_CLOEXEC	      0x0001u
#define FAN_NONBLOCK	      0x0002u
#define FAN_CLASS_CONTENT     0x0004u
#define FAN_CLASS_PRE_CONTENT 0x0008u
#define FAN_CLASS	      0x000cu
#define FAN_UNLIMITED_QUEUE   0x0010u
#define FAN_UNLIMITED_MARKS   0x0020u
#define FAN_REPORT_PIDFD      0x0080u
#define FAN_REPORT_TID	      0x0100u
#define FAN_REPORT_FID	      0x0200u
#define FAN_REPORT_DIR_FID    0x0400u
#define FAN_REPORT_NAME	      0x0800u
#define FAN_REPORT_TARGET_FID 0x1000u
#define FAN_REPORT_FD_ERROR   0x2000u
#define FAN_FID_BITS	      0x1e00u

#define FAN_MARK_ADD		     0x001u
#define FAN_MARK_REMOVE		     0x002u
#define FAN_MARK_DONT_FOLLOW	     0x004u
#define FAN_MARK_ONLYDIR	     0x008u
#define FAN_MARK_MOUNT		     0x010u
#define FAN_MARK_IGNORED_MASK	     0x020u
#define FAN_MARK_IGNORED_SURV_MODIFY 0x040u
#define FAN_MARK_FLUSH		     0x080u
#define FAN_MARK_FILESYSTEM	     0x100u
#define FAN_MARK_EVICTABLE	     0x200u
#define FAN_MARK_IGNORE		     0x400u
#define FAN_MARK_CMD_BITS	     (FAN_MARK_ADD | FAN_MARK_REMOVE | FAN_MARK_FLUSH)
#define FAN_MARK_TYPE_BITS	     (FAN_MARK_MOUNT | FAN_MARK_FILESYSTEM)
#define FAN_MARK_IGNORE_BITS	     (FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORE)

#define FAN_PATH_EVENTS                                                        \
	(IN_ACCESS | IN_MODIFY | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_OPEN | \
	 FS_OPEN_EXEC)
#define FAN_PERM_EVENTS (FS_OPEN_PERM | FS_ACCESS_PERM | FS_OPEN_EXEC_PERM)
#define FAN_EVENTS                                                       \
	(FAN_PATH_EVENTS | FS_NAME_EVENTS | IN_ATTRIB | IN_DELETE_SELF | \
	 IN_MOVE_SELF | FS_ERROR)
#define FAN_EVENT_FLAGS (FS_ON_CHILD | IN_ISDIR)

extern u64 fanotify_max_queued, fanotify_max_groups,
	fanotify_max_marks; /* [a] /proc/sys/fs/fanotify/ */

/* @flags: FAN_*, @event_flags: O_* of the descriptors in events. */
struct file *fanotify_create(u32 flags, u32 event_flags, bool unprivileged);

struct fanotify;
struct fanotify *fanotify_of(struct file *f); /* NULL: another kind of file */
u32 fanotify_flags(const struct fanotify *fa);
bool fanotify_unprivileged(const struct fanotify *fa);

/* What fanotify_mark(2) asks for, checked; @umask: flags that do not keep a mark
 * alive.  0, -EEXIST, -ENOSPC, -ENOENT, -ENOMEM, -ENODEV, -EOPNOTSUPP. */
int fanotify_add(struct fanotify *fa, const struct path *p, u32 flags,
		 u32 mask);
int fanotify_remove(struct fanotify *fa, const struct path *p, u32 flags,
		    u32 mask, u32 umask);
void fanotify_flush(struct fanotify *fa, u32 flags);

/* --- among the files of fanotify */

enum ask_state {
	ASK_NONE,     /* no permission event */
	ASK_QUEUED,   /* in fa->events */
	ASK_TAKEN,    /* by a reader who has not shown it yet */
	ASK_SHOWN,    /* in fa->asked */
	ASK_ANSWERED, /* on no list */
};

struct fan_event {
	struct list_head node; /* [notify_lock] */
	u32 refs;	       /* [notify_lock] queue or reader; who asks */
	u32 mask;	       /* [notify_lock] while queued */
	u32 pid;	       /* [I] */
	struct process *proc;  /* [I] FAN_REPORT_PIDFD; owned */
	struct path path;      /* [I] owned, or NULLs */
	u64 fsid;	       /* [I] */
	struct fhandle obj, dir, dir2; /* [I] type 0: none */
	u32 len, len2;		       /* [I] of names */
	s32 error;		       /* [I] FS_ERROR */
	u32 error_count;	       /* [notify_lock] */
	enum ask_state state;	       /* [notify_lock] */
	struct waitq *asker;	       /* [I] whoever asks waits here */
	u32 answer;		       /* [notify_lock] FAN_ALLOW, FAN_DENY */
	int fd;			       /* [notify_lock] which it was shown as */
	char names[];		       /* [I] of dir, then of dir2 */
};
#define FAN_ALLOW 1u
#define FAN_DENY  2u

struct fanotify {
	struct notify_group group;  /* first */
	struct list_head asked;	    /* [notify_lock] likewise */
	struct list_head perm_node; /* [notify_lock] fanotify_perm.c */
	u32 flags, event_flags;	    /* [I] */
	u64 order;		    /* [I] in which permission is asked */
	bool unprivileged;	    /* [I] */
	bool overflowed;	    /* [notify_lock] its event is queued */
	bool dead;		    /* [notify_lock] answers everything */
	u32 refs;		    /* [a] file, and who asks */
};

struct fan_mark {
	struct mark mark; /* first */
	u64 fsid;	  /* [I] */
};

extern const struct group_ops fanotify_group;
/* notify_lock held.  What of @h the group wants, by group->hit[]; and which kinds
 * of marks want it: BIT(mark_on). */
u32 fanotify_wants(struct fanotify *fa, const struct happening *h, u32 *match);
struct fan_event *fan_event_new(struct fanotify *fa, const struct happening *h,
				u32 mask, u32 match);
/* References of what is in it go: no lock held. */
void fan_event_free(struct fan_event *e);

void fanotify_put(struct fanotify *fa);
void fanotify_perm_start(struct fanotify *fa);
void fanotify_perm_end(struct fanotify *fa); /* who waits is let go */
/* notify_lock held. */
void fanotify_answer(struct fanotify *fa, struct fan_event *e, u32 answer);

extern const struct file_ops fanotify_fops;

#endif /* FS_FANOTIFY_H */
