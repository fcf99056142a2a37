/* SPDX-License-Identifier: MIT */
/*
 * fs/pseudo.h - trees of generated text: what /proc is made of.
 *
 * A node is a directory, a text file made by show(), or a symlink.  Nodes are added
 * at any time and stay for ever; names are borrowed.  A file's text is made as a
 * whole when it is read at offset 0 and kept with the open file, so a reader sees one
 * state however small its reads are.
 *
 * Locking: pseudo_lock (RANK_VFS) guards the tree's links.  show() and write() run in
 * the reader's coroutine without locks and may sleep.
 */
#ifndef FS_PSEUDO_H
#define FS_PSEUDO_H

#include <fs/vfs.h>
#include <lib/list.h>
#include <lib/types.h>

/* Growing text; after a failed allocation it swallows and reports -ENOMEM. */
struct text {
	char *buf;
	size_t len, cap;
	bool failed;
	struct super_block *sb; /* of the file, while it is made */
};
void text_printf(struct text *t, const char *fmt, ...) __printf(2, 3);
void text_puts(struct text *t, const char *s);
void text_write(struct text *t, const void *p, size_t n);
void text_free(struct text *t);

typedef int pseudo_show_fn(struct text *t, void *arg);	     /* 0 or -errno */
typedef s64 pseudo_write_fn(void *arg, char *buf, size_t n); /* n or -errno; buf
							       * is NUL-terminated */

struct pnode {
	const char *name;	   /* [I] */
	u32 mode;		   /* [I] with type */
	u32 ino;		   /* [I] */
	struct pnode *parent;	   /* [I] */
	struct list_head children; /* [pseudo_lock] */
	struct list_head sibling;  /* [pseudo_lock] */
	pseudo_show_fn *show;	   /* [I] file: text; link: target */
	pseudo_write_fn *write;	   /* [I] */
	void *arg;		   /* [I] */
	/* [I] Settings: text_sized(), and the mode binds root as well, but for one that can
	 * be written and has no mode for it: @write knows by whom.  What is added below a
	 * directory takes it over. */
	bool setting;
	/* [I] Not a text: sets f->ops and f->priv.  Optional. */
	int (*open)(struct inode *inode, struct file *f);
	/* Directories with generated names: consulted after the children. */
	int (*lookup)(struct inode *dir, const char *name, size_t len,
		      struct inode **out);
	int (*readdir)(struct file *f, struct dir_ctx *ctx, u64 first);
	/* Directories: is child @n there in @sb?  Optional. */
	bool (*shows)(const struct super_block *sb, const struct pnode *n);
};

struct pnode *pseudo_root_new(void);
struct pnode *pseudo_dir(struct pnode *parent, const char *name);
struct pnode *pseudo_file(struct pnode *parent, const char *name, u32 perm,
			  pseudo_show_fn *show, pseudo_write_fn *write,
			  void *arg);
/* Symlink with fixed text (borrowed). */
struct pnode *pseudo_link(struct pnode *parent, const char *name,
			  const char *target);
struct pnode *pseudo_find(struct pnode *dir, const char *name);

/* A new inode for @n in @sb. */
struct inode *pseudo_inode(struct super_block *sb, struct pnode *n);
extern const struct inode_ops pseudo_dir_iops;
extern const struct file_ops pseudo_dir_fops;

/* File operations over a text that @show(text, arg) makes: for files that are not
 * in a tree.  Called from an inode_ops.open: sets f->ops and f->priv. */
int text_open(struct file *f, pseudo_show_fn *show, pseudo_write_fn *write,
	      void *arg, void (*arg_put)(void *arg));

/* Does @mode have what @f was opened for, for anybody at all? */
bool mode_opens(u32 mode, const struct file *f);

/* From text_open() on: lseek() knows an end, the size of the inode, which for others
 * is EINVAL; and fsync() has nothing to do if @syncs, else it is EINVAL. */
void text_sized(struct file *f, bool syncs);

/* From text_open() on: poll() tells POLLPRI once each time *@event has changed and
 * @wq was woken. */
void text_watch(struct file *f, struct waitq *wq, const u32 *event);
/* Likewise, but POLLPRI stays until the text is made anew. */
void text_watch_read(struct file *f, struct waitq *wq, const u32 *event);

/* From text_open() on: poll() and epoll take the file, to which nothing ever happens;
 * @untold: but what text_watch_read() tells of one that was not read. */
void text_ready(struct file *f, bool untold);

/* From text_open() on: ioctl(2) is @fn(arg of text_open(), ...). */
typedef s64 text_ioctl_fn(void *arg, u32 cmd, uaddr_t uarg);
void text_ioctl(struct file *f, text_ioctl_fn *fn);

/* The root of /proc, for those in fs/ who add to it (INIT_VFS and later). */
extern struct pnode *proc_root;

#endif /* FS_PSEUDO_H */
