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
#define PMU_CONFIG_MATCH  2
#define PMU_STOP	  4
#define PMU_STOP_RESET	  BIT(0)
#define PMU_INFO_CSR	  GENMASK(11, 0)
#define PMU_INFO_WIDTH	  GENMASK(17, 12) /* less one */
#define PMU_INFO_FIRMWARE BIT(63)
#define CSR_CYCLE	  0xc00u
#define MAX_COUNTERS	  64u

#define FIRST_EVENT_COUNTER 3u /* 0 to 2: cycle, time, instret */

/* Events by their numbers [SBI 2.0, 11.2, 11.3]: cache references and misses,
 * branches and missed ones, and what missed in L1D, L1I, DTLB and ITLB. */
static const u32 events[] = { 0x3,     0x4,	0x5,	 0x6,
			      0x10001, 0x10009, 0x10019, 0x10021 };

/* Composable cache [FU740-C000 manual, 14.5 and 14.6] */
#define CCACHE_CONFIG	  0x00
#define CCACHE_BANKS	  GENMASK(7, 0)
#define CCACHE_WAYS	  GENMASK(15, 8)
#define CCACHE_SETS_LOG2  GENMASK(23, 16)
#define CCACHE_LINE_LOG2  GENMASK(31, 24)
#define CCACHE_WAY_ENABLE 0x08 /* the highest of the ways that are cache */

/* Choose one of @counters for an event and set it up, stopped [SBI 2.0, 11.8]. */
static struct sbi_ret config_match(u64 counters, u64 event)
{
	register u64 a0 __asm__("a0") = 0; /* the first that a bit stands for */
	register u64 a1 __asm__("a1") = counters;
	register u64 a2 __asm__("a2") = 0; /* flags */
	register u64 a3 __asm__("a3") = event;
	register u64 a4 __asm__("a4") = 0; /* event data */
	register u64 a6 __asm__("a6") = PMU_CONFIG_MATCH;
	register u64 a7 __asm__("a7") = SBI_PMU;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbi_ret){ (s64)a0, a1 };
}

/* Would firmware count it?  The counter is given back at once. */
static bool event_is_there(u32 event, u64 counters)
{
	struct sbi_ret r = config_match(counters, event);

	if (r.error)
		return false;
	(void)sbi_call(SBI_PMU, PMU_STOP, r.value, 1, PMU_STOP_RESET);
	return true;
}

static void print_events(u64 counters)
{
	char text[LINE_LEN] = "";
	u32 len = 0;

	for (u32 i = 0; i < ARRAY_SIZE(events); i++) {
		if (event_is_there(events[i], counters))
			len += (u32)scnprintf(text + len, sizeof(text) - len,
					      " %#x", events[i]);
	}
	pr_info("unmatched: events of firmware's tree:%s",
		len ? text : " none");
}

/* Counters that can count events, a bit each; all of them are listed. */
static u64 print_counters(u64 nr)
{
	char text[LINE_LEN] = "";
	u32 len = 0, nr_firmware = 0;
	u64 programmable = 0;

	for (u64 i = 0; i < min(nr, (u64)MAX_COUNTERS); i++) {
		struct sbi_ret info =
			sbi_call(SBI_PMU, PMU_COUNTER_INFO, i, 0, 0);
		u64 csr = FIELD_GET(PMU_INFO_CSR, info.value) - CSR_CYCLE;

		if (info.error)
			continue;
		if (info.value & PMU_INFO_FIRMWARE) {
			nr_firmware++;
			continue;
		}
		if (csr >= FIRST_EVENT_COUNTER)
			programmable |= BIT(i);
		len += (u32)scnprintf(text + len, sizeof(text) - len,
				      " %llu:%llu", (unsigned long long)csr,
				      (unsigned long long)FIELD_GET(
					      PMU_INFO_WIDTH, info.value) +
					      1);
	}
	pr_info("unmatched: counters and their bits%s, %u of firmware", text,
		nr_firmware);
	return programmable;
}

static void print_pmu(void)
{
	struct sbi_ret r;
	u64 programmable;

	if (!sbi_has(SBI_PMU)) {
		pr_info("unmatched: firmware has no counters");
		return;
	}
	r = sbi_call(SBI_PMU, PMU_NUM_COUNTERS, 0, 0, 0);
	programmable = print_counters(r.error ? 0 : r.value);
	print_events(programmable);
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
	print_pmu();
}
