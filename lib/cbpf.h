/* SPDX-License-Identifier: MIT */
/*
 * lib/cbpf.h - classic BPF: a program over one fixed block of 32-bit words, as
 * seccomp(2) filters are, or over a packet, as those of socket(7) are.
 *
 * A program that cbpf_check() accepts ends after at most as many steps as it has
 * instructions, since jumps go forward only.  Words of a block are in the machine's
 * order, those of a packet in that of the network.
 * Pure code, no allocation.
 */
#ifndef LIB_CBPF_H
#define LIB_CBPF_H

#include <lib/types.h>

#define CBPF_MAX_LEN 4096u

struct cbpf_insn {
	u16 code;
	u8 jt, jf;
	u32 k;
};

/* May @insns run over @size bytes of data?  0 or -EINVAL. */
int cbpf_check(const struct cbpf_insn *insns, u32 len, u32 size);
/* The value that the program returns. */
u32 cbpf_run(const struct cbpf_insn *insns, const void *data, u32 size);

/* A packet in pieces, and what is known of it besides (SKF_AD_*). */
#define CBPF_PARTS 3u
struct cbpf_packet {
	struct {
		const u8 *p;
		u32 len;
	} part[CBPF_PARTS];
	u32 start; /* where the program's data begin: behind some of them */
	u32 len;   /* from there on */
	u32 net;   /* where the network header begins, among all */
	u32 pkttype, protocol, ifindex, hatype, mark, cpu, random;
};

/* The same over packets; 0 ends a program that reads behind them. */
int cbpf_check_packet(const struct cbpf_insn *insns, u32 len);
u32 cbpf_run_packet(const struct cbpf_insn *insns, const struct cbpf_packet *p);

#endif /* LIB_CBPF_H */
