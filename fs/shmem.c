/* SPDX-License-Identifier: MIT */
/*
 * fs/shmem.c - memfd_create(2): files of a tmpfs of their own that have no
 * name.
 */
#include <fs/internal.h>
#include <fs/tmpfs.h>
#include <kernel/init.h>
#include <kernel/mm/vm.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static struct mount *shm_mount; /* [I after init] */

static int shm_fs_mount(struct super_block *sb, struct blkdev *bdev, u64 flags,
			const char *data __unused)
{
	return tmpfs_mount(sb, bdev, flags, "size=0,nr_inodes=0,mode=700");
}

static struct fs_type shm_type = { .name = "shm", .mount = shm_fs_mount };

static int shmem_init(void)
{
	shm_mount = mount_internal(&shm_type);
	return (int)(IS_ERR(shm_mount) ? PTR_ERR(shm_mount) : 0);
}
INITCALL(INIT_VFS, shmem_init);

u64 memfd_noexec;

struct file *shmem_open(const char *label, u32 perm,
			void (*prepare)(struct inode *i))
{
	struct path p = { shm_mount, NULL };
	u32 len = (u32)strlen(label);
	struct inode *i;
	struct file *f;

	i = tmpfs_make_inode(shm_mount->sb, NULL, S_IFREG | perm, 0);
	if (IS_ERR(i))
		return ERR_PTR(PTR_ERR(i));
	i->nlink = 0;
	if (prepare)
		prepare(i);
	p.dentry = d_alloc(shm_mount->root, label, len, name_hash(label, len));
	if (!p.dentry) {
		inode_put(i);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock(&dcache_lock);
	d_add(p.dentry, i, false);
	spin_unlock(&dcache_lock);
	f = vfs_open_path(&p, O_RDWR | O_LARGEFILE, NULL);
	dentry_put(p.dentry);
	/* As on Linux it can be executed while it is open. */
	if (!IS_ERR(f))
		file_uncount_writer(f);
	return f;
}

/* @seals: F_SEAL_SEAL for a file that takes no seals, else 0. */
struct file *memfd_create(const char *name, u32 seals)
{
	char label[NAME_MAX + 1];
	struct file *f;

	(void)scnprintf(label, sizeof(label), "memfd:%s", name);
	f = shmem_open(label, 0777, NULL);
	if (!IS_ERR(f))
		tmpfs_i(f->inode)->seals = seals;
	return f;
}

static bool is_memory_file(const struct file *f)
{
	return f->inode && S_ISREG(f->inode->mode) &&
	       f->inode->ops == &tmpfs_file_ops;
}

/* Does somebody share it who may write, or get that by mprotect()?  i_mmap held. */
static bool may_be_written(struct mapping *m)
{
	struct vma *v;

	list_for_each_entry(v, &m->vmas, map_node) {
		if ((v->flags & VM_SHARED) && (v->flags & VM_MAYWRITE))
			return true;
	}
	return false;
}

int memfd_add_seals(struct file *f, u32 seals)
{
	struct tmpfs_inode *ti;
	int err = 0;

	if (!is_memory_file(f) || (seals & ~F_SEAL_ALL))
		return -EINVAL;
	if (!f->can_write)
		return -EPERM;
	ti = tmpfs_i(f->inode);
	down_write(&ti->vfs.lock);
	/* What stays executable shall stay what it is. */
	if ((seals & F_SEAL_EXEC) && (f->inode->mode & 0111))
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
			 F_SEAL_FUTURE_WRITE;
	mutex_lock(&ti->vfs.mapping.i_mmap);
	if (ti->seals & F_SEAL_SEAL)
		err = -EPERM;
	else if ((seals & F_SEAL_WRITE) && !(ti->seals & F_SEAL_WRITE) &&
		 may_be_written(&ti->vfs.mapping))
		err = -EBUSY;
	else
		ti->seals |= seals;
	mutex_unlock(&ti->vfs.mapping.i_mmap);
	up_write(&ti->vfs.lock);
	return err;
}

int memfd_get_seals(struct file *f)
{
	return is_memory_file(f) ? (int)tmpfs_i(f->inode)->seals : -EINVAL;
}
