/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/early.c - the first page table, built with paging still off.
 *
 * Runs at physical addresses: only PC-relative references (medany), no pointers
 * stored.  Maps the image at KERNEL_BASE in 2-MiB pages (read, write, execute:
 * mmu_init() takes the rights away again) and the first 128 GiB from the GiB that
 * holds the image, as the direct map.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/early.h>
#include <arch/riscv/mmu.h>

#define EARLY_BITS (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | PTE_G)
#define GIB	   (1ul << 30)
#define MIB2	   (1ul << 21)

__aligned(4096) pte_t early_root[512];
static __aligned(4096) pte_t early_image[512];

u64 phys_ram_base;
u64 phys_ram_end;
u64 kernel_phys_base;

u64 early_mmu_setup(u64 image_pa)
{
	u64 ram = ALIGN_DOWN(image_pa, GIB);

	for (unsigned int i = 0; i < 512; i++) {
		early_root[i] = 0;
		early_image[i] = pte_make(image_pa + i * MIB2, EARLY_BITS);
	}
	for (unsigned int i = 0; i < DIRECT_MAP_SIZE / GIB; i++)
		early_root[256 + i] = pte_make(ram + i * GIB, EARLY_BITS);
	early_root[510] = pte_make((u64)early_image, PTE_V);
	kernel_phys_base = image_pa;
	phys_ram_base = ram;
	phys_ram_end = ram + DIRECT_MAP_SIZE;
	return SATP_MODE_SV39 | ((u64)early_root >> 12);
}
