/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/i2c.h - inter-integrated circuit buses: controllers below, drivers of
 * chips above.
 *
 * Every chip that we know has registers: a write is the register's number and
 * bytes, a read is the number and then, after a repeated start, bytes.
 *
 * Context: threads, which may wait for the bus; i2c_write_last() any.
 */
#ifndef KERNEL_DEV_I2C_H
#define KERNEL_DEV_I2C_H

#include <kernel/sched/wait.h>
#include <lib/list.h>
#include <lib/types.h>

struct i2c_bus;

struct i2c_bus_ops {
	/*
	 * Send @nr_tx bytes to the chip with the 7-bit address @addr, then receive
	 * @nr_rx (either may be 0).  0, -ENXIO (nobody answers), -EIO or -ETIMEDOUT.
	 * Polls, takes no lock.
	 */
	int (*transfer)(struct i2c_bus *b, u32 addr, const u8 *tx, u32 nr_tx,
			u8 *rx, u32 nr_rx);
};

struct i2c_bus {
	const struct i2c_bus_ops *ops; /* [I] */
	int fdt_node;		       /* [I] */
	struct mutex lock;	       /* of a transfer */
	struct list_head node;	       /* [boot] */
};

void i2c_bus_register(struct i2c_bus *b);
/* The bus whose child @fdt_node is; NULL: not probed (yet). */
struct i2c_bus *i2c_bus_of(int fdt_node);

int i2c_read(struct i2c_bus *b, u32 addr, u8 reg, u8 *buf, u32 nr);
int i2c_write(struct i2c_bus *b, u32 addr, u8 reg, u8 v);
/* Without the lock: the machine stops, and whoever holds it never comes back. */
int i2c_write_last(struct i2c_bus *b, u32 addr, u8 reg, u8 v);

#endif /* KERNEL_DEV_I2C_H */
