/* SPDX-License-Identifier: MIT */
/*
 * tests/host/shim/arch/riscv/mmu.h - the direct map is a buffer of the test's.
 *
 * As the real one, for the memory allocators: "physical" addresses start at
 * phys_ram_base, which the test chooses, and host_direct_map says where the buffer
 * is.  Only tests that use them define the variables.
 */
#ifndef ARCH_RISCV_MMU_H
#define ARCH_RISCV_MMU_H

#include <lib/types.h>

extern u64 host_direct_map;
#define DIRECT_MAP_BASE host_direct_map
#define VMAP_BASE	0xffffffe000000000ul
#define VMAP_SIZE	0x0000001000000000ul
#define USER_TOP	0x0000003ffffff000ul

#define PTE_V	      BIT(0)
#define PTE_R	      BIT(1)
#define PTE_W	      BIT(2)
#define PTE_X	      BIT(3)
#define PTE_U	      BIT(4)
#define PTE_G	      BIT(5)
#define PTE_A	      BIT(6)
#define PTE_D	      BIT(7)
#define PTE_UFFD_WP   BIT(8)
#define PTE_SPECIAL   BIT(9)
#define PTE_PPN_SHIFT 10
#define PTE_LEAF      (PTE_R | PTE_W | PTE_X)

typedef u64 pte_t;

static inline paddr_t pte_phys(pte_t p)
{
	return ((p >> PTE_PPN_SHIFT) & ((1ul << 44) - 1)) << 12;
}
static inline pte_t pte_make(paddr_t pa, u64 bits)
{
	return (pa >> 12) << PTE_PPN_SHIFT | bits;
}

extern u64 phys_ram_base;
extern u64 phys_ram_end;

static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + (pa - phys_ram_base));
}
paddr_t virt_to_phys(const void *va); /* the test's, if need be */
static inline bool is_direct_map(const void *va)
{
	return (u64)va - DIRECT_MAP_BASE < phys_ram_end - phys_ram_base;
}

#endif /* ARCH_RISCV_MMU_H */
