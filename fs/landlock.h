/* SPDX-License-Identifier: MIT */
/*
 * fs/landlock.h - what a Landlock domain says about paths, and rule sets.
 *
 * The checks are where the VFS knows a path (open, create, remove, rename, link,
 * truncate) and cost a load for who has no domain.
 *
 * Numbers: linux/landlock.h, ABI 6.
 */
#ifndef FS_LANDLOCK_H
#define FS_LANDLOCK_H

#include <fs/vfs.h>
#include <kernel/task/process.h>

#define LANDLOCK_ABI 6

#define LL_EXECUTE     BIT(0)
#define LL_WRITE_FILE  BIT(1)
#define LL_READ_FILE   BIT(2)
#define LL_READ_DIR    BIT(3)
#define LL_REMOVE_DIR  BIT(4)
#define LL_REMOVE_FILE BIT(5)
#define LL_MAKE_CHAR   BIT(6)
#define LL_MAKE_DIR    BIT(7)
#define LL_MAKE_REG    BIT(8)
#define LL_MAKE_SOCK   BIT(9)
#define LL_MAKE_FIFO   BIT(10)
#define LL_MAKE_BLOCK  BIT(11)
#define LL_MAKE_SYM    BIT(12)
#define LL_REFER       BIT(13)
#define LL_TRUNCATE    BIT(14)
#define LL_IOCTL_DEV   BIT(15)
#define LL_FS_ALL      0xffffu
#define LL_OF_FILES \
	(LL_EXECUTE | LL_WRITE_FILE | LL_READ_FILE | LL_TRUNCATE | LL_IOCTL_DEV)

struct domain;

static inline bool landlocked(void)
{
	return current && current->cred && unlikely(current->cred->domain);
}

/* 0 or -EACCES: may current do @access (one or several) at @p? */
int landlock_path_slow(const struct path *p, u32 access);
static inline int landlock_path(const struct path *p, u32 access)
{
	return landlocked() ? landlock_path_slow(p, access) : 0;
}
/* What making a file of that type in a directory is; a whiteout (a character
 * device 0:0) is no device. */
u32 landlock_make(u32 mode, kdev_t dev);
/* @f is about to be opened, @exec: to be executed: 0 or -EACCES; also notes what
 * may be done with it (f->landlock). */
int landlock_open_slow(struct file *f, bool exec);
static inline int landlock_open(struct file *f, bool exec)
{
	return landlocked() ? landlock_open_slow(f, exec) : 0;
}
/* f->landlock [I]: what its opener's domain refuses. */
#define LL_NO_TRUNCATE 1u
#define LL_NO_IOCTL    2u
bool landlock_ioctl_is_free(u32 cmd); /* of every file, not of a device */

/* A name goes from one directory to another, or gets a second one. */
struct landlock_refer {
	const struct path *old_dir, *new_dir; /* of one mount */
	struct dentry *from, *to; /* to: negative, or what is replaced */
	bool rename, exchange, whiteout;
};
int landlock_refer_slow(const struct landlock_refer *r); /* -EACCES, -EXDEV */
static inline int landlock_refer(const struct landlock_refer *r)
{
	return landlocked() ? landlock_refer_slow(r) : 0;
}
/* The tree of mounts stays as it is: 0 or -EPERM. */
int landlock_mounts_slow(void);
static inline int landlock_mounts(void)
{
	return landlocked() ? landlock_mounts_slow() : 0;
}
void landlock_drop_sb(struct super_block *sb); /* unmounted: rules end */

/* --- for the system calls */
struct landlock_attr {
	u64 fs, net, scoped;
};
struct file *landlock_create(const struct landlock_attr *a); /* or ERR_PTR */
bool landlock_is_ruleset(const struct file *f);
/* 0, -ENOMSG, -EINVAL, -ENOMEM, -E2BIG. */
int landlock_add_path(struct file *f, const struct path *p, u64 access);
int landlock_add_port(struct file *f, u64 port, u64 access);
u64 landlock_handled(const struct file *f, bool net);
int landlock_restrict(struct file *f); /* current */

#endif /* FS_LANDLOCK_H */
