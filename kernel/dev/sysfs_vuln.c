/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/sysfs_vuln.c - /sys/devices/system/cpu/vulnerabilities.
 *
 * Most are bugs of one maker's processors, which no RISC-V core has.  What any core may
 * have that runs ahead on a guess is ruled out for the ones that are known to run in order;
 * nothing is said of others, nor does the kernel do anything about it.
 */
#include <kernel/dev/sysfs.h>

#include <arch/riscv/errata.h>
#include <kernel/init.h>
#include <lib/fmt.h>

static s64 show_foreign(void *obj __unused, const struct sys_attr *a __unused,
			char *buf, size_t size)
{
	return scnprintf(buf, size, "Not affected\n");
}

static s64 show_guesses(void *obj __unused, const struct sys_attr *a __unused,
			char *buf, size_t size)
{
	return scnprintf(buf, size, "%s\n",
			 errata_in_order ? "Not affected"
					 : "Unknown: not known of this core");
}

#define FOREIGN(nm)                                              \
	{                                                        \
		.name = (nm), .mode = 0444, .show = show_foreign \
	}
#define GUESSES(nm)                                              \
	{                                                        \
		.name = (nm), .mode = 0444, .show = show_guesses \
	}

static const struct sys_attr attrs[] = {
	FOREIGN("gather_data_sampling"),
	FOREIGN("indirect_target_selection"),
	FOREIGN("itlb_multihit"),
	FOREIGN("l1tf"),
	FOREIGN("mds"),
	GUESSES("meltdown"),
	FOREIGN("mmio_stale_data"),
	FOREIGN("reg_file_data_sampling"),
	FOREIGN("retbleed"),
	FOREIGN("spec_rstack_overflow"),
	GUESSES("spec_store_bypass"),
	GUESSES("spectre_v1"),
	GUESSES("spectre_v2"),
	FOREIGN("srbds"),
	FOREIGN("tsa"),
	FOREIGN("tsx_async_abort"),
	FOREIGN("vmscape"),
};

static int vuln_init(void)
{
	return sys_add(sys_path("devices/system/cpu/vulnerabilities"), attrs,
		       ARRAY_SIZE(attrs));
}
INITCALL(INIT_VFS, vuln_init);
