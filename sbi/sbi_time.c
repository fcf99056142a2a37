/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi_time.c - the timer: Sstc's stimecmp where the ISA string has it, else
 * SBI set_timer [SBI 2.0, 6].
 */
#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/time/timer.h>
#include <lib/fdt.h>
#include <lib/string.h>
#include <sbi/sbi.h>

static void sbi_set(u64 tick)
{
	this_hart()->st.sbi_calls++;
	sbi_call(SBI_TIME, SBI_TIME_SET, tick, 0, 0);
}

static void sstc_set(u64 tick)
{
	csr_write(0x14d, tick); /* stimecmp [Sstc 1.0] */
}

static const struct timer_ops sbi_timer = { .name = "sbi", .set = sbi_set };
static const struct timer_ops sstc_timer = { .name = "sstc", .set = sstc_set };

static bool isa_has_sstc(int node)
{
	const char *isa = fdt_prop_str(boot_fdt, node, "riscv,isa");
	int len;
	const char *list =
		fdt_prop(boot_fdt, node, "riscv,isa-extensions", &len);

	return (isa && strstr(isa, "_sstc")) ||
	       (list && fdt_stringlist_contains(list, len, "sstc"));
}

void sbi_time_init(void)
{
	bool sstc = true;

	for (unsigned int i = 0; i < nr_harts; i++)
		sstc = sstc && harts[i]->fdt_node > 0 &&
		       isa_has_sstc(harts[i]->fdt_node);
	if (sstc) {
		timer_ops_set(&sstc_timer);
	} else {
		if (!sbi_has(SBI_TIME))
			panic("sbi: firmware has no timer extension");
		timer_ops_set(&sbi_timer);
	}
	pr_info("sbi: timer by %s", sstc ? "stimecmp (Sstc)" : "set_timer");
}
