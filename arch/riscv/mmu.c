/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/mmu.c - the kernel's Sv39 table and its root copies.
 *
 * INVARIANTS
 *   Root entries 256..511 of every table are equal to mmu_kernel_root's and never
 *   change after mmu_init(): the second-level tables of the VMAP area exist from
 *   boot.  So a mapping made later is visible in every address space.
 *   Every kernel leaf has A set, and D if it is writable (U74: no hardware A/D).
 *   No entry covers memory that firmware keeps for itself.
 *
 * Locking: the caller's (kernel/mm/vmap.c: vmap_lock, RANK_MMU).
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/early.h>
#include <arch/riscv/mmu.h>
#include <arch/riscv/upcalls.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define GIB  (1ul << 30)
#define MIB2 (1ul << 21)
#define KIB4 4096ul

extern char __image_start[], __text_end[], __rodata_start[], __rodata_end[],
	__data_start[], __image_end[];

pte_t *mmu_kernel_root;
static bool mmu_final; /* the final table is in use */

paddr_t virt_to_phys(const void *va)
{
	u64 a = (u64)va;

	if (is_direct_map(va))
		return a - DIRECT_MAP_BASE + phys_ram_base;
	if (a >= KERNEL_BASE && a < (u64)__image_end)
		return a - KERNEL_BASE + kernel_phys_base;
	arch_panic("virt_to_phys of an address outside direct map and image");
}

static pte_t *table_of(pte_t p)
{
	return phys_to_virt(pte_phys(p));
}

static unsigned int index_of(u64 va, int level)
{
	return (va >> (12 + 9 * level)) & 511;
}

static void *new_table(void)
{
	return mmu_final ? arch_table_alloc() : arch_boot_alloc(4096, 4096);
}

/* Entry of @va at @level (0: 4 KiB), making tables on the way; NULL: no memory. */
static pte_t *walk_alloc(pte_t *root, u64 va, int level)
{
	pte_t *t = root;

	for (int l = 2; l > level; l--) {
		pte_t *e = &t[index_of(va, l)];

		if (!(*e & PTE_V)) {
			void *n = new_table();

			if (!n)
				return NULL;
			*e = pte_make(virt_to_phys(n), PTE_V);
		}
		if (*e & PTE_LEAF)
			arch_panic(
				"kernel page table: leaf where a table should be");
		t = table_of(*e);
	}
	return &t[index_of(va, level)];
}

static u64 leaf_bits(u64 bits)
{
	return bits | PTE_V | PTE_G | PTE_A | (bits & PTE_W ? PTE_D : 0);
}

/* Boot only: map with the largest pages that fit. */
static void map_boot_range(pte_t *root, u64 va, paddr_t pa, u64 len, u64 bits)
{
	static const u64 size_of[3] = { KIB4, MIB2, GIB };

	while (len) {
		int l = 2;
		pte_t *e;

		while (l &&
		       (!IS_ALIGNED(va | pa, size_of[l]) || len < size_of[l]))
			l--;
		e = walk_alloc(root, va, l);
		if (!e)
			arch_panic("no memory for the kernel's page table");
		*e = pte_make(pa, leaf_bits(bits));
		va += size_of[l];
		pa += size_of[l];
		len -= size_of[l];
	}
}

static void map_image(pte_t *root, const char *from, const char *to, u64 bits)
{
	map_boot_range(root, (u64)from,
		       (u64)from - KERNEL_BASE + kernel_phys_base,
		       (u64)(to - from), bits);
}

void mmu_init(const struct mmu_range *ram, unsigned int nr_ram)
{
	pte_t *root = arch_boot_alloc(4096, 4096);
	u64 image_lo = kernel_phys_base;
	u64 image_ro = image_lo + (u64)(__data_start - __image_start);

	for (unsigned int i = 256; i < 512; i++) {
		u64 va = DIRECT_MAP_BASE + (i - 256) * GIB;

		if (va - VMAP_BASE < VMAP_SIZE)
			root[i] = pte_make(
				virt_to_phys(arch_boot_alloc(4096, 4096)),
				PTE_V);
	}
	map_image(root, __image_start, __text_end, PTE_R | PTE_X);
	map_image(root, __rodata_start, __rodata_end, PTE_R);
	map_image(root, __data_start, __image_end, PTE_R | PTE_W);
	for (unsigned int i = 0; i < nr_ram; i++) {
		u64 a = ALIGN_UP(ram[i].start, KIB4);
		u64 e = ALIGN_DOWN(ram[i].end, KIB4);

		/* Text and constants stay read-only through the direct map. */
		while (a < e) {
			u64 stop = e, bits = PTE_R | PTE_W;

			if (a < image_lo)
				stop = min(e, image_lo);
			else if (a < image_ro) {
				stop = min(e, image_ro);
				bits = PTE_R;
			}
			map_boot_range(root, (u64)phys_to_virt(a), a, stop - a,
				       bits);
			a = stop;
		}
	}
	mmu_kernel_root = root;
	mmu_switch(NULL);
	mmu_final = true;
}

void mmu_switch(pte_t *root)
{
	csr_write(satp,
		  SATP_MODE_SV39 |
			  virt_to_phys(root ? root : mmu_kernel_root) >> 12);
	tlb_flush_local();
}

unsigned int mmu_asid_bits(void)
{
	u64 satp = csr_read(satp), got;

	/* what is mapped meanwhile is global */
	csr_write(satp, satp | SATP_ASID);
	got = FIELD_GET(SATP_ASID, csr_read(satp));
	csr_write(satp, satp);
	tlb_flush_local();
	return fls64(got);
}

pte_t *mmu_new_root(void)
{
	pte_t *root = arch_table_alloc();

	if (root)
		memcpy(&root[256], &mmu_kernel_root[256], 256 * sizeof(pte_t));
	return root;
}

void mmu_free_root(pte_t *root)
{
	arch_table_free(root);
}

pte_t kernel_pte(u64 va)
{
	pte_t *t = mmu_kernel_root;

	if (va < DIRECT_MAP_BASE || !t)
		return 0;
	for (int l = 2;; l--) {
		pte_t e = *(const volatile pte_t *)&t[index_of(va, l)];

		if (!(e & PTE_V) || (e & PTE_LEAF) || !l)
			return e & PTE_V ? e : 0;
		t = table_of(e);
	}
}

int kmap_pages(u64 va, paddr_t pa, size_t len, u64 bits)
{
	for (size_t off = 0; off < len; off += KIB4) {
		pte_t *e = walk_alloc(mmu_kernel_root, va + off, 0);

		if (!e) {
			kunmap_pages(va, off);
			return -ENOMEM;
		}
		*(volatile pte_t *)e = pte_make(pa + off, leaf_bits(bits));
	}
	/* A walk that was cached as invalid elsewhere faults once and retries. */
	tlb_flush_local();
	return 0;
}

void kunmap_pages(u64 va, size_t len)
{
	for (size_t off = 0; off < len; off += KIB4) {
		pte_t *e = walk_alloc(mmu_kernel_root, va + off, 0);

		if (e)
			*(volatile pte_t *)e = 0;
	}
	tlb_flush_local();
}
