/* SPDX-License-Identifier: MIT */
/*
 * drivers/irq/imsic.c - incoming MSI controller: an interrupt file per hart.
 *
 * RISC-V Advanced Interrupt Architecture 1.0, chapter 3.  A device raises
 * interrupt identity N of a hart by writing N to that hart's page; the hart
 * claims through a CSR.  We use an identity on one hart only, so that lines of
 * this chip are identities.
 *
 * A file's enable bits are reachable from its own hart only.  So every hart
 * enables all identities once, and masking is done where the message comes
 * from.  Only a message that nobody wants is masked here, on the hart that got
 * it (masked[] remembers), and a line goes to another hart then.
 *
 * INVARIANTS
 *   I1  used has a bit for each identity given out, for 0 and for the firmware's
 *	 own (riscv,ipi-id).
 *
 * Locking: imsic->lock (RANK_IRQ).
 */
#include <drivers/irq/imsic.h>

#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/dev/dt.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/spinlock.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define CAUSE_S_EXTERNAL 9u
#define MAX_IDS		 2048u
#define PAGE_STRIDE	 4096ull
#define CLAIM_BATCH	 64u

/* Indirect registers [3.8] */
#define EIDELIVERY  0x70
#define EITHRESHOLD 0x72
#define EIP(id)	    (0x80 + 2 * ((id) / 64)) /* RV64: even numbers only */
#define EIE(id)	    (0xc0 + 2 * ((id) / 64))
/* stopei: identity in 26:16 [3.10] */
#define STOPEI_ID GENMASK(26, 16)

struct imsic {
	struct irqchip chip;
	u32 nr_ids;		   /* [I] identities 1 .. nr_ids-1 */
	u32 ipi_id;		   /* [I] 0: none */
	paddr_t page[MAX_HARTS];   /* [I] by cpu, 0: none */
	u32 hart_index[MAX_HARTS]; /* [I] by cpu */
	bool ready[MAX_HARTS];	   /* [lock] hart_init() done */
	struct spinlock lock;
	u64 used[BITMAP_WORDS(MAX_IDS)];	      /* [lock] I1 */
	u8 target[MAX_IDS];			      /* [lock] cpu */
	u64 masked[MAX_HARTS][BITMAP_WORDS(MAX_IDS)]; /* [lock] */
};

static u64 file_read(u32 reg)
{
	csr_write(CSR_SISELECT, reg);
	return csr_read(CSR_SIREG);
}

static void file_write(u32 reg, u64 v)
{
	csr_write(CSR_SISELECT, reg);
	csr_write(CSR_SIREG, v);
}

bool aia_node_is_supervisor(int node)
{
	u32 cause;

	return !fdt_prop_cell(boot_fdt, node, "interrupts-extended", 1,
			      &cause) &&
	       cause == CAUSE_S_EXTERNAL;
}

/* ---- ops */

static void imsic_hart_init(struct irqchip *chip, unsigned int cpu)
{
	struct imsic *im = chip->priv;

	if (!im->page[cpu])
		return;
	file_write(EIDELIVERY, 0);
	for (u32 id = 0; id < im->nr_ids; id += 64) {
		u64 ones = ~0ull;

		if (id == 0)
			ones &= ~BIT(0);
		if (im->ipi_id / 64 == id / 64)
			ones &= ~BIT(im->ipi_id % 64);
		file_write(EIP(id), 0);
		file_write(EIE(id), ones);
	}
	file_write(EITHRESHOLD, 0);
	file_write(EIDELIVERY, 1);
	spin_lock(&im->lock);
	im->ready[cpu] = true;
	spin_unlock(&im->lock);
}

/* A hart whose file takes @line: the wanted one if possible. */
static int pick_cpu(const struct imsic *im, u32 line, int cpu)
{
	int self = (int)this_cpu();

	if (cpu < 0)
		cpu = service_cpu_default();
	if (cpu < (int)MAX_HARTS && im->ready[cpu] &&
	    (cpu == self || !test_bit(line, im->masked[cpu])))
		return cpu;
	return im->ready[self] ? self : -ENODEV;
}

static int imsic_enable(struct irqchip *chip, u32 line, int cpu)
{
	struct imsic *im = chip->priv;

	spin_lock(&im->lock);
	cpu = pick_cpu(im, line, cpu);
	if (cpu >= 0) {
		im->target[line] = (u8)cpu;
		if (cpu == (int)this_cpu() && test_bit(line, im->masked[cpu])) {
			file_write(EIE(line),
				   file_read(EIE(line)) | BIT(line % 64));
			clear_bit(line, im->masked[cpu]);
		}
	}
	spin_unlock(&im->lock);
	return cpu < 0 ? cpu : 0;
}

static void imsic_disable(struct irqchip *chip, u32 line)
{
	struct imsic *im = chip->priv;
	unsigned int cpu = this_cpu();

	if (!im->page[cpu])
		return;
	spin_lock(&im->lock);
	file_write(EIE(line), file_read(EIE(line)) & ~BIT(line % 64));
	set_bit(line, im->masked[cpu]);
	spin_unlock(&im->lock);
}

static void imsic_dispatch(struct irqchip *chip)
{
	const struct imsic *im = chip->priv;

	if (!im->page[this_cpu()])
		return;
	for (u32 n = 0; n < CLAIM_BATCH; n++) {
		u64 top = csr_swap(CSR_STOPEI, 0);

		if (!top)
			return;
		irq_handle(chip, (u32)FIELD_GET(STOPEI_ID, top));
	}
}

/* A block of messages is aligned to its size: MSI wants the low bits free. */
static int imsic_msi_alloc(struct irqchip *chip, u32 nr, u32 *first_line)
{
	struct imsic *im = chip->priv;
	u32 align = 1, id, i;

	while (align < nr)
		align *= 2;
	spin_lock(&im->lock);
	for (id = align; id + nr <= im->nr_ids; id += align) {
		for (i = 0; i < nr && !test_bit(id + i, im->used); i++)
			;
		if (i == nr)
			break;
	}
	if (id + nr > im->nr_ids) {
		spin_unlock(&im->lock);
		return -ENOSPC;
	}
	for (i = 0; i < nr; i++) {
		set_bit(id + i, im->used);
		im->target[id + i] = (u8)max(service_cpu_default(), 0);
	}
	spin_unlock(&im->lock);
	*first_line = id;
	return 0;
}

static void imsic_msi_free(struct irqchip *chip, u32 first_line, u32 nr)
{
	struct imsic *im = chip->priv;

	spin_lock(&im->lock);
	for (u32 i = 0; i < nr; i++) {
		KASSERT(test_bit(first_line + i, im->used));
		clear_bit(first_line + i, im->used);
	}
	spin_unlock(&im->lock);
}

static void imsic_msi_compose(struct irqchip *chip, u32 line, u64 *addr,
			      u32 *data)
{
	const struct imsic *im = chip->priv;

	*addr = im->page[im->target[line]];
	*data = line;
}

u32 imsic_hart_index(struct irqchip *chip, u32 line)
{
	const struct imsic *im = chip->priv;

	return im->hart_index[im->target[line]];
}

static const struct irqchip_ops imsic_ops = {
	.name = "IMSIC",
	.enable = imsic_enable,
	.disable = imsic_disable,
	.dispatch = imsic_dispatch,
	.hart_init = imsic_hart_init,
	.msi_alloc = imsic_msi_alloc,
	.msi_free = imsic_msi_free,
	.msi_compose = imsic_msi_compose,
};

/* ---- probe */

/* Files stand in the order of interrupts-extended, region after region. */
static paddr_t file_page(int node, u32 index, u32 guest_bits)
{
	u64 stride = PAGE_STRIDE << guest_bits;
	u64 offset = index * stride, addr, size;

	for (u32 r = 0; !fdt_reg(boot_fdt, node, r, &addr, &size); r++) {
		if (offset + PAGE_STRIDE <= size)
			return addr + offset;
		offset -= min(offset, ALIGN_DOWN(size, stride));
	}
	return 0;
}

static int parse_harts(struct imsic *im, int node)
{
	u32 guest_bits = 0, phandle, nr = 0;

	(void)fdt_prop_u32(boot_fdt, node, "riscv,guest-index-bits",
			   &guest_bits);
	if (guest_bits > 6)
		return -EINVAL;
	for (u32 i = 0; !fdt_prop_cell(boot_fdt, node, "interrupts-extended",
				       2 * i, &phandle);
	     i++) {
		int cpu = hart_cpu_by_intc_phandle(phandle);

		if (cpu < 0)
			continue;
		im->page[cpu] = file_page(node, i, guest_bits);
		im->hart_index[cpu] = i;
		nr += im->page[cpu] != 0;
	}
	return nr ? 0 : -ENODEV;
}

static int imsic_setup(struct imsic *im, int node)
{
	u32 num_ids;
	int err;

	if (fdt_prop_u32(boot_fdt, node, "riscv,num-ids", &num_ids) ||
	    num_ids < 63 || num_ids >= MAX_IDS)
		return -EINVAL;
	im->nr_ids = num_ids + 1;
	(void)fdt_prop_u32(boot_fdt, node, "riscv,ipi-id", &im->ipi_id);
	if (im->ipi_id >= im->nr_ids)
		return -EINVAL;
	set_bit(0, im->used);
	set_bit(im->ipi_id, im->used);
	spin_init(&im->lock, "imsic", RANK_IRQ);
	err = parse_harts(im, node);
	if (err)
		return err;
	im->chip = (struct irqchip){
		.ops = &imsic_ops,
		.fdt_node = node,
		.nr_lines = im->nr_ids,
		.is_root = true,
		.priv = im,
	};
	(void)fdt_prop_u32(boot_fdt, node, "phandle", &im->chip.phandle);
	return irqchip_register(&im->chip);
}

static int imsic_probe(int node)
{
	struct imsic *im;
	int err;

	if (!aia_node_is_supervisor(node))
		return -ENODEV;
	im = kzalloc(sizeof(*im));
	if (!im)
		return -ENOMEM;
	err = imsic_setup(im, node);
	if (err)
		kfree(im);
	else
		pr_info("imsic: %u identities", im->nr_ids - 1);
	return err;
}

static const char *const imsic_compatible[] = { "riscv,imsics", NULL };

DT_DRIVER(imsic) = {
	.name = "imsic",
	.compatible = imsic_compatible,
	.probe = imsic_probe,
	.stage = DT_IRQCHIP,
};
