/* SPDX-License-Identifier: MIT */
/*
 * syscall/syscall.h - how a system call is declared.
 *
 *	SYSCALL3(63, read, int, fd, uaddr_t, buf, u64, count)
 *	{
 *		...
 *		return n;	(or -Exxx)
 *	}
 *
 * puts a row into the linker section that syscall/table.c collects.  Arguments are
 * converted from the registers by a C cast, so `int fd` drops the upper half as on
 * Linux.  The body runs in a coroutine with current set and may suspend.  A
 * -ERESTART* value means "restart or EINTR, as the signal's action says"
 * (kernel/task/signal.c).  The raw registers are in current->tf.
 */
#ifndef SYSCALL_SYSCALL_H
#define SYSCALL_SYSCALL_H

#include <kernel/sched/thread.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/types.h>

struct syscall_row {
	syscall_fn *fn;
	const char *name;
	u64 nr;
};

#define SYSCALL_ROW(num, nm)                                                \
	static const struct syscall_row __used_sys_##nm                     \
		__attribute__((section(".syscalls"), used, aligned(8))) = { \
			.fn = sysw_##nm, .name = #nm, .nr = (num)           \
		}

#define SYSCALL0(num, nm)                           \
	static s64 sys_##nm(void);                  \
	static s64 sysw_##nm(const u64 *a __unused) \
	{                                           \
		return sys_##nm();                  \
	}                                           \
	SYSCALL_ROW(num, nm);                       \
	static s64 sys_##nm(void)
#define SYSCALL1(num, nm, t0, a0)          \
	static s64 sys_##nm(t0 a0);        \
	static s64 sysw_##nm(const u64 *a) \
	{                                  \
		return sys_##nm((t0)a[0]); \
	}                                  \
	SYSCALL_ROW(num, nm);              \
	static s64 sys_##nm(t0 a0)
#define SYSCALL2(num, nm, t0, a0, t1, a1)            \
	static s64 sys_##nm(t0 a0, t1 a1);           \
	static s64 sysw_##nm(const u64 *a)           \
	{                                            \
		return sys_##nm((t0)a[0], (t1)a[1]); \
	}                                            \
	SYSCALL_ROW(num, nm);                        \
	static s64 sys_##nm(t0 a0, t1 a1)
#define SYSCALL3(num, nm, t0, a0, t1, a1, t2, a2)              \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2);              \
	static s64 sysw_##nm(const u64 *a)                     \
	{                                                      \
		return sys_##nm((t0)a[0], (t1)a[1], (t2)a[2]); \
	}                                                      \
	SYSCALL_ROW(num, nm);                                  \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2)
#define SYSCALL4(num, nm, t0, a0, t1, a1, t2, a2, t3, a3)                \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2, t3 a3);                 \
	static s64 sysw_##nm(const u64 *a)                               \
	{                                                                \
		return sys_##nm((t0)a[0], (t1)a[1], (t2)a[2], (t3)a[3]); \
	}                                                                \
	SYSCALL_ROW(num, nm);                                            \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2, t3 a3)
#define SYSCALL5(num, nm, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4)       \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2, t3 a3, t4 a4);         \
	static s64 sysw_##nm(const u64 *a)                              \
	{                                                               \
		return sys_##nm((t0)a[0], (t1)a[1], (t2)a[2], (t3)a[3], \
				(t4)a[4]);                              \
	}                                                               \
	SYSCALL_ROW(num, nm);                                           \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2, t3 a3, t4 a4)
#define SYSCALL6(num, nm, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5) \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2, t3 a3, t4 a4, t5 a5);    \
	static s64 sysw_##nm(const u64 *a)                                \
	{                                                                 \
		return sys_##nm((t0)a[0], (t1)a[1], (t2)a[2], (t3)a[3],   \
				(t4)a[4], (t5)a[5]);                      \
	}                                                                 \
	SYSCALL_ROW(num, nm);                                             \
	static s64 sys_##nm(t0 a0, t1 a1, t2 a2, t3 a3, t4 a4, t5 a5)

#endif /* SYSCALL_SYSCALL_H */
