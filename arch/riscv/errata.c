/* SPDX-License-Identifier: MIT */
/* arch/riscv/errata.c - which of them this machine has; see errata.h. */
#include <arch/riscv/errata.h>

#define MARCHID_SIFIVE_5 0x0000000000000001ull
#define MARCHID_SIFIVE_7 0x8000000000000007ull

bool errata_cip_453;
bool errata_cip_1200;
bool errata_in_order;

void errata_init(u64 marchid, u64 mimpid)
{
	bool is_sifive =
		marchid == MARCHID_SIFIVE_7 || marchid == MARCHID_SIFIVE_5;

	errata_in_order = is_sifive;
	errata_cip_453 = marchid == MARCHID_SIFIVE_7 && mimpid >= 0x20181004 &&
			 mimpid <= 0x20191105;
	errata_cip_1200 = is_sifive && (mimpid & 0xffffff) <= 0x200630 &&
			  mimpid != 0x1200626;
}
