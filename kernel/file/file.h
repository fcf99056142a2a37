/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/file.h - open files and descriptor tables.
 *
 * A struct file is one open file description: what dup() and fork() share.
 * What is behind it (regular file, device, pipe, socket, event object) fills a
 * struct file_ops.  The fs/ layer attaches its inode and path; kernel/ and
 * drivers/ see them as opaque.
 *
 * Context: all file_ops run in a coroutine and may sleep, but for poll(), which
 * must not.
 */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include <kernel/file/owner.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <lib/types.h>

struct file;
struct inode;  /* fs/vfs.h */
struct dentry; /* fs/vfs.h */
struct mount;  /* fs/vfs.h */
struct cred;
struct vma;	    /* kernel/mm/vm.h */
struct iov_iter;    /* kernel/file/iov.h */
struct flock_range; /* fs/locks.h */

/* Linux's open flags on riscv64 (asm-generic). */
#define NR_OPEN_MAX (1u << 20)
extern u64 nr_open; /* [a] RLIMIT_NOFILE's most */

#define O_ACCMODE   00000003
#define O_RDONLY    00000000
#define O_WRONLY    00000001
#define O_RDWR	    00000002
#define O_CREAT	    00000100
#define O_EXCL	    00000200
#define O_NOCTTY    00000400
#define O_TRUNC	    00001000
#define O_APPEND    00002000
#define O_NONBLOCK  00004000
#define O_DSYNC	    00010000
#define O_ASYNC	    00020000
#define O_DIRECT    00040000
#define O_LARGEFILE 00100000
#define O_DIRECTORY 00200000
#define O_NOFOLLOW  00400000
#define O_NOATIME   01000000
#define O_CLOEXEC   02000000
#define O_SYNC	    04010000
#define O_PATH	    010000000
#define O_TMPFILE   020200000

/* poll(2) event bits. */
#define POLLIN	   0x0001
#define POLLPRI	   0x0002
#define POLLOUT	   0x0004
#define POLLERR	   0x0008
#define POLLHUP	   0x0010
#define POLLNVAL   0x0020
#define POLLRDNORM 0x0040
#define POLLRDBAND 0x0080
#define POLLWRNORM 0x0100
#define POLLWRBAND 0x0200
#define POLLRDHUP  0x2000
/* Of keys only: an event of io_uring has caused it, and must not cause another. */
#define POLL_URING_WAKE (1u << 27)

/*
 * One call of poll/select/epoll collecting wait queues.  A file's poll() calls
 * poll_wait() for every queue whose wake-up may change its answer, then returns
 * the present event bits.  @pt may be NULL: only the bits are wanted.
 */
struct poll_table {
	void (*queue)(struct poll_table *pt, struct file *f, struct waitq *wq);
};
static inline void poll_wait(struct poll_table *pt, struct file *f,
			     struct waitq *wq)
{
	if (pt && pt->queue)
		pt->queue(pt, f, wq);
}

/* A transfer that ends by itself; end() is called once, in any context. */
struct aio_req {
	void (*end)(struct aio_req *req, s64 res);
};
#define EIOCBQUEUED 529 /* never shown to user space */

/* getdents: returns false when the buffer is full (stop, entry not taken). */
struct dir_ctx {
	bool (*emit)(struct dir_ctx *ctx, const char *name, size_t len, u64 ino,
		     unsigned int dtype, u64 next_off);
	u64 pos; /* where to go on; the fs updates it to the next offset */
};

/*
 * Positions: @pos is the offset to use and to advance; for streams it is
 * ignored.  read/write move at most iov_iter_count(it) bytes and return the
 * number moved (a short count is not an error), 0 at the end of the file, or
 * -errno when nothing was moved.  Blocking honours O_NONBLOCK (-EAGAIN) and
 * signals (-ERESTARTSYS when nothing was moved).  A missing member means
 * -EINVAL (read, write), -ENOTTY (ioctl), always ready (poll), -ENODEV (mmap),
 * -EINVAL (fsync), -ESPIPE (llseek).
 */
enum lock_op {
	LOCK_GET,
	LOCK_SET,
	LOCK_SET_WAIT,
	LOCK_FLOCK,
	LOCK_FLOCK_WAIT,
};

struct file_ops {
	s64 (*read)(struct file *f, struct iov_iter *to, u64 *pos);
	s64 (*write)(struct file *f, struct iov_iter *from, u64 *pos);
	s64 (*llseek)(struct file *f, s64 off, int whence);
	s64 (*ioctl)(struct file *f, unsigned int cmd, u64 arg);
	u32 (*poll)(struct file *f, struct poll_table *pt);
	int (*mmap)(struct file *f, struct vma *vma);
	int (*fsync)(struct file *f, bool datasync);
	int (*readdir)(struct file *f, struct dir_ctx *ctx);
	int (*fallocate)(struct file *f, int mode, u64 off, u64 len);
	/* @len blocks of @f go where those of @donor are, who gets the others;
	 * *@moved: how many, also after an error. */
	int (*move_blocks)(struct file *f, struct file *donor, u64 at,
			   u64 place, u64 len, u64 *moved);
	/* Called at each close(2) of a descriptor of it. */
	int (*flush)(struct file *f);
	/* Last reference gone. */
	void (*release)(struct file *f);
	/* f->flags are to be @flags (F_SETFL), or who gets SIGIO has changed. */
	int (*setfl)(struct file *f, u32 flags);
	/* Read or write a file opened with O_DIRECT: bytes or -errno; with @req
	 * perhaps -EIOCBQUEUED, and req->end() comes later.  Optional; -ENOTBLK:
	 * read() or write() it. */
	s64 (*direct)(struct file *f, struct iov_iter *it, u64 pos, bool write,
		      struct aio_req *req);
	/* RWF_NOWAIT: 0: write() would wait for nothing but the device; -EAGAIN,
	 * -EOPNOTSUPP.  Optional. */
	int (*write_now)(struct file *f, u64 pos, u64 len);
	/* Likewise: a direct read would wait for nothing but the device; false: only
	 * what is cached can be had.  Optional. */
	bool (*read_now)(struct file *f, u64 pos, u64 len);
	/* Advisory locks that are kept elsewhere, of @owner; -ENOSYS: the VFS does.
	 * Optional. */
	int (*lock)(struct file *f, struct flock_range *r, enum lock_op op,
		    const void *owner);
	/* Bytes of @in go to @out, both of one file system: how many, or
	 * -EOPNOTSUPP: by reading and writing.  Optional. */
	s64 (*copy_range)(struct file *in, u64 from, struct file *out, u64 to,
			  u64 len);
	bool messages; /* splice() moves what one read() or write() does, whole */
	bool stands; /* no llseek(), but lseek(2) stays at 0 instead of -ESPIPE */
	bool sigio;	/* O_ASYNC tells what poll() would (async.c) */
	bool own_sigio; /* O_ASYNC means something else, which setfl() sees to */
	bool nowait;	/* read() honours IOV_NOWAIT, and write() for streams */
	/* The file whose pages are this one's, on which it lies; it lives as long as
	 * @f, and has no reference more.  Does not sleep.  Optional. */
	struct file *(*under)(struct file *f);
	/* Lines for /proc/<pid>/fdinfo/<n>: their length, at most @n.  Optional. */
	size_t (*fdinfo)(struct file *f, char *buf, size_t n);
	const char *anon_name; /* "anon_inode:[eventfd]" for /proc/pid/fd */
};

#define FILE_RA_NORMAL	   0
#define FILE_RA_RANDOM	   1
#define FILE_RA_SEQUENTIAL 2

struct file {
	u32 refs;		    /* [a] */
	u32 flags;		    /* [a] O_* but creation flags */
	const struct file_ops *ops; /* [I] */
	struct inode *inode;   /* [I] or NULL; owned, unless dentry is set: then
					 * the dentry's reference keeps it */
	struct dentry *dentry; /* [I] owned reference or NULL */
	struct mount *mnt;     /* [I] owned reference or NULL */
	struct cred *cred;     /* [I] opener's, owned */
	struct mutex pos_lock; /* serialises users of pos */
	u64 pos;	       /* [pos_lock] */
	u64 version;	       /* for the file's own use */
	void *priv;	       /* belongs to ops */
	u64 ra_next, ra_size;  /* [a] hints: kernel/mm/readahead.c */
	u32 ra_want;	       /* [a] hint: pages of the read under way */
	u32 ra_advice;	       /* [a] FILE_RA_*, by posix_fadvise() */
	u32 wb_seen;	       /* [a] mapping_error_since() */
	u32 owner_sig;	       /* [a] F_SETSIG */
	struct file_owner owner;  /* F_SETOWN: owner.h */
	struct file_async *async; /* [async.c] O_ASYNC was set once */
	bool created;		  /* [I] open() made the file */
	bool nonotify;		  /* [I] opened for who watches, or in vain */
	u8 landlock;		  /* [I] fs/landlock.h */
	bool no_splice;		  /* [I] splice() and sendfile() refuse it */
	struct list_head epitems; /* [epoll lock] */
	bool can_read, can_write; /* [I] from the open mode */
	bool atomic_pos; /* [I] pos is shared state: regular file, directory */
	bool wrote;	 /* [I] counted in inode->writecount */
	bool counted_read; /* [I] likewise, in readcount */
	bool denies_write; /* [I] likewise, below zero: being executed */
	bool atime_fresh;  /* [a] looked at the age of atime once; a lost
					 * update costs a second look */
};

/* A new open file without path.  inode etc. are NULL.  NULL: out of memory. */
struct file *file_alloc(const struct file_ops *ops, u32 flags, void *priv);
struct file *file_get(struct file *f);
void file_put(struct file *f); /* may sleep: last one calls release() */
/* --- async.c: O_ASYNC, which call on descriptor @fd sets: 0 or -ENOMEM */
int file_set_async(struct file *f, int fd, bool on);
void file_async_gone(struct file *f);

u64 file_count(void);	 /* open files, for /proc/sys/fs/file-nr */
extern u64 files_max;	 /* [a] of them, but for CAP_SYS_ADMIN */
int file_no_alloc(void); /* why file_alloc() gave none: -ENFILE, -ENOMEM */

/*
 * Descriptor table, shared by CLONE_FILES.  struct files is opaque.
 * fd_get() takes a reference; every fd_get() is paired with file_put().
 */
struct files *files_new(void);
struct files *files_get(struct files *fs);
void files_put(struct files *fs); /* last one closes all */
/* fork; or ERR_PTR: -ENOMEM, -EMFILE (more than nr_open allows by now) */
struct files *files_dup(struct files *old);
void files_close_on_exec(struct files *fs);
struct file *fd_get(int fd);	  /* NULL: EBADF (also O_PATH) */
struct file *fd_get_path(int fd); /* O_PATH allowed too */
/*
 * The cheap form for the length of one system call: no reference is taken while
 * the table belongs to current alone, because then nobody else can close the
 * descriptor.  f is NULL on EBADF.  Paired with fd_unref().
 */
struct fdref {
	struct file *f;
	bool owned;
};
struct fdref fd_ref(int fd);
/* No descriptor, but for fd_ref(): the file current->fd_given, which whoever set it
 * keeps.  So a handler can be run on a file that has no number. */
#define FD_GIVEN (-0x6110)
struct fdref fd_ref_path(int fd); /* O_PATH allowed too */
static inline void fd_unref(struct fdref r)
{
	if (r.owned)
		file_put(r.f);
}
struct file *files_lookup(struct files *fs, int fd); /* for /proc; takes ref */
int fd_alloc(int min, bool cloexec);		     /* reserve; -EMFILE */
void fd_install(int fd, struct file *f);	     /* gives the reference */
void fd_unreserve(int fd);
int fd_open(struct file *f,
	    u32 flags); /* alloc+install; takes f even on error */
int fd_close(int fd);
int fd_dup(int oldfd, int min, bool cloexec);
int fd_dup2(int oldfd, int newfd, bool cloexec, bool same_ok);
/* @f, referenced once more, becomes @fd, whatever that was: @fd or -errno. */
int fd_replace(int fd, struct file *f, bool cloexec);
int fd_get_cloexec(int fd);
int fd_set_cloexec(int fd, bool on);
u32 files_size(struct files *fs); /* slots of its table */
bool files_cloexec(struct files *fs, int fd);
int files_next(struct files *fs, int fd); /* next open fd >= fd, or -1 */
int fd_close_range(unsigned int first, unsigned int last, bool cloexec_only);
int files_unshare(void); /* current gets a table of its own */

#endif /* KERNEL_FILE_FILE_H */
