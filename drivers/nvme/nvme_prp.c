/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_prp.c - see nvme_prp.h.
 *
 * INVARIANTS
 *   I1  nvme_prp_fill() describes exactly what nvme_prp_run() measured.
 */
#include <drivers/nvme/nvme_prp.h>

#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/mm/page.h>

static u32 page_offset(const void *p)
{
	return (u32)((uintptr_t)p & (PAGE_SIZE - 1));
}

/* Segments that continue each other on page boundaries, in bytes. */
static u64 seamless(const struct bio_seg *seg, u32 nr_segs,
		    struct nvme_prp_pos pos, u64 enough)
{
	const u8 *end = (const u8 *)seg[pos.seg].addr + seg[pos.seg].len;
	u64 bytes = seg[pos.seg].len - pos.off;

	for (u32 i = pos.seg + 1; i < nr_segs && bytes < enough; i++) {
		/* adjacent memory has no seam at all */
		if (end != seg[i].addr &&
		    (page_offset(end) || page_offset(seg[i].addr)))
			break;
		bytes += seg[i].len;
		end = (const u8 *)seg[i].addr + seg[i].len;
	}
	return bytes;
}

u32 nvme_prp_run(const struct bio_seg *seg, u32 nr_segs,
		 struct nvme_prp_pos pos, const struct nvme_prp_limits *lim)
{
	const u8 *first = (const u8 *)seg[pos.seg].addr + pos.off;
	u64 max = (lim->nr_entries + 1ull) * PAGE_SIZE - page_offset(first);
	u64 bytes;

	KASSERT(pos.seg < nr_segs && pos.off < seg[pos.seg].len);
	if ((uintptr_t)first & 3)
		return 0;
	max = min(max, (u64)lim->max_bytes);
	bytes = min(seamless(seg, nr_segs, pos, max), max);
	return (u32)(bytes - bytes % lim->block_size);
}

/* Address at @pos, and how far it goes on: to the page's or segment's end. */
static u32 step(const struct bio_seg *seg, struct nvme_prp_pos *pos, u32 bytes,
		busaddr_t *at)
{
	const u8 *p = (const u8 *)seg[pos->seg].addr + pos->off;
	u32 n = (u32)PAGE_SIZE - page_offset(p);

	n = min(n, seg[pos->seg].len - pos->off);
	n = min(n, bytes);
	*at = virt_to_phys(p);
	pos->off += n;
	if (pos->off == seg[pos->seg].len) {
		pos->seg++;
		pos->off = 0;
	}
	return n;
}

void nvme_prp_fill(const struct bio_seg *seg, struct nvme_prp_pos *pos,
		   u32 bytes, u64 *list, busaddr_t list_bus, u64 prp[2])
{
	u32 nr = 0; /* entries behind the first */
	busaddr_t at;

	KASSERT(bytes);
	bytes -= step(seg, pos, bytes, &prp[0]);
	prp[1] = 0;
	while (bytes) {
		bytes -= step(seg, pos, bytes, &at);
		if (at & (PAGE_SIZE - 1))
			continue; /* adjacent memory within the page */
		if (nr == 0)
			prp[1] = at;
		list[nr++] = at;
	}
	if (nr > 1)
		prp[1] = list_bus;
}
