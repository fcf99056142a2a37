/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shim/arch/riscv/mmio.h - device access for host tests: the fake
 * device is memory.
 *
 * A test whose device does something by itself defines host_mmio_read(), called
 * before each read, or host_mmio_write(), called after each write; or neither.
 */
#ifndef ARCH_RISCV_MMIO_H
#define ARCH_RISCV_MMIO_H

#include <lib/types.h>

void __attribute__((weak)) host_mmio_read(volatile void *a, u32 bytes);
void __attribute__((weak)) host_mmio_write(volatile void *a, u32 bytes);

#define MMIO_DEFINE(bits)                                                     \
	static inline u##bits mmio_read##bits(const volatile void __iomem *a) \
	{                                                                     \
		if (host_mmio_read)                                           \
			host_mmio_read((volatile void *)a, (bits) / 8);       \
		return *(const volatile u##bits *)a;                          \
	}                                                                     \
	static inline u##bits mmio_read##bits##_relaxed(                      \
		const volatile void __iomem *a)                               \
	{                                                                     \
		return mmio_read##bits(a);                                    \
	}                                                                     \
	static inline void mmio_write##bits(u##bits v,                        \
					    volatile void __iomem *a)         \
	{                                                                     \
		*(volatile u##bits *)a = v;                                   \
		if (host_mmio_write)                                          \
			host_mmio_write(a, (bits) / 8);                       \
	}                                                                     \
	static inline void mmio_write##bits##_relaxed(                        \
		u##bits v, volatile void __iomem *a)                          \
	{                                                                     \
		mmio_write##bits(v, a);                                       \
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
