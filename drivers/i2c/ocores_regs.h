/* SPDX-License-Identifier: MIT */
/*
 * drivers/i2c/ocores_regs.h - registers of the OpenCores I2C controller [I2C-Master
 * Core Specification 0.9, chapter 4].  8 bits each, numbered; how far they are
 * apart is the device tree's reg-shift.
 */
#ifndef DRIVERS_I2C_OCORES_REGS_H
#define DRIVERS_I2C_OCORES_REGS_H

#include <lib/types.h>

/* Five times the bus clock = input / (prescale + 1) [4.2.1] */
#define OCI2C_PRE_LO	    0
#define OCI2C_PRE_HI	    1
#define OCI2C_PRE_MAX	    0xffffu
#define OCI2C_CONTROL	    2 /* [4.2.2] */
#define OCI2C_CONTROL_EN    BIT(7)
#define OCI2C_DATA	    3 /* to transmit, received [4.2.3, 4.2.4] */
#define OCI2C_COMMAND	    4 /* WO [4.2.5] */
#define OCI2C_COMMAND_START BIT(7)
#define OCI2C_COMMAND_STOP  BIT(6)
#define OCI2C_COMMAND_READ  BIT(5)
#define OCI2C_COMMAND_WRITE BIT(4)
#define OCI2C_COMMAND_NACK  BIT(3)
#define OCI2C_COMMAND_IACK  BIT(0)
#define OCI2C_STATUS	    4	   /* RO [4.2.6] */
#define OCI2C_STATUS_NACK   BIT(7) /* the chip did not acknowledge */
#define OCI2C_STATUS_BUSY   BIT(6) /* between a start and a stop */
#define OCI2C_STATUS_LOST   BIT(5) /* arbitration */
#define OCI2C_STATUS_TIP    BIT(1) /* transfer in progress */
#define OCI2C_NR_REGS	    5

#endif /* DRIVERS_I2C_OCORES_REGS_H */
