/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/hvc.c - hvc0: the firmware's console as a terminal, for
 * machines whose serial port we cannot drive, and for who asks for it (console=hvc0).
 *
 * A serial port without interrupt and without registers: it is polled while it
 * is open, and not at all otherwise.  It must not be read while a driver reads
 * the same port, so it is not there beside one unasked (console.c).
 */
#include <kernel/dev/tty/serial.h>
#include <kernel/dev/tty/tty_int.h>

#include <lib/errno.h>

#define HVC_MAJOR 229

static int hvc_getc(struct serial *s)
{
	const struct early_console_ops *fw = early_console();
	int c = fw->getc ? fw->getc() : -1;

	(void)s;
	return c < 0 ? SERIAL_NONE : c & 0xff;
}

/* The firmware waits for its port: any number fits.  Few at a time, so that a
 * slow one does not hold the hart. */
static u32 hvc_tx_room(struct serial *s)
{
	(void)s;
	return 16;
}

static void hvc_putc(struct serial *s, u8 c)
{
	(void)s;
	early_console()->putc((char)c);
}

/* Whatever the line is set to, we cannot change it. */
static void hvc_set_modes(struct serial *s, const struct termios2 *old)
{
	s->tty.ld.t.c_cflag = old->c_cflag;
	s->tty.ld.t.c_ispeed = old->c_ispeed;
	s->tty.ld.t.c_ospeed = old->c_ospeed;
}

static const struct serial_ops hvc_ops = {
	.getc = hvc_getc,
	.tx_room = hvc_tx_room,
	.putc = hvc_putc,
	.set_modes = hvc_set_modes,
};

static struct serial hvc = { .ops = &hvc_ops, .fdt_node = -1 };

int hvc_register(void)
{
	if (!early_console() || !early_console()->putc)
		return 0;
	return serial_register(&hvc, "hvc", HVC_MAJOR, 0);
}
