/* SPDX-License-Identifier: MIT */
/*
 * fs/pts_peer.c - open a pty's slave by its name, for ioctl(TIOCGPTPEER).
 */
#include <kernel/dev/tty/pty.h>

#include <fs/vfs.h>
#include <kernel/init.h>
#include <lib/errno.h>

static struct file *open_slave(const char *path, u32 flags)
{
	struct file *f = vfs_open(AT_FDCWD, path, flags, 0);

	return IS_ERR(f) ? NULL : f;
}

static int pts_peer_init(void)
{
	pty_open_slave_path = open_slave;
	return 0;
}
INITCALL(INIT_VFS, pts_peer_init);
