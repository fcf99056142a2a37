/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_prp.h - the pages of a transfer, as NVMe wants them.
 *
 * A command names its memory by physical region pages [4.3]: only the first may
 * begin, and only the last may end, inside of a page.  Segments of a bio need not
 * fit together like that; then one command takes the longest beginning that does,
 * and the rest is left to the next.
 *
 * Context: any.  Pure but for the translation of direct-map addresses.
 */
#ifndef DRIVERS_NVME_PRP_H
#define DRIVERS_NVME_PRP_H

#include <lib/types.h>

struct bio_seg;

/* A place in a list of segments. */
struct nvme_prp_pos {
	u32 seg;
	u32 off; /* bytes within it */
};

struct nvme_prp_limits {
	u32 max_bytes;	/* of one command; a multiple of the block */
	u32 block_size; /* a command is whole blocks */
	u32 nr_entries; /* that fit into the list */
};

/*
 * How many bytes from @pos on one command can move: 0 when the first address is
 * not a multiple of four, which no controller takes.
 */
u32 nvme_prp_run(const struct bio_seg *seg, u32 nr_segs,
		 struct nvme_prp_pos pos, const struct nvme_prp_limits *lim);
/*
 * Describe @bytes (of nvme_prp_run()) from *@pos on, and move *@pos behind them.
 * @list, at bus address @list_bus, is within one page and is used if @prp does
 * not do.
 */
void nvme_prp_fill(const struct bio_seg *seg, struct nvme_prp_pos *pos,
		   u32 bytes, u64 *list, busaddr_t list_bus, u64 prp[2]);

#endif /* DRIVERS_NVME_PRP_H */
