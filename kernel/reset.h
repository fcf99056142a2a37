/* SPDX-License-Identifier: MIT */
/*
 * kernel/reset.h - power off, restart.
 *
 * Filled by sbi/ (SRST, legacy shutdown) and platform/.  Handlers are tried in
 * order of registration until one does not return.
 */
#ifndef KERNEL_RESET_H
#define KERNEL_RESET_H

#include <lib/types.h>

enum reset_kind {
	RESET_POWEROFF,
	RESET_REBOOT,
};
void reset_register(void (*fn)(enum reset_kind kind));
/*
 * Drivers whose devices want to know before the power goes: called once, in a
 * coroutine, when the file systems have been shut down.  Not after a panic.
 */
void reset_prepare_register(void (*fn)(void));
void machine_prepare_reset(void);
/* Stops the machine; loops in wfi with a message when nothing works.  File
 * systems must have been shut down. */
void machine_reset(enum reset_kind kind) __noreturn;

#endif /* KERNEL_RESET_H */
