/* SPDX-License-Identifier: MIT */
/* sources: kernel/dev/tty/ldisc.c kernel/dev/tty/ldisc_out.c kernel/dev/tty/ldisc_edit.c */
/*
 * tests/host/ldisc_test.c - the line discipline: typed bytes in, lines and
 * screen output out.
 */
#include <tests/host/cmocka.h>

#include <kernel/dev/tty/ldisc.h>

#include <string.h>

static struct ldisc ld;
static u8 in_buf[LDISC_BUF], out_buf[LDISC_BUF];

static int setup(void **state)
{
	(void)state;
	ldisc_init(&ld, in_buf, out_buf);
	return 0;
}

static void modes(u32 iflag_on, u32 lflag_off, u32 lflag_on)
{
	struct termios2 t = ld.t;

	t.c_iflag |= iflag_on;
	t.c_lflag = (t.c_lflag & ~lflag_off) | lflag_on;
	ldisc_set_termios(&ld, &t);
	(void)ldisc_take_events(&ld);
}

static void type_n(const char *s, size_t n)
{
	assert_int_equal(ldisc_receive(&ld, (const u8 *)s, n), n);
}

static void type(const char *s)
{
	type_n(s, strlen(s));
}

static void expect_screen(const char *want)
{
	char got[LDISC_BUF + 1];
	size_t n = ldisc_take_output(&ld, (u8 *)got, LDISC_BUF);

	got[n] = '\0';
	assert_string_equal(got, want);
}

/* One read of up to @max bytes gives @want; is it complete? */
static bool expect_read(size_t max, const char *want)
{
	char got[LDISC_BUF + 1];
	bool done;
	size_t n = ldisc_read(&ld, (u8 *)got, max, &done);

	got[n] = '\0';
	assert_string_equal(got, want);
	return done;
}

/* --- canonical input */

static void a_line_is_readable_when_complete(void **state)
{
	(void)state;
	type("hell");
	assert_false(ldisc_readable(&ld, 1));
	assert_false(ldisc_take_events(&ld) & LD_READ);
	type("o\r");
	assert_true(ldisc_readable(&ld, 1));
	assert_true(ldisc_take_events(&ld) & LD_READ);
	assert_true(expect_read(100, "hello\n"));
	assert_false(ldisc_readable(&ld, 1));
	expect_screen("hello\r\n");
}

static void one_read_gives_one_line(void **state)
{
	(void)state;
	type("one\ntwo\n");
	assert_int_equal(ldisc_input_bytes(&ld), 8);
	assert_true(expect_read(100, "one\n"));
	assert_true(expect_read(100, "two\n"));
}

static void a_long_line_comes_in_pieces(void **state)
{
	(void)state;
	type("abcdef\n");
	assert_false(expect_read(4, "abcd"));
	assert_true(ldisc_readable(&ld, 1));
	assert_true(expect_read(4, "ef\n"));
}

static void eof_ends_a_read(void **state)
{
	(void)state;
	type("ab\x04");
	assert_int_equal(ldisc_input_bytes(&ld), 2);
	assert_true(expect_read(100, "ab"));
	assert_false(ldisc_readable(&ld, 1));
	type("\x04");
	assert_true(ldisc_readable(&ld, 1));
	assert_true(expect_read(100, ""));
	assert_false(ldisc_readable(&ld, 1));
	expect_screen("ab");
}

/* The mark behind text that just fills the buffer is not an end of file. */
static void eof_behind_a_full_read_is_eaten(void **state)
{
	(void)state;
	type("abcd\x04");
	assert_true(expect_read(4, "abcd"));
	assert_false(ldisc_readable(&ld, 1));
}

static void newline_mappings(void **state)
{
	(void)state;
	modes(IGNCR, 0, 0);
	type("a\r\n");
	assert_true(expect_read(9, "a\n"));
	ld.t.c_iflag = INLCR;
	ld.t.c_cc[VEOL] = '\r';
	type("b\n");
	assert_true(expect_read(9, "b\r"));
}

static void eol2_needs_iexten(void **state)
{
	(void)state;
	ld.t.c_cc[VEOL2] = '|';
	type("ab|");
	assert_true(expect_read(9, "ab|"));
	modes(0, IEXTEN, 0);
	type("ab|");
	assert_false(ldisc_readable(&ld, 1));
}

/* --- editing */

static void erase_rubs_out(void **state)
{
	(void)state;
	type("ab\x7f");
	expect_screen("ab\b \b");
	type("\x7f\x7f"); /* the second finds nothing */
	expect_screen("\b \b");
	type("x\n");
	assert_true(expect_read(9, "x\n"));
}

static void erase_of_a_control_character_takes_two_columns(void **state)
{
	(void)state;
	type("\x01\x7f");
	expect_screen("^A\b \b\b \b");
}

static void erase_of_a_tab_goes_back_over_it(void **state)
{
	(void)state;
	assert_int_equal(ldisc_write(&ld, (const u8 *)"$ ", 2), 2);
	type("a\t\x7f");
	expect_screen("$ a\t\b\b\b\b\b");
	type("b\n");
	assert_true(expect_read(9, "ab\n"));
}

static void utf8_is_erased_whole(void **state)
{
	(void)state;
	modes(IUTF8, 0, 0);
	type("\xc3\xa4\xe2\x82\xac\x7f");
	expect_screen("\xc3\xa4\xe2\x82\xac\b \b");
	type("\n");
	assert_true(expect_read(9, "\xc3\xa4\n"));
}

static void werase_takes_a_word(void **state)
{
	(void)state;
	type("one  two.\x17");
	expect_screen("one  two.\b \b\b \b\b \b\b \b");
	type("\x17\n");
	assert_true(expect_read(99, "\n"));
}

static void kill_takes_the_line(void **state)
{
	(void)state;
	type("abc\x15");
	expect_screen("abc\b \b\b \b\b \b");
	modes(0, ECHOKE, 0);
	type("abc\x15z\n");
	expect_screen("abc^U\r\nz\r\n");
	assert_true(expect_read(9, "z\n"));
}

static void editing_stops_at_the_line_before(void **state)
{
	(void)state;
	type("ab\n\x7f\x7f\x15");
	assert_true(expect_read(9, "ab\n"));
}

static void lnext_takes_the_meaning(void **state)
{
	(void)state;
	type("\x16\x03\x16\x7f\n");
	assert_false(ldisc_take_events(&ld) & LD_SIGNALS);
	assert_true(expect_read(9, "\x03\x7f\n"));
	expect_screen("^\b^C^\b^?\r\n");
}

static void reprint_shows_the_line_again(void **state)
{
	(void)state;
	type("ab\x12");
	expect_screen("ab^R\r\nab");
}

static void echoprt_prints_what_goes(void **state)
{
	(void)state;
	modes(0, ECHOKE, ECHOPRT);
	type("ab\x7fx\n");
	expect_screen("ab\\b/x\r\n");
	assert_true(expect_read(9, "ax\n"));
}

/* --- signals and flow */

static void signals_flush_unless_told_not_to(void **state)
{
	(void)state;
	type("abc\x03");
	assert_true(ldisc_take_events(&ld) & LD_SIGINT);
	expect_screen("^C");
	type("\n");
	assert_true(expect_read(9, "\n"));
	modes(0, 0, NOFLSH);
	type("abc\x1a");
	assert_true(ldisc_take_events(&ld) & LD_SIGTSTP);
	type("\n");
	assert_true(expect_read(9, "abc\n"));
}

static void no_signals_without_isig(void **state)
{
	(void)state;
	modes(0, ISIG, 0);
	type("\x03\x1c\n");
	assert_false(ldisc_take_events(&ld) & LD_SIGNALS);
	assert_true(expect_read(9, "\x03\x1c\n"));
}

static void xon_xoff(void **state)
{
	(void)state;
	type("\x13");
	assert_true(ldisc_take_events(&ld) & LD_STOP);
	assert_int_equal(ldisc_write_room(&ld), 0);
	assert_int_equal(ldisc_write(&ld, (const u8 *)"x", 1), 0);
	type("a"); /* no IXANY: still stopped */
	assert_true(ld.stopped);
	type("\x11");
	assert_true(ldisc_take_events(&ld) & LD_START);
	modes(IXANY, 0, 0);
	type("\x13");
	type("b");
	assert_false(ld.stopped);
}

static void tcooff_is_not_ended_by_typing(void **state)
{
	(void)state;
	ldisc_stop(&ld, true);
	type("\x11");
	assert_true(ld.stopped);
	ldisc_start(&ld, true);
	assert_false(ld.stopped);
}

static void ixoff_pauses_the_other_end(void **state)
{
	bool done;
	u8 buf[LDISC_BUF];

	(void)state;
	modes(IXOFF, ICANON | ECHO, 0);
	for (u32 i = 0; i < LDISC_BUF; i++)
		type("x");
	assert_int_equal(ld.xchar, 0x13);
	ld.xchar = 0;
	(void)ldisc_read(&ld, buf, LDISC_BUF, &done);
	assert_int_equal(ld.xchar, 0x11);
}

/* --- raw input */

static void raw_bytes_pass_at_once(void **state)
{
	(void)state;
	modes(0, ICANON | ECHO | ISIG, 0);
	type("a\x7f\x04");
	assert_true(ldisc_readable(&ld, 3));
	assert_false(ldisc_readable(&ld, 4));
	(void)expect_read(9, "a\x7f\x04");
	expect_screen("");
}

static void raw_full_takes_no_more(void **state)
{
	u8 big[LDISC_BUF + 10];

	(void)state;
	memset(big, 'x', sizeof(big));
	modes(0, ICANON | ECHO, 0);
	assert_int_equal(ldisc_receive(&ld, big, sizeof(big)), LDISC_BUF);
	assert_int_equal(ldisc_room(&ld), 0);
	(void)ldisc_take_events(&ld);
	assert_int_equal(ldisc_input_bytes(&ld), LDISC_BUF);
}

/* An endless line is cut, but can be ended; behind a line it must wait. */
static void canonical_full(void **state)
{
	u8 big[LDISC_BUF + 10];
	bool done;

	(void)state;
	modes(0, ECHO, 0);
	memset(big, 'x', sizeof(big));
	assert_int_equal(ldisc_receive(&ld, big, sizeof(big)), sizeof(big));
	type("\n");
	assert_int_equal(ldisc_input_bytes(&ld), LDISC_BUF);
	assert_int_equal(ldisc_room(&ld), 0);
	assert_int_equal(ldisc_read(&ld, big, sizeof(big), &done), LDISC_BUF);
	assert_true(done);
	assert_int_equal(big[LDISC_BUF - 1], '\n');
}

static void modes_change_under_waiting_input(void **state)
{
	(void)state;
	type("part");
	modes(0, ICANON, 0);
	assert_true(ldisc_readable(&ld, 4));
	modes(0, 0, ICANON);
	assert_true(expect_read(9, "part"));
}

static void positions_wrap(void **state)
{
	char line[102];

	(void)state;
	modes(0, ECHO, 0);
	memset(line, 'y', 100);
	line[100] = '\n';
	line[101] = '\0';
	ld.head = ld.canon = ld.tail = 0xffffff00u; /* and the counters too */
	for (int i = 0; i < 1000; i++) {
		type(line);
		assert_true(expect_read(200, line));
	}
}

static void parity_and_breaks(void **state)
{
	(void)state;
	modes(INPCK | PARMRK, ICANON | ECHO, 0);
	ldisc_receive_bad(&ld, 'q');
	ldisc_receive_break(&ld);
	type("\xff");
	assert_int_equal(ldisc_input_bytes(&ld), 8);
	assert_memory_equal(in_buf, "\xff\0q\xff\0\0\xff\xff", 8);
	modes(BRKINT, 0, 0);
	ldisc_receive_break(&ld);
	assert_true(ldisc_take_events(&ld) & LD_SIGINT);
}

/* --- output */

static void put(const char *s)
{
	assert_int_equal(ldisc_write(&ld, (const u8 *)s, strlen(s)), strlen(s));
}

static void output_modes(void **state)
{
	(void)state;
	put("a\n\tb");
	expect_screen("a\r\n\tb");
	ld.t.c_oflag = OPOST | XTABS | OCRNL | OLCUC;
	ld.column = 0;
	put("ab\tc\r");
	expect_screen("AB      C\n");
	ld.t.c_oflag = OPOST | ONOCR;
	ld.column = 0;
	put("\rx\r");
	expect_screen("x\r");
	ld.t.c_oflag = ONLCR; /* without OPOST nothing counts */
	put("\n");
	expect_screen("\n");
}

static void writers_leave_room_for_the_echo(void **state)
{
	u8 big[LDISC_BUF];
	u8 sink[LDISC_BUF];

	(void)state;
	memset(big, 'z', sizeof(big));
	assert_int_equal(ldisc_write(&ld, big, sizeof(big)),
			 LDISC_BUF - LDISC_ECHO_ROOM);
	type("echo");
	assert_int_equal(ldisc_out_bytes(&ld), LDISC_BUF - LDISC_ECHO_ROOM + 4);
	(void)ldisc_take_output(&ld, sink, sizeof(sink));
	assert_memory_equal(sink + LDISC_BUF - LDISC_ECHO_ROOM, "echo", 4);
	assert_true(ldisc_take_events(&ld) & LD_ROOM);
}

/* --- anything at all: no crash, and the counters stay in order (I1) */

static u32 rnd_state = 12345;

static u32 rnd(u32 n)
{
	rnd_state = rnd_state * 1664525u + 1013904223u;
	return (rnd_state >> 8) % n;
}

static void random_modes(void)
{
	struct termios2 t = ld.t;

	t.c_iflag = rnd(1u << 15);
	t.c_oflag = rnd(1u << 14);
	t.c_lflag = rnd(1u << 17);
	t.c_cc[rnd(NCCS)] = (u8)rnd(256);
	ldisc_set_termios(&ld, &t);
}

static void random_step(void)
{
	u8 buf[600];
	u32 n = rnd(sizeof(buf));
	bool done;

	for (u32 i = 0; i < n; i++)
		buf[i] = rnd(3) ? (u8)rnd(32) : (u8)rnd(256);
	switch (rnd(8)) {
	case 0:
	case 1:
	case 2:
		(void)ldisc_receive(&ld, buf, n);
		break;
	case 3:
		(void)ldisc_read(&ld, buf, n + 1, &done);
		break;
	case 4:
		(void)ldisc_write(&ld, buf, n);
		break;
	case 5:
		(void)ldisc_take_output(&ld, buf, n);
		break;
	case 6:
		if (rnd(10) == 0)
			random_modes();
		break;
	default:
		if (rnd(20) == 0)
			ldisc_flush_input(&ld);
		break;
	}
}

static void random_use_keeps_the_invariants(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		random_step();
		assert_true(ld.head - ld.tail <= LDISC_BUF);
		assert_true(ld.canon - ld.tail <= ld.head - ld.tail);
		assert_true(ldisc_out_bytes(&ld) <= LDISC_BUF);
		assert_true(ldisc_input_bytes(&ld) <= ld.canon - ld.tail);
	}
}

#define T(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_line_is_readable_when_complete),
		T(one_read_gives_one_line),
		T(a_long_line_comes_in_pieces),
		T(eof_ends_a_read),
		T(eof_behind_a_full_read_is_eaten),
		T(newline_mappings),
		T(eol2_needs_iexten),
		T(erase_rubs_out),
		T(erase_of_a_control_character_takes_two_columns),
		T(erase_of_a_tab_goes_back_over_it),
		T(utf8_is_erased_whole),
		T(werase_takes_a_word),
		T(kill_takes_the_line),
		T(editing_stops_at_the_line_before),
		T(lnext_takes_the_meaning),
		T(reprint_shows_the_line_again),
		T(echoprt_prints_what_goes),
		T(signals_flush_unless_told_not_to),
		T(no_signals_without_isig),
		T(xon_xoff),
		T(tcooff_is_not_ended_by_typing),
		T(ixoff_pauses_the_other_end),
		T(raw_bytes_pass_at_once),
		T(raw_full_takes_no_more),
		T(canonical_full),
		T(modes_change_under_waiting_input),
		T(positions_wrap),
		T(parity_and_breaks),
		T(output_modes),
		T(writers_leave_room_for_the_echo),
		T(random_use_keeps_the_invariants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
