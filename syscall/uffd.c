/* SPDX-License-Identifier: MIT */
/* syscall/uffd.c - userfaultfd(2); what it does: kernel/mm/uffd.c. */
#include <syscall/syscall.h>

#include <kernel/file/file.h>
#include <kernel/mm/uffd.h>

#define UFFD_USER_MODE_ONLY 1u

SYSCALL1(282, userfaultfd, u32, flags)
{
	bool user_only = flags & UFFD_USER_MODE_ONLY;
	struct file *f;

	if (!user_only && !load_once(&unprivileged_userfaultfd) &&
	    !capable(CAP_SYS_PTRACE))
		return -EPERM;
	if (flags & ~(u32)(UFFD_USER_MODE_ONLY | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	f = uffd_create(user_only, flags);
	return IS_ERR(f) ? PTR_ERR(f) : fd_open(f, flags & O_CLOEXEC);
}
