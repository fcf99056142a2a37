/* SPDX-License-Identifier: MIT */
/* syscall/exec.c - execve(2), execveat(2). */
#include <syscall/syscall.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/task/task.h>

#define PATH_BYTES	    4096
#define AT_FDCWD_EXEC	    (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EMPTY_PATH	    0x1000

static s64 exec_at(int dirfd, uaddr_t upath, u32 flags, uaddr_t argv,
		   uaddr_t envp)
{
	struct exec_strings s = { .argv = argv, .envp = envp };
	char *path;
	s64 r;

	if (flags & ~(u32)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	path = kmalloc(PATH_BYTES);
	if (!path)
		return -ENOMEM;
	r = strncpy_from_user(path, upath, PATH_BYTES);
	if (!r && !(flags & AT_EMPTY_PATH))
		r = -ENOENT;
	if (r >= 0)
		r = task_execve(dirfd, path, flags, &s);
	kfree(path);
	return r;
}

SYSCALL3(221, execve, uaddr_t, path, uaddr_t, argv, uaddr_t, envp)
{
	return exec_at(AT_FDCWD_EXEC, path, 0, argv, envp);
}

SYSCALL5(281, execveat, int, dirfd, uaddr_t, path, uaddr_t, argv, uaddr_t, envp,
	 u32, flags)
{
	return exec_at(dirfd, path, flags, argv, envp);
}
