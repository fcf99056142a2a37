/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/mmio.h - device register access.
 *
 * RVWMO orders nothing between memory and I/O by itself, so the ordinary
 * accessors carry the fence that a driver almost always needs, and they mean
 * acquire and release:
 *   mmio_writeN()  fence rw,o first: every earlier load and store is done
 *                  before the device sees the write (doorbells).
 *   mmio_readN()   fence i,rw after: nothing later happens before the register
 *                  was read (status, then buffer).
 * The _relaxed forms have no fence, and every use says why it may.
 */
#ifndef ARCH_RISCV_MMIO_H
#define ARCH_RISCV_MMIO_H

#include <lib/types.h>

#define MMIO_DEFINE(bits, ld, st)                                             \
	static inline u##bits mmio_read##bits##_relaxed(                      \
		const volatile void __iomem *a)                               \
	{                                                                     \
		u##bits v;                                                    \
		__asm__ volatile(ld " %0, 0(%1)"                              \
				 : "=r"(v)                                    \
				 : "r"(a)                                     \
				 : "memory");                                 \
		return v;                                                     \
	}                                                                     \
	static inline void mmio_write##bits##_relaxed(                        \
		u##bits v, volatile void __iomem *a)                          \
	{                                                                     \
		__asm__ volatile(st " %0, 0(%1)"                              \
				 :                                            \
				 : "r"(v), "r"(a)                             \
				 : "memory");                                 \
	}                                                                     \
	static inline u##bits mmio_read##bits(const volatile void __iomem *a) \
	{                                                                     \
		u##bits v = mmio_read##bits##_relaxed(a);                     \
		__asm__ volatile("fence i, rw" : : : "memory");               \
		return v;                                                     \
	}                                                                     \
	static inline void mmio_write##bits(u##bits v,                        \
					    volatile void __iomem *a)         \
	{                                                                     \
		__asm__ volatile("fence rw, o" : : : "memory");               \
		mmio_write##bits##_relaxed(v, a);                             \
	}

MMIO_DEFINE(8, "lbu", "sb")
MMIO_DEFINE(16, "lhu", "sh")
MMIO_DEFINE(32, "lwu", "sw")
MMIO_DEFINE(64, "ld", "sd")
#undef MMIO_DEFINE

/* Order two accesses to coherent DMA memory. */
static inline void dma_rmb(void)
{
	__asm__ volatile("fence r, r" : : : "memory");
}
static inline void dma_wmb(void)
{
	__asm__ volatile("fence w, w" : : : "memory");
}
static inline void dma_mb(void)
{
	__asm__ volatile("fence rw, rw" : : : "memory");
}

#endif /* ARCH_RISCV_MMIO_H */
