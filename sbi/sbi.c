/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi.c - the call itself, probing, and firmware_init().
 */
#include <kernel/firmware.h>
#include <kernel/log.h>
#include <sbi/sbi.h>

struct sbi_ret sbi_call(u64 eid, u64 fid, u64 arg0, u64 arg1, u64 arg2)
{
	register u64 a0 __asm__("a0") = arg0;
	register u64 a1 __asm__("a1") = arg1;
	register u64 a2 __asm__("a2") = arg2;
	register u64 a3 __asm__("a3") = 0;
	register u64 a4 __asm__("a4") = 0;
	register u64 a6 __asm__("a6") = fid;
	register u64 a7 __asm__("a7") = eid;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbi_ret){ (s64)a0, a1 };
}

bool sbi_has(u64 eid)
{
	struct sbi_ret r = sbi_call(SBI_BASE, SBI_BASE_PROBE, eid, 0, 0);

	return !r.error && r.value;
}

void firmware_early_init(void)
{
	sbi_console_init();
}

void firmware_init(void)
{
	u64 spec = sbi_call(SBI_BASE, SBI_BASE_SPEC_VERSION, 0, 0, 0).value;
	u64 impl = sbi_call(SBI_BASE, SBI_BASE_IMPL_ID, 0, 0, 0).value;
	u64 ver = sbi_call(SBI_BASE, SBI_BASE_IMPL_VERSION, 0, 0, 0).value;

	pr_info("sbi: specification %lu.%lu, implementation %lu version %#lx",
		(spec >> 24) & 0x7f, spec & 0xffffff, impl, ver);
	pr_info("sbi: mvendorid %#lx marchid %#lx mimpid %#lx",
		sbi_call(SBI_BASE, SBI_BASE_MVENDORID, 0, 0, 0).value,
		sbi_call(SBI_BASE, SBI_BASE_MARCHID, 0, 0, 0).value,
		sbi_call(SBI_BASE, SBI_BASE_MIMPID, 0, 0, 0).value);
	sbi_time_init();
	sbi_hart_init();
	sbi_reset_init();
}
