/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/ext4_rig.c - see ext4_rig.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/ext4_rig.h>

#include <fs/direct.h>
#include <fs/filecaps.h>
#include <fs/internal.h>
#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>

/* --- what ext4 and the inode cache ask of the rest of the VFS */

static struct fs_type *ext4_type;

const struct file_ops generic_file_ops;

int fs_register(struct fs_type *t)
{
	if (!strcmp(t->name, "ext4"))
		ext4_type = t;
	return 0;
}

struct dentry *dentry_alloc_root(struct inode *root)
{
	struct dentry *d = kzalloc(sizeof(*d));

	if (d)
		d->inode = root;
	return d;
}

s64 generic_file_llseek(struct file *f, s64 off, int whence)
{
	return -EINVAL;
}

s64 endless_llseek(struct file *f, s64 off, int whence)
{
	return -EINVAL;
}

int file_prepare_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	inode_touch(f->inode, true, true);
	return 0;
}

int blk_range(struct blkdev *bd, enum bio_op op, u64 sector, u32 nr_sectors)
{
	return -EOPNOTSUPP;
}

/* Files of the rig are not opened with O_DIRECT. */
s64 generic_file_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	return mapping_file_read(&f->inode->mapping, f, to, pos);
}

void file_accessed(struct file *f)
{
}

bool direct_aligned(const struct iov_iter *it, u64 pos, u32 align)
{
	return false;
}

int direct_begin(struct mapping *m, u64 pos, u64 len, bool write)
{
	return -ENOTBLK;
}

s64 direct_io(struct blkdev *bd, struct iov_iter *it, u64 pos, bool write,
	      bool durable, direct_map_fn *map, void *ctx, struct aio_req *req)
{
	return -ENOTBLK;
}

int vfs_fsync(struct file *f, bool datasync)
{
	return f->ops->fsync(f, datasync);
}

bool dir_emit_dots(struct file *f, struct dir_ctx *ctx)
{
	if (ctx->pos < 2)
		ctx->pos = 2;
	return true;
}

int sb_sync(struct super_block *sb, bool wait)
{
	return sb->ops->sync_fs(sb, wait);
}

void inode_modified(struct inode *i)
{
	inode_touch(i, true, true);
}

/* --- who asks, and his memory: root's, and it is ours */

bool inode_owner_or_capable(const struct inode *i)
{
	return true;
}

bool signal_pending_current(void)
{
	return false;
}

/* There is no /sys here, and no /proc. */
struct sys_dir *sys_path(const char *path)
{
	(void)path;
	return NULL;
}

struct sys_dir *sys_proc_path(const char *path)
{
	(void)path;
	return NULL;
}

struct sys_dir *sys_mkdir(struct sys_dir *parent, const char *name, void *obj)
{
	(void)parent, (void)name, (void)obj;
	return NULL;
}

int sys_add(struct sys_dir *d, const struct sys_attr *a, u32 nr)
{
	(void)d, (void)a, (void)nr;
	return -ENOMEM;
}

void sys_rmdir(struct sys_dir *d)
{
	(void)d;
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	return true;
}

int get_user_u32(u32 *v, uaddr_t a)
{
	memcpy(v, (const void *)(uintptr_t)a, sizeof(*v));
	return 0;
}

int get_user_u64(u64 *v, uaddr_t a)
{
	memcpy(v, (const void *)(uintptr_t)a, sizeof(*v));
	return 0;
}

int put_user_u32(u32 v, uaddr_t a)
{
	memcpy((void *)(uintptr_t)a, &v, sizeof(v));
	return 0;
}

/* No thread writes inodes behind our back. */
void iflush_wake(void)
{
}

/* --- volumes */

void rig_run(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd) != 0)
		fail_msg("failed: %s", cmd);
}

void rig_init(struct rig *r)
{
	static bool ready;

	world_init();
	if (!ready) {
		assert_int_equal(host_run_initcalls(INIT_CORE), 0);
		assert_int_equal(host_run_initcalls(INIT_VFS), 0);
		assert_non_null(ext4_type);
		ready = true;
	}
	memset(r, 0, sizeof(*r));
	strcpy(r->dir, "/tmp/ext4_rig.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
}

void rig_done(struct rig *r)
{
	if (r->disk.data)
		world_disk_free(&r->disk);
	rig_run("rm -rf %s", r->dir);
}

void rig_mkfs(struct rig *r, unsigned int kib, const char *opts)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/img", r->dir);
	/* Nothing of it is random, so that a seed tells all. */
	rig_run("rm -f %s && PATH=$PATH:/sbin:/usr/sbin "
		"E2FSPROGS_FAKE_TIME=1700000000 mke2fs -q -F "
		"-U 6b8b4567-327b-23c6-643c-986966334873 "
		"-E hash_seed=74b0dc51-19b5-4d1e-8c6e-2a5c9c1d7f11 "
		"%s %s %uk >/dev/null",
		path, opts, path, kib);
	if (r->disk.data)
		world_disk_free(&r->disk);
	world_disk_load(&r->disk, path);
}

int rig_mount(struct rig *r, u64 flags, const char *data)
{
	struct super_block *sb = calloc(1, sizeof(*sb));
	int err;

	assert_null(r->sb);
	sb->type = ext4_type;
	sb->bdev = &r->disk.bd;
	sb->flags = flags & (MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC);
	mutex_init(&sb->rename_lock);
	list_init(&sb->inodes);
	err = ext4_type->mount(sb, &r->disk.bd, flags, data);
	if (err) {
		assert_true(list_empty(&sb->inodes));
		free(sb);
		return err;
	}
	r->sb = sb;
	return 0;
}

int rig_sync(struct rig *r)
{
	struct inode *i = NULL;
	int err = 0, e;

	while ((i = inode_next_dirty(r->sb, i)) != NULL) {
		if (i->mapping.ops) {
			e = mapping_sync(&i->mapping, 0, ~0ull, true);
			err = err ? err : e;
		}
		if (i->dirty) {
			e = r->sb->ops->write_inode(i, true);
			err = err ? err : e;
		}
	}
	e = r->sb->ops->sync_fs(r->sb, true);
	return err ? err : e;
}

void rig_umount(struct rig *r)
{
	struct super_block *sb = r->sb;

	if (!(sb->flags & MS_RDONLY))
		(void)rig_sync(r);
	inode_put(sb->root->inode);
	kfree(sb->root);
	inodes_drop_sb(sb);
	assert_true(list_empty(&sb->inodes));
	sb->ops->put_super(sb);
	free(sb);
	r->sb = NULL;
}

static bool needs_recovery(const struct rig *r)
{
	return r->disk.data[1024 + 96] & 4; /* feature_incompat */
}

int rig_fsck(struct rig *r)
{
	char path[96], cmd[400];
	int ret;

	snprintf(path, sizeof(path), "%s/check", r->dir);
	world_disk_store(&r->disk, path);
	/* The free counts of a super block are not kept right in a journal;
	 * e2fsck sets them without a word when it may write. */
	snprintf(cmd, sizeof(cmd),
		 "export PATH=$PATH:/sbin:/usr/sbin; "
		 "{ %s e2fsck -fn %s; } >%s/log 2>&1",
		 needs_recovery(r) ? "e2fsck -y -E journal_only $IMG &&" : "",
		 path, r->dir);
	setenv("IMG", path, 1);
	ret = WEXITSTATUS(system(cmd));
	if (ret) {
		snprintf(cmd, sizeof(cmd), "head -50 %s/log >&2", r->dir);
		(void)!system(cmd);
	}
	return ret;
}

/* --- names */

struct inode *rig_child(struct inode *dir, const char *name)
{
	struct inode *out = NULL;
	int err;

	if (!S_ISDIR(dir->mode))
		return ERR_PTR(-ENOTDIR);
	down_read(&dir->lock);
	err = dir->ops->lookup(dir, name, strlen(name), &out);
	up_read(&dir->lock);
	if (err)
		return ERR_PTR(err);
	return out ? out : ERR_PTR(-ENOENT);
}

struct inode *rig_lookup(struct rig *r, const char *path)
{
	struct inode *at = inode_get(r->sb->root->inode), *next;
	char name[256];

	while (*path) {
		size_t n = strcspn(path, "/");

		memcpy(name, path, n);
		name[n] = '\0';
		path += n + (path[n] == '/');
		next = rig_child(at, name);
		inode_put(at);
		if (IS_ERR(next))
			return next;
		at = next;
	}
	return at;
}

int rig_create(struct inode *dir, const char *name, u32 mode,
	       struct inode **out)
{
	int err;

	down_write(&dir->lock);
	err = dir->ops->create(dir, name, strlen(name), mode, out);
	up_write(&dir->lock);
	return err;
}

int rig_mkdir(struct inode *dir, const char *name, struct inode **out)
{
	int err;

	down_write(&dir->lock);
	err = dir->ops->mkdir(dir, name, strlen(name), 0755, out);
	up_write(&dir->lock);
	return err;
}

int rig_symlink(struct inode *dir, const char *name, const char *target)
{
	struct inode *out;
	int err;

	down_write(&dir->lock);
	err = dir->ops->symlink(dir, name, strlen(name), target, &out);
	up_write(&dir->lock);
	if (!err)
		inode_put(out);
	return err;
}

static int remove_as(struct inode *dir, const char *name, bool rmdir)
{
	struct inode *victim = rig_child(dir, name);
	int err;

	if (IS_ERR(victim))
		return (int)PTR_ERR(victim);
	if (rmdir != S_ISDIR(victim->mode)) {
		inode_put(victim);
		return rmdir ? -ENOTDIR : -EISDIR;
	}
	down_write(&dir->lock);
	if (rmdir) {
		down_write(&victim->lock);
		err = dir->ops->rmdir(dir, name, strlen(name), victim);
		up_write(&victim->lock);
	} else {
		err = dir->ops->unlink(dir, name, strlen(name), victim);
	}
	up_write(&dir->lock);
	inode_put(victim);
	return err;
}

int rig_unlink(struct inode *dir, const char *name)
{
	return remove_as(dir, name, false);
}

int rig_rmdir(struct inode *dir, const char *name)
{
	return remove_as(dir, name, true);
}

int rig_link(struct inode *dir, const char *name, struct inode *target)
{
	int err;

	down_write(&dir->lock);
	err = dir->ops->link(dir, name, strlen(name), target);
	up_write(&dir->lock);
	return err;
}

int rig_rename(struct inode *old_dir, const char *old, struct inode *new_dir,
	       const char *new, u32 flags)
{
	struct inode *i = rig_child(old_dir, old), *v;
	bool two = old_dir != new_dir;
	int err;

	if (IS_ERR(i))
		return (int)PTR_ERR(i);
	v = rig_child(new_dir, new);
	if (IS_ERR(v))
		v = NULL;
	if (v == i || (v && !flags && S_ISDIR(v->mode) != S_ISDIR(i->mode))) {
		inode_put(i);
		inode_put(v);
		return v == i ? 0 : -EISDIR;
	}
	down_write(&old_dir->lock);
	if (two)
		down_write(&new_dir->lock);
	err = old_dir->ops->rename(old_dir, old, strlen(old), i, new_dir, new,
				   strlen(new), v, flags);
	if (two)
		up_write(&new_dir->lock);
	up_write(&old_dir->lock);
	inode_put(i);
	inode_put(v);
	return err;
}

/* --- contents */

s64 rig_write(struct inode *i, u64 pos, const void *buf, size_t n)
{
	struct file f = { .inode = i, .ops = i->fops };
	struct iov_iter it;

	iov_iter_kernel(&it, (void *)(uintptr_t)buf, n);
	return i->fops->write(&f, &it, &pos);
}

s64 rig_read(struct inode *i, u64 pos, void *buf, size_t n)
{
	struct file f = { .inode = i, .ops = i->fops };
	struct iov_iter it;

	iov_iter_kernel(&it, buf, n);
	return mapping_file_read(&i->mapping, &f, &it, &pos);
}

int rig_truncate(struct inode *i, u64 size)
{
	struct iattr a = { .valid = ATTR_SIZE | ATTR_CTIME | ATTR_MTIME,
			   .size = size,
			   .mtime = inode_now(i),
			   .ctime = inode_now(i) };
	int err;

	down_write(&i->lock);
	err = i->ops->setattr(i, &a);
	up_write(&i->lock);
	return err;
}

int rig_fallocate(struct inode *i, int mode, u64 off, u64 len)
{
	struct file f = { .inode = i, .ops = i->fops };

	return i->fops->fallocate(&f, mode, off, len);
}

struct lister {
	struct dir_ctx ctx;
	rig_name_fn *fn;
	void *arg;
	u32 room; /* entries until the buffer is full */
};

static bool emit(struct dir_ctx *ctx, const char *name, size_t len, u64 ino,
		 unsigned int dtype, u64 next_off)
{
	struct lister *l = container_of(ctx, struct lister, ctx);

	assert_true(next_off >= ctx->pos);
	if (!l->room)
		return false;
	l->room--;
	l->fn(l->arg, name, len, ino, dtype);
	return true;
}

int rig_list(struct inode *dir, rig_name_fn *fn, void *arg)
{
	struct lister l = { .ctx.emit = emit, .fn = fn, .arg = arg };
	struct file f = { .inode = dir };
	int err;
	u64 old;

	do {
		old = l.ctx.pos;
		l.room = 1 + (u32)random_below(&world_seed, 20);
		down_read(&dir->lock);
		err = dir->fops->readdir(&f, &l.ctx);
		up_read(&dir->lock);
	} while (!err && (l.ctx.pos != old || !l.room));
	return err;
}

/* --- the fixture */

struct rig rig;

int rig_setup(void **state)
{
	const char *seed = getenv("EXT4_SEED");

	if (seed)
		world_seed = strtoull(seed, NULL, 16);
	rig_init(&rig);
	return 0;
}

int rig_teardown(void **state)
{
	rig_done(&rig);
	return 0;
}
