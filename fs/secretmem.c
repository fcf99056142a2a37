/* SPDX-License-Identifier: MIT */
/*
 * fs/secretmem.c - memfd_secret(2): memory that only those see who map it.
 *
 * A file in memory that can be mapped, and nothing else: it is neither read nor
 * written, and its size is set once.  Its areas are VM_SECRET: ptrace(2),
 * process_vm_readv(2) and /proc/<pid>/mem find nothing there, a core file has none of
 * it, and it counts as locked.  It stays in the kernel's direct map, through which
 * system calls reach it for who has it mapped.
 */
#include <fs/internal.h>
#include <fs/tmpfs.h>
#include <kernel/mm/vm.h>
#include <lib/errno.h>

static int secret_mmap(struct file *f, struct vma *v)
{
	if (!(v->flags & VM_SHARED))
		return -EINVAL;
	v->flags |= VM_LOCKED | VM_DONTDUMP | VM_SECRET;
	return generic_file_mmap(f, v);
}

static const struct file_ops secret_fops = {
	.mmap = secret_mmap,
};

/* Who maps it relies on its size. */
static int secret_setattr(struct inode *i, const struct iattr *a)
{
	if ((a->valid & ATTR_SIZE) && i->i_size)
		return -EINVAL;
	return inode_setattr_generic(i, a);
}

static const struct inode_ops secret_ops = {
	.setattr = secret_setattr,
};

static void make_secret(struct inode *i)
{
	i->ops = &secret_ops;
	i->fops = &secret_fops;
}

struct file *secretmem_create(void)
{
	return shmem_open("secretmem", 0600, make_secret);
}
