/* SPDX-License-Identifier: MIT */
/*
 * drivers/uart/sifive.c - the UART of SiFive's FU540 and FU740 [FU740-C000
 * manual, chapter 18].
 *
 * 8 bits, no parity, 1 or 2 stop bits; FIFOs of 8 bytes.  Its clock comes from
 * the PRCI, whose rate we do not know: the speed stays what the firmware set,
 * unless the node has a clock-frequency.
 *
 * Not here: when to send and receive (kernel/dev/tty/serial.c).
 */
#include <drivers/uart/sifive_regs.h>

#include <arch/riscv/mmio.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/tty/serial.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <lib/errno.h>
#include <lib/fdt.h>

/* Linux gives this port a dynamic major; ours is fixed, from that range. */
#define TTYSIF_MAJOR 247

struct sifive_uart {
	struct serial serial;
	u8 __iomem *regs; /* [I] */
	u32 clock_hz;	  /* [I] 0: unknown, speed is fixed */
};

static struct sifive_uart *port_of(struct serial *s)
{
	return container_of(s, struct sifive_uart, serial);
}

/* Relaxed: see ns16550.c. */
static u32 rd(const struct sifive_uart *p, u32 reg)
{
	return mmio_read32_relaxed(p->regs + reg);
}

static void wr(const struct sifive_uart *p, u32 reg, u32 v)
{
	mmio_write32_relaxed(v, p->regs + reg);
}

/* --- data */

static int sifive_getc(struct serial *s)
{
	u32 v = rd(port_of(s), SIFIVE_RXDATA);

	return v & SIFIVE_RXDATA_EMPTY ? SERIAL_NONE
				       : (int)(v & SIFIVE_RXDATA_BYTE);
}

static u32 sifive_tx_room(struct serial *s)
{
	return rd(port_of(s), SIFIVE_TXDATA) & SIFIVE_TXDATA_FULL ? 0 : 1;
}

static void sifive_putc(struct serial *s, u8 c)
{
	wr(port_of(s), SIFIVE_TXDATA, c);
}

/* The FIFO; the last byte may still be in the shifter. */
static bool sifive_tx_empty(struct serial *s)
{
	return rd(port_of(s), SIFIVE_IP) & SIFIVE_INT_TX;
}

static void sifive_set_irq(struct serial *s, bool rx, bool tx)
{
	wr(port_of(s), SIFIVE_IE,
	   (u32)((rx ? SIFIVE_INT_RX : 0) | (tx ? SIFIVE_INT_TX : 0)));
}

/* --- modes */

static bool set_speed(struct sifive_uart *p, u32 baud)
{
	u32 div;

	if (!p->clock_hz || baud == 0 || baud > p->clock_hz / 16)
		return false;
	div = (p->clock_hz + baud / 2) / baud - 1;
	wr(p, SIFIVE_DIV, clamp(div, SIFIVE_DIV_MIN, SIFIVE_DIV_MAX));
	return true;
}

static void sifive_set_modes(struct serial *s, const struct termios2 *old)
{
	struct sifive_uart *p = port_of(s);
	struct termios2 *m = &s->tty.ld.t;
	u32 ctrl = rd(p, SIFIVE_TXCTRL) & ~(u32)SIFIVE_TXCTRL_NSTOP;

	m->c_cflag &= ~(CSIZE | PARENB | PARODD | CRTSCTS);
	m->c_cflag |= CS8;
	if (m->c_ospeed != old->c_ospeed && !set_speed(p, m->c_ospeed)) {
		m->c_cflag = (m->c_cflag & ~CBAUD) | (old->c_cflag & CBAUD);
		m->c_ospeed = old->c_ospeed;
		m->c_ispeed = old->c_ispeed;
	}
	if (m->c_cflag & CSTOPB)
		ctrl |= SIFIVE_TXCTRL_NSTOP;
	wr(p, SIFIVE_TXCTRL, ctrl);
}

static const struct serial_ops sifive_ops = {
	.getc = sifive_getc,
	.tx_room = sifive_tx_room,
	.putc = sifive_putc,
	.set_irq = sifive_set_irq,
	.tx_empty = sifive_tx_empty,
	.set_modes = sifive_set_modes,
};

/* --- probe */

/* Watermarks: interrupt on any byte received, and on an empty transmitter. */
static void init_port(struct sifive_uart *p)
{
	u32 stop = rd(p, SIFIVE_TXCTRL) & SIFIVE_TXCTRL_NSTOP;

	wr(p, SIFIVE_IE, 0);
	wr(p, SIFIVE_TXCTRL,
	   (u32)(SIFIVE_TXCTRL_EN | stop | FIELD_PREP(SIFIVE_TXCTRL_CNT, 1)));
	wr(p, SIFIVE_RXCTRL,
	   (u32)(SIFIVE_RXCTRL_EN | FIELD_PREP(SIFIVE_RXCTRL_CNT, 0)));
}

static int sifive_probe(int node)
{
	struct sifive_uart *p = kzalloc(sizeof(*p));
	u64 size;
	int err = -ENXIO;

	if (!p)
		return -ENOMEM;
	if (fdt_prop_u32(boot_fdt, node, "clock-frequency", &p->clock_hz))
		p->clock_hz = 0;
	p->regs = dt_ioremap(node, 0, &size);
	if (!p->regs)
		goto err_free;
	if (size < SIFIVE_REGS_SIZE)
		goto err_unmap;
	init_port(p);
	p->serial.ops = &sifive_ops;
	p->serial.fdt_node = node;
	err = serial_register(&p->serial, "ttySIF", TTYSIF_MAJOR, 0);
	if (err)
		goto err_unmap;
	return 0;
err_unmap:
	iounmap(p->regs);
err_free:
	kfree(p);
	return err;
}

static const char *const sifive_compatible[] = {
	"sifive,uart0", "sifive,fu740-c000-uart", "sifive,fu540-c000-uart", NULL
};

DT_DRIVER(sifive_uart) = {
	.name = "sifive-uart",
	.compatible = sifive_compatible,
	.probe = sifive_probe,
	.stage = DT_DEVICE,
};
