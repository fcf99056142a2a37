/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/ext4_rig.h - make, mount, use and check ext4 volumes.
 *
 * The real fs/ext4, inode cache and page cache, on a disk in memory.  Volumes
 * are made by the host's mke2fs and judged by its e2fsck.
 */
#ifndef TESTS_HOST_FAKE_EXT4_RIG_H
#define TESTS_HOST_FAKE_EXT4_RIG_H

#include <tests/host/fake/world.h>

#include <fs/vfs.h>

struct rig {
	struct world_disk disk;
	struct super_block *sb; /* NULL: not mounted */
	char dir[64];		/* scratch directory */
};

/* The fixture of test programs: one rig, and a seed from EXT4_SEED. */
extern struct rig rig;
int rig_setup(void **state);
int rig_teardown(void **state);

void rig_init(struct rig *r);
void rig_done(struct rig *r);
/* printf-like; fails the test when the command does. */
void rig_run(const char *fmt, ...) __printf(1, 2);
/* A volume of @kib, made with these options of mke2fs. */
void rig_mkfs(struct rig *r, unsigned int kib, const char *opts);
int rig_mount(struct rig *r, u64 flags, const char *data);
void rig_umount(struct rig *r);
int rig_sync(struct rig *r);
/* e2fsck -fn on what is on the disk now: its exit code; prints if not 0. */
int rig_fsck(struct rig *r);

/* Paths have no leading slash; "" is the root.  A reference, or ERR_PTR. */
struct inode *rig_lookup(struct rig *r, const char *path);
struct inode *rig_child(struct inode *dir, const char *name);
int rig_create(struct inode *dir, const char *name, u32 mode,
	       struct inode **out);
int rig_mkdir(struct inode *dir, const char *name, struct inode **out);
int rig_symlink(struct inode *dir, const char *name, const char *target);
int rig_unlink(struct inode *dir, const char *name);
int rig_rmdir(struct inode *dir, const char *name);
int rig_link(struct inode *dir, const char *name, struct inode *target);
int rig_rename(struct inode *old_dir, const char *old, struct inode *new_dir,
	       const char *new, u32 flags);
s64 rig_write(struct inode *i, u64 pos, const void *buf, size_t n);
s64 rig_read(struct inode *i, u64 pos, void *buf, size_t n);
int rig_truncate(struct inode *i, u64 size);
int rig_fallocate(struct inode *i, int mode, u64 off, u64 len);
/* Calls fn for each name but the dots. */
typedef void rig_name_fn(void *ctx, const char *name, size_t len, u64 ino,
			 unsigned int dtype);
int rig_list(struct inode *dir, rig_name_fn *fn, void *ctx);

#endif /* TESTS_HOST_FAKE_EXT4_RIG_H */
