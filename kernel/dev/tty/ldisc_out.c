/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/ldisc_out.c - output: post-processing, echo, ^S and ^Q.
 *
 * Everything that goes to the terminal passes the output ring in the order in
 * which it was produced, so echo and program output never overtake each other.
 * Only xchar does: flow control must not wait behind what it controls.
 *
 * Not here: who drains the ring (serial.c, pty.c).
 */
#include <kernel/dev/tty/ldisc_int.h>

#include <lib/ctype.h>
#include <lib/string.h>

static u32 out_room(const struct ldisc *ld)
{
	return LDISC_BUF - ldisc_out_bytes(ld);
}

static void out_put(struct ldisc *ld, u8 c)
{
	ld->out[ld->out_head++ & LDISC_MASK] = c;
	ld->events |= LD_TX;
}

static bool out_newline(struct ldisc *ld, u32 room)
{
	if (ld_o(ld, ONLRET))
		ld->column = 0;
	if (ld_o(ld, ONLCR)) {
		if (room < 2)
			return false;
		ld->column = 0;
		out_put(ld, '\r');
	}
	ld->canon_column = ld->column;
	out_put(ld, '\n');
	return true;
}

static bool out_return(struct ldisc *ld)
{
	if (ld_o(ld, ONOCR) && ld->column == 0)
		return true;
	if (ld_o(ld, OCRNL)) {
		if (ld_o(ld, ONLRET))
			ld->column = 0;
		ld->canon_column = ld->column;
		out_put(ld, '\n');
		return true;
	}
	ld->column = 0;
	ld->canon_column = 0;
	out_put(ld, '\r');
	return true;
}

static bool out_tab(struct ldisc *ld, u32 room)
{
	u32 spaces = 8 - (ld->column & 7);

	if ((ld->t.c_oflag & TABDLY) != XTABS) {
		ld->column += spaces;
		out_put(ld, '\t');
		return true;
	}
	if (room < spaces)
		return false;
	ld->column += spaces;
	while (spaces--)
		out_put(ld, ' ');
	return true;
}

/* Post-process @c.  False, and nothing done, when it does not fit in @room. */
static bool out_process(struct ldisc *ld, u8 c, u32 room)
{
	if (room == 0)
		return false;
	switch (c) {
	case '\n':
		return out_newline(ld, room);
	case '\r':
		return out_return(ld);
	case '\t':
		return out_tab(ld, room);
	case '\b':
		if (ld->column > 0)
			ld->column--;
		break;
	default:
		if (iscntrl(c))
			break;
		if (ld_o(ld, OLCUC) && islower(c))
			c = (u8)(c - 'a' + 'A');
		if (!ld_is_continuation(ld, c))
			ld->column++;
		break;
	}
	out_put(ld, c);
	return true;
}

void ld_echo_literal(struct ldisc *ld, u8 c)
{
	if (out_room(ld) > 0)
		out_put(ld, c);
}

void ld_echo_raw(struct ldisc *ld, u8 c)
{
	if (ld_o(ld, OPOST))
		(void)out_process(ld, c, out_room(ld));
	else
		ld_echo_literal(ld, c);
}

void ld_echo_char(struct ldisc *ld, u8 c)
{
	if (!ld_l(ld, ECHOCTL) || !iscntrl(c) || c == '\t') {
		ld_echo_raw(ld, c);
		return;
	}
	ld_echo_literal(ld, '^');
	ld_echo_literal(ld, c ^ 0x40);
	ld->column += 2;
}

u32 ldisc_write_room(const struct ldisc *ld)
{
	u32 room = out_room(ld);

	if (ld->stopped || room <= LDISC_ECHO_ROOM)
		return 0;
	return room - LDISC_ECHO_ROOM;
}

static size_t write_raw(struct ldisc *ld, const u8 *s, size_t n)
{
	size_t done;

	n = min_t(size_t, n, ldisc_write_room(ld));
	for (done = 0; done < n; done++)
		ld->out[ld->out_head++ & LDISC_MASK] = s[done];
	if (n)
		ld->events |= LD_TX;
	return n;
}

size_t ldisc_write(struct ldisc *ld, const u8 *s, size_t n)
{
	size_t done;

	if (!ld_o(ld, OPOST))
		return write_raw(ld, s, n);
	for (done = 0; done < n; done++) {
		if (!out_process(ld, s[done], ldisc_write_room(ld)))
			break;
	}
	return done;
}

size_t ldisc_take_output(struct ldisc *ld, u8 *dst, size_t max)
{
	u32 start = ld->out_tail & LDISC_MASK;
	size_t n = min_t(size_t, max, ldisc_out_bytes(ld));
	size_t first = min_t(size_t, n, LDISC_BUF - start);

	memcpy(dst, ld->out + start, first);
	memcpy(dst + first, ld->out, n - first);
	ld->out_tail += (u32)n;
	if (n)
		ld->events |= LD_ROOM;
	return n;
}

void ldisc_flush_output(struct ldisc *ld)
{
	ld->out_tail = ld->out_head;
	ld->events |= LD_FLUSH_WR | LD_ROOM;
}

void ldisc_stop(struct ldisc *ld, bool tco)
{
	if (tco)
		ld->tco_stopped = true;
	if (ld->stopped)
		return;
	ld->stopped = true;
	ld->events |= LD_STOP;
}

void ldisc_start(struct ldisc *ld, bool tco)
{
	if (tco)
		ld->tco_stopped = false;
	if (!ld->stopped || ld->tco_stopped)
		return;
	ld->stopped = false;
	ld->events |= LD_START | LD_TX | LD_ROOM;
}

void ldisc_send_xchar(struct ldisc *ld, u8 c)
{
	ld->xchar = c;
	ld->events |= LD_TX;
}

void ldisc_queue_xchar(struct ldisc *ld)
{
	if (ld->xchar)
		ld_echo_literal(ld, ld->xchar);
	ld->xchar = 0;
}
