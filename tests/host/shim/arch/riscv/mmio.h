/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shim/arch/riscv/mmio.h - device access for host tests: the fake
 * device is memory.
 */
#ifndef ARCH_RISCV_MMIO_H
#define ARCH_RISCV_MMIO_H

#include <lib/types.h>

#define MMIO_DEFINE(bits)                                                     \
	static inline u##bits mmio_read##bits(const volatile void __iomem *a) \
	{                                                                     \
		return *(const volatile u##bits *)a;                          \
	}                                                                     \
	static inline void mmio_write##bits(u##bits v,                        \
					    volatile void __iomem *a)         \
	{                                                                     \
		*(volatile u##bits *)a = v;                                   \
	}

MMIO_DEFINE(8)
MMIO_DEFINE(16)
MMIO_DEFINE(32)
MMIO_DEFINE(64)
#undef MMIO_DEFINE

static inline void dma_rmb(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}
static inline void dma_wmb(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}
static inline void dma_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif /* ARCH_RISCV_MMIO_H */
