/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi_pmu.c - performance counters [SBI 2.0, 11].
 *
 * Firmware knows which counter can count what; we say what we want and on which
 * counters it may be.  No shared memory (snapshots): counters are read by their CSR,
 * and firmware's own, which are rarely used, by a call.
 *
 * Context: any; each call is about the hart that makes it.
 */
#include <arch/riscv/csr.h>
#include <kernel/log.h>
#include <kernel/pmu/pmu.h>
#include <lib/errno.h>
#include <sbi/sbi.h>

/* sbi_call() with room for five arguments. */
static struct sbi_ret pmu_call(u64 fid, u64 arg0, u64 arg1, u64 arg2, u64 arg3,
			       u64 arg4)
{
	register u64 a0 __asm__("a0") = arg0;
	register u64 a1 __asm__("a1") = arg1;
	register u64 a2 __asm__("a2") = arg2;
	register u64 a3 __asm__("a3") = arg3;
	register u64 a4 __asm__("a4") = arg4;
	register u64 a6 __asm__("a6") = fid;
	register u64 a7 __asm__("a7") = SBI_PMU;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbi_ret){ (s64)a0, a1 };
}

static int info(u32 idx, struct pmu_counter *out)
{
	struct sbi_ret r = sbi_call(SBI_PMU, SBI_PMU_GET_INFO, idx, 0, 0);

	if (r.error)
		return -ENODEV;
	*out = (struct pmu_counter){
		.firmware = r.value >> 63,
		.csr = (u16)(r.value & 0xfff),
		.width = (u8)(((r.value >> 12) & 0x3f) + 1),
	};
	if (out->firmware) {
		out->csr = 0;
		out->width = 64;
	}
	return 0;
}

static int config(u64 mask, u64 event, u64 data)
{
	/* Not started by a flag of this call: OpenSBI up to 1.6 does that for some
	 * types of events only. */
	struct sbi_ret r = pmu_call(SBI_PMU_CONFIG, 0, mask, SBI_PMU_CFG_CLEAR,
				    event, data);

	if (r.error)
		return r.error == SBI_NOT_SUPPORTED ? -EOPNOTSUPP : -EINVAL;
	/* Firmware that answers with a counter which it was not offered lies. */
	if (r.value >= 64 || !(mask & BIT(r.value)))
		return -EIO;
	(void)pmu_call(SBI_PMU_START, r.value, 1, SBI_PMU_START_INIT, 0, 0);
	return (int)r.value;
}

static void stop(u32 idx)
{
	(void)sbi_call(SBI_PMU, SBI_PMU_STOP, idx, 1, SBI_PMU_STOP_RESET);
}

static void restart(u32 idx, u64 value)
{
	(void)sbi_call(SBI_PMU, SBI_PMU_STOP, idx, 1, 0);
	(void)pmu_call(SBI_PMU_START, idx, 1, SBI_PMU_START_INIT, value, 0);
}

static u64 read_firmware(u32 idx)
{
	struct sbi_ret r = sbi_call(SBI_PMU, SBI_PMU_FW_READ, idx, 0, 0);

	return r.error ? 0 : r.value;
}

static struct pmu_ops ops = {
	.info = info,
	.config = config,
	.stop = stop,
	.read = read_firmware,
	.restart = restart,
};

/* Some emulators have the extension, but not its interrupt in S-mode: QEMU 10.0.13. */
static bool can_interrupt(void)
{
	u64 was = csr_read(sie);
	bool sticks;

	csr_set(sie, SIP_LCOFIP);
	sticks = csr_read(sie) & SIP_LCOFIP;
	csr_write(sie, was);
	if (!sticks)
		pr_info("sbi: Sscofpmf, but sie has no overflow interrupt");
	return sticks;
}

void sbi_pmu_init(void)
{
	struct sbi_ret r;

	if (!sbi_has(SBI_PMU)) {
		pr_info("sbi: no counters but cycle, time and instret");
		return;
	}
	r = sbi_call(SBI_PMU, SBI_PMU_NUM, 0, 0, 0);
	if (r.error)
		return;
	ops.nr_counters = r.value < 64 ? (u32)r.value : 64;
	ops.overflow = sbi_harts_have("sscofpmf") && can_interrupt();
	pmu_ops_set(&ops);
}
