/* SPDX-License-Identifier: MIT */
/*
 * syscall/prctl_mm.c - prctl(PR_SET_MM): where a program says that its code, data,
 * heap, arguments and environment are.
 *
 * Nothing moves: what changes is what /proc/<pid>/cmdline, environ, stat, auxv
 * and exe show, and where brk(2) goes on.  Each change must leave all of it in
 * order (check()), so only what is said about the own program can become wrong.
 *
 * Source: Linux's include/uapi/linux/prctl.h, prctl(2).
 */
#include <syscall/prctl_mm.h>

#include <kernel/file/file.h>
#include <kernel/mm/mmap.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/mm/vma.h>
#include <kernel/ns/user.h>
#include <kernel/task/task.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

#define PR_SET_MM_START_CODE  1
#define PR_SET_MM_END_CODE    2
#define PR_SET_MM_START_DATA  3
#define PR_SET_MM_END_DATA    4
#define PR_SET_MM_START_STACK 5
#define PR_SET_MM_START_BRK   6
#define PR_SET_MM_BRK	      7
#define PR_SET_MM_ARG_START   8
#define PR_SET_MM_ARG_END     9
#define PR_SET_MM_ENV_START   10
#define PR_SET_MM_ENV_END     11
#define PR_SET_MM_AUXV	      12
#define PR_SET_MM_EXE_FILE    13
#define PR_SET_MM_MAP	      14
#define PR_SET_MM_MAP_SIZE    15

#define AT_EMPTY_PATH 0x1000u

/* struct prctl_mm_map */
struct layout {
	u64 start_code, end_code, start_data, end_data, start_brk, brk;
	u64 start_stack, arg_start, arg_end, env_start, env_end;
	u64 auxv;
	u32 auxv_size;
	s32 exe_fd;
};

/* Where each of PR_SET_MM_START_CODE .. ENV_END stands in a layout. */
static const u8 place_of[] = {
	[PR_SET_MM_START_CODE] = offsetof(struct layout, start_code),
	[PR_SET_MM_END_CODE] = offsetof(struct layout, end_code),
	[PR_SET_MM_START_DATA] = offsetof(struct layout, start_data),
	[PR_SET_MM_END_DATA] = offsetof(struct layout, end_data),
	[PR_SET_MM_START_STACK] = offsetof(struct layout, start_stack),
	[PR_SET_MM_START_BRK] = offsetof(struct layout, start_brk),
	[PR_SET_MM_BRK] = offsetof(struct layout, brk),
	[PR_SET_MM_ARG_START] = offsetof(struct layout, arg_start),
	[PR_SET_MM_ARG_END] = offsetof(struct layout, arg_end),
	[PR_SET_MM_ENV_START] = offsetof(struct layout, env_start),
	[PR_SET_MM_ENV_END] = offsetof(struct layout, env_end),
};

static u64 *field(struct layout *l, u64 what)
{
	return (u64 *)((u8 *)l + place_of[what]);
}

static void get_layout(const struct mm *mm, struct layout *l)
{
	*l = (struct layout){
		.start_code = mm->start_code,
		.end_code = mm->end_code,
		.start_data = mm->start_data,
		.end_data = mm->end_data,
		.start_brk = mm->start_brk,
		.brk = mm->brk,
		.start_stack = mm->start_stack,
		.arg_start = mm->arg_start,
		.arg_end = mm->arg_end,
		.env_start = mm->env_start,
		.env_end = mm->env_end,
	};
}

static void put_layout(struct mm *mm, const struct layout *l)
{
	mm->start_code = l->start_code;
	mm->end_code = l->end_code;
	mm->start_data = l->start_data;
	mm->end_data = l->end_data;
	mm->start_brk = l->start_brk;
	mm->brk = l->brk;
	mm->start_stack = l->start_stack;
	mm->arg_start = l->arg_start;
	mm->arg_end = l->arg_end;
	mm->env_start = l->env_start;
	mm->env_end = l->env_end;
}

static int check(struct layout *l)
{
	u64 data = l->brk - l->start_brk + l->end_data - l->start_data;
	u64 i, at;

	for (i = PR_SET_MM_START_CODE; i <= PR_SET_MM_ENV_END; i++) {
		at = *field(l, i);
		if (at < MMAP_MIN || at >= USER_TOP)
			return -EINVAL;
	}
	if (l->start_code >= l->end_code || l->start_data > l->end_data ||
	    l->start_brk > l->brk || l->arg_start > l->arg_end ||
	    l->env_start > l->env_end || data > rlimit_cur(RLIMIT_DATA))
		return -EINVAL;
	return 0;
}

static int set_one(struct mm *mm, u64 what, u64 addr)
{
	struct layout l;
	bool mapped;
	int err;

	if (addr >= USER_TOP || addr < MMAP_MIN)
		return -EINVAL;
	if (what < PR_SET_MM_START_CODE || what > PR_SET_MM_ENV_END)
		return -EINVAL;
	down_write(&mm->lock);
	get_layout(mm, &l);
	*field(&l, what) = addr;
	err = check(&l);
	/* Somewhere at or above it: as little is asked by Linux. */
	mapped = what == PR_SET_MM_START_BRK || what == PR_SET_MM_BRK ||
		 what < PR_SET_MM_START_STACK ||
		 vma_overlap(mm, addr, USER_TOP);
	if (!err && !mapped)
		err = -EFAULT;
	if (!err)
		put_layout(mm, &l);
	up_write(&mm->lock);
	return err;
}

static int read_auxv(const struct mm *mm, u64 from, u64 len, u64 *auxv)
{
	if (len > sizeof(mm->auxv))
		return -EINVAL;
	memset(auxv, 0, sizeof(mm->auxv));
	if (copy_from_user(auxv, from, len))
		return -EFAULT;
	auxv[ARRAY_SIZE(mm->auxv) - 1] = 0; /* it ends, whatever was given */
	auxv[ARRAY_SIZE(mm->auxv) - 2] = 0;
	return 0;
}

static void put_auxv(struct mm *mm, const u64 *auxv)
{
	memcpy(mm->auxv, auxv, sizeof(mm->auxv));
	mm->nr_auxv = ARRAY_SIZE(mm->auxv);
}

static int set_auxv(struct mm *mm, u64 from, u64 len)
{
	u64 auxv[ARRAY_SIZE(mm->auxv)];
	int err = read_auxv(mm, from, len, auxv);

	if (err)
		return err;
	down_write(&mm->lock);
	put_auxv(mm, auxv);
	up_write(&mm->lock);
	return 0;
}

static bool is_mapped(struct mm *mm, const struct file *f)
{
	struct vma *v;

	for (v = vma_first(mm); v; v = vma_next(v))
		if (v->file && f && v->file->dentry == f->dentry &&
		    v->file->mnt == f->mnt)
			return true;
	return false;
}

/* The program is @fd from now on; nothing of the old one may be mapped. */
static int set_exe(struct mm *mm, int fd)
{
	struct file *f = exec_open(fd, "", AT_EMPTY_PATH), *old;
	int err = 0;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	down_write(&mm->lock);
	old = mm->exe;
	if (is_mapped(mm, old))
		err = -EBUSY;
	else
		mm->exe = f;
	up_write(&mm->lock);
	if (err)
		old = f;
	if (old)
		file_put(old);
	return err;
}

static int set_all(struct mm *mm, u64 from, u64 size)
{
	u64 auxv[ARRAY_SIZE(mm->auxv)];
	struct layout l;
	int err;

	if (size != sizeof(l))
		return -EINVAL;
	if (copy_from_user(&l, from, sizeof(l)))
		return -EFAULT;
	err = check(&l);
	if (!err && l.auxv_size)
		err = l.auxv ? read_auxv(mm, l.auxv, l.auxv_size, auxv)
			     : -EINVAL;
	if (err)
		return err;
	if (l.exe_fd != -1) {
		if (!capable_here(CAP_SYS_ADMIN) &&
		    !capable_here(CAP_CHECKPOINT_RESTORE))
			return -EPERM;
		err = set_exe(mm, l.exe_fd);
		if (err)
			return err;
	}
	down_write(&mm->lock);
	put_layout(mm, &l);
	if (l.auxv_size)
		put_auxv(mm, auxv);
	up_write(&mm->lock);
	return 0;
}

s64 prctl_set_mm(const u64 *a)
{
	struct mm *mm = current->mm;
	u64 what = a[0];

	if (a[3] || (a[2] && what != PR_SET_MM_AUXV && what != PR_SET_MM_MAP &&
		     what != PR_SET_MM_MAP_SIZE))
		return -EINVAL;
	if (what == PR_SET_MM_MAP_SIZE)
		return put_user_u32(sizeof(struct layout), a[1]);
	if (what == PR_SET_MM_MAP)
		return set_all(mm, a[1], a[2]);
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (what == PR_SET_MM_EXE_FILE)
		return set_exe(mm, (int)a[1]);
	if (what == PR_SET_MM_AUXV)
		return set_auxv(mm, a[1], a[2]);
	return set_one(mm, what, a[1]);
}
