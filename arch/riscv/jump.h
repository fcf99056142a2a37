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
/* co_call(t, fn) */
#define jump_co_call(t, fn) JUMP_2("co_call", t, fn)
/* A function of one argument, by name. */
#define jump_to(fn, x) JUMP_2(#fn, x, 0)

#endif /* ARCH_RISCV_JUMP_H */
