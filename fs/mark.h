/* SPDX-License-Identifier: MIT */
/*
 * fs/mark.h - what inotify, dnotify and fanotify have in common: groups of marks.
 *
 *	group	who is told
 *	mark	(group, object, mask): what of one inode, mount or super block it
 *		wants to be told
 *
 * fs/notify.c has the table of all marks and the one fan-out: notify_fan() looks
 * the objects of a happening up and hands it to the groups that want it.
 *
 * INVARIANTS
 *   M1  A mark is on its group's list and in the table, or on neither; off them it
 *       is seen by nobody, and freed without the lock.
 *   M2  A mark that pins its inode owns a reference; one that does not goes when
 *       its object does (eviction, last reference of the mount, unmount).
 *
 * Locking: notify_lock (RANK_PIPE) for the table, the groups, and all queues.
 */
#ifndef FS_MARK_H
#define FS_MARK_H

#include <fs/notify.h>
#include <fs/vfs.h>

/* Which of a happening's objects has the mark. */
enum mark_on {
	ON_PARENT, /* the directory of the file that it happened to */
	ON_INODE,  /* the file; of changes of names: the directory */
	ON_DIR2,   /* FS_RENAME: the new directory */
	ON_MOUNT,
	ON_SB,
	NR_ON,
};

struct happening {
	u32 mask; /* one event, with IN_ISDIR, FS_ON_CHILD */
	u32 cookie;
	struct inode *inode;	 /* what it happened to, or NULL */
	const struct path *path; /* how it was reached, or NULL */
	struct inode *dir;	 /* where @name is, or NULL */
	const char *name;	 /* @len bytes */
	struct inode *dir2;	 /* FS_RENAME: where it is now */
	const char *name2;
	u32 len, len2;
	bool nameless; /* that name is gone: IN_EXCL_UNLINK */
	struct super_block *sb;
	int error; /* FS_ERROR */
};

/* One with a name in a directory: what has no inode mark but the directory's. */
#define FS_NAME_EVENTS \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | FS_RENAME)

struct mark {
	struct list_head node;	    /* [notify_lock] in group->marks */
	struct list_head bucket;    /* [notify_lock] by object */
	struct notify_group *group; /* [I] */
	enum mark_on kind;	    /* [I] ON_INODE, ON_MOUNT, ON_SB */
	bool pins;		    /* [notify_lock] M2 */
	void *obj;		    /* [I] struct inode, mount or super_block */
	u32 mask;    /* [notify_lock] events and flags of the group's */
	u32 ignored; /* [notify_lock] fanotify */
	u32 flags;   /* [notify_lock] fanotify */
};

/* What is to be done when notify_lock is let go. */
struct later {
	struct list_head node;
	void (*run)(struct later *l); /* frees it */
};
struct fan {
	struct list_head gone;	/* of struct mark.node */
	struct list_head later; /* of struct later */
};

struct group_ops {
	/* For each mark by itself; may mark_unlink() it on to fan->gone. */
	void (*mark)(struct mark *m, enum mark_on on, const struct happening *h,
		     struct fan *fan);
	/* Or once for all marks on objects of @h: group->hit[]. */
	void (*group)(struct notify_group *g, const struct happening *h);
	/* @m was taken off because its object is gone.  Optional. */
	void (*ended)(struct mark *m);
};

struct notify_group {
	const struct group_ops *ops; /* [I] */
	struct list_head marks;	     /* [notify_lock] */
	struct list_head all;	     /* [notify_lock] */
	u32 nr_marks;		     /* [notify_lock] */
	u32 uid;		     /* [I] whose it counts as */
	/* What is to be read, of a group that has a file: file->priv. */
	struct list_head events; /* [notify_lock] in the family's structs */
	u32 nr_events;		 /* [notify_lock] */
	struct waitq wq;	 /* of who reads */
	/* [notify_lock] for the time of one fan-out */
	struct list_head hit_node;
	struct mark *hit[NR_ON];
};

extern struct spinlock notify_lock;

void group_init(struct notify_group *g, const struct group_ops *ops);
/* On the list, if its user has less than @max of its kind. */
bool group_enlist(struct notify_group *g, u64 max);
/* Off it, and all marks go. */
void group_end(struct notify_group *g);
/* Marks of all groups of @g's kind and user.  notify_lock held. */
u64 group_user_marks(const struct notify_group *g);

u32 group_poll(struct file *f, struct poll_table *pt);
/* Nothing is queued at @f's group: 0: now there may be; -EAGAIN, -ERESTARTSYS. */
int group_wait(struct file *f);

/* notify_lock held for these. */
/* @node, of an event, is the last to be read. */
void group_queue(struct notify_group *g, struct list_head *node);
struct mark *mark_find(const struct notify_group *g, const void *obj);
/* @m has kind, obj, pins and masks; a pinned inode gets its reference. */
void mark_link(struct mark *m, struct notify_group *g);
void mark_unlink(struct mark *m, struct list_head *gone);

void marks_free(struct list_head *gone); /* without it */
void notify_fan(const struct happening *h);

/* The groups with permission events ask here.  fs/fanotify_perm.c: @h in every
 * group that wants it, in order; 0 or -EPERM. */
int fanotify_ask(const struct happening *h);
/* "fhandle-bytes:8 ...\n" for fdinfo: its length. */
size_t inode_handle_str(const struct inode *i, char *buf, size_t n);
/* Objects of @h in the order of enum mark_on, NULL: none. */
void happening_objects(const struct happening *h, const void *objs[NR_ON]);
struct list_head *mark_bucket(const void *obj);

#endif /* FS_MARK_H */
