/* SPDX-License-Identifier: MIT */
/*
 * lib/ebpf.c - extended BPF: what is refused, and the interpreter.
 *
 * Jumps go forward, so one pass in order of the instructions sees every way to one
 * before it: a register counts when all of them have set it.
 */
#include <lib/ebpf.h>

#include <lib/errno.h>

#define CLASS(c) ((c)&0x07)
#define OP(c)	 ((c)&0xf0)
#define IS_X(c)	 ((c)&0x08)

enum {
	LD = 0,
	LDX = 1,
	ALU = 4,
	JMP = 5,
	JMP32 = 6,
	ALU64 = 7,
};

#define LD_IMM64 0x18
#define MEM_W	 0x61
#define MEM_H	 0x69
#define MEM_B	 0x71

enum {
	ADD = 0x00,
	SUB = 0x10,
	MUL = 0x20,
	DIV = 0x30,
	OR = 0x40,
	AND = 0x50,
	LSH = 0x60,
	RSH = 0x70,
	NEG = 0x80,
	MOD = 0x90,
	XOR = 0xa0,
	MOV = 0xb0,
	ARSH = 0xc0,
};

enum {
	JA = 0x00,
	JEQ = 0x10,
	JGT = 0x20,
	JGE = 0x30,
	JSET = 0x40,
	JNE = 0x50,
	JSGT = 0x60,
	JSGE = 0x70,
	EXIT = 0x90,
	JLT = 0xa0,
	JLE = 0xb0,
	JSLT = 0xc0,
	JSLE = 0xd0,
};

static u32 dst_of(const struct ebpf_insn *i)
{
	return i->regs & 0x0f;
}

static u32 src_of(const struct ebpf_insn *i)
{
	return i->regs >> 4;
}

/* Instruction @at is reached from one after which @s holds. */
static void reach(struct ebpf_state *st, u32 at, struct ebpf_state s)
{
	if (!st[at].reached) {
		st[at] = s;
		return;
	}
	st[at].number &= s.number;
	st[at].words &= s.words;
}

static void set(struct ebpf_state *s, u32 reg, bool words)
{
	s->number = (u16)(s->number & ~BIT(reg));
	s->words = (u16)(s->words & ~BIT(reg));
	if (words)
		s->words |= (u16)BIT(reg);
	else
		s->number |= (u16)BIT(reg);
}

static int check_alu(const struct ebpf_insn *i, struct ebpf_state *s)
{
	u32 op = OP(i->code), bits = CLASS(i->code) == ALU64 ? 64 : 32;
	bool x = IS_X(i->code);

	if (op > ARSH || i->off || (x && (i->imm || op == NEG)) ||
	    (!x && src_of(i)))
		return -EINVAL;
	if (op == MOV && x && bits == 64 && (s->words & BIT(src_of(i)))) {
		set(s, dst_of(i), true);
		return 0;
	}
	if (!x && (op == DIV || op == MOD) && !i->imm)
		return -EINVAL;
	if (!x && (op == LSH || op == RSH || op == ARSH) && (u32)i->imm >= bits)
		return -EINVAL;
	if ((x && !(s->number & BIT(src_of(i)))) ||
	    (op != MOV && !(s->number & BIT(dst_of(i)))))
		return -EACCES;
	set(s, dst_of(i), false);
	return 0;
}

static int check_load(const struct ebpf_insn *i, u32 words,
		      struct ebpf_state *s)
{
	u32 size = i->code == MEM_W ? 4 : i->code == MEM_H ? 2 : 1;

	if ((i->code != MEM_W && i->code != MEM_H && i->code != MEM_B) ||
	    i->imm)
		return -EINVAL;
	if (!(s->words & BIT(src_of(i))) || i->off < 0 || (u32)i->off % size ||
	    (u32)i->off >= (size < 4 && words ? 4 : words * 4))
		return -EACCES;
	set(s, dst_of(i), false);
	return 0;
}

/* A jump, to which @left instructions follow: *@to, how many of them it leaves out. */
static int check_jump(const struct ebpf_insn *i, u32 left,
		      const struct ebpf_state *s, u32 *to)
{
	u32 op = OP(i->code);
	bool x = IS_X(i->code);

	if (op > JSLE || op == 0x80 || (x && i->imm) || (!x && src_of(i)) ||
	    i->off < 0 || (u32)i->off >= left)
		return -EINVAL;
	*to = (u32)i->off;
	if (op == JA)
		return i->imm || i->regs || CLASS(i->code) == JMP32 ? -EINVAL
								    : 0;
	return (s->number & BIT(dst_of(i))) &&
			       (!x || (s->number & BIT(src_of(i))))
		       ? 0
		       : -EACCES;
}

static int check_exit(const struct ebpf_insn *i, const struct ebpf_state *s)
{
	if (IS_X(i->code) || i->regs || i->off || i->imm)
		return -EINVAL;
	return s->number & BIT(0) ? 0 : -EACCES;
}

/* Instruction @at of @len; where it leads is reached. */
static int check_one(const struct ebpf_insn *insns, u32 at, u32 len, u32 words,
		     struct ebpf_state *st)
{
	const struct ebpf_insn *i = &insns[at];
	struct ebpf_state s = st[at];
	u32 next = at + 1, skip = 0, class = CLASS(i->code);
	int err = -EINVAL;

	if (!s.reached || dst_of(i) >= EBPF_REGS || src_of(i) >= EBPF_REGS)
		return -EINVAL;
	if (i->code == (JMP | EXIT))
		return check_exit(i, &s);
	if (class == ALU || class == ALU64) {
		err = check_alu(i, &s);
	} else if (class == LDX) {
		err = check_load(i, words, &s);
	} else if (class == JMP || class == JMP32) {
		err = check_jump(i, len - next, &s, &skip);
		if (!err && skip)
			reach(st, next + skip, s);
		if (!err && skip && OP(i->code) == JA)
			return 0;
	} else if (i->code == LD_IMM64 && next < len && !i->off && !src_of(i) &&
		   !insns[next].code && !insns[next].regs && !insns[next].off) {
		set(&s, dst_of(i), false);
		next++;
		err = 0;
	}
	if (err || next >= len)
		return err ? err : -EINVAL;
	reach(st, next, s);
	return 0;
}

int ebpf_check(const struct ebpf_insn *insns, u32 len, u32 words,
	       struct ebpf_state *st)
{
	if (!len || len > EBPF_MAX_LEN)
		return -EINVAL;
	for (u32 at = 0; at < len; at++)
		st[at] = (struct ebpf_state){ .reached = false };
	st[0] = (struct ebpf_state){ .words = BIT(1), .reached = true };
	for (u32 at = 0; at < len; at++) {
		int err = check_one(insns, at, len, words, st);

		if (err)
			return err;
		if (insns[at].code == LD_IMM64) {
			at++; /* its other half */
			if (st[at].reached)
				return -EINVAL;
		}
	}
	return 0;
}

/* The operations whose result depends on the width: shifts count modulo it. */
static u64 narrow(u32 op, u32 a, u32 b)
{
	switch (op) {
	case LSH:
		return a << (b & 31);
	case RSH:
		return a >> (b & 31);
	case ARSH:
		return (u32)((s32)a >> (b & 31));
	case DIV:
		return b ? a / b : 0;
	case MOD:
		return b ? a % b : a;
	default:
		return 0;
	}
}

static u64 wide(u32 op, u64 a, u64 b)
{
	switch (op) {
	case ADD:
		return a + b;
	case SUB:
		return a - b;
	case MUL:
		return a * b;
	case OR:
		return a | b;
	case AND:
		return a & b;
	case XOR:
		return a ^ b;
	case MOV:
		return b;
	case NEG:
		return -a;
	case LSH:
		return a << (b & 63);
	case RSH:
		return a >> (b & 63);
	case ARSH:
		return (u64)((s64)a >> (b & 63));
	case DIV:
		return b ? a / b : 0;
	default: /* MOD */
		return b ? a % b : a;
	}
}

static u64 alu(const struct ebpf_insn *i, u64 a, u64 b)
{
	u32 op = OP(i->code);

	if (CLASS(i->code) == ALU64)
		return wide(op, a, b);
	if (op == LSH || op == RSH || op == ARSH || op == DIV || op == MOD)
		return narrow(op, (u32)a, (u32)b);
	return (u32)wide(op, a, b);
}

static bool jumps(const struct ebpf_insn *i, u64 a, u64 b)
{
	bool w = CLASS(i->code) == JMP32;
	s64 sa = w ? (s32)a : (s64)a, sb = w ? (s32)b : (s64)b;

	if (w) {
		a = (u32)a;
		b = (u32)b;
	}
	switch (OP(i->code)) {
	case JA:
		return true;
	case JEQ:
		return a == b;
	case JNE:
		return a != b;
	case JGT:
		return a > b;
	case JGE:
		return a >= b;
	case JLT:
		return a < b;
	case JLE:
		return a <= b;
	case JSET:
		return a & b;
	case JSGT:
		return sa > sb;
	case JSGE:
		return sa >= sb;
	case JSLT:
		return sa < sb;
	default: /* JSLE */
		return sa <= sb;
	}
}

static u64 load(const struct ebpf_insn *i, const u32 *words)
{
	u32 w = words[i->off / 4] >> i->off % 4 * 8;

	return i->code == MEM_W ? w : i->code == MEM_H ? (u16)w : (u8)w;
}

u64 ebpf_run(const struct ebpf_insn *insns, const u32 *words)
{
	u64 r[EBPF_REGS] = { 0 };

	for (const struct ebpf_insn *i = insns;; i++) {
		u32 d = dst_of(i), class = CLASS(i->code);
		u64 b = IS_X(i->code) ? r[src_of(i)] : (u64)(s64)i->imm;

		if (i->code == (JMP | EXIT))
			return r[0];
		if (class == ALU || class == ALU64) {
			r[d] = alu(i, r[d], b);
		} else if (class == LDX) {
			r[d] = load(i, words);
		} else if (class == LD) {
			r[d] = (u32)i->imm | (u64)(u32)i[1].imm << 32;
			i++;
		} else if (jumps(i, r[d], b)) {
			i += i->off;
		}
	}
}
