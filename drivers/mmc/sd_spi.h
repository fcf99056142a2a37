/* SPDX-License-Identifier: MIT */
/*
 * drivers/mmc/sd_spi.h - one SD card on an SPI bus: find it, read it, write it.
 *
 * Context: one thread at a time, which may sleep.  Every function locks the bus
 * for as long as it needs it.
 */
#ifndef DRIVERS_MMC_SD_SPI_H
#define DRIVERS_MMC_SD_SPI_H

#include <kernel/dev/spi.h>
#include <lib/types.h>

struct sd_card {
	struct spi_bus *bus; /* [I] */
	u32 chip;	     /* [I] select line */
	u32 max_hz;	     /* [I] of the slot */
	/* By sd_init() */
	u64 nr_sectors;
	u32 hz;
	bool block_addresses; /* beyond 2 GB: arguments count blocks */
	bool write_protected;
	bool checks; /* blocks carry checksums that mean something */
};

/*
 * From any state of the card to one in which it takes requests.  -ENODEV: nobody
 * answers; -EINVAL: no SD card; -EIO, -ETIMEDOUT.
 */
int sd_init(struct sd_card *c);

/* The memory of block @i of a transfer, SD_BLOCK bytes. */
typedef u8 *sd_block_fn(void *ctx, u32 i);

/*
 * @nr blocks from @sector on.  0; -EILSEQ: a checksum was wrong on the way, worth
 * another try; -EIO, -ETIMEDOUT: the card must be initialised again.  What was
 * transferred is unknown after an error.
 */
int sd_read(struct sd_card *c, u64 sector, u32 nr, sd_block_fn *block,
	    void *ctx);
int sd_write(struct sd_card *c, u64 sector, u32 nr, sd_block_fn *block,
	     void *ctx);

#endif /* DRIVERS_MMC_SD_SPI_H */
