/* SPDX-License-Identifier: MIT */
/* sources: lib/ebpf.c */
/* tests/host/ebpf_test.c - extended BPF: what is refused, what programs return. */
#include <tests/host/cmocka.h>

#include <lib/ebpf.h>
#include <lib/errno.h>

#define I(c, d, s, o, i)                                                    \
	{                                                                   \
		.code = (c), .regs = (d) | (s) << 4, .off = (o), .imm = (i) \
	}
#define EXIT	     I(0x95, 0, 0, 0, 0)
#define RETURN(v)    I(0xb7, 0, 0, 0, v), EXIT
#define WORD(d, off) I(0x61, d, 1, off, 0)
#define LEN(p)	     (sizeof(p) / sizeof((p)[0]))

static struct ebpf_state st[EBPF_MAX_LEN];

static int check(const struct ebpf_insn *p, size_t n)
{
	return ebpf_check(p, (u32)n, 3, st);
}

/* if (words[1] == 7) return (words[0] >> 16) * 3; return 9; */
static void test_run(void **state)
{
	static const struct ebpf_insn p[] = {
		WORD(2, 4),	     I(0x55, 2, 0, 4, 7),
		WORD(0, 0),	     I(0x77, 0, 0, 0, 16),
		I(0x27, 0, 0, 0, 3), EXIT,
		RETURN(9),
	};
	u32 w[3] = { 5 << 16 | 1, 7, 0 };

	(void)state;
	assert_int_equal(check(p, LEN(p)), 0);
	assert_int_equal(ebpf_run(p, w), 15);
	w[1] = 8;
	assert_int_equal(ebpf_run(p, w), 9);
}

/* One operation on two numbers. */
static u64 result(u8 code, u64 a, u64 b)
{
	const struct ebpf_insn p[] = {
		I(0x18, 0, 0, 0, (s32)a), I(0, 0, 0, 0, (s32)(a >> 32)),
		I(0x18, 3, 0, 0, (s32)b), I(0, 0, 0, 0, (s32)(b >> 32)),
		I(code, 0, 3, 0, 0),	  EXIT,
	};

	assert_int_equal(check(p, LEN(p)), 0);
	return ebpf_run(p, NULL);
}

static void test_arithmetic(void **state)
{
	(void)state;
	assert_int_equal(result(0x0f, 1ull << 40, 2), (1ull << 40) + 2);
	assert_int_equal(result(0x0c, 0xffffffff, 1), 0);
	assert_int_equal(result(0x1c, 0, 1), 0xffffffff);
	assert_int_equal(result(0x3f, 9, 0), 0);
	assert_int_equal(result(0x9f, 9, 0), 9);
	assert_int_equal(result(0x9c, 9, 4), 1);
	assert_int_equal(result(0xcf, 1ull << 63, 63), ~0ull);
	assert_int_equal(result(0xcc, 1u << 31, 31), 0xffffffff);
	assert_int_equal(result(0x6c, 1, 33), 2);
	assert_int_equal(result(0x7f, 1ull << 40, 40), 1);
}

/* Does a jump of @code go when r0 is @a and r3 is @b? */
static bool goes(u8 code, u64 a, u64 b)
{
	const struct ebpf_insn p[] = {
		I(0x18, 0, 0, 0, (s32)a),
		I(0, 0, 0, 0, (s32)(a >> 32)),
		I(0x18, 3, 0, 0, (s32)b),
		I(0, 0, 0, 0, (s32)(b >> 32)),
		I(code, 0, 3, 2, 0),
		RETURN(0),
		RETURN(1),
	};

	assert_int_equal(check(p, LEN(p)), 0);
	return ebpf_run(p, NULL);
}

static void test_jumps(void **state)
{
	(void)state;
	assert_true(goes(0x1d, 5, 5) && !goes(0x1d, 5, 1ull << 32 | 5));
	assert_true(goes(0x1e, 5, 1ull << 32 | 5)); /* halves */
	assert_true(goes(0x2d, ~0ull, 1) && !goes(0x6d, ~0ull, 1));
	assert_true(goes(0xcd, ~0ull, 1) && goes(0xce, 0xffffffff, 1));
	assert_true(goes(0x4d, 6, 2) && !goes(0x4d, 4, 3));
	assert_true(goes(0xbd, 3, 3) && !goes(0xad, 3, 3));
}

static void test_parts_of_a_word(void **state)
{
	static const struct ebpf_insn p[] = { I(0x69, 0, 1, 2, 0), EXIT };
	static const struct ebpf_insn q[] = { I(0x71, 0, 1, 4, 0), EXIT };
	u32 w[3] = { 0x00060002, 1, 3 };

	(void)state;
	assert_int_equal(check(p, LEN(p)), 0);
	assert_int_equal(ebpf_run(p, w), 6);
	assert_int_equal(check(q, LEN(q)), -EACCES);
}

static void test_refused(void **state)
{
	static const struct ebpf_insn no_exit[] = { I(0xb7, 0, 0, 0, 1) };
	static const struct ebpf_insn unset[] = { EXIT };
	static const struct ebpf_insn pointer[] = { I(0xbf, 0, 1, 0, 0), EXIT };
	static const struct ebpf_insn sum[] = { I(0x07, 1, 0, 0, 4),
						RETURN(1) };
	static const struct ebpf_insn back[] = { I(0xb7, 0, 0, 0, 1),
						 I(0x15, 0, 0, -2, 0), EXIT };
	static const struct ebpf_insn far[] = { I(0xb7, 0, 0, 0, 1),
						I(0x15, 0, 0, 1, 0), EXIT };
	static const struct ebpf_insn dead[] = { RETURN(1), RETURN(2) };
	static const struct ebpf_insn call[] = { I(0x85, 0, 0, 0, 1), EXIT };
	static const struct ebpf_insn store[] = { I(0x62, 1, 0, 0, 1),
						  RETURN(1) };
	static const struct ebpf_insn behind[] = { WORD(0, 12), EXIT };
	static const struct ebpf_insn zero[] = { I(0xb7, 0, 0, 0, 1),
						 I(0x37, 0, 0, 0, 0), EXIT };
	static const struct ebpf_insn one_way[] = { WORD(2, 4),
						    I(0x15, 2, 0, 1, 0),
						    I(0xb7, 0, 0, 0, 1), EXIT };
	static const struct ebpf_insn middle[] = { I(0xb7, 0, 0, 0, 1),
						   I(0x15, 0, 0, 1, 0),
						   I(0x18, 2, 0, 0, 0),
						   I(0, 0, 0, 0, 0), EXIT };

	(void)state;
	assert_int_equal(check(no_exit, LEN(no_exit)), -EINVAL);
	assert_int_equal(check(unset, LEN(unset)), -EACCES);
	assert_int_equal(check(pointer, LEN(pointer)), -EACCES);
	assert_int_equal(check(sum, LEN(sum)), -EACCES);
	assert_int_equal(check(back, LEN(back)), -EINVAL);
	assert_int_equal(check(far, LEN(far)), -EINVAL);
	assert_int_equal(check(dead, LEN(dead)), -EINVAL);
	assert_int_equal(check(call, LEN(call)), -EINVAL);
	assert_int_equal(check(store, LEN(store)), -EINVAL);
	assert_int_equal(check(behind, LEN(behind)), -EACCES);
	assert_int_equal(check(zero, LEN(zero)), -EINVAL);
	assert_int_equal(check(one_way, LEN(one_way)), -EACCES);
	assert_int_equal(check(middle, LEN(middle)), -EINVAL);
	assert_int_equal(check(unset, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_parts_of_a_word),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
