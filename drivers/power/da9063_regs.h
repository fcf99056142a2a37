/* SPDX-License-Identifier: MIT */
/*
 * drivers/power/da9063_regs.h - registers of the Dialog DA9063, as far as they are
 * wanted: power control and the clock [DA9063 datasheet 2.5, A.1 to A.4].
 *
 * 8 bits; pages of 256, of which a host sees two at a time.
 */
#ifndef DRIVERS_POWER_DA9063_REGS_H
#define DRIVERS_POWER_DA9063_REGS_H

#include <lib/types.h>

#define DA9063_PAGE_CON	 0x00 /* in every page */
#define DA9063_PAGES_0_1 0x00
#define DA9063_PAGES_2_3 0x02

/* Pages 0 and 1 */
#define DA9063_CONTROL_A	     0x0e
#define DA9063_CONTROL_A_STANDBY     BIT(3)
#define DA9063_CONTROL_A_M_POWER     BIT(5)
#define DA9063_CONTROL_A_M_POWER1    BIT(6)
#define DA9063_CONTROL_D	     0x11
#define DA9063_CONTROL_D_NO_WATCHDOG 0x00
#define DA9063_CONTROL_D_WATCHDOG    GENMASK(2, 0) /* its time, 0: off */
#define DA9063_CONTROL_F	     0x13
#define DA9063_CONTROL_F_SHUTDOWN    BIT(1)
#define DA9063_CONTROL_F_WAKEUP	     BIT(2)

/* Seconds, minutes, hours, day, month, year - 2000; read in one go */
#define DA9063_COUNT_S	     0x40
#define DA9063_COUNT_S_VALID BIT(7)
#define DA9063_NR_COUNTS     6u

/* Pages 2 and 3 */
#define DA9063_DEVICE_ID       0x81
#define DA9063_DEVICE_ID_VALUE 0x61

#endif /* DRIVERS_POWER_DA9063_REGS_H */
