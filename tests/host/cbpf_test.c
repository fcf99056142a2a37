/* SPDX-License-Identifier: MIT */
/* sources: lib/cbpf.c */
/* tests/host/cbpf_test.c - classic BPF: what is refused, what programs return. */
#include <tests/host/cmocka.h>

#include <lib/cbpf.h>

#define INSN(c, t, f, kk)                                    \
	{                                                    \
		.code = (c), .jt = (t), .jf = (f), .k = (kk) \
	}

static void test_run(void **state)
{
	/* if (data[0] == 7) return data[4] * 2 + 1; return 3; */
	static const struct cbpf_insn p[] = {
		INSN(0x20, 0, 0, 0), INSN(0x15, 0, 4, 7), INSN(0x20, 0, 0, 4),
		INSN(0x24, 0, 0, 2), INSN(0x04, 0, 0, 1), INSN(0x16, 0, 0, 0),
		INSN(0x06, 0, 0, 3),
	};
	u32 data[2] = { 7, 20 };

	(void)state;
	assert_int_equal(cbpf_check(p, 7, 8), 0);
	assert_int_equal(cbpf_run(p, data, 8), 41);
	data[0] = 8;
	assert_int_equal(cbpf_run(p, data, 8), 3);
}

static void test_registers(void **state)
{
	/* A = 9; M[3] = A; X = 4; A = M[3] % X; X = A; A = 10 << X; ret A */
	static const struct cbpf_insn p[] = {
		INSN(0x00, 0, 0, 9),  INSN(0x02, 0, 0, 3), INSN(0x01, 0, 0, 4),
		INSN(0x60, 0, 0, 3),  INSN(0x9c, 0, 0, 0), INSN(0x07, 0, 0, 0),
		INSN(0x00, 0, 0, 10), INSN(0x6c, 0, 0, 0), INSN(0x16, 0, 0, 0),
	};
	/* Division by a register that is zero. */
	static const struct cbpf_insn q[] = {
		INSN(0x00, 0, 0, 9),
		INSN(0x3c, 0, 0, 0),
		INSN(0x06, 0, 0, 1),
	};

	(void)state;
	assert_int_equal(cbpf_check(p, 9, 8), 0);
	assert_int_equal(cbpf_run(p, "", 0), 20);
	assert_int_equal(cbpf_check(q, 3, 8), 0);
	assert_int_equal(cbpf_run(q, "", 0), 0);
}

static void refuse(struct cbpf_insn i)
{
	struct cbpf_insn p[2] = { i, INSN(0x06, 0, 0, 0) };

	assert_int_not_equal(cbpf_check(p, 2, 64), 0);
}

static void test_refused(void **state)
{
	static const struct cbpf_insn open_end[] = { INSN(0x00, 0, 0, 0) };

	(void)state;
	assert_int_not_equal(cbpf_check(open_end, 1, 64), 0);
	assert_int_not_equal(cbpf_check(open_end, 0, 64), 0);
	refuse((struct cbpf_insn)INSN(0x20, 0, 0, 64)); /* beyond the data */
	refuse((struct cbpf_insn)INSN(0x20, 0, 0, 2));	/* between words */
	refuse((struct cbpf_insn)INSN(0x28, 0, 0, 0));	/* half a word */
	refuse((struct cbpf_insn)INSN(0x60, 0, 0, 16)); /* no such cell */
	refuse((struct cbpf_insn)INSN(0x02, 0, 0, 16));
	refuse((struct cbpf_insn)INSN(0x34, 0, 0, 0));	/* division by 0 */
	refuse((struct cbpf_insn)INSN(0x64, 0, 0, 32)); /* shift by 32 */
	refuse((struct cbpf_insn)INSN(0x05, 0, 0, 1));	/* jump to the end */
	refuse((struct cbpf_insn)INSN(0x15, 1, 0, 0));
	refuse((struct cbpf_insn)INSN(0x15, 0, 1, 0));
	refuse((struct cbpf_insn)INSN(0x05, 0, 0, ~0u)); /* backwards */
	refuse((struct cbpf_insn)INSN(0x06 | 0x18, 0, 0, 0));
	refuse((struct cbpf_insn)INSN(0x116, 0, 0, 0));
}

static u32 load_one(u16 code, u32 k, const struct cbpf_packet *pkt)
{
	const struct cbpf_insn p[] = {
		INSN(0x01, 0, 0, 2), /* X = 2 */
		{ code, 0, 0, k },
		INSN(0x16, 0, 0, 0), /* return A */
	};

	assert_int_equal(cbpf_check_packet(p, 3), 0);
	return cbpf_run_packet(p, pkt);
}

/* A packet in three pieces, and what lies at their edges. */
static void test_packet(void **state)
{
	static const u8 net[4] = { 0x45, 1, 2, 3 }, head[2] = { 4, 5 },
			data[3] = { 6, 7, 8 };
	const struct cbpf_packet pkt = {
		.part = { { net, 4 }, { head, 2 }, { data, 3 } },
		.start = 4,
		.len = 5,
		.protocol = 0x800,
	};
	const u32 at_net = (u32)-0x100000, ad = (u32)-0x1000;

	(void)state;
	assert_int_equal(load_one(0x20, 0, &pkt), 0x04050607);
	assert_int_equal(load_one(0x20, 1, &pkt), 0x05060708);
	assert_int_equal(load_one(0x20, 2, &pkt), 0); /* behind the end */
	assert_int_equal(load_one(0x28, 3, &pkt), 0x0708);
	assert_int_equal(load_one(0x30, 4, &pkt), 8);
	assert_int_equal(load_one(0x30, 5, &pkt), 0);
	assert_int_equal(load_one(0x30, 0x7fffffff, &pkt), 0);
	assert_int_equal(load_one(0x48, 1, &pkt), 0x0708); /* X + 1 */
	assert_int_equal(load_one(0x30, at_net, &pkt), 0x45);
	assert_int_equal(load_one(0x28, at_net + 3, &pkt), 0x0304);
	assert_int_equal(load_one(0x30, at_net - 1, &pkt), 0);
	assert_int_equal(load_one(0x50, ad, &pkt), 0);
	assert_int_equal(load_one(0x20, ad, &pkt), 0x800);
	assert_int_equal(load_one(0x80, 0, &pkt), 5);
}

static void test_packet_refused(void **state)
{
	static const struct cbpf_insn bad[] = {
		INSN(0x38, 0, 0, 0),	       /* eight bytes */
		INSN(0x21, 0, 0, 0),	       /* X from the packet */
		INSN(0xb0, 0, 0, 0),	       /* A from a header's length */
		INSN(0x20, 0, 0, (u32)-0xfff), /* nothing known */
		INSN(0x60, 0, 0, 16),
	};

	(void)state;
	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct cbpf_insn p[] = { bad[i], INSN(0x16, 0, 0, 0) };

		assert_int_not_equal(cbpf_check_packet(p, 2), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_packet_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
