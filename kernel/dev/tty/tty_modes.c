/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/tty_modes.c - the ioctls that get and set terminal modes, in
 * the three shapes that Linux has: termios, termios2, termio.
 *
 * Not here: what the modes do (ldisc.c).
 */
#include <kernel/dev/tty/ioctls.h>
#include <kernel/dev/tty/tty_int.h>

#include <kernel/mm/user.h>
#include <kernel/task/signal.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Speeds by CBAUD code: 0-15, then 0x1001 upwards. */
static const u32 bauds[] = { 0,	  50,	75,   110,  134,  150,	200,   300,
			     600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
static const u32 bauds_ext[] = { 57600,	  115200,  230400,  460800,  500000,
				 576000,  921600,  1000000, 1152000, 1500000,
				 2000000, 2500000, 3000000, 3500000, 4000000 };

static u32 baud_of(u32 cflag, u32 other)
{
	u32 code = cflag & CBAUD;
	u32 ext = (code & 017) - 1;

	if (code == BOTHER)
		return other;
	if (!(code & BOTHER))
		return bauds[code];
	return ext < ARRAY_SIZE(bauds_ext) ? bauds_ext[ext] : 38400;
}

/* Give @m the speeds that its cflag says. */
static void fix_speeds(struct termios2 *m, const struct termios2 *old)
{
	u32 in_code = m->c_cflag >> 16 & CBAUD; /* CIBAUD; 0: as output */

	m->c_ospeed = baud_of(m->c_cflag, m->c_ospeed);
	if (m->c_ospeed == 0 && (m->c_cflag & CBAUD) == BOTHER)
		m->c_ospeed = old->c_ospeed;
	m->c_ispeed = in_code ? baud_of(in_code, m->c_ispeed) : m->c_ospeed;
}

static void low_bits(u32 *flags, u16 low)
{
	*flags = (*flags & 0xffff0000u) | low;
}

static int from_termio(struct termios2 *m, uaddr_t arg)
{
	struct termio io;

	if (copy_from_user(&io, arg, sizeof(io)))
		return -EFAULT;
	low_bits(&m->c_iflag, io.c_iflag);
	low_bits(&m->c_oflag, io.c_oflag);
	low_bits(&m->c_cflag, io.c_cflag);
	low_bits(&m->c_lflag, io.c_lflag);
	m->c_line = io.c_line;
	memcpy(m->c_cc, io.c_cc, TERMIO_NCC);
	return 0;
}

static int to_termio(const struct termios2 *m, uaddr_t arg)
{
	struct termio io = {
		.c_iflag = (u16)m->c_iflag,
		.c_oflag = (u16)m->c_oflag,
		.c_cflag = (u16)m->c_cflag,
		.c_lflag = (u16)m->c_lflag,
		.c_line = m->c_line,
	};

	memcpy(io.c_cc, m->c_cc, TERMIO_NCC);
	return copy_to_user(arg, &io, sizeof(io));
}

static void get_modes(struct tty *t, struct termios2 *m)
{
	tty_lock(t);
	*m = t->ld.t;
	tty_unlock(t);
}

static void keep(u32 *to, u32 old, u32 locked)
{
	*to = (*to & ~locked) | (old & locked);
}

/* What TIOCSLCKTRMIOS has locked stays as it was. */
static void keep_locked(struct termios2 *m, const struct termios2 *old,
			const struct termios2 *locked)
{
	keep(&m->c_iflag, old->c_iflag, locked->c_iflag);
	keep(&m->c_oflag, old->c_oflag, locked->c_oflag);
	keep(&m->c_cflag, old->c_cflag, locked->c_cflag);
	keep(&m->c_lflag, old->c_lflag, locked->c_lflag);
	if (locked->c_line)
		m->c_line = old->c_line;
	for (u32 i = 0; i < NCCS; i++) {
		if (locked->c_cc[i])
			m->c_cc[i] = old->c_cc[i];
	}
}

static void apply_modes(struct tty *t, const struct termios2 *wanted)
{
	struct termios2 old, m = *wanted;

	tty_lock(t);
	old = t->ld.t;
	keep_locked(&m, &old, &t->locked);
	ldisc_set_termios(&t->ld, &m);
	if (t->ops->set_termios)
		t->ops->set_termios(t, &old);
	tty_unlock(t);
}

enum when {
	NOW,
	WHEN_DRAINED,
	AFTER_FLUSH
};
enum shape {
	TERMIOS,
	TERMIOS2,
	TERMIO
};

static s64 set_modes(struct tty *t, uaddr_t arg, enum shape shape,
		     enum when when)
{
	struct termios2 m, old;
	int err = tty_check_change(t, SIGTTOU);

	if (err)
		return err;
	get_modes(t, &old);
	m = old;
	if (shape == TERMIO)
		err = from_termio(&m, arg);
	else
		err = copy_from_user(
			&m, arg, shape == TERMIOS ? TERMIOS_SIZE : sizeof(m));
	if (err)
		return -EFAULT;
	fix_speeds(&m, &old);
	if (when != NOW) {
		err = tty_drain(t, WAIT_FOREVER);
		if (err)
			return err;
	}
	if (when == AFTER_FLUSH) {
		tty_lock(t);
		ldisc_flush_input(&t->ld);
		tty_unlock(t);
	}
	apply_modes(t, &m);
	return 0;
}

static s64 get_shape(struct tty *t, uaddr_t arg, enum shape shape)
{
	struct termios2 m;

	get_modes(t, &m);
	if (shape == TERMIO)
		return to_termio(&m, arg);
	return copy_to_user(arg, &m,
			    shape == TERMIOS ? TERMIOS_SIZE : sizeof(m));
}

static s64 set_local(struct tty *t, uaddr_t arg)
{
	struct termios2 m;
	u32 on;

	if (get_user_u32(&on, arg))
		return -EFAULT;
	get_modes(t, &m);
	if (on)
		m.c_cflag |= CLOCAL;
	else
		m.c_cflag &= ~CLOCAL;
	apply_modes(t, &m);
	return 0;
}

static s64 get_locked(struct tty *t, uaddr_t arg)
{
	struct termios2 m;

	tty_lock(t);
	m = t->locked;
	tty_unlock(t);
	return copy_to_user(arg, &m, TERMIOS_SIZE);
}

static s64 set_locked(struct tty *t, uaddr_t arg)
{
	struct termios2 m = { 0 };

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&m, arg, TERMIOS_SIZE))
		return -EFAULT;
	tty_lock(t);
	t->locked = m;
	tty_unlock(t);
	return 0;
}

s64 tty_modes_ioctl(struct tty *t, unsigned int cmd, u64 arg)
{
	switch (cmd) {
	case TCGETS:
		return get_shape(t, arg, TERMIOS);
	case TCSETS:
		return set_modes(t, arg, TERMIOS, NOW);
	case TCSETSW:
		return set_modes(t, arg, TERMIOS, WHEN_DRAINED);
	case TCSETSF:
		return set_modes(t, arg, TERMIOS, AFTER_FLUSH);
	case TCGETS2:
		return get_shape(t, arg, TERMIOS2);
	case TCSETS2:
		return set_modes(t, arg, TERMIOS2, NOW);
	case TCSETSW2:
		return set_modes(t, arg, TERMIOS2, WHEN_DRAINED);
	case TCSETSF2:
		return set_modes(t, arg, TERMIOS2, AFTER_FLUSH);
	case TCGETA:
		return get_shape(t, arg, TERMIO);
	case TCSETA:
		return set_modes(t, arg, TERMIO, NOW);
	case TCSETAW:
		return set_modes(t, arg, TERMIO, WHEN_DRAINED);
	case TCSETAF:
		return set_modes(t, arg, TERMIO, AFTER_FLUSH);
	case TIOCGLCKTRMIOS:
		return get_locked(t, arg);
	case TIOCSLCKTRMIOS:
		return set_locked(t, arg);
	case TIOCGSOFTCAR:
		return put_user_u32((t->ld.t.c_cflag & CLOCAL) != 0, arg);
	case TIOCSSOFTCAR:
		return set_local(t, arg);
	default:
		return -ENOIOCTLCMD;
	}
}
