/* SPDX-License-Identifier: MIT */
/*
 * kernel/firmware.h - what main.c asks of the firmware layer (defined in sbi/).
 */
#ifndef KERNEL_FIRMWARE_H
#define KERNEL_FIRMWARE_H

/* The early console; before anything else. */
void firmware_early_init(void);
/* Timer, harts, reset: fills hart_ops, timer_ops, reset handlers.  Panics when
 * what nothing runs without is missing. */
void firmware_init(void);

#endif /* KERNEL_FIRMWARE_H */
