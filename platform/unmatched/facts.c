/* SPDX-License-Identifier: MIT */
/*
 * platform/unmatched/facts.c - what this very board is, for those who have none.
 *
 * Much of what we know about the FU740 comes from documents, other people's logs
 * and a model.  Here the chip says it itself, at each boot, in lines that
 * scripts/board-report compares with what we believe.
 */
#include <platform/unmatched/unmatched.h>

#include <arch/riscv/csr.h>
#include <arch/riscv/mmio.h>
#include <arch/riscv/mmu.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/vmap.h>
#include <kernel/time/clock.h>
#include <lib/fdt.h>
#include <lib/fmt.h>
#include <sbi/sbi.h>

#define MONITOR_HART 0u /* the S7, which nobody may start */
#define NR_READS     64u
#define LINE_LEN     320u

/* SBI PMU [SBI 2.0, 11.5, 11.6] */
#define PMU_NUM_COUNTERS  0
#define PMU_COUNTER_INFO  1
#define PMU_INFO_CSR	  GENMASK(11, 0)
#define PMU_INFO_WIDTH	  GENMASK(17, 12) /* less one */
#define PMU_INFO_FIRMWARE BIT(63)
#define CSR_CYCLE	  0xc00u

/* Composable cache [FU740-C000 manual, 14.5 and 14.6] */
#define CCACHE_CONFIG	  0x00
#define CCACHE_BANKS	  GENMASK(7, 0)
#define CCACHE_WAYS	  GENMASK(15, 8)
#define CCACHE_SETS_LOG2  GENMASK(23, 16)
#define CCACHE_LINE_LOG2  GENMASK(31, 24)
#define CCACHE_WAY_ENABLE 0x08 /* the highest of the ways that are cache */

static void print_counters(void)
{
	char text[LINE_LEN] = "";
	u32 len = 0, nr_firmware = 0;
	struct sbi_ret r;

	if (!sbi_has(SBI_PMU)) {
		pr_info("unmatched: firmware has no counters");
		return;
	}
	r = sbi_call(SBI_PMU, PMU_NUM_COUNTERS, 0, 0, 0);
	for (u64 i = 0; !r.error && i < r.value && i < 64; i++) {
		struct sbi_ret info =
			sbi_call(SBI_PMU, PMU_COUNTER_INFO, i, 0, 0);

		if (info.error)
			continue;
		if (info.value & PMU_INFO_FIRMWARE) {
			nr_firmware++;
			continue;
		}
		len += (u32)scnprintf(
			text + len, sizeof(text) - len, " %llu:%llu",
			(unsigned long long)FIELD_GET(PMU_INFO_CSR,
						      info.value) -
				CSR_CYCLE,
			(unsigned long long)FIELD_GET(PMU_INFO_WIDTH,
						      info.value) +
				1);
	}
	pr_info("unmatched: counters and their bits%s, %u of firmware", text,
		nr_firmware);
}

static void print_cache(void)
{
	int node =
		fdt_next_compatible(boot_fdt, -1, "sifive,fu740-c000-ccache");
	u8 __iomem *regs;
	u32 v;

	regs = dt_ioremap(node, 0, NULL);
	if (!regs) {
		pr_info("unmatched: the tree has no cache controller");
		return;
	}
	v = mmio_read32(regs + CCACHE_CONFIG);
	pr_info("unmatched: cache of %u banks, %u ways, %u sets, %u-byte lines; %u ways enabled",
		(u32)FIELD_GET(CCACHE_BANKS, v), (u32)FIELD_GET(CCACHE_WAYS, v),
		1u << FIELD_GET(CCACHE_SETS_LOG2, v),
		1u << FIELD_GET(CCACHE_LINE_LOG2, v),
		mmio_read32(regs + CCACHE_WAY_ENABLE) + 1);
	iounmap(regs);
}

/* Cycles of one read, the loop's own taken off. */
static u64 cost_of_rdtime(void)
{
	u64 start = rdcycle(), empty;

	for (u32 i = 0; i < NR_READS; i++)
		(void)rdcycle();
	empty = rdcycle() - start;
	start = rdcycle();
	for (u32 i = 0; i < NR_READS; i++)
		(void)rdtime();
	return (rdcycle() - start - empty) / NR_READS;
}

void unmatched_print_facts(void)
{
	struct sbi_ret r =
		sbi_call(SBI_HSM, SBI_HSM_STATUS, MONITOR_HART, 0, 0);

	pr_info("unmatched: hart %u: error %lld, state %llu (1: stopped)",
		MONITOR_HART, (long long)r.error, (unsigned long long)r.value);
	pr_info("unmatched: %u bits of ASID, rdtime takes %llu cycles",
		mmu_asid_bits(), (unsigned long long)cost_of_rdtime());
	print_cache();
	print_counters();
}
