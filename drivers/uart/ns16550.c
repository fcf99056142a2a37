/* SPDX-License-Identifier: MIT */
/*
 * drivers/uart/ns16550.c - NS16550 and compatible serial ports [PC16550D].
 *
 * The line is left as the firmware set it up until a program changes the modes:
 * then, and only if clock-frequency is known, the divisor is programmed.
 *
 * ERRATA
 *   DesignWare: writing LCR while bytes move raises interrupt 7, ended by
 *   reading USR.  It may also signal a receive time-out with an empty FIFO,
 *   ended by reading RBR.
 *
 * Not here: when to send and receive (kernel/dev/tty/serial.c).
 */
#include <drivers/uart/ns16550_regs.h>

#include <arch/riscv/mmio.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/tty/serial.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define TTYS_MAJOR  4
#define TTYS_MINOR0 64

struct ns16550 {
	struct serial serial;
	u8 __iomem *regs; /* [I] */
	u32 shift;	  /* [I] log2 of the distance of registers */
	u32 width;	  /* [I] bytes per access: 1, 2 or 4 */
	u32 clock_hz;	  /* [I] 0: unknown, speed is fixed */
	u32 fifo;	  /* [I] bytes that fit when THR is empty */
	u32 ier;	  /* [tty.lock] what IER holds */
	bool is_dw;	  /* [I] */
};

static struct ns16550 *port_of(struct serial *s)
{
	return container_of(s, struct ns16550, serial);
}

/* Device memory keeps the order of its own accesses, and no DMA depends on
 * them: the relaxed forms suffice. */
static u32 rd(const struct ns16550 *p, u32 reg)
{
	const u8 __iomem *a = p->regs + ((u64)reg << p->shift);

	switch (p->width) {
	case 4:
		return mmio_read32_relaxed(a);
	case 2:
		return mmio_read16_relaxed(a);
	default:
		return mmio_read8_relaxed(a);
	}
}

static void wr(const struct ns16550 *p, u32 reg, u32 v)
{
	u8 __iomem *a = p->regs + ((u64)reg << p->shift);

	switch (p->width) {
	case 4:
		mmio_write32_relaxed(v, a);
		break;
	case 2:
		mmio_write16_relaxed((u16)v, a);
		break;
	default:
		mmio_write8_relaxed((u8)v, a);
		break;
	}
}

/* --- data */

static int ns16550_getc(struct serial *s)
{
	struct ns16550 *p = port_of(s);
	u32 lsr = rd(p, UART_LSR);
	int c;

	if (!(lsr & UART_LSR_DR))
		return SERIAL_NONE;
	c = (int)(rd(p, UART_RBR) & 0xff);
	if (lsr & UART_LSR_BI)
		return c | SERIAL_BREAK;
	if (lsr & (UART_LSR_PE | UART_LSR_FE))
		return c | SERIAL_BAD;
	return c;
}

static u32 ns16550_tx_room(struct serial *s)
{
	struct ns16550 *p = port_of(s);

	return rd(p, UART_LSR) & UART_LSR_THRE ? p->fifo : 0;
}

static void ns16550_putc(struct serial *s, u8 c)
{
	wr(port_of(s), UART_THR, c);
}

static bool ns16550_tx_empty(struct serial *s)
{
	return rd(port_of(s), UART_LSR) & UART_LSR_TEMT;
}

/* --- interrupts */

static void ns16550_set_irq(struct serial *s, bool rx, bool tx)
{
	struct ns16550 *p = port_of(s);

	p->ier = (u32)((rx ? UART_IER_RX | UART_IER_LINE : 0) |
		       (tx ? UART_IER_TX : 0));
	wr(p, UART_IER, p->ier);
}

static bool ns16550_ack(struct serial *s)
{
	struct ns16550 *p = port_of(s);
	u32 iir = rd(p, UART_IIR); /* ends "THR empty" */

	if (iir & UART_IIR_NONE)
		return false;
	iir &= UART_IIR_ID;
	if (iir == UART_IIR_BUSY && p->is_dw)
		(void)rd(p, UART_DW_USR);
	if (iir == UART_IIR_TMO && !(rd(p, UART_LSR) & UART_LSR_DR))
		(void)rd(p, UART_RBR);
	return true;
}

/* --- modes */

static u32 lcr_of(const struct termios2 *m)
{
	u32 lcr = (m->c_cflag & CSIZE) >> 4;

	if (m->c_cflag & CSTOPB)
		lcr |= UART_LCR_STOP;
	if (m->c_cflag & PARENB)
		lcr |= UART_LCR_PARITY;
	if (!(m->c_cflag & PARODD))
		lcr |= UART_LCR_EVEN;
	return lcr;
}

static void set_divisor(struct ns16550 *p, u32 lcr, u32 baud)
{
	u32 div = (p->clock_hz + 8 * baud) / (16 * baud);

	div = clamp(div, 1u, 0xffffu);
	wr(p, UART_LCR, lcr | UART_LCR_DLAB);
	wr(p, UART_DLL, div & 0xff);
	wr(p, UART_DLM, div >> 8);
}

static void ns16550_set_modes(struct serial *s, const struct termios2 *old)
{
	struct ns16550 *p = port_of(s);
	struct termios2 *m = &s->tty.ld.t;
	u32 lcr;

	m->c_cflag &= ~CRTSCTS; /* not wired on any board we know */
	if (m->c_cflag == old->c_cflag && m->c_ospeed == old->c_ospeed)
		return;
	lcr = lcr_of(m);
	if (m->c_ospeed == 0) {
		/* B0: hang up */
		wr(p, UART_MCR, UART_MCR_OUT2);
	} else if (m->c_ospeed != old->c_ospeed) {
		if (p->clock_hz && m->c_ospeed <= p->clock_hz / 16) {
			set_divisor(p, lcr, m->c_ospeed);
		} else {
			m->c_cflag =
				(m->c_cflag & ~CBAUD) | (old->c_cflag & CBAUD);
			m->c_ospeed = old->c_ospeed;
			m->c_ispeed = old->c_ispeed;
		}
	}
	wr(p, UART_LCR, lcr);
}

static u32 ns16550_get_modem(struct serial *s)
{
	struct ns16550 *p = port_of(s);
	u32 msr = rd(p, UART_MSR), mcr = rd(p, UART_MCR), v = 0;

	if (msr & UART_MSR_DCD)
		v |= TIOCM_CAR;
	if (msr & UART_MSR_RI)
		v |= TIOCM_RNG;
	if (msr & UART_MSR_DSR)
		v |= TIOCM_DSR;
	if (msr & UART_MSR_CTS)
		v |= TIOCM_CTS;
	if (mcr & UART_MCR_DTR)
		v |= TIOCM_DTR;
	if (mcr & UART_MCR_RTS)
		v |= TIOCM_RTS;
	return v;
}

static void ns16550_set_modem(struct serial *s, u32 set, u32 clear)
{
	static const struct {
		u32 tiocm, mcr;
	} bits[] = { { TIOCM_DTR, UART_MCR_DTR },
		     { TIOCM_RTS, UART_MCR_RTS },
		     { TIOCM_LOOP, UART_MCR_LOOP } };
	struct ns16550 *p = port_of(s);
	u32 mcr = rd(p, UART_MCR);

	for (unsigned int i = 0; i < ARRAY_SIZE(bits); i++) {
		if (set & bits[i].tiocm)
			mcr |= bits[i].mcr;
		if (clear & bits[i].tiocm)
			mcr &= ~bits[i].mcr;
	}
	wr(p, UART_MCR, mcr);
}

static void ns16550_set_break(struct serial *s, bool on)
{
	struct ns16550 *p = port_of(s);
	u32 lcr = rd(p, UART_LCR) & ~(u32)UART_LCR_BREAK;

	wr(p, UART_LCR, on ? lcr | UART_LCR_BREAK : lcr);
}

static const struct serial_ops ns16550_ops = {
	.getc = ns16550_getc,
	.tx_room = ns16550_tx_room,
	.putc = ns16550_putc,
	.set_irq = ns16550_set_irq,
	.tx_empty = ns16550_tx_empty,
	.ack = ns16550_ack,
	.set_modes = ns16550_set_modes,
	.get_modem = ns16550_get_modem,
	.set_modem = ns16550_set_modem,
	.set_break = ns16550_set_break,
};

/* --- probe */

static void u32_or(int node, const char *name, u32 *v, u32 otherwise)
{
	if (fdt_prop_u32(boot_fdt, node, name, v))
		*v = otherwise;
}

static int read_properties(struct ns16550 *p, int node)
{
	p->is_dw = fdt_compatible(boot_fdt, node, "snps,dw-apb-uart");
	u32_or(node, "reg-shift", &p->shift, 0);
	u32_or(node, "reg-io-width", &p->width, 1);
	u32_or(node, "clock-frequency", &p->clock_hz, 0);
	if (p->shift > 8 || (p->width != 1 && p->width != 2 && p->width != 4)) {
		pr_warn("ns16550: reg-shift %u, reg-io-width %u refused",
			p->shift, p->width);
		return -EINVAL;
	}
	return 0;
}

static void init_port(struct ns16550 *p)
{
	wr(p, UART_IER, 0);
	wr(p, UART_FCR, UART_FCR_ENABLE);
	p->fifo = (rd(p, UART_IIR) & UART_IIR_FIFOS) == UART_IIR_FIFOS
			  ? UART_FIFO_SIZE
			  : 1;
	wr(p, UART_LCR, rd(p, UART_LCR) & ~(u32)UART_LCR_DLAB);
	wr(p, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
}

static int ns16550_probe(int node)
{
	struct ns16550 *p = kzalloc(sizeof(*p));
	u64 size;
	int err;

	if (!p)
		return -ENOMEM;
	err = read_properties(p, node);
	if (err)
		goto err_free;
	p->regs = dt_ioremap(node, 0, &size);
	err = -ENXIO;
	if (!p->regs)
		goto err_free;
	if (size < (u64)(UART_MSR + 1) << p->shift)
		goto err_unmap;
	init_port(p);
	p->serial.ops = &ns16550_ops;
	p->serial.fdt_node = node;
	err = serial_register(&p->serial, "ttyS", TTYS_MAJOR, TTYS_MINOR0);
	if (err)
		goto err_unmap;
	return 0;
err_unmap:
	iounmap(p->regs);
err_free:
	kfree(p);
	return err;
}

static const char *const ns16550_compatible[] = { "ns16550a", "ns16550",
						  "snps,dw-apb-uart", NULL };

DT_DRIVER(ns16550) = {
	.name = "ns16550",
	.compatible = ns16550_compatible,
	.probe = ns16550_probe,
	.stage = DT_DEVICE,
};
