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

void sbi_time_init(void)
{
	bool sstc = sbi_harts_have("sstc");

	if (sstc) {
		timer_ops_set(&sstc_timer);
	} else {
		if (!sbi_has(SBI_TIME))
			panic("sbi: firmware has no timer extension");
		timer_ops_set(&sbi_timer);
	}
	pr_info("sbi: timer by %s", sstc ? "stimecmp (Sstc)" : "set_timer");
}
