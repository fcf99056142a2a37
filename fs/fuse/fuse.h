/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/fuse.h - file systems that are programs: requests go out by /dev/fuse
 * and answers come back.
 *
 *	call --> fuse_call() --> pending --read(2)--> sent --write(2)--> call goes on
 *
 * OBJECTS
 *   struct fuse_conn   what a mount and its daemon share.  A reference is held by
 *                      the super block, each open /dev/fuse and each request.
 *   struct fuse_dev    one open /dev/fuse, with the requests read from it: an
 *                      answer comes by the file that the question was read from.
 *                      Its conn is NULL until it is mounted or cloned.
 *   struct fuse_req    a question: who asks has a reference, and the connection
 *                      has one until it is answered.  Its buffers are its own, so
 *                      that who asks may go (he was killed) while the daemon is
 *                      at it; what a late answer gives is given back then
 *                      (fuse_req_late()).  One that nobody waits for has end().
 *   struct fuse_inode  a file, found by the daemon's number in conn->inodes, in
 *                      which it is without a reference: a number that is looked up
 *                      while its inode is being evicted gets another one.  What it
 *                      was looked up times is forgotten at its end.
 *   struct fuse_file   an open file of the daemon's: of the struct file, and of
 *                      each write-back under way.  The last one sends RELEASE.
 *
 * LOCKING
 *   conn->lock (RANK_PIPE): lists and states of requests, the tree of inodes, what
 *     an inode knows of the daemon.  Nothing is copied and nobody waits under it.
 *   conn->super (rwsem): notifications read; unmounting writes, when no inode may
 *     be taken out of the tree any more.
 *   The locks of the VFS (inode->lock, pages) are held over requests as fs/vfs.h
 *   has it.  Notifications, which the daemon makes, take none that somebody may
 *   hold who waits for the daemon.
 *
 * WAITING
 *   A request is waited for until it is answered, the connection has ended, or
 *   current is killed (-EINTR).  Another signal sends INTERRUPT after it, and the
 *   answer decides.  Nobody waits for the daemon who has not asked: dirty pages are
 *   copied into requests (fuse_writepages()), and are clean for all but fsync.
 *
 * ENDS
 *   The last /dev/fuse of a connection closed, umount -f, "abort" in fusectl, the
 *   last mount gone: the connection ends.  Requests under way: ECONNABORTED; from
 *   then on ENOTCONN; the daemon reads ENODEV.
 *
 * LIES
 *   A header that fits nothing is refused to the daemon (EINVAL, ENOENT), and a
 *   request whose answer has the wrong length ends with EIO.  Attributes that no
 *   file can have, numbers 0 and 1 as children, names with '/': EIO.  An inode
 *   that has become of another kind is bad: EIO for good.  A directory has one
 *   place (fs/namei.c).
 */
#ifndef FS_FUSE_FUSE_H
#define FS_FUSE_FUSE_H

#include <fs/fuse/proto.h>
#include <fs/vfs.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/rbtree.h>

struct pid_ns;
struct sys_dir;

#define FUSE_MAGIC	   0x65735546u
#define FUSE_MAX_PAGES_DEF 32u /* of a request, if the daemon says nothing */
#define FUSE_MAX_PAGES_MAX 256u
#define FUSE_WB_MAX	   (4u << 20) /* bytes that a connection writes back at once */

/* --- requests */
enum fuse_state {
	REQ_NEW,
	REQ_PENDING, /* on conn->pending */
	REQ_COPYING, /* being read, or answered: on no list */
	REQ_SENT,    /* on dev->sent */
	REQ_DONE,
};

struct fuse_req {
	u32 refs;	       /* [a] */
	struct fuse_conn *fc;  /* [I] owned */
	struct list_head node; /* [conn->lock] as state says */
	struct list_head intr; /* [conn->lock] on conn->interrupts */
	enum fuse_state state; /* [conn->lock] */
	bool left;	       /* [conn->lock] nobody waits for it any more */
	bool interrupted;      /* [conn->lock] somebody wants it to end */
	bool no_reply;	       /* [I] done when it is read */
	bool short_ok;	       /* [I] the answer may be shorter than out_size */
	struct waitq wq;
	u8 *in;				 /* [I] header and arguments, owned */
	u8 *out;			 /* answer, owned; valid when done */
	u32 out_size;			 /* [I] */
	u32 out_len;			 /* valid when done */
	s32 error;			 /* likewise */
	void (*end)(struct fuse_req *r); /* [I] it is done; must not wait */
	void *arg, *arg2;		 /* of end() */
	u64 num;			 /* likewise */
};

static inline struct fuse_in_header *req_header(const struct fuse_req *r)
{
	return (struct fuse_in_header *)(void *)r->in;
}
static inline void *req_args(const struct fuse_req *r)
{
	return r->in + sizeof(struct fuse_in_header);
}

struct fuse_piece {
	const void *p;
	u32 n;
};

struct fuse_args {
	u32 op;
	u64 nodeid;
	u32 nr;
	struct fuse_piece in[4];
	void *out; /* where the answer goes; NULL with out_size: see fuse_call() */
	u32 out_size;
	bool short_ok;
	void *reply; /* owned by the caller when it was asked for */
};

/* --- connections */
struct fuse_conn {
	u32 refs; /* [a] */
	struct spinlock lock;
	struct waitq wq;	  /* daemons: something to read, or the end */
	struct waitq ready_wq;	  /* who asks: INIT is answered; fsync */
	struct list_head pending; /* [lock] of fuse_req */
	struct list_head interrupts; /* [lock] of fuse_req by intr */
	struct list_head forgets;    /* [lock] of struct fuse_forget */
	u32 nr_forgets;		     /* [lock] */
	struct list_head devs;	     /* [lock] of fuse_dev */
	u64 next_unique;	     /* [lock] */
	bool connected;		     /* [lock, a] */
	u32 ready_word;		     /* [a] INIT is answered */
	bool refused;		     /* [a] by a daemon of another version */
	bool was_aborted;	 /* [a] by somebody, not by its daemon's end */
	u32 waiting;		 /* [a] requests that are not done */
	u64 wb_bytes;		 /* [a] being written back */
	struct rb_root inodes;	 /* [lock] of fuse_inode, by nodeid */
	u64 attr_version;	 /* [a] */
	u64 next_kh;		 /* [a] */
	struct list_head polled; /* [lock] of fuse_file that poll() was of */
	struct rwsem super;
	struct super_block *sb;	 /* [super] NULL: unmounting */
	struct sys_dir *sys;	 /* [I] ctl.c */
	u32 dev;		 /* [I] its number in fusectl */
	struct user_ns *user_ns; /* [I] owned */
	struct pid_ns *pid_ns;	 /* [I] owned */

	/* options */
	u32 user_id, group_id;		       /* [I] global ids */
	bool default_permissions, allow_other; /* [I] */
	bool is_blk;			       /* [I] fuseblk */
	u32 root_mode, shown_max_read;	       /* [I] */
	u32 max_read;			       /* [a] bytes */

	/* what INIT has brought; [I] once ready */
	u32 minor, max_write, max_pages, time_gran;
	u32 max_background, congestion; /* [a] kept and shown */
	bool posix_locks, flock_locks, dont_mask, auto_inval, explicit_inval;
	bool readdirplus, handle_killpriv, abort_error, no_open_ok,
		no_opendir_ok, direct_mmap;

	/* [a] the daemon has said ENOSYS to it once */
	bool no_access, no_create, no_flush, no_fsync, no_fsyncdir, no_getxattr,
		no_setxattr, no_listxattr, no_removexattr, no_interrupt,
		no_lseek, no_fallocate, no_copy, no_rename2, no_tmpfile,
		no_poll, no_open, no_opendir, no_lock, no_flock;
};

struct fuse_dev {
	struct fuse_conn *fc;  /* [a] owned, set once */
	struct list_head node; /* [conn->lock] */
	struct list_head sent; /* [conn->lock] of fuse_req */
};

/* --- inodes and files */
struct fuse_inode {
	struct inode vfs;
	u64 nodeid;	     /* [I] */
	u64 nlookup;	     /* [conn->lock] */
	u64 generation;	     /* [I] */
	struct rb_node node; /* [conn->lock] */
	bool in_tree;	     /* [conn->lock] */
	bool bad;	     /* [a] */
	bool must_write;     /* [a] its last file is being closed */
	u64 attr_until;	     /* [a] clock_mono_ns() */
	u64 entry_until;     /* [a] of the name it was last found by */
	u64 none_until;	     /* [a] directory: of a name that was not there */
	u64 attr_version;    /* [conn->lock] */
	u32 blksize;	     /* [a] 0: the file system's */
	struct list_head files; /* [conn->lock] of fuse_file: open */
	u32 nr_wb;		/* [conn->lock] write-backs under way */
	struct fuse_file *made; /* [conn->lock] CREATE opened it: for open() */
};

struct fuse_file {
	u32 refs;	      /* [a] */
	struct fuse_conn *fc; /* [I] owned */
	u64 nodeid, fh, kh;   /* [I] */
	u32 flags;	      /* [I] O_* */
	u32 open_flags;	      /* [I] FOPEN_* */
	bool dir;	      /* [I] */
	bool flocked;	      /* [a] */
	bool no_release;      /* [I] nobody has opened it */
	struct inode
		*inode;	   /* [last holder] owned: until RELEASE is answered */
	const void *maker; /* [conn->lock] thread, while it is inode->made */
	struct list_head node;	 /* [conn->lock] in inode->files */
	struct list_head polled; /* [conn->lock] */
	struct waitq poll_wq;
	u32 revents;   /* [conn->lock] of the last answer */
	bool asked;    /* [conn->lock] one is under way */
	bool answered; /* [conn->lock] revents are news */
	bool told;     /* [conn->lock] to ask again, while it was asked */
};

static inline struct fuse_inode *fuse_i(const struct inode *i)
{
	return container_of(i, struct fuse_inode, vfs);
}
static inline struct fuse_conn *fuse_c(const struct inode *i)
{
	return i->sb->priv;
}
static inline struct fuse_file *fuse_f(const struct file *f)
{
	return f->priv;
}

/* --- conn.c */
struct fuse_conn *fuse_conn_new(void);
void fuse_conn_get(struct fuse_conn *fc);
void fuse_conn_put(struct fuse_conn *fc);
/* It ends; does not wait.  @by_user: not because the daemon went. */
void fuse_abort(struct fuse_conn *fc, bool by_user);
/* With room for @in bytes of arguments and @out of answer; header filled for
 * current.  ERR_PTR(-ENOMEM). */
struct fuse_req *fuse_req_new(struct fuse_conn *fc, u32 op, u64 nodeid, u32 in,
			      u32 out);
void fuse_req_put(struct fuse_req *r);
/* Until the daemon has said what it can: 0 or -EINTR. */
int fuse_wait_ready(struct fuse_conn *fc);
/* Ask and wait: bytes of the answer, or -errno.  Keeps the caller's reference. */
s64 fuse_req_run(struct fuse_req *r);
/* Ask, and r->end() comes; takes the caller's reference.  Never waits. */
void fuse_req_send(struct fuse_req *r);
/* Both in one.  @a->out NULL with a size: the answer is @a->reply, to be kfree()d. */
s64 fuse_call(struct fuse_conn *fc, struct fuse_args *a);
/* The same; a daemon that says ENOSYS does not know it and is not asked again (*@none):
 * @without is what that means then. */
s64 fuse_call_known(struct fuse_conn *fc, struct fuse_args *a, bool *none,
		    s64 without);
/* dev.c: @r, COPYING, has an answer or an error. */
void fuse_req_end(struct fuse_req *r, s32 error);
void fuse_forget(struct fuse_conn *fc, u64 nodeid, u64 nlookup);
struct fuse_forget {
	struct list_head node;
	struct fuse_forget_one one;
};

/* --- dev.c */
extern const struct file_ops fuse_dev_fops;
int fuse_dev_join(struct fuse_dev *d, struct fuse_conn *fc); /* -EINVAL */
/* --- notify.c: code and body, as written; bytes or -errno */
int fuse_notified(struct fuse_conn *fc, s32 code, u32 size,
		  struct iov_iter *from);
/* --- init.c */
int fuse_send_init(struct fuse_conn *fc);

/* --- inode.c */
extern const struct super_ops fuse_super_ops;
int fuse_inode_init(void);
struct inode *fuse_alloc_inode(struct super_block *sb);
void fuse_free_inode(struct inode *i);
void fuse_evict(struct inode *i);
/* ERR_PTR(-EIO, -ENOMEM).  @lookup: the daemon counts it. */
struct inode *fuse_iget(struct super_block *sb, const struct fuse_entry_out *e,
			u64 version);
/* In the tree, referenced, or NULL. */
struct inode *fuse_ifind(struct fuse_conn *fc, u64 nodeid);
bool fuse_attr_valid(const struct fuse_attr *a);
u64 fuse_until(u64 sec, u32 nsec);
u64 fuse_version(struct fuse_conn *fc);
/* Attributes that were asked for when the version was @version. */
void fuse_set_attr(struct inode *i, const struct fuse_attr *a, u64 until,
		   u64 version);
void fuse_inval_attr(struct inode *i);
/* Somebody has changed its size, here. */
void fuse_size_changed(struct inode *i, u64 size);
int fuse_revalidate(struct inode *i);
int fuse_getattr(struct inode *i);
int fuse_permission(struct inode *i, u32 mask);
int fuse_setattr(struct inode *i, const struct iattr *a);
/* May current see what is there at all? */
bool fuse_allowed(const struct fuse_conn *fc);
void fuse_inval_pages(struct inode *i, u64 start, u64 end);

/* --- dir.c */
extern const struct inode_ops fuse_dir_ops, fuse_link_ops, fuse_special_ops;
/* --- readdir.c */
extern const struct file_ops fuse_dir_fops;
/* --- file.c */
extern const struct inode_ops fuse_file_iops;
extern const struct file_ops fuse_file_fops, fuse_stream_fops;
struct fuse_file *fuse_file_new(struct fuse_conn *fc, u64 nodeid, u32 flags,
				bool dir);
void fuse_file_put(struct fuse_file *ff); /* does not wait */
int fuse_open(struct inode *i, struct file *f);
/* FSYNC or FSYNCDIR; a daemon that does not know it has nothing to do. */
int fuse_ask_fsync(struct file *f, u32 op, bool datasync, bool *none);
void fuse_release(struct file *f);
u64 fuse_lock_owner(const void *files);
/* --- io.c */
extern const struct mapping_ops fuse_mapping_ops;
s64 fuse_file_read(struct file *f, struct iov_iter *to, u64 *pos);
s64 fuse_file_write(struct file *f, struct iov_iter *from, u64 *pos);
/* What was written back by now is at the daemon; -EINTR. */
int fuse_wait_wb(struct inode *i);
/* --- xattr.c */
s64 fuse_getxattr(struct inode *i, const char *name, void *buf, size_t n);
int fuse_setxattr(struct inode *i, const char *name, const void *buf, size_t n,
		  int flags);
int fuse_removexattr(struct inode *i, const char *name);
s64 fuse_listxattr(struct inode *i, char *buf, size_t n);
#define FUSE_COMMON_OPS                                               \
	.revalidate = fuse_revalidate, .permission = fuse_permission, \
	.setattr = fuse_setattr, .getxattr = fuse_getxattr,           \
	.setxattr = fuse_setxattr, .removexattr = fuse_removexattr,   \
	.listxattr = fuse_listxattr
/* --- lock.c, ioctl.c */
int fuse_lock(struct file *f, struct flock_range *r, enum lock_op op,
	      const void *owner);
s64 fuse_ioctl(struct file *f, unsigned int cmd, u64 arg);
u32 fuse_poll(struct file *f, struct poll_table *pt);
/* --- ctl.c */
void fuse_ctl_add(struct fuse_conn *fc);
void fuse_ctl_del(struct fuse_conn *fc);

#endif /* FS_FUSE_FUSE_H */
