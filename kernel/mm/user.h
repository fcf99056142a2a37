/* SPDX-License-Identifier: MIT */
/*
 * kernel/mm/user.h - the only way to user memory.
 *
 * The page table of the address space is walked in software, the access is
 * checked (U, R or W) and the bytes are copied through the direct map; whoever
 * wants to take the frame away waits for the copy (edge UCOPY).  A page that is not
 * there, or not writable yet, is faulted in (mm_fault(); may sleep) and the walk is
 * repeated.  Nothing depends on satp: any hart may run it for any thread.
 *
 * Return: 0 or -EFAULT unless said otherwise.  On -EFAULT of a copy some bytes
 * may have been moved (as on Linux).  Addresses are checked against the user
 * range; any value is safe.
 * Context: coroutine, no spinlock; the _nofault forms: any.
 */
#ifndef KERNEL_MM_USER_H
#define KERNEL_MM_USER_H

#include <lib/types.h>

struct mm;

/* On the current thread's address space. */
int copy_from_user(void *dst, uaddr_t src, size_t n) __must_check;
int copy_to_user(uaddr_t dst, const void *src, size_t n) __must_check;
int clear_user(uaddr_t dst, size_t n) __must_check;
/* How many bytes were moved before the fault (n: all). */
size_t copy_from_user_partial(void *dst, uaddr_t src, size_t n);
size_t copy_to_user_partial(uaddr_t dst, const void *src, size_t n);
size_t copy_from_user_nofault(void *dst, uaddr_t src, size_t n);
size_t copy_to_user_nofault(uaddr_t dst, const void *src, size_t n);

/* String with its NUL into dst[size]: length, -ENAMETOOLONG (no NUL within
 * size) or -EFAULT. */
s64 strncpy_from_user(char *dst, uaddr_t src, size_t size) __must_check;

int get_user_u8(u8 *v, uaddr_t a) __must_check;
int get_user_u32(u32 *v, uaddr_t a) __must_check;
int get_user_u64(u64 *v, uaddr_t a) __must_check;
int put_user_u8(u8 v, uaddr_t a) __must_check;
int put_user_u32(u32 v, uaddr_t a) __must_check;
int put_user_u64(u64 v, uaddr_t a) __must_check;

/* Atomic on the 32-bit word at @a (4-aligned, else -EINVAL): futexes. */
int user_cmpxchg_u32(uaddr_t a, u32 old, u32 new, u32 *prev) __must_check;
int user_atomic_op_u32(uaddr_t a, int op, u32 arg, u32 *prev) __must_check;
enum user_atomic {
	UA_SET,
	UA_ADD,
	UA_OR,
	UA_ANDN,
	UA_XOR
};
/* Word without faulting: -EAGAIN when the page is not there. */
int get_user_u32_nofault(u32 *v, uaddr_t a) __must_check;
int user_cmpxchg_u32_nofault(uaddr_t a, u32 old, u32 new,
			     u32 *prev) __must_check;

/* Make [a, a+n) present with @write access; 0 or -EFAULT. */
int user_fault_in(uaddr_t a, size_t n, bool write) __must_check;

/* Another process's memory (ptrace, /proc/pid/mem, process_vm_*); bytes moved. */
size_t mm_copy_from(struct mm *mm, void *dst, uaddr_t src, size_t n);
size_t mm_copy_to(struct mm *mm, uaddr_t dst, const void *src, size_t n,
		  bool force);

/* Pin the frame behind @a (O_DIRECT, futex keys): reference in *@pg. */
struct page;
int user_get_page(uaddr_t a, bool write, struct page **pg) __must_check;

#endif /* KERNEL_MM_USER_H */
