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

#define SRC_X 0x08
#define MODE(c) \
	((c)&0xf8) /* with the size: 0 is a word, all that a block has */
#define SIZE(c) ((c)&0x18)
#define KIND(c) ((c)&0xe0) /* without */
#define H	0x08
#define B	0x10
#define IND	0x40
#define MSH	0xb0 /* with its size: four times the lower half of a byte */
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

/* Of a packet, from here up: what is known besides, its network header. */
#define AD_OFF	(-0x1000)
#define NET_OFF (-0x100000)
enum {
	AD_PROTOCOL = 0,
	AD_PKTTYPE = 4,
	AD_IFINDEX = 8,
	AD_MARK = 20,
	AD_QUEUE = 24,
	AD_HATYPE = 28,
	AD_RXHASH = 32,
	AD_CPU = 36,
	AD_ALU_XOR_X = 40,
	AD_VLAN_TAG = 44,
	AD_VLAN_TAG_PRESENT = 48,
	AD_RANDOM = 56,
	AD_VLAN_TPID = 60,
};

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

static bool ad_ok(u32 k)
{
	switch (k - (u32)AD_OFF) {
	case AD_PROTOCOL:
	case AD_PKTTYPE:
	case AD_IFINDEX:
	case AD_MARK:
	case AD_QUEUE:
	case AD_HATYPE:
	case AD_RXHASH:
	case AD_CPU:
	case AD_ALU_XOR_X:
	case AD_VLAN_TAG:
	case AD_VLAN_TAG_PRESENT:
	case AD_RANDOM:
	case AD_VLAN_TPID:
		return true;
	default:
		return false;
	}
}

static bool packet_load_ok(const struct cbpf_insn *i)
{
	bool x = CLASS(i->code) == LDX;

	switch (MODE(i->code)) {
	case IMM:
	case LEN:
	case MEM:
		return load_ok(i, 0);
	case MSH:
		return x;
	default:
		break;
	}
	if (x || SIZE(i->code) > B)
		return false;
	return KIND(i->code) == IND ||
	       (KIND(i->code) == ABS && (i->k < (u32)AD_OFF || ad_ok(i->k)));
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

/* @left instructions follow.  @size 0: over packets. */
static bool insn_ok(const struct cbpf_insn *i, u32 left, u32 size)
{
	if (i->code & ~0xffu)
		return false;
	switch (CLASS(i->code)) {
	case LD:
	case LDX:
		return size ? load_ok(i, size) : packet_load_ok(i);
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

static int check(const struct cbpf_insn *insns, u32 len, u32 size)
{
	if (!len || len > CBPF_MAX_LEN || CLASS(insns[len - 1].code) != RET)
		return -EINVAL;
	for (u32 i = 0; i < len; i++) {
		if (!insn_ok(&insns[i], len - 1 - i, size))
			return -EINVAL;
	}
	return 0;
}

int cbpf_check(const struct cbpf_insn *insns, u32 len, u32 size)
{
	return size ? check(insns, len, size) : -EINVAL;
}

int cbpf_check_packet(const struct cbpf_insn *insns, u32 len)
{
	return check(insns, len, 0);
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

static bool byte_at(const struct cbpf_packet *p, u64 at, u32 *v)
{
	for (u32 i = 0; i < CBPF_PARTS; i++) {
		if (at < p->part[i].len) {
			*v = *v << 8 | p->part[i].p[at];
			return true;
		}
		at -= p->part[i].len;
	}
	return false;
}

static bool fetch(const struct cbpf_packet *p, u32 off, u32 n, u32 *v)
{
	s32 k = (s32)off;
	u64 at =
		k >= 0 ? (u64)p->start + off : (u64)p->net + (u64)(k - NET_OFF);
	u32 end = p->start + p->len;

	*v = 0;
	if ((k < 0 && k < NET_OFF) || at + n > end)
		return false;
	while (n--)
		if (!byte_at(p, at++, v))
			return false;
	return true;
}

static u32 ancillary(const struct cbpf_packet *p, u32 k, u32 a, u32 x)
{
	switch (k - (u32)AD_OFF) {
	case AD_PROTOCOL:
		return p->protocol;
	case AD_PKTTYPE:
		return p->pkttype;
	case AD_IFINDEX:
		return p->ifindex;
	case AD_MARK:
		return p->mark;
	case AD_HATYPE:
		return p->hatype;
	case AD_CPU:
		return p->cpu;
	case AD_ALU_XOR_X:
		return a ^ x;
	case AD_RANDOM:
		return p->random;
	default:
		return 0;
	}
}

/* Into A or X, whichever the class says. */
static bool load_packet(const struct cbpf_insn *i, const struct cbpf_packet *p,
			const u32 *mem, u32 *a, u32 *x)
{
	u32 *to = CLASS(i->code) == LD ? a : x, v;
	u32 n = SIZE(i->code) == B ? 1 : SIZE(i->code) == H ? 2 : 4;

	switch (MODE(i->code)) {
	case IMM:
	case LEN:
	case MEM:
		*to = load(i, NULL, p->len, mem);
		return true;
	case MSH:
		if (!fetch(p, i->k, 1, &v))
			return false;
		*x = (v & 15) * 4;
		return true;
	default:
		break;
	}
	if (KIND(i->code) == ABS && i->k >= (u32)AD_OFF) {
		*a = ancillary(p, i->k, *a, *x);
		return true;
	}
	return fetch(p, i->k + (KIND(i->code) == IND ? *x : 0), n, a);
}

static inline __attribute__((always_inline)) u32 run(
	const struct cbpf_insn *i, const void *data, u32 size,
	const struct cbpf_packet *p)
{
	u32 mem[NR_MEM] = { 0 }, a = 0, x = 0;

	for (;; i++) {
		u32 v = i->code & SRC_X ? x : i->k;

		switch (CLASS(i->code)) {
		case LD:
			if (!p)
				a = load(i, data, size, mem);
			else if (!load_packet(i, p, mem, &a, &x))
				return 0;
			break;
		case LDX:
			if (!p)
				x = load(i, data, size, mem);
			else if (!load_packet(i, p, mem, &a, &x))
				return 0;
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

u32 cbpf_run(const struct cbpf_insn *insns, const void *data, u32 size)
{
	return run(insns, data, size, NULL);
}

u32 cbpf_run_packet(const struct cbpf_insn *insns, const struct cbpf_packet *p)
{
	return run(insns, NULL, 0, p);
}
