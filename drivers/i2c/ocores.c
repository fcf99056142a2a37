/* SPDX-License-Identifier: MIT */
/*
 * drivers/i2c/ocores.c - the OpenCores I2C controller, as in SiFive's FU540 and
 * FU740 [I2C-Master Core Specification 0.9].
 *
 * Polled: what is on the boards' buses is read at boot and written when the power
 * goes.  Firmware uses the same controller when the machine is reset by it; it
 * sets it up anew.
 *
 * Locking: the bus's (kernel/dev/i2c.h).
 */
#include <drivers/i2c/ocores_regs.h>

#include <arch/riscv/mmio.h>
#include <kernel/dev/clk.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/i2c.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define BUS_HZ	     100000u
#define BYTE_WAIT_US 10000u /* nine clocks, and a chip that stretches them */
#define POLL_US	     10u

struct ocores {
	struct i2c_bus bus;
	u8 __iomem *regs; /* [I] */
	u32 shift;	  /* [I] */
	u32 prescale;	  /* [I] */
};

static struct ocores *i2c_of(struct i2c_bus *b)
{
	return container_of(b, struct ocores, bus);
}

/* Relaxed: no memory is shared with the device, which is polled. */
static u8 rd(const struct ocores *o, u32 reg)
{
	return mmio_read8_relaxed(o->regs + (reg << o->shift));
}

static void wr(const struct ocores *o, u32 reg, u8 v)
{
	mmio_write8_relaxed(v, o->regs + (reg << o->shift));
}

/* A command, until @busy is off; the status at its end in *@status. */
static int run(const struct ocores *o, u64 command, u64 busy, u8 *status)
{
	wr(o, OCI2C_COMMAND, (u8)(command | OCI2C_COMMAND_IACK));
	for (u32 us = 0; us < BYTE_WAIT_US; us += POLL_US) {
		*status = rd(o, OCI2C_STATUS);
		if (*status & OCI2C_STATUS_LOST)
			return -EIO;
		if (!(*status & busy))
			return 0;
		udelay(POLL_US);
	}
	return -ETIMEDOUT;
}

/* No byte is in progress while the bus is let go; and whoever switches the
 * controller off before it is, leaves the chip in the middle of a transfer. */
static int stop(const struct ocores *o)
{
	u8 status;

	return run(o, OCI2C_COMMAND_STOP, OCI2C_STATUS_BUSY, &status);
}

static int send(const struct ocores *o, u8 byte, u64 flags)
{
	u8 status;
	int err;

	wr(o, OCI2C_DATA, byte);
	err = run(o, OCI2C_COMMAND_WRITE | flags, OCI2C_STATUS_TIP, &status);
	return err ? err : status & OCI2C_STATUS_NACK ? -ENXIO : 0;
}

static int send_all(const struct ocores *o, u32 addr, const u8 *tx, u32 nr)
{
	int err = send(o, (u8)(addr << 1), OCI2C_COMMAND_START);

	for (u32 i = 0; i < nr && !err; i++)
		err = send(o, tx[i], 0);
	return err;
}

static int receive_all(const struct ocores *o, u32 addr, u8 *rx, u32 nr)
{
	int err = send(o, (u8)(addr << 1 | 1), OCI2C_COMMAND_START);
	u8 status;

	for (u32 i = 0; i < nr && !err; i++) {
		err = run(o,
			  OCI2C_COMMAND_READ |
				  (i + 1 == nr ? OCI2C_COMMAND_NACK : 0),
			  OCI2C_STATUS_TIP, &status);
		rx[i] = rd(o, OCI2C_DATA);
	}
	return err;
}

static int ocores_transfer(struct i2c_bus *b, u32 addr, const u8 *tx, u32 nr_tx,
			   u8 *rx, u32 nr_rx)
{
	const struct ocores *o = i2c_of(b);
	int err = 0, err2;

	wr(o, OCI2C_CONTROL, 0); /* the prescaler wants it off */
	wr(o, OCI2C_PRE_LO, (u8)o->prescale);
	wr(o, OCI2C_PRE_HI, (u8)(o->prescale >> 8));
	wr(o, OCI2C_CONTROL, (u8)OCI2C_CONTROL_EN);
	if (nr_tx)
		err = send_all(o, addr, tx, nr_tx);
	if (!err && nr_rx)
		err = receive_all(o, addr, rx, nr_rx);
	err2 = stop(o);
	return err ? err : err2;
}

static const struct i2c_bus_ops ocores_ops = { .transfer = ocores_transfer };

/* ---- probe */

static int ocores_setup(struct ocores *o, int node)
{
	struct clk clk;
	u64 size, hz;
	int err = clk_from_fdt(node, 0, &clk);

	if (err)
		return err;
	(void)fdt_prop_u32(boot_fdt, node, "reg-shift", &o->shift);
	hz = clk_rate(&clk);
	if (!hz || hz / (5 * BUS_HZ) > OCI2C_PRE_MAX || o->shift > 4)
		return -EINVAL;
	o->prescale = (u32)(hz / (5 * BUS_HZ));
	o->regs = dt_ioremap(node, 0, &size);
	if (!o->regs)
		return -ENXIO;
	if (size >= (u64)OCI2C_NR_REGS << o->shift)
		return 0;
	iounmap(o->regs);
	return -ENXIO;
}

static int ocores_probe(int node)
{
	struct ocores *o = kzalloc(sizeof(*o));
	int err;

	if (!o)
		return -ENOMEM;
	err = ocores_setup(o, node);
	if (err) {
		kfree(o);
		return err;
	}
	o->bus.ops = &ocores_ops;
	o->bus.fdt_node = node;
	i2c_bus_register(&o->bus);
	return 0;
}

static const char *const ocores_compatible[] = {
	"sifive,i2c0", "sifive,fu740-c000-i2c", "sifive,fu540-c000-i2c", NULL
};

DT_DRIVER(ocores) = {
	.name = "i2c-ocores",
	.compatible = ocores_compatible,
	.probe = ocores_probe,
	.stage = DT_BUS,
};
