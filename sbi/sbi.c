/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi.c - the call itself, probing, and firmware_init().
 */
#include <arch/riscv/errata.h>
#include <kernel/firmware.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <lib/fdt.h>
#include <lib/fmt.h>
#include <lib/string.h>
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

/* In "rv64imafdch_zicsr_..._sscofpmf_sstc", or in the list that follows it. */
static bool hart_has(int node, const char *name)
{
	const char *isa = fdt_prop_str(boot_fdt, node, "riscv,isa"), *at;
	char word[32];
	int len;
	const char *list =
		fdt_prop(boot_fdt, node, "riscv,isa-extensions", &len);

	scnprintf(word, sizeof(word), "_%s", name);
	at = isa ? strstr(isa, word) : NULL;
	if (at && (at[strlen(word)] == '_' || !at[strlen(word)]))
		return true;
	return list && fdt_stringlist_contains(list, len, name);
}

bool sbi_harts_have(const char *name)
{
	for (u32 i = 0; i < nr_harts; i++) {
		if (harts[i]->fdt_node <= 0 ||
		    !hart_has(harts[i]->fdt_node, name))
			return false;
	}
	return true;
}

void firmware_early_init(void)
{
	sbi_console_init();
}

static u64 base_value(u64 fid)
{
	return sbi_call(SBI_BASE, fid, 0, 0, 0).value;
}

static void identify_harts(void)
{
	u64 marchid = base_value(SBI_BASE_MARCHID);
	u64 mimpid = base_value(SBI_BASE_MIMPID);

	errata_init(marchid, mimpid);
	pr_info("sbi: mvendorid %#lx marchid %#lx mimpid %#lx, errata%s%s%s",
		base_value(SBI_BASE_MVENDORID), marchid, mimpid,
		errata_cip_453 ? " CIP-453" : "",
		errata_cip_1200 ? " CIP-1200" : "",
		errata_cip_453 || errata_cip_1200 ? "" : " none known");
}

void firmware_init(void)
{
	u64 spec = base_value(SBI_BASE_SPEC_VERSION);
	u64 impl = base_value(SBI_BASE_IMPL_ID);
	u64 ver = base_value(SBI_BASE_IMPL_VERSION);

	pr_info("sbi: specification %lu.%lu, implementation %lu version %#lx",
		(spec >> 24) & 0x7f, spec & 0xffffff, impl, ver);
	identify_harts();
	sbi_time_init();
	sbi_hart_init();
	sbi_reset_init();
	sbi_pmu_init();
}
