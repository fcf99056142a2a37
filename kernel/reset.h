/* SPDX-License-Identifier: MIT */
/*
 * kernel/reset.h - power off, restart.
 *
 * Filled by sbi/ (SRST, legacy shutdown), drivers/ and platform/ at boot.  Ways to
 * stop the machine are tried by rank, then in order of registration, until one
 * does not return.
 */
#ifndef KERNEL_RESET_H
#define KERNEL_RESET_H

#include <lib/types.h>

enum reset_kind {
	RESET_POWEROFF,
	RESET_REBOOT,
};

enum reset_rank {
	RESET_FIRMWARE, /* what knows the whole machine */
	RESET_DRIVER,	/* what the device tree describes */
	RESET_LAST,	/* what may hang instead of failing */
	NR_RESET_RANKS,
};
/* Context of @fn: any, a panic too; polls, never sleeps, takes no lock. */
void reset_register(enum reset_rank rank, void (*fn)(enum reset_kind kind));

/*
 * Drivers whose devices want to know before the power goes: called once, in a
 * coroutine, when the file systems have been shut down.  Not after a panic.  Those
 * of buses are called after those of the devices on them.
 */
void reset_prepare_register(void (*fn)(void));
void reset_prepare_bus_register(void (*fn)(void));
void machine_prepare_reset(void);

/* Stops the machine; loops in wfi with a message when nothing works.  File
 * systems must have been shut down. */
void machine_reset(enum reset_kind kind) __noreturn;

/* What the keys Ctrl-Alt-Del would do, if a console had them: 1 restart at once, else tell
 * process 1. */
extern u64 ctrl_alt_del; /* [a] */

#endif /* KERNEL_RESET_H */
