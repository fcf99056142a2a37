/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi_hart.c - starting harts [SBI 2.0, 9], IPIs [7], remote fences [8].
 *
 * Masks only ever name harts that we started: a remote fence to one that hangs in
 * M-mode (the S7 of the FU740) would never return.
 */
#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/log.h>
#include <sbi/sbi.h>

static int start(u32 hartid, paddr_t entry, u64 opaque)
{
	if (!sbi_has(SBI_HSM))
		return SBI_NOT_SUPPORTED;
	return (int)sbi_call(SBI_HSM, SBI_HSM_START, hartid, entry, opaque)
		.error;
}

static void ipi_mask(u64 mask, u64 base)
{
	struct sbi_ret r = sbi_call(SBI_IPI, SBI_IPI_SEND, mask, base, 0);

	KASSERT(!r.error);
}

static void rfence(u64 mask, u64 base)
{
	struct sbi_ret r;
	register u64 a0 __asm__("a0") = mask;
	register u64 a1 __asm__("a1") = base;
	register u64 a2 __asm__("a2") = 0;
	register u64 a3 __asm__("a3") = ~0ULL; /* size -1: everything */
	register u64 a6 __asm__("a6") = SBI_RFENCE_SFENCE;
	register u64 a7 __asm__("a7") = SBI_RFENCE;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
	r.error = (s64)a0;
	KASSERT(!r.error);
}

static void fence_i(u64 mask, u64 base)
{
	sbi_call(SBI_RFENCE, SBI_RFENCE_FENCE_I, mask, base, 0);
}

static void null_call(void)
{
	sbi_call(SBI_BASE, SBI_BASE_SPEC_VERSION, 0, 0, 0);
}

static const struct hart_ops ops = {
	.start = start,
	.ipi_mask = ipi_mask,
	.rfence = rfence,
	.fence_i = fence_i,
	.null_call = null_call,
};

void sbi_hart_init(void)
{
	if (!sbi_has(SBI_IPI) || !sbi_has(SBI_RFENCE))
		panic("sbi: firmware has no IPI or RFENCE extension (0.2 or later is needed)");
	if (!sbi_has(SBI_HSM))
		pr_warn("sbi: no hart state management: one hart only");
	hart_ops_set(&ops);
}
