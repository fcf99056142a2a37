/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/ldisc_int.h - what the three files of the line discipline
 * share: modes by name, and the echo.
 */
#ifndef KERNEL_DEV_TTY_LDISC_INT_H
#define KERNEL_DEV_TTY_LDISC_INT_H

#include <kernel/dev/tty/ldisc.h>

#define LDISC_MASK (LDISC_BUF - 1)
/* IXOFF: STOP is sent with less room than this, START with less input. */
#define LDISC_THROTTLE 128u

static inline bool ld_i(const struct ldisc *ld, u32 flag)
{
	return (ld->t.c_iflag & flag) != 0;
}
static inline bool ld_o(const struct ldisc *ld, u32 flag)
{
	return (ld->t.c_oflag & flag) != 0;
}
static inline bool ld_l(const struct ldisc *ld, u32 flag)
{
	return (ld->t.c_lflag & flag) != 0;
}
/* Is @c the control character @which?  A zero in c_cc disables it. */
static inline bool ld_cc(const struct ldisc *ld, unsigned int which, u8 c)
{
	return c != 0 && ld->t.c_cc[which] == c;
}
/* The second and later bytes of a UTF-8 character take no column. */
static inline bool ld_is_continuation(const struct ldisc *ld, u8 c)
{
	return ld_i(ld, IUTF8) && (c & 0xc0) == 0x80;
}

/* ldisc_out.c: all of them drop what the output ring has no room for. */
void ld_echo_raw(struct ldisc *ld, u8 c);     /* as if written */
void ld_echo_char(struct ldisc *ld, u8 c);    /* ^X for a control character */
void ld_echo_literal(struct ldisc *ld, u8 c); /* no post-processing */

/* ldisc_edit.c: ERASE, WERASE and KILL; REPRINT. */
void ld_erase(struct ldisc *ld, u8 c);
void ld_reprint(struct ldisc *ld, u8 c);
void ld_finish_erasing(struct ldisc *ld);

/* Does @c show as ^X, in two columns? */
static inline bool ld_shows_as_caret(const struct ldisc *ld, u8 c)
{
	return ld_l(ld, ECHOCTL) && (c < ' ' || c == 0x7f) && c != '\t';
}

#endif /* KERNEL_DEV_TTY_LDISC_INT_H */
