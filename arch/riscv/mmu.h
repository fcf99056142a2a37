/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/mmu.h - Sv39: layout of the address space, page-table entries, TLB.
 *
 * Upper half, the same in every page table (root entries 256..511):
 *	DIRECT_MAP_BASE  0xffffffc0_00000000  128 GiB  all RAM, at + (pa - ram_base)
 *	VMAP_BASE        0xffffffe0_00000000   64 GiB  I/O mappings, stacks, modules
 *	KERNEL_BASE      0xffffffff_80000000    2 GiB  the kernel image, W^X
 * Lower half: user, [0, USER_TOP).
 *
 * A and D are preset in every leaf that the kernel builds (the U74 faults on
 * A=0 and on a store with D=0; [Privileged 4.3.1] allows both schemes).
 *
 * ERRATA
 *   CIP-1200 (FU740), FU540: sfence.vma by address or ASID can leave a stale
 *   I-TLB entry.  So the only flush in this kernel is the whole one.
 *
 * Context: any.  Locking: the table's owner (mm->pt_lock; RANK_MMU for kernel).
 */
#ifndef ARCH_RISCV_MMU_H
#define ARCH_RISCV_MMU_H

#include <lib/types.h>

#define DIRECT_MAP_BASE 0xffffffc000000000ul
#define DIRECT_MAP_SIZE 0x0000002000000000ul
#define VMAP_BASE	0xffffffe000000000ul
#define VMAP_SIZE	0x0000001000000000ul
#define KERNEL_BASE	0xffffffff80000000ul
#define USER_TOP	0x0000003ffffff000ul /* one guard page below 2^38 */

/* PTE bits [Privileged 4.3.1] */
#define PTE_V	      BIT(0)
#define PTE_R	      BIT(1)
#define PTE_W	      BIT(2)
#define PTE_X	      BIT(3)
#define PTE_U	      BIT(4)
#define PTE_G	      BIT(5)
#define PTE_A	      BIT(6)
#define PTE_D	      BIT(7)
#define PTE_UFFD_WP   BIT(8) /* RSW: userfaultfd has to be asked to write */
#define PTE_SPECIAL   BIT(9) /* RSW: frame not refcounted (device, zero page) */
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

/* Lowest address of RAM: what DIRECT_MAP_BASE stands for.  Set in head/main. */
extern u64 phys_ram_base;
extern u64 phys_ram_end;
/* Where the image was loaded. */
extern u64 kernel_phys_base;

static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_MAP_BASE + (pa - phys_ram_base));
}
/* Direct-map and image addresses only; asserts. */
paddr_t virt_to_phys(const void *va);
static inline bool is_direct_map(const void *va)
{
	return (u64)va - DIRECT_MAP_BASE < phys_ram_end - phys_ram_base;
}

/* Flush this hart's whole TLB (CIP-1200). */
static inline void tlb_flush_local(void)
{
	__asm__ volatile("sfence.vma zero, zero" : : : "memory");
}
static inline void icache_flush_local(void)
{
	__asm__ volatile("fence.i" : : : "memory");
}

/*
 * Kernel page table.  kmap_pages() maps [va, va+len) of the VMAP area to @pa;
 * bits: PTE_R/W/X.  Page-table pages come from the page allocator and, being
 * below root entries that exist from boot, are visible in every address space.
 * A new mapping needs no flush on other harts (a cached invalid entry faults and
 * kernel_trap() flushes and retries).  After an unmap the caller flushes the
 * other harts (hart_rfence()) before it uses range or frame again.
 * Locking: the caller's (vmap_lock, RANK_MMU).
 */
int kmap_pages(u64 va, paddr_t pa, size_t len, u64 bits);
void kunmap_pages(u64 va, size_t len);
/* Look a kernel address up: its PTE, or 0. */
pte_t kernel_pte(u64 va);

/* A fresh root with the kernel's half in it; NULL: out of memory. */
pte_t *mmu_new_root(void);
void mmu_free_root(pte_t *root); /* only the root page itself */
void mmu_switch(pte_t *root);	 /* satp + flush; NULL: kernel's own */
extern pte_t *mmu_kernel_root;
/* How many bits of satp's ASID this hart has; none is used. */
unsigned int mmu_asid_bits(void);

struct mmu_range {
	paddr_t start, end; /* half-open */
};
/* Once, when RAM is known: the final table, direct map of @ram, W^X. */
void mmu_init(const struct mmu_range *ram, unsigned int nr_ram);

#endif /* ARCH_RISCV_MMU_H */
