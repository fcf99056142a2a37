/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/serial.c - a serial port as a terminal: when to read, when to
 * write, when to interrupt.
 *
 * Sending begins in the writer's context, with as much as the port takes, and
 * goes on in the interrupt handler only if something is left.  Receiving stops
 * (the receive interrupt is turned off, bytes wait in the port) while the line
 * discipline is full.
 *
 * INVARIANTS
 *   I1  The transmit interrupt is on only while output waits.
 *   I2  The receive interrupt is on exactly while the port is open and the
 *       discipline has room.
 *   I3  The poll timer is armed only while a port without interrupt is open or
 *       has output.
 *
 * Not here: registers (drivers/uart/), the firmware's console (hvc.c).
 */
#include <kernel/dev/tty/serial.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/random.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define RX_BATCH   64u /* bytes moved to the discipline at a time */
#define IRQ_PASSES 16u /* looks at the port per interrupt */
/* Claims last microseconds; a claimer that is gone (panic) must not stop us. */
#define CLAIM_NS (10 * NSEC_PER_MSEC)
/* A FIFO of 256 bytes at 1200 baud takes 2 s; ours are small and fast. */
#define CONSOLE_WAIT_NS (100 * NSEC_PER_MSEC)
/* Poll periods: typing is going on, somebody waits for input, nobody does. */
#define POLL_BUSY_NS NSEC_PER_MSEC
#define POLL_READ_NS (10 * NSEC_PER_MSEC)
#define POLL_IDLE_NS (50 * NSEC_PER_MSEC)

static struct serial *serial_of(struct tty *t)
{
	return container_of(t, struct serial, tty);
}

/* --- the transmitter */

static void claim_tx(struct serial *s)
{
	u64 deadline = 0;

	/* UARTTX (acquire) - pairs with release_tx(). */
	while (atomic_xchg(&s->tx_claim, 1u) != 0) {
		cpu_relax();
		if (deadline == 0)
			deadline = clock_mono_ns() + CLAIM_NS;
		else if (clock_mono_ns() >= deadline)
			return; /* its owner died: garble rather than hang */
	}
}

static void release_tx(struct serial *s)
{
	/* UARTTX (release) - pairs with claim_tx(). */
	store_release_io(&s->tx_claim, 0u);
}

static void set_irqs(struct serial *s, bool rx, bool tx)
{
	assert_held(&s->tty.lock);
	if (!s->has_irq || (rx == s->rx_on && tx == s->tx_on))
		return;
	s->rx_on = rx;
	s->tx_on = tx;
	s->ops->set_irq(s, rx, tx);
}

static void send_bytes(struct serial *s, const u8 *buf, size_t n)
{
	while (n--)
		s->ops->putc(s, *buf++);
}

/* As much as the port takes now.  True when something is left. */
static bool send_some(struct serial *s)
{
	struct ldisc *ld = &s->tty.ld;
	u8 buf[16];
	u32 room = 0;
	size_t n;

	claim_tx(s);
	for (;;) {
		if (room == 0)
			room = s->ops->tx_room(s);
		if (room == 0)
			break;
		if (ld->xchar) {
			s->ops->putc(s, ld->xchar);
			ld->xchar = 0;
			room--;
			continue;
		}
		if (ld->stopped)
			break;
		n = ldisc_take_output(ld, buf,
				      min_t(size_t, room, sizeof(buf)));
		if (n == 0)
			break;
		send_bytes(s, buf, n);
		room -= (u32)n;
	}
	release_tx(s);
	return ld->xchar || (!ld->stopped && ldisc_out_bytes(ld) > 0);
}

static void arm_poll(struct serial *s)
{
	bool waits = !list_empty(&s->tty.read_wq.list); /* racy: a hint */

	ktimer_arm(&s->poll, clock_mono_ns() + (s->poll_busy ? POLL_BUSY_NS
						: waits	     ? POLL_READ_NS
							     : POLL_IDLE_NS));
}

static void serial_start_tx(struct tty *t)
{
	struct serial *s = serial_of(t);
	bool more = send_some(s);

	set_irqs(s, s->rx_on, more);
	if (more && !s->has_irq) {
		s->poll_busy = true;
		arm_poll(s);
	}
}

/* --- the receiver */

static void receive_flagged(struct serial *s, int c)
{
	if (c & SERIAL_BREAK)
		ldisc_receive_break(&s->tty.ld);
	else
		ldisc_receive_bad(&s->tty.ld, (u8)c);
}

/* True when something came in. */
static bool receive_some(struct serial *s)
{
	struct ldisc *ld = &s->tty.ld;
	u8 buf[RX_BATCH];
	u32 room, n = 0;
	int c = SERIAL_NONE;

	if (!s->is_open)
		return false;
	room = min_t(u32, ldisc_room(ld), RX_BATCH);
	s->rx_full = room == 0;
	while (n < room) {
		c = s->ops->getc(s);
		if (c == SERIAL_NONE || (c & (SERIAL_BREAK | SERIAL_BAD)))
			break;
		buf[n++] = (u8)c;
	}
	if (n)
		(void)ldisc_receive(ld, buf, n);
	if (c != SERIAL_NONE && (c & (SERIAL_BREAK | SERIAL_BAD)))
		receive_flagged(s, c);
	return n > 0 || (c != SERIAL_NONE);
}

/* One look at everything.  True when there was something to do. */
static bool service(struct serial *s)
{
	bool got = receive_some(s);
	bool more = send_some(s);

	set_irqs(s, s->is_open && !s->rx_full, more);
	return got || more;
}

static bool serial_irq(void *arg)
{
	struct serial *s = arg;
	unsigned int pass = 0;
	bool ours = false;

	tty_lock(&s->tty);
	do {
		if (s->ops->ack && !s->ops->ack(s))
			break;
		ours |= s->tx_on || s->ops->ack;
		ours |= service(s);
	} while (s->ops->ack && ++pass < IRQ_PASSES);
	tty_unlock(&s->tty);
	random_event((u64)(uintptr_t)s);
	return ours;
}

static void serial_poll(struct ktimer *timer)
{
	struct serial *s = timer->arg;

	tty_lock(&s->tty);
	s->poll_busy = service(s);
	if (s->is_open || s->poll_busy)
		arm_poll(s);
	tty_unlock(&s->tty);
}

static void serial_rx_room(struct tty *t)
{
	struct serial *s = serial_of(t);

	if (!s->rx_full)
		return;
	s->rx_full = false;
	set_irqs(s, s->is_open, s->tx_on);
}

/* --- the rest of tty_ops */

static int serial_open(struct tty *t)
{
	struct serial *s = serial_of(t);

	tty_lock(t);
	s->is_open = true;
	s->rx_full = false;
	set_irqs(s, true, s->tx_on);
	if (!s->has_irq)
		arm_poll(s);
	tty_unlock(t);
	return 0;
}

static void serial_close(struct tty *t)
{
	struct serial *s = serial_of(t);

	tty_lock(t);
	s->is_open = false;
	set_irqs(s, false, s->tx_on);
	tty_unlock(t);
}

static void serial_set_termios(struct tty *t, const struct termios2 *old)
{
	struct serial *s = serial_of(t);

	claim_tx(s);
	s->ops->set_modes(s, old);
	release_tx(s);
}

static bool serial_tx_done(struct tty *t)
{
	struct serial *s = serial_of(t);

	return !s->ops->tx_empty || s->ops->tx_empty(s);
}

static u32 serial_get_modem(struct tty *t)
{
	struct serial *s = serial_of(t);

	return s->ops->get_modem ? s->ops->get_modem(s)
				 : TIOCM_CAR | TIOCM_DSR | TIOCM_CTS;
}

static void serial_set_modem(struct tty *t, u32 set, u32 clear)
{
	struct serial *s = serial_of(t);

	if (!s->ops->set_modem)
		return;
	tty_lock(t);
	s->ops->set_modem(s, set, clear);
	tty_unlock(t);
}

static void serial_set_break(struct tty *t, bool on)
{
	struct serial *s = serial_of(t);

	if (!s->ops->set_break)
		return;
	tty_lock(t);
	s->ops->set_break(s, on);
	tty_unlock(t);
}

static const struct tty_ops serial_tty_ops = {
	.open = serial_open,
	.close = serial_close,
	.start_tx = serial_start_tx,
	.rx_room = serial_rx_room,
	.set_termios = serial_set_termios,
	.tx_done = serial_tx_done,
	.get_modem = serial_get_modem,
	.set_modem = serial_set_modem,
	.set_break = serial_set_break,
};

/* --- kernel messages */

/* Wait for room without a claim.  False: the port does not send. */
static bool console_room(struct serial *s)
{
	u64 deadline = 0;

	while (s->ops->tx_room(s) == 0) {
		cpu_relax();
		if (deadline == 0)
			deadline = clock_mono_ns() + CONSOLE_WAIT_NS;
		else if (clock_mono_ns() >= deadline)
			return false;
	}
	return true;
}

static void console_put(struct serial *s, const char *str, size_t n, bool claim)
{
	bool cr_sent = false;

	while (n > 0) {
		u32 room;

		if (!console_room(s))
			return;
		if (claim)
			claim_tx(s);
		for (room = s->ops->tx_room(s); room > 0 && n > 0; room--) {
			if (*str == '\n' && !cr_sent) {
				s->ops->putc(s, '\r');
				cr_sent = true;
				continue;
			}
			s->ops->putc(s, (u8)*str++);
			cr_sent = false;
			n--;
		}
		if (claim)
			release_tx(s);
	}
}

static void serial_console_write(struct console *c, const char *str, size_t n)
{
	console_put(c->priv, str, n, true);
}

static void serial_console_panic(struct console *c, const char *str, size_t n)
{
	console_put(c->priv, str, n, false);
}

/* --- registration */

static struct {
	const char *prefix;
	u64 used; /* numbers taken */
} families[4];	  /* probe context only */

static u64 *family_used(const char *prefix)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(families); i++) {
		if (!families[i].prefix)
			families[i].prefix = prefix;
		if (strcmp(families[i].prefix, prefix) == 0)
			return &families[i].used;
	}
	panic("serial: too many kinds of ports");
}

/* N of the alias serialN that names @fdt_node, or -1. */
static int alias_number(int fdt_node)
{
	char alias[16];

	for (int n = 0; fdt_node >= 0 && n < 16; n++) {
		(void)snprintf(alias, sizeof(alias), "serial%d", n);
		if (fdt_path_offset(boot_fdt, alias) == fdt_node)
			return n;
	}
	return -1;
}

static int take_number(const char *prefix, int fdt_node)
{
	u64 *used = family_used(prefix);
	int n = alias_number(fdt_node);

	if (n < 0 || (*used & BIT(n))) {
		for (n = 0; n < 64 && (*used & BIT(n)); n++)
			;
	}
	if (n >= 64)
		return -1;
	*used |= BIT(n);
	return n;
}

static void bind_irq(struct serial *s)
{
	struct irqchip *chip;
	u32 line;
	int err = -ENOENT;

	if (s->fdt_node >= 0 && s->ops->set_irq) {
		s->ops->set_irq(s, false, false);
		err = irq_from_fdt(s->fdt_node, 0, &chip, &line);
		if (!err)
			err = irq_bind(chip, line, serial_irq, s, s->tty.name);
	}
	s->has_irq = err == 0;
	if (err && s->fdt_node >= 0)
		pr_notice("%s: no interrupt (%d), polling", s->tty.name, err);
}

static void become_console(struct serial *s)
{
	if (s->fdt_node < 0 || !console_wanted(s->tty.name, s->fdt_node))
		return;
	s->con = (struct console){
		.name = s->tty.name,
		.write = serial_console_write,
		.write_panic = serial_console_panic,
		.replaces_early = console_is_stdout(s->fdt_node),
		.priv = s,
	};
	console_register(&s->con);
}

int serial_register(struct serial *s, const char *prefix, u32 major, u32 minor0)
{
	char name[sizeof(s->tty.name)];
	int n = take_number(prefix, s->fdt_node);
	int err;

	KASSERT(s->ops->getc && s->ops->tx_room && s->ops->putc &&
		s->ops->set_modes);
	if (n < 0)
		return -ENOSPC;
	(void)snprintf(name, sizeof(name), "%s%d", prefix, n);
	err = tty_init(&s->tty, name, MKDEV(major, minor0 + (u32)n),
		       &serial_tty_ops);
	if (err)
		return err;
	s->tty.ld.t.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	s->tty.ld.t.c_ispeed = 115200;
	s->tty.ld.t.c_ospeed = 115200;
	ktimer_init(&s->poll, serial_poll, s);
	err = tty_register(&s->tty);
	if (err) {
		tty_destroy(&s->tty);
		return err;
	}
	bind_irq(s);
	console_offer(&s->tty, s->fdt_node);
	become_console(s);
	return 0;
}
