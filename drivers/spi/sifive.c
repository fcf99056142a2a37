/* SPDX-License-Identifier: MIT */
/*
 * drivers/spi/sifive.c - the SPI controller of SiFive's FU540 and FU740
 * [FU740-C000 manual, chapter 20].
 *
 * Polled: at 20 MHz a byte takes 400 ns and the FIFO is full after eight, so an
 * interrupt would cost more than it waits for.
 *
 * INVARIANTS
 *   I1  At most SIFIVE_SPI_FIFO_DEPTH frames are under way, so neither FIFO can
 *	 overflow, and none is when transfer() returns.
 *
 * Locking: the bus's (kernel/dev/spi.h).
 * Not here: flash that is mapped into memory.  A controller is not touched before
 * somebody drives what is connected to it.
 */
#include <drivers/spi/sifive_regs.h>

#include <arch/riscv/mmio.h>
#include <kernel/dev/clk.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/spi.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define FRAME_BITS 8u
#define SELECT_US  1u /* from the select to the first clock */
#define STUCK_US   100000u
#define LOOKS	   1000u

struct sifive_spi {
	struct spi_bus bus;
	u8 __iomem *regs; /* [I] */
	u64 clock_hz;	  /* [I] what the divider divides */
};

static struct sifive_spi *spi_of(struct spi_bus *b)
{
	return container_of(b, struct sifive_spi, bus);
}

/* Relaxed: no memory is shared with the device, which is polled. */
static u32 rd(const struct sifive_spi *s, u32 reg)
{
	return mmio_read32_relaxed(s->regs + reg);
}

static void wr(const struct sifive_spi *s, u32 reg, u32 v)
{
	mmio_write32_relaxed(v, s->regs + reg);
}

/* ---- ops */

/* Also the first that anybody does with it: what a boot loader left, ends here. */
static u32 sifive_spi_set_speed(struct spi_bus *b, u32 hz)
{
	struct sifive_spi *s = spi_of(b);
	u64 div = (s->clock_hz + 2ull * hz - 1) / (2ull * hz);

	div = max_t(u64, div, 1) - 1;
	if (div > SIFIVE_SPI_SCKDIV_MAX)
		return 0;
	wr(s, SIFIVE_SPI_IE, 0);
	wr(s, SIFIVE_SPI_FCTRL, 0);
	wr(s, SIFIVE_SPI_SCKMODE, 0);
	wr(s, SIFIVE_SPI_DELAY0, SIFIVE_SPI_DELAY0_RESET);
	wr(s, SIFIVE_SPI_DELAY1, SIFIVE_SPI_DELAY1_RESET);
	wr(s, SIFIVE_SPI_FMT,
	   (u32)(SIFIVE_SPI_FMT_SINGLE |
		 FIELD_PREP(SIFIVE_SPI_FMT_LEN, FRAME_BITS)));
	wr(s, SIFIVE_SPI_SCKDIV, (u32)div);
	for (u32 i = 0; i < SIFIVE_SPI_FIFO_DEPTH; i++)
		(void)rd(s, SIFIVE_SPI_RXDATA);
	return (u32)(s->clock_hz / (2 * (div + 1)));
}

/* The select of a chip that is held off is made active high: held active, the
 * line then has the level that is inactive to the chip. */
static void sifive_spi_select(struct spi_bus *b, u32 chip, enum spi_select how)
{
	struct sifive_spi *s = spi_of(b);
	u32 def = rd(s, SIFIVE_SPI_CSDEF) | (u32)BIT(chip);

	wr(s, SIFIVE_SPI_CSMODE, SIFIVE_SPI_CSMODE_AUTO);
	wr(s, SIFIVE_SPI_CSID, chip);
	if (how == SPI_HELD_OFF)
		def &= ~(u32)BIT(chip);
	wr(s, SIFIVE_SPI_CSDEF, def);
	if (how != SPI_DESELECTED)
		wr(s, SIFIVE_SPI_CSMODE, SIFIVE_SPI_CSMODE_HOLD);
	/* there before time counts, and before the bus is another's, on another
	 * hart perhaps: a mutex orders memory only */
	(void)mmio_read32(s->regs + SIFIVE_SPI_CSMODE);
	udelay(SELECT_US);
}

/* One received frame; -ETIMEDOUT if the clock stands still. */
static int receive(const struct sifive_spi *s, u32 *frame)
{
	u64 deadline = 0;

	for (;;) {
		for (u32 look = 0; look < LOOKS; look++) {
			*frame = rd(s, SIFIVE_SPI_RXDATA);
			if (!(*frame & SIFIVE_SPI_RXDATA_EMPTY))
				return 0;
		}
		/* the clock is dear to read: only when it takes long */
		if (!deadline)
			deadline = clock_mono_ns() + STUCK_US * NSEC_PER_USEC;
		else if (clock_mono_ns() > deadline)
			return -ETIMEDOUT;
	}
}

static int sifive_spi_transfer(struct spi_bus *b, const u8 *tx, u8 *rx,
			       size_t len)
{
	const struct sifive_spi *s = spi_of(b);
	size_t sent = 0;

	for (size_t got = 0; got < len; got++) {
		u32 frame;

		for (; sent < len && sent - got < SIFIVE_SPI_FIFO_DEPTH; sent++)
			wr(s, SIFIVE_SPI_TXDATA, tx ? tx[sent] : 0xff);
		if (receive(s, &frame))
			return -ETIMEDOUT;
		if (rx)
			rx[got] = frame & SIFIVE_SPI_RXDATA_BYTE;
	}
	return 0;
}

static const struct spi_bus_ops sifive_spi_ops = {
	.set_speed = sifive_spi_set_speed,
	.select = sifive_spi_select,
	.transfer = sifive_spi_transfer,
};

/* ---- probe */

static int map_controller(struct sifive_spi *s, int node)
{
	struct clk clk;
	u64 size;
	int err = clk_from_fdt(node, 0, &clk);

	if (err)
		return err;
	s->clock_hz = clk_rate(&clk);
	if (!s->clock_hz)
		return -EINVAL;
	s->regs = dt_ioremap(node, 0, &size);
	if (s->regs && size >= SIFIVE_SPI_REGS_SIZE)
		return 0;
	if (s->regs)
		iounmap(s->regs);
	return -ENXIO;
}

static int sifive_spi_probe(int node)
{
	struct sifive_spi *s = kzalloc(sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = map_controller(s, node);
	if (err) {
		kfree(s);
		return err;
	}
	s->bus.ops = &sifive_spi_ops;
	s->bus.fdt_node = node;
	spi_bus_register(&s->bus);
	return 0;
}

static const char *const sifive_spi_compatible[] = {
	"sifive,spi0", "sifive,fu740-c000-spi", "sifive,fu540-c000-spi", NULL
};

DT_DRIVER(sifive_spi) = {
	.name = "sifive-spi",
	.compatible = sifive_spi_compatible,
	.probe = sifive_spi_probe,
	.stage = DT_BUS,
};
