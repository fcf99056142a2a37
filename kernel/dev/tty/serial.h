/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/serial.h - what a serial port's driver fills in to become a
 * terminal and a console for kernel messages.
 *
 * The driver knows registers; kernel/dev/tty/serial.c knows when to look.  With
 * an interrupt the port costs nothing while nothing happens; without one it is
 * polled by a timer, as long as somebody has it open.
 *
 * ORDERING
 *   UARTTX  what one hart wrote to the transmitter before the next one looks
 *           how much room it has.
 *
 * Locking: tty.lock for the receiver and the interrupt enables; the transmitter
 * is claimed for a few characters at a time, because kernel
 * messages are printed under any lock.
 */
#ifndef KERNEL_DEV_TTY_SERIAL_H
#define KERNEL_DEV_TTY_SERIAL_H

#include <kernel/dev/console.h>
#include <kernel/dev/tty/tty.h>
#include <kernel/time/timer.h>
#include <lib/types.h>

struct serial;

/* What getc() returns besides a byte. */
#define SERIAL_NONE  (-1)
#define SERIAL_BREAK 0x100 /* flag: a break condition */
#define SERIAL_BAD   0x200 /* flag: the byte had a parity or framing error */

struct serial_ops {
	/* Next received byte with flags, or SERIAL_NONE.  [tty.lock] */
	int (*getc)(struct serial *s);
	/* How many bytes putc() may be given now.  [tx claimed] */
	u32 (*tx_room)(struct serial *s);
	void (*putc)(struct serial *s, u8 c);
	/* Which events raise the interrupt.  [tty.lock] */
	void (*set_irq)(struct serial *s, bool rx, bool tx);
	/* Is everything sent?  Optional. */
	bool (*tx_empty)(struct serial *s);
	/* Quench what would keep the line asserted; false: nothing pending any
	 * more.  [tty.lock]  Optional: one pass per interrupt. */
	bool (*ack)(struct serial *s);
	/* Modes changed; corrects s->tty.ld.t to what it can do. [tty.lock]  */
	void (*set_modes)(struct serial *s, const struct termios2 *old);
	u32 (*get_modem)(struct serial *s);			 /* or NULL */
	void (*set_modem)(struct serial *s, u32 set, u32 clear); /* or NULL */
	void (*set_break)(struct serial *s, bool on);		 /* or NULL */
};

struct serial {
	struct tty tty;
	const struct serial_ops *ops; /* [I] */
	int fdt_node;		      /* [I] or -1 */
	void *priv;		      /* [I] driver's */
	struct console con;	      /* [I] */
	struct ktimer poll;	      /* only without interrupt */
	bool has_irq;		      /* [I] */
	bool is_open;		      /* [tty.lock] receiver in use */
	bool rx_full;	   /* [tty.lock] the discipline took no more */
	bool rx_on, tx_on; /* [tty.lock] interrupt enables */
	bool poll_busy;	   /* [tty.lock] the last poll got something */
	u32 tx_claim;	   /* [a] edge UARTTX: 0 free, 1 claimed */
};

/*
 * Make @s a terminal: ops, priv, fdt_node set.  @prefix: "ttyS"; the number is
 * that of the DT's serialN alias or the next free one.  @major, @minor0: the
 * device number of <prefix>0.  Binds the node's interrupt if it has one.  When
 * kernel messages are wanted there it becomes a console, and replaces the
 * firmware's if that prints on the same port.  0 or -errno.
 */
int serial_register(struct serial *s, const char *prefix, u32 major,
		    u32 minor0);

#endif /* KERNEL_DEV_TTY_SERIAL_H */
