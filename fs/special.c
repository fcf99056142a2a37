/* SPDX-License-Identifier: MIT */
/*
 * fs/special.c - open what is behind a device node, a fifo or a socket node.
 *
 * Not here: files of block devices (blkfile.c), pipes (pipe.c).
 */
#include <fs/blkfile.h>
#include <fs/internal.h>
#include <lib/errno.h>

static int open_chrdev(struct inode *i, struct file *f)
{
	struct chrdev *cd = chrdev_find(i->rdev);

	if (!cd)
		return -ENXIO;
	f->ops = cd->fops;
	f->priv = NULL;
	if (cd->open)
		return cd->open(cd, f);
	return 0;
}

int special_open(struct inode *i, struct file *f)
{
	switch (i->mode & S_IFMT) {
	case S_IFCHR:
		return open_chrdev(i, f);
	case S_IFBLK:
		return blkfile_open(i, f);
	case S_IFIFO:
		return fifo_open(i, f);
	default:
		return -ENXIO;
	}
}
