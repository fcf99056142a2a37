/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/jump.h - go somewhere and never come back.
 *
 * A call of a noreturn function makes the compiler save registers for a return that
 * never happens, before the first branch of the caller; a jump does not.  All of
 * these leave the caller's stack frame behind: they begin on the hart's or a
 * coroutine's empty stack, or enter the hart's loop, which keeps nothing there
 * (kernel/relay/loop.c, L1).
 */
#ifndef ARCH_RISCV_JUMP_H
#define ARCH_RISCV_JUMP_H

#include <arch/riscv/upcalls.h>
#include <lib/types.h>

#define JUMP_1(label, x)                                                 \
	do {                                                             \
		register u64 jump_0 __asm__("a0") = (u64)(x);            \
                                                                         \
		__asm__ volatile("j " label : : "r"(jump_0) : "memory"); \
		__builtin_unreachable();                                 \
	} while (0)
#define JUMP_3(label, x, y, z)                                           \
	do {                                                             \
		register u64 jump_0 __asm__("a0") = (u64)(x);            \
		register u64 jump_1 __asm__("a1") = (u64)(y);            \
		register u64 jump_2 __asm__("a2") = (u64)(z);            \
                                                                         \
		__asm__ volatile("j " label                              \
				 :                                       \
				 : "r"(jump_0), "r"(jump_1), "r"(jump_2) \
				 : "memory");                            \
		__builtin_unreachable();                                 \
	} while (0)
#define JUMP_2(label, x, y)                                   \
	do {                                                  \
		register u64 jump_0 __asm__("a0") = (u64)(x); \
		register u64 jump_1 __asm__("a1") = (u64)(y); \
                                                              \
		__asm__ volatile("j " label                   \
				 :                            \
				 : "r"(jump_0), "r"(jump_1)   \
				 : "memory");                 \
		__builtin_unreachable();                      \
	} while (0)

/* user_return(t, set_status) */
#define jump_user_return(t, set_status) JUMP_2("user_return", t, set_status)
#define jump_user_return_counted(t, set_status) \
	JUMP_2("user_return_counted", t, set_status)
/* co_call(t, fn, row) */
#define jump_co_call(t, fn, row) JUMP_3("co_call", t, fn, row)
/* A function of one to three arguments, by name. */
#define jump_to(fn, x)	       JUMP_1(#fn, x)
#define jump_to_2(fn, x, y)    JUMP_2(#fn, x, y)
#define jump_to_3(fn, x, y, z) JUMP_3(#fn, x, y, z)

#endif /* ARCH_RISCV_JUMP_H */
