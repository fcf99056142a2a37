/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/tty/ldisc.h - the line discipline: what typing means.
 *
 * Pure logic between two byte buffers.  Received bytes are edited into lines
 * (or passed on, when raw), echoed and turned into events; written bytes are
 * post-processed into the output ring, from which the driver, or the reader of
 * a pty's master side, takes them.  Nothing here sleeps, signals or touches a
 * device: each operation leaves LD_* bits that its caller takes with
 * ldisc_take_events() and acts on.
 *
 * INVARIANTS
 *   I1  tail <= canon <= head <= tail + LDISC_BUF (free-running counters).
 *   I2  In canonical mode bytes in [tail, canon) belong to complete lines, each
 *       ended by a byte with its eol bit set; [canon, head) is being edited.
 *   I3  A byte whose eof bit is set ends a line and is never handed out.
 *   I4  Writers leave LDISC_ECHO_ROOM bytes of the output ring to the echo.
 *
 * Locking: none here; the owner of the struct (struct tty) brings its lock.
 */
#ifndef KERNEL_DEV_TTY_LDISC_H
#define KERNEL_DEV_TTY_LDISC_H

#include <kernel/dev/tty/termios.h>
#include <lib/types.h>

#define LDISC_BUF	4096u /* bytes; each of the two buffers; power of two */
#define LDISC_ECHO_ROOM 256u

/* What happened and somebody should be told. */
#define LD_SIGINT   BIT(0)
#define LD_SIGQUIT  BIT(1)
#define LD_SIGTSTP  BIT(2)
#define LD_SIGNALS  (LD_SIGINT | LD_SIGQUIT | LD_SIGTSTP)
#define LD_READ	    BIT(3)  /* a read may now succeed */
#define LD_TX	    BIT(4)  /* bytes (or xchar) wait to be sent */
#define LD_ROOM	    BIT(5)  /* a write may now succeed */
#define LD_STOP	    BIT(6)  /* output was stopped: ^S */
#define LD_START    BIT(7)  /* output goes on: ^Q */
#define LD_FLUSH_RD BIT(8)  /* input was thrown away */
#define LD_FLUSH_WR BIT(9)  /* output was thrown away */
#define LD_IN_ROOM  BIT(10) /* there is room for input again */

struct ldisc {
	struct termios2 t;
	u8 *in;			 /* owner's, LDISC_BUF bytes */
	u8 *out;		 /* owner's, LDISC_BUF bytes */
	u32 head, canon, tail;	 /* of in; see I1 */
	u32 out_head, out_tail;	 /* of out */
	u32 column;		 /* of the cursor, as far as we know */
	u32 canon_column;	 /* where the line being edited began */
	u32 events;		 /* LD_* not taken yet */
	u64 eol[LDISC_BUF / 64]; /* by position in in */
	u64 eof[LDISC_BUF / 64];
	bool lnext;	  /* the next byte is literal */
	bool erasing;	  /* inside the \.../ of ECHOPRT */
	bool stopped;	  /* by ^S or TCOOFF */
	bool tco_stopped; /* by TCOOFF: only TCOON starts it */
	bool throttled;	  /* we sent STOP because in is full */
	u8 xchar;	  /* to be sent before all else, 0: none */
};

/* @in and @out: LDISC_BUF bytes each, borrowed for the life of @ld. */
void ldisc_init(struct ldisc *ld, u8 *in, u8 *out);

/* New modes; input that is there stays readable when ICANON changes. */
void ldisc_set_termios(struct ldisc *ld, const struct termios2 *t);

/* --- bytes from the terminal */

/* How many bytes ldisc_receive() would take now.  LDISC_BUF and more: all. */
u32 ldisc_room(const struct ldisc *ld);
/* Returns the number taken, which is below @n only when input is full. */
size_t ldisc_receive(struct ldisc *ld, const u8 *s, size_t n);
void ldisc_receive_break(struct ldisc *ld);
/* A byte that arrived with a parity or framing error. */
void ldisc_receive_bad(struct ldisc *ld, u8 c);

/* --- bytes to the reading program */

/* Would a read get something?  @min: at least so many bytes when raw. */
bool ldisc_readable(const struct ldisc *ld, u32 min);
/*
 * Move up to @max bytes out, at most one line when canonical.  *@done: the line
 * (or end of file) is complete, so the read ends even with nothing moved.
 */
size_t ldisc_read(struct ldisc *ld, u8 *dst, size_t max, bool *done);
/* FIONREAD. */
u32 ldisc_input_bytes(const struct ldisc *ld);

/* --- bytes from the writing program */

/* Bytes of @s that were post-processed into the output ring. */
size_t ldisc_write(struct ldisc *ld, const u8 *s, size_t n);
/* Room that a writer sees: 0 when nearly full or stopped. */
u32 ldisc_write_room(const struct ldisc *ld);

/* --- bytes to the terminal */

static inline u32 ldisc_out_bytes(const struct ldisc *ld)
{
	return ld->out_head - ld->out_tail;
}
/*
 * Take up to @max bytes out of the output ring, also while stopped: a driver
 * looks at ld->stopped first.  Does not hand out xchar.
 */
size_t ldisc_take_output(struct ldisc *ld, u8 *dst, size_t max);
/* For a driver without a way to overtake: queue xchar like any other byte. */
void ldisc_queue_xchar(struct ldisc *ld);

/* --- control */

void ldisc_flush_input(struct ldisc *ld);
void ldisc_flush_output(struct ldisc *ld);
void ldisc_stop(struct ldisc *ld, bool tco);
void ldisc_start(struct ldisc *ld, bool tco);
/* Send @c ahead of everything (TCIOFF, TCION). */
void ldisc_send_xchar(struct ldisc *ld, u8 c);

static inline u32 ldisc_take_events(struct ldisc *ld)
{
	u32 ev = ld->events;

	ld->events = 0;
	return ev;
}

#endif /* KERNEL_DEV_TTY_LDISC_H */
