/* SPDX-License-Identifier: MIT */
/* syscall/session.c - process groups and sessions. */
#include <syscall/syscall.h>

#include <kernel/dev/tty/tty.h>
#include <kernel/task/task.h>

SYSCALL2(154, setpgid, int, pid, int, pgid)
{
	return pid < 0 ? -EINVAL : task_setpgid(pid, pgid);
}

SYSCALL1(155, getpgid, int, pid)
{
	return task_getpgid(pid);
}

SYSCALL1(156, getsid, int, pid)
{
	return task_getsid(pid);
}

SYSCALL0(157, setsid)
{
	return task_setsid();
}

SYSCALL0(58, vhangup)
{
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	tty_vhangup_current();
	return 0;
}
