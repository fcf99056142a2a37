/* SPDX-License-Identifier: MIT */
/* kernel/dev/i2c.c - the list of I2C buses, registers of chips; see i2c.h. */
#include <kernel/dev/i2c.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <lib/fdt.h>

static struct list_head buses = LIST_HEAD_INIT(buses); /* [boot] */

void i2c_bus_register(struct i2c_bus *b)
{
	KASSERT(b->ops->transfer);
	mutex_init(&b->lock);
	list_add_tail(&b->node, &buses);
}

struct i2c_bus *i2c_bus_of(int fdt_node)
{
	int parent = fdt_parent(boot_fdt, fdt_node);
	struct i2c_bus *b;

	list_for_each_entry(b, &buses, node) {
		if (b->fdt_node == parent)
			return b;
	}
	return NULL;
}

int i2c_read(struct i2c_bus *b, u32 addr, u8 reg, u8 *buf, u32 nr)
{
	int err;

	mutex_lock(&b->lock);
	err = b->ops->transfer(b, addr, &reg, 1, buf, nr);
	mutex_unlock(&b->lock);
	return err;
}

int i2c_write_last(struct i2c_bus *b, u32 addr, u8 reg, u8 v)
{
	const u8 tx[2] = { reg, v };

	return b->ops->transfer(b, addr, tx, sizeof(tx), NULL, 0);
}

int i2c_write(struct i2c_bus *b, u32 addr, u8 reg, u8 v)
{
	int err;

	mutex_lock(&b->lock);
	err = i2c_write_last(b, addr, reg, v);
	mutex_unlock(&b->lock);
	return err;
}
