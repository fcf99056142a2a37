/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/tty_ioctl.c - the ioctls of a terminal, but for modes
 * (tty_modes.c), sessions (jobctl.c) and the master's own (pty.c).
 *
 * INVARIANTS
 *   I1  Arguments are fetched before anything is changed.
 */
#include <kernel/dev/tty/ioctls.h>
#include <kernel/dev/tty/tty_int.h>

#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <kernel/task/signal.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define BREAK_NS (250 * NSEC_PER_MSEC)
/* Longest break that TCSBRKP may ask for: as long as its argument reaches. */
#define BREAK_UNIT_NS (100 * NSEC_PER_MSEC)

/* --- window size */

static s64 get_winsize(struct tty *t, uaddr_t arg)
{
	struct winsize ws;

	tty_lock(t);
	ws = t->ws;
	tty_unlock(t);
	return copy_to_user(arg, &ws, sizeof(ws));
}

static s64 set_winsize(struct tty *t, uaddr_t arg)
{
	struct winsize ws;
	bool changed;

	if (copy_from_user(&ws, arg, sizeof(ws)))
		return -EFAULT;
	tty_lock(t);
	changed = memcmp(&ws, &t->ws, sizeof(ws)) != 0;
	t->ws = ws;
	tty_unlock(t);
	if (changed)
		tty_signal(t, SIGWINCH);
	return 0;
}

/* --- flow, flushing, breaks */

static s64 flow(struct tty *t, u64 arg)
{
	int err = tty_check_change(t, SIGTTOU);
	u8 c;

	if (err)
		return err;
	if (arg > TCION)
		return -EINVAL;
	tty_lock(t);
	switch (arg) {
	case TCOOFF:
		ldisc_stop(&t->ld, true);
		break;
	case TCOON:
		ldisc_start(&t->ld, true);
		break;
	default:
		c = t->ld.t.c_cc[arg == TCIOFF ? VSTOP : VSTART];
		if (c)
			ldisc_send_xchar(&t->ld, c);
		break;
	}
	tty_unlock(t);
	return 0;
}

static s64 flush(struct tty *t, u64 arg, bool master)
{
	int err = tty_check_change(t, SIGTTOU);

	if (err)
		return err;
	if (arg > TCIOFLUSH)
		return -EINVAL;
	/* What is the master's input is our output, and the other way round. */
	if (master && arg != TCIOFLUSH)
		arg = arg == TCIFLUSH ? TCOFLUSH : TCIFLUSH;
	tty_lock(t);
	if (arg != TCOFLUSH)
		ldisc_flush_input(&t->ld);
	if (arg != TCIFLUSH)
		ldisc_flush_output(&t->ld);
	tty_unlock(t);
	return 0;
}

static s64 send_break(struct tty *t, u64 ns)
{
	int err;

	if (!t->ops->set_break)
		return 0;
	t->ops->set_break(t, true);
	err = sleep_until_ns(clock_mono_ns() + ns, true);
	t->ops->set_break(t, false);
	return err ? -EINTR : 0;
}

static s64 drain_and_break(struct tty *t, unsigned int cmd, u64 arg)
{
	int err = tty_check_change(t, SIGTTOU);

	if (!err)
		err = tty_drain(t, WAIT_FOREVER);
	if (err || (cmd == TCSBRK && arg != 0))
		return err;
	if (cmd == TCSBRKP && arg)
		return send_break(t, (u32)arg * BREAK_UNIT_NS);
	return send_break(t, BREAK_NS);
}

static s64 break_on(struct tty *t, bool on)
{
	if (t->ops->set_break)
		t->ops->set_break(t, on);
	return 0;
}

/* --- exclusive use, typing for others */

static s64 set_exclusive(struct tty *t, bool on)
{
	tty_lock(t);
	t->exclusive = on;
	tty_unlock(t);
	return 0;
}

static s64 simulate_input(struct tty *t, uaddr_t arg)
{
	u8 c;

	if (load_once(&current_process()->ctty) != t && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (get_user_u8(&c, arg))
		return -EFAULT;
	tty_lock(t);
	(void)ldisc_receive(&t->ld, &c, 1);
	tty_unlock(t);
	return 0;
}

static s64 hang_up(struct tty *t)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	tty_hangup(t);
	return 0;
}

/* --- modem lines */

static s64 modem(struct tty *t, unsigned int cmd, uaddr_t arg)
{
	const u32 settable = TIOCM_DTR | TIOCM_RTS | TIOCM_LOOP;
	u32 v;

	if (!t->ops->get_modem || !t->ops->set_modem)
		return -ENOTTY;
	if (cmd == TIOCMGET)
		return put_user_u32(t->ops->get_modem(t), arg);
	if (get_user_u32(&v, arg))
		return -EFAULT;
	v &= settable;
	t->ops->set_modem(t, cmd == TIOCMBIC ? 0 : v,
			  cmd == TIOCMBIC   ? v
			  : cmd == TIOCMSET ? settable & ~v
					    : 0);
	return 0;
}

/* --- queues */

static s64 count_input(struct tty *t, uaddr_t arg)
{
	u32 n;

	tty_lock(t);
	n = ldisc_input_bytes(&t->ld);
	tty_unlock(t);
	return put_user_u32(n, arg);
}

static s64 count_output(struct tty *t, uaddr_t arg)
{
	u32 n;

	tty_lock(t);
	n = t->is_pty ? 0 : ldisc_out_bytes(&t->ld);
	tty_unlock(t);
	return put_user_u32(n, arg);
}

static s64 set_discipline(uaddr_t arg)
{
	u32 n;

	if (get_user_u32(&n, arg))
		return -EFAULT;
	return n == 0 ? 0 : -EINVAL; /* N_TTY is all there is */
}

/* What both sides of a pty understand: @t is the slave, for @master too. */
s64 tty_common_ioctl(struct tty *t, unsigned int cmd, u64 arg, bool master)
{
	switch (cmd) {
	case TIOCGWINSZ:
		return get_winsize(t, arg);
	case TIOCSWINSZ:
		return set_winsize(t, arg);
	case TCXONC:
		return flow(t, arg);
	case TCFLSH:
		return flush(t, arg, master);
	case TIOCEXCL:
	case TIOCNXCL:
		return set_exclusive(t, cmd == TIOCEXCL);
	case TIOCGEXCL:
		return put_user_u32(t->exclusive, arg);
	case TIOCGETD:
		return put_user_u32(0, arg);
	case TIOCSETD:
		return set_discipline(arg);
	case TIOCVHANGUP:
		return hang_up(t);
	default:
		return tty_modes_ioctl(t, cmd, arg);
	}
}

static s64 slave_ioctl(struct tty_file *tf, unsigned int cmd, u64 arg)
{
	struct tty *t = tf->tty;

	switch (cmd) {
	case FIONREAD:
		return count_input(t, arg);
	case TIOCOUTQ:
		return count_output(t, arg);
	case TIOCSTI:
		return simulate_input(t, arg);
	case TCSBRK:
	case TCSBRKP:
		return drain_and_break(t, cmd, arg);
	case TIOCSBRK:
	case TIOCCBRK:
		return break_on(t, cmd == TIOCSBRK);
	case TIOCMGET:
	case TIOCMBIS:
	case TIOCMBIC:
	case TIOCMSET:
		return modem(t, cmd, arg);
	case TIOCGPTPEER:
		return -EIO; /* a master's only */
	case TIOCGDEV:
		return put_user_u32((u32)dev_encode(t->dev), arg);
	case TIOCCONS:
		return console_redirect(tf);
	default:
		return tty_common_ioctl(t, cmd, arg, false);
	}
}

s64 tty_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct tty_file *tf = f->priv;
	s64 ret;

	if (load_once(&tf->hung))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	ret = tty_job_ioctl(tf->tty, f, cmd, arg, false);
	if (ret == -ENOIOCTLCMD)
		ret = slave_ioctl(tf, cmd, arg);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}
