/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/ldisc.c - input: what each received byte means, and handing
 * lines (or raw bytes) to readers.
 *
 * A byte goes through the same questions in the same order as on Linux: is it
 * literal, flow control, a signal, a mapped newline, an editing character, the
 * end of a line, or text.
 *
 * Not here: the screen side (ldisc_out.c), erasing (ldisc_edit.c).
 */
#include <kernel/dev/tty/ldisc_int.h>

#include <lib/ctype.h>
#include <lib/string.h>

static bool bit_get(const u64 *map, u32 pos)
{
	pos &= LDISC_MASK;
	return (map[pos / 64] >> (pos % 64)) & 1;
}

static void bit_put(u64 *map, u32 pos, bool on)
{
	pos &= LDISC_MASK;
	if (on)
		map[pos / 64] |= BIT(pos % 64);
	else
		map[pos / 64] &= ~BIT(pos % 64);
}

static u32 in_bytes(const struct ldisc *ld)
{
	return ld->head - ld->tail;
}

void ldisc_init(struct ldisc *ld, u8 *in, u8 *out)
{
	*ld = (struct ldisc){
		.t = TERMIOS_DEFAULT,
		.in = in,
		.out = out,
	};
}

/* --- modes */

/*
 * What is in the buffer was cut into lines, or not, by the old modes.  Towards
 * canonical: all of it becomes one line.  Towards raw: lines lose their ends.
 */
static void change_canonical(struct ldisc *ld, bool to_canon)
{
	memset(ld->eol, 0, sizeof(ld->eol));
	memset(ld->eof, 0, sizeof(ld->eof));
	ld->canon = ld->head;
	if (to_canon && in_bytes(ld) > 0)
		bit_put(ld->eol, ld->head - 1, true);
	ld->lnext = false;
	ld->erasing = false;
}

void ldisc_set_termios(struct ldisc *ld, const struct termios2 *t)
{
	bool was_canon = ld_l(ld, ICANON);

	ld->t = *t;
	if (ld_l(ld, ICANON) != was_canon) {
		change_canonical(ld, !was_canon);
		if (in_bytes(ld) > 0)
			ld->events |= LD_READ;
	}
	if (!ld_i(ld, IXON) && ld->stopped && !ld->tco_stopped)
		ldisc_start(ld, false);
	/* Readers look at the new modes, whatever they are. */
	ld->events |= LD_READ | LD_ROOM;
}

/* --- storing */

u32 ldisc_room(const struct ldisc *ld)
{
	u32 room = LDISC_BUF - in_bytes(ld);

	if (!ld_l(ld, ICANON) || room > 1)
		return room;
	/* The line is too long.  With a line before it, its reader makes room;
	 * alone, it takes no more text but its end must get in. */
	return ld->canon != ld->tail ? 0 : LDISC_BUF;
}

static void bell(struct ldisc *ld)
{
	if (ld_i(ld, IMAXBEL))
		ld_echo_literal(ld, '\a');
}

static void store(struct ldisc *ld, u8 c)
{
	u32 limit = ld_l(ld, ICANON) ? LDISC_BUF - 1 : LDISC_BUF;

	if (in_bytes(ld) >= limit) {
		bell(ld);
		return;
	}
	bit_put(ld->eol, ld->head, false);
	bit_put(ld->eof, ld->head, false);
	ld->in[ld->head++ & LDISC_MASK] = c;
	if (!ld_l(ld, ICANON)) {
		ld->canon = ld->head;
		ld->events |= LD_READ;
	}
}

/* 0xff would look like the mark of PARMRK: doubled. */
static void store_marked(struct ldisc *ld, u8 c)
{
	if (c == 0xff && ld_i(ld, PARMRK))
		store(ld, c);
	store(ld, c);
}

static void end_line(struct ldisc *ld, u8 c, bool is_eof)
{
	if (in_bytes(ld) >= LDISC_BUF) {
		bell(ld);
		return;
	}
	bit_put(ld->eol, ld->head, true);
	bit_put(ld->eof, ld->head, is_eof);
	ld->in[ld->head++ & LDISC_MASK] = c;
	ld->canon = ld->head;
	ld->events |= LD_READ;
}

static void text(struct ldisc *ld, u8 c)
{
	if (ld_l(ld, ECHO)) {
		ld_finish_erasing(ld);
		if (ld->head == ld->canon || !ld_l(ld, ICANON))
			ld->canon_column = ld->column;
		if (c == '\n')
			ld_echo_raw(ld, c);
		else
			ld_echo_char(ld, c);
	}
	store_marked(ld, c);
}

/* --- special characters: true when @c was one and is dealt with */

static bool flow_control(struct ldisc *ld, u8 c)
{
	if (!ld_i(ld, IXON))
		return false;
	if (ld_cc(ld, VSTART, c))
		ldisc_start(ld, false);
	else if (ld_cc(ld, VSTOP, c))
		ldisc_stop(ld, false);
	else
		return false;
	return true;
}

static void raise_signal(struct ldisc *ld, u32 event)
{
	ld->events |= event;
	if (ld_l(ld, NOFLSH))
		return;
	ldisc_flush_output(ld);
	ldisc_flush_input(ld);
}

static bool signal_char(struct ldisc *ld, u8 c)
{
	u32 event;

	if (!ld_l(ld, ISIG))
		return false;
	if (ld_cc(ld, VINTR, c))
		event = LD_SIGINT;
	else if (ld_cc(ld, VQUIT, c))
		event = LD_SIGQUIT;
	else if (ld_cc(ld, VSUSP, c))
		event = LD_SIGTSTP;
	else
		return false;
	raise_signal(ld, event);
	if (ld_i(ld, IXON))
		ldisc_start(ld, false);
	if (ld_l(ld, ECHO))
		ld_echo_char(ld, c);
	return true;
}

static bool edit_char(struct ldisc *ld, u8 c)
{
	bool ext = ld_l(ld, IEXTEN);

	if (ld_cc(ld, VERASE, c) || ld_cc(ld, VKILL, c) ||
	    (ext && ld_cc(ld, VWERASE, c))) {
		ld_erase(ld, c);
		return true;
	}
	if (ext && ld_cc(ld, VLNEXT, c)) {
		ld->lnext = true;
		if (ld_l(ld, ECHO)) {
			ld_finish_erasing(ld);
			if (ld_l(ld, ECHOCTL)) {
				ld_echo_literal(ld, '^');
				ld_echo_literal(ld, '\b');
			}
		}
		return true;
	}
	if (ext && ld_l(ld, ECHO) && ld_cc(ld, VREPRINT, c)) {
		ld_reprint(ld, c);
		return true;
	}
	return false;
}

static bool line_end_char(struct ldisc *ld, u8 c)
{
	if (c == '\n') {
		if (ld_l(ld, ECHO | ECHONL))
			ld_echo_raw(ld, '\n');
		end_line(ld, c, false);
		return true;
	}
	if (ld_cc(ld, VEOF, c)) {
		end_line(ld, 0, true);
		return true;
	}
	if (!ld_cc(ld, VEOL, c) && !(ld_l(ld, IEXTEN) && ld_cc(ld, VEOL2, c)))
		return false;
	if (ld_l(ld, ECHO))
		ld_echo_char(ld, c);
	if (c == 0xff && ld_i(ld, PARMRK))
		store(ld, c);
	end_line(ld, c, false);
	return true;
}

static void receive_char(struct ldisc *ld, u8 c)
{
	if (ld_i(ld, ISTRIP))
		c &= 0x7f;
	if (ld_i(ld, IUCLC) && ld_l(ld, IEXTEN) && isupper(c))
		c = (u8)(c - 'A' + 'a');
	if (ld_l(ld, EXTPROC)) {
		store(ld, c);
		return;
	}
	if (ld->lnext) {
		ld->lnext = false;
		text(ld, c);
		return;
	}
	if (flow_control(ld, c) || signal_char(ld, c))
		return;
	if (ld->stopped && ld_i(ld, IXON) && ld_i(ld, IXANY))
		ldisc_start(ld, false);
	if (c == '\r') {
		if (ld_i(ld, IGNCR))
			return;
		if (ld_i(ld, ICRNL))
			c = '\n';
	} else if (c == '\n' && ld_i(ld, INLCR)) {
		c = '\r';
	}
	if (ld_l(ld, ICANON) && (edit_char(ld, c) || line_end_char(ld, c)))
		return;
	text(ld, c);
}

/* IXOFF: ask the other end to pause before the buffer overflows. */
static void throttle(struct ldisc *ld)
{
	if (!ld_i(ld, IXOFF) || ld->throttled ||
	    in_bytes(ld) < LDISC_BUF - LDISC_THROTTLE)
		return;
	ld->throttled = true;
	ldisc_send_xchar(ld, ld->t.c_cc[VSTOP]);
}

static void unthrottle(struct ldisc *ld)
{
	if (!ld->throttled || in_bytes(ld) > LDISC_THROTTLE)
		return;
	ld->throttled = false;
	ldisc_send_xchar(ld, ld->t.c_cc[VSTART]);
}

size_t ldisc_receive(struct ldisc *ld, const u8 *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (ldisc_room(ld) == 0)
			break;
		receive_char(ld, s[i]);
	}
	throttle(ld);
	return i;
}

void ldisc_receive_break(struct ldisc *ld)
{
	if (ld_i(ld, IGNBRK))
		return;
	if (ld_i(ld, BRKINT)) {
		raise_signal(ld, LD_SIGINT);
		return;
	}
	if (ld_i(ld, PARMRK)) {
		store(ld, 0xff);
		store(ld, 0);
	}
	store(ld, 0);
}

void ldisc_receive_bad(struct ldisc *ld, u8 c)
{
	if (!ld_i(ld, INPCK)) {
		(void)ldisc_receive(ld, &c, 1);
		return;
	}
	if (ld_i(ld, IGNPAR))
		return;
	if (ld_i(ld, PARMRK)) {
		store(ld, 0xff);
		store(ld, 0);
		store(ld, c);
	} else {
		store(ld, 0);
	}
}

/* --- reading */

bool ldisc_readable(const struct ldisc *ld, u32 min)
{
	u32 ready = ld->canon - ld->tail;

	return ready >= (ld_l(ld, ICANON) ? 1 : min);
}

static void consumed(struct ldisc *ld, u32 n)
{
	ld->tail += n;
	ld->events |= LD_IN_ROOM;
	unthrottle(ld);
}

static size_t copy_in(struct ldisc *ld, u8 *dst, u32 n)
{
	u32 start = ld->tail & LDISC_MASK;
	u32 first = min_t(u32, n, LDISC_BUF - start);

	memcpy(dst, ld->in + start, first);
	memcpy(dst + first, ld->in, n - first);
	return n;
}

static size_t read_line(struct ldisc *ld, u8 *dst, size_t max, bool *done)
{
	u32 ready = ld->canon - ld->tail;
	u32 n = 0;

	while (n < ready && n < max && !bit_get(ld->eol, ld->tail + n))
		n++;
	if (n == ready)
		return 0;
	*done = bit_get(ld->eol, ld->tail + n);
	if (*done && bit_get(ld->eof, ld->tail + n)) {
		/* I3: also when the text before it fills @dst. */
		(void)copy_in(ld, dst, n);
		consumed(ld, n + 1);
		return n;
	}
	if (n == max)
		*done = false;
	else
		n++;
	(void)copy_in(ld, dst, n);
	consumed(ld, n);
	return n;
}

size_t ldisc_read(struct ldisc *ld, u8 *dst, size_t max, bool *done)
{
	u32 n;

	*done = false;
	if (ld_l(ld, ICANON))
		return read_line(ld, dst, max, done);
	n = (u32)min_t(size_t, max, ld->canon - ld->tail);
	(void)copy_in(ld, dst, n);
	if (n)
		consumed(ld, n);
	return n;
}

u32 ldisc_input_bytes(const struct ldisc *ld)
{
	u32 n = ld->canon - ld->tail;

	if (!ld_l(ld, ICANON))
		return n;
	for (u32 pos = ld->tail; pos != ld->canon; pos++) {
		if (bit_get(ld->eof, pos))
			n--;
	}
	return n;
}

void ldisc_flush_input(struct ldisc *ld)
{
	ld->tail = ld->head;
	ld->canon = ld->head;
	ld->lnext = false;
	ld->erasing = false;
	ld->events |= LD_FLUSH_RD | LD_IN_ROOM;
	unthrottle(ld);
}
