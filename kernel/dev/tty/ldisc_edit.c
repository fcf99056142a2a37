/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/ldisc_edit.c - line editing: what ERASE, WERASE, KILL and
 * REPRINT do to the line being typed and to the screen.
 *
 * Not here: which byte is one of them (ldisc.c).
 */
#include <kernel/dev/tty/ldisc_int.h>

#include <lib/ctype.h>

static u8 in_at(const struct ldisc *ld, u32 pos)
{
	return ld->in[pos & LDISC_MASK];
}

/* Where the cursor is after the line being edited, given where it began. */
static u32 line_column(const struct ldisc *ld)
{
	u32 col = ld->canon_column;

	for (u32 pos = ld->canon; pos != ld->head; pos++) {
		u8 c = in_at(ld, pos);

		if (c == '\t')
			col += 8 - (col & 7);
		else if (ld_shows_as_caret(ld, c))
			col += 2;
		else if (!iscntrl(c) && !ld_is_continuation(ld, c))
			col++;
	}
	return col;
}

void ld_finish_erasing(struct ldisc *ld)
{
	if (!ld->erasing)
		return;
	ld_echo_raw(ld, '/');
	ld->erasing = false;
}

static void rub_out(struct ldisc *ld)
{
	ld_echo_literal(ld, '\b');
	ld_echo_literal(ld, ' ');
	ld_echo_literal(ld, '\b');
	if (ld->column > 0)
		ld->column--;
}

/* The character [pos, pos + len) was taken off the line: show it. */
static void show_erased(struct ldisc *ld, u32 pos, u32 len, bool one)
{
	u8 c = in_at(ld, pos);

	if (ld_l(ld, ECHOPRT)) {
		if (!ld->erasing)
			ld_echo_raw(ld, '\\');
		ld->erasing = true;
		ld_echo_char(ld, c);
		while (--len > 0)
			ld_echo_raw(ld, in_at(ld, ++pos));
	} else if (one && !ld_l(ld, ECHOE)) {
		ld_echo_char(ld, ld->t.c_cc[VERASE]);
	} else if (c == '\t') {
		u32 to = line_column(ld);

		for (; ld->column > to; ld->column--)
			ld_echo_literal(ld, '\b');
	} else {
		if (ld_shows_as_caret(ld, c))
			rub_out(ld);
		if (!iscntrl(c) || ld_l(ld, ECHOCTL))
			rub_out(ld);
	}
}

/* Length of the last character of the line, 0 when only pieces are left. */
static u32 last_char_len(const struct ldisc *ld)
{
	u32 pos = ld->head;

	do {
		pos--;
	} while (pos != ld->canon && ld_is_continuation(ld, in_at(ld, pos)));
	if (ld_is_continuation(ld, in_at(ld, pos)))
		return 0;
	return ld->head - pos;
}

/* KILL where the screen cannot be rubbed out: echo it and start anew. */
static bool kill_plainly(struct ldisc *ld, u8 c)
{
	if (ld_l(ld, ECHO) && ld_l(ld, ECHOK) && ld_l(ld, ECHOKE) &&
	    ld_l(ld, ECHOE))
		return false;
	ld->head = ld->canon;
	if (!ld_l(ld, ECHO))
		return true;
	ld_finish_erasing(ld);
	ld_echo_char(ld, c);
	if (ld_l(ld, ECHOK))
		ld_echo_raw(ld, '\n');
	return true;
}

void ld_erase(struct ldisc *ld, u8 c)
{
	bool one = ld_cc(ld, VERASE, c);
	bool word = !one && ld_cc(ld, VWERASE, c);
	bool in_word = false;

	if (ld->head == ld->canon)
		return;
	if (!one && !word && kill_plainly(ld, c))
		return;
	while (ld->head != ld->canon) {
		u32 len = last_char_len(ld);
		u8 first;

		if (len == 0)
			break;
		first = in_at(ld, ld->head - len);
		if (word && (isalnum(first) || first == '_' || first >= 0x80))
			in_word = true;
		else if (word && in_word)
			break;
		ld->head -= len;
		if (ld_l(ld, ECHO))
			show_erased(ld, ld->head, len, one);
		if (one)
			break;
	}
	if (ld->head == ld->canon && ld_l(ld, ECHO))
		ld_finish_erasing(ld);
}

void ld_reprint(struct ldisc *ld, u8 c)
{
	ld_finish_erasing(ld);
	ld_echo_char(ld, c);
	ld_echo_raw(ld, '\n');
	for (u32 pos = ld->canon; pos != ld->head; pos++)
		ld_echo_char(ld, in_at(ld, pos));
}
