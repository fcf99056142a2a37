/* SPDX-License-Identifier: MIT */
/*
 * drivers/mmc/sd_csd.h - what a card says about itself.  Pure.
 */
#ifndef DRIVERS_MMC_SD_CSD_H
#define DRIVERS_MMC_SD_CSD_H

#include <lib/types.h>

struct sd_csd {
	u64 nr_sectors; /* of 512 bytes */
	u32 max_hz;
	bool write_protected;
};

/* Card-specific data, 16 bytes as they come [5.3].  0 or -EINVAL. */
int sd_csd_parse(const u8 raw[16], struct sd_csd *out);

#endif /* DRIVERS_MMC_SD_CSD_H */
