/* SPDX-License-Identifier: MIT */
/*
 * lib/cbpf.c - checks and runs classic BPF; see cbpf.h.
 */
#include <lib/cbpf.h>

#include <lib/errno.h>
#include <lib/string.h>

/* Fields of a code. */
#define CLASS(c) ((c)&0x07)
#define LD	 0x00
#define LDX	 0x01
#define ST	 0x02
#define STX	 0x03
#define ALU	 0x04
#define JMP	 0x05
#define RET	 0x06
#define MISC	 0x07

#define SRC_X	0x08
#define MODE(c) ((c)&0xf8) /* with the size, which must be a word: 0 */
#define IMM	0x00
#define ABS	0x20
#define MEM	0x60
#define LEN	0x80

#define OP(c) ((c)&0xf0)
#define ADD   0x00
#define SUB   0x10
#define MUL   0x20
#define DIV   0x30
#define OR    0x40
#define AND   0x50
#define LSH   0x60
#define RSH   0x70
#define NEG   0x80
#define MOD   0x90
#define XOR   0xa0

#define JA   0x00
#define JEQ  0x10
#define JGT  0x20
#define JGE  0x30
#define JSET 0x40

#define RET_K 0x00
#define RET_A 0x10
#define TXA   0x80

#define NR_MEM 16u

static bool load_ok(const struct cbpf_insn *i, u32 size)
{
	switch (MODE(i->code)) {
	case IMM:
	case LEN:
		return true;
	case MEM:
		return i->k < NR_MEM;
	case ABS:
		return CLASS(i->code) == LD && i->k < size && !(i->k & 3);
	default:
		return false;
	}
}

static bool alu_ok(const struct cbpf_insn *i)
{
	bool k = !(i->code & SRC_X);

	switch (OP(i->code)) {
	case DIV:
	case MOD:
		return !k || i->k;
	case LSH:
	case RSH:
		return !k || i->k < 32;
	case NEG:
		return k;
	default:
		return OP(i->code) <= XOR;
	}
}

static bool jump_ok(const struct cbpf_insn *i, u32 left)
{
	switch (OP(i->code)) {
	case JA:
		return !(i->code & SRC_X) && i->k < left;
	case JEQ:
	case JGT:
	case JGE:
	case JSET:
		return i->jt < left && i->jf < left;
	default:
		return false;
	}
}

/* @left instructions follow. */
static bool insn_ok(const struct cbpf_insn *i, u32 left, u32 size)
{
	if (i->code & ~0xffu)
		return false;
	switch (CLASS(i->code)) {
	case LD:
	case LDX:
		return load_ok(i, size);
	case ST:
	case STX:
		return i->code == CLASS(i->code) && i->k < NR_MEM;
	case ALU:
		return alu_ok(i);
	case JMP:
		return jump_ok(i, left);
	case RET:
		return i->code == (RET | RET_K) || i->code == (RET | RET_A);
	default:
		return i->code == MISC || i->code == (MISC | TXA);
	}
}

int cbpf_check(const struct cbpf_insn *insns, u32 len, u32 size)
{
	if (!len || len > CBPF_MAX_LEN || CLASS(insns[len - 1].code) != RET)
		return -EINVAL;
	for (u32 i = 0; i < len; i++) {
		if (!insn_ok(&insns[i], len - 1 - i, size))
			return -EINVAL;
	}
	return 0;
}

/* Division by a register that is zero ends the program with 0. */
static bool alu(u16 code, u32 *a, u32 v)
{
	switch (OP(code)) {
	case ADD:
		*a += v;
		break;
	case SUB:
		*a -= v;
		break;
	case MUL:
		*a *= v;
		break;
	case DIV:
		if (!v)
			return false;
		*a /= v;
		break;
	case MOD:
		if (!v)
			return false;
		*a %= v;
		break;
	case OR:
		*a |= v;
		break;
	case AND:
		*a &= v;
		break;
	case XOR:
		*a ^= v;
		break;
	case LSH:
		*a <<= v & 31;
		break;
	case RSH:
		*a >>= v & 31;
		break;
	default:
		*a = -*a;
		break;
	}
	return true;
}

static bool holds(u16 code, u32 a, u32 v)
{
	switch (OP(code)) {
	case JEQ:
		return a == v;
	case JGT:
		return a > v;
	case JGE:
		return a >= v;
	default:
		return (a & v) != 0;
	}
}

static u32 load(const struct cbpf_insn *i, const u8 *data, u32 size,
		const u32 *mem)
{
	u32 v;

	switch (MODE(i->code)) {
	case IMM:
		return i->k;
	case LEN:
		return size;
	case MEM:
		return mem[i->k];
	default:
		memcpy(&v, data + i->k, sizeof(v));
		return v;
	}
}

u32 cbpf_run(const struct cbpf_insn *i, const void *data, u32 size)
{
	u32 mem[NR_MEM] = { 0 }, a = 0, x = 0;

	for (;; i++) {
		u32 v = i->code & SRC_X ? x : i->k;

		switch (CLASS(i->code)) {
		case LD:
			a = load(i, data, size, mem);
			break;
		case LDX:
			x = load(i, data, size, mem);
			break;
		case ST:
			mem[i->k] = a;
			break;
		case STX:
			mem[i->k] = x;
			break;
		case ALU:
			if (!alu(i->code, &a, v))
				return 0;
			break;
		case JMP:
			if (OP(i->code) == JA)
				i += i->k;
			else
				i += holds(i->code, a, v) ? i->jt : i->jf;
			break;
		case RET:
			return i->code & RET_A ? a : i->k;
		default:
			if (i->code & TXA)
				a = x;
			else
				x = a;
			break;
		}
	}
}
