/* SPDX-License-Identifier: MIT */
/*
 * sbi/sbi_reset.c - power off and restart: SRST [SBI 2.0, 10], legacy shutdown.
 */
#include <kernel/log.h>
#include <kernel/reset.h>
#include <sbi/sbi.h>

static void srst(enum reset_kind kind)
{
	sbi_call(SBI_SRST, SBI_SRST_RESET,
		 kind == RESET_POWEROFF ? SBI_SRST_SHUTDOWN : SBI_SRST_COLD, 0,
		 0);
}

static void legacy(enum reset_kind kind)
{
	if (kind == RESET_POWEROFF)
		sbi_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0, 0);
}

void sbi_reset_init(void)
{
	if (sbi_has(SBI_SRST))
		reset_register(RESET_FIRMWARE, srst);
	else
		pr_info("sbi: no system reset extension, drivers have to do it");
	reset_register(RESET_LAST, legacy);
}
