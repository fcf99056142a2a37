/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/partition.c - partition tables: GPT and MBR.
 *
 * UEFI 2.10, chapter 5, for both.  A GPT counts only behind a protective MBR,
 * with both checksums right; when the first copy is bad the last block's is
 * taken.  An MBR counts only when its four flags are sane, because a boot sector
 * of a file system ends in the same two bytes.
 *
 * INVARIANTS
 *   I1  What is reported lies inside of the disk and is not empty.
 *   I2  At most MAX_PARTITIONS are reported; no chain is followed further.
 */
#include <kernel/dev/partition.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <lib/crc.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MAX_PARTITIONS 128u
#define SCRATCH_SIZE   4096u /* a block, and a piece of the GPT's array */

/* Master boot record [UEFI 5.2.1] */
#define MBR_DISK_SIGNATURE 440
#define MBR_ENTRIES	   446
#define MBR_ENTRY_SIZE	   16
#define MBR_MAGIC	   510
#define MBR_TYPE	   4 /* in the entry */
#define MBR_START	   8
#define MBR_LEN		   12
#define MBR_TYPE_GPT	   0xee

/* GPT header [UEFI 5.3.2] */
#define GPT_HEADER_SIZE 12
#define GPT_HEADER_CRC	16
#define GPT_MY_LBA	24
#define GPT_ARRAY_LBA	72
#define GPT_NR_ENTRIES	80
#define GPT_ENTRY_SIZE	84
#define GPT_ARRAY_CRC	88
#define GPT_MIN_HEADER	92
#define GPT_MAX_ENTRIES 1024u

/* GPT entry [UEFI 5.3.3] */
#define GPE_TYPE  0
#define GPE_GUID  16
#define GPE_FIRST 32
#define GPE_LAST  40
#define GPE_SIZE  128u

struct scan {
	const struct part_disk *d;
	u32 nr_found;
	u32 spb; /* 512-byte sectors per block */
	u8 *buf; /* SCRATCH_SIZE */
};

static u32 get_le32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u64 get_le64(const u8 *p)
{
	return get_le32(p) | (u64)get_le32(p + 4) << 32;
}

static int read_block(struct scan *s, u64 lba)
{
	if (lba >= s->d->nr_sectors / s->spb)
		return -EIO;
	return s->d->read(s->d->ctx, lba * s->spb, s->buf, s->d->block_size);
}

/* @start and @len in blocks. */
static void report(struct scan *s, u32 nr, u64 start, u64 len, const char *uuid)
{
	u64 nr_blocks = s->d->nr_sectors / s->spb;
	struct partition p = { .nr = nr };

	if (!len || s->nr_found == MAX_PARTITIONS)
		return;
	if (start >= nr_blocks) {
		pr_warn("partition %u begins behind the end of the disk", nr);
		return;
	}
	if (len > nr_blocks - start) {
		pr_warn("partition %u ends behind the end of the disk, cut",
			nr);
		len = nr_blocks - start;
	}
	p.start = start * s->spb;
	p.len = len * s->spb;
	strscpy(p.uuid, uuid, sizeof(p.uuid));
	s->nr_found++;
	s->d->found(s->d->ctx, &p);
}

/* ---- GPT */

struct gpt {
	u64 array_lba;
	u32 nr_entries;
	u32 entry_size;
	u32 array_crc;
};

/* The first three fields are little-endian numbers, the rest is bytes. */
static void guid_text(const u8 *g, char *out, size_t size)
{
	scnprintf(out, size,
		  "%08x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		  get_le32(g), g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11],
		  g[12], g[13], g[14], g[15]);
}

static int gpt_header(struct scan *s, u64 lba, struct gpt *g)
{
	u8 *h = s->buf;
	u32 size, crc;
	int err = read_block(s, lba);

	if (err)
		return err;
	size = get_le32(h + GPT_HEADER_SIZE);
	if (memcmp(h, "EFI PART", 8) || size < GPT_MIN_HEADER ||
	    size > s->d->block_size || get_le64(h + GPT_MY_LBA) != lba)
		return -EINVAL;
	crc = get_le32(h + GPT_HEADER_CRC);
	memset(h + GPT_HEADER_CRC, 0, 4);
	if (crc32(0, h, size) != crc)
		return -EINVAL;
	g->array_lba = get_le64(h + GPT_ARRAY_LBA);
	g->nr_entries = get_le32(h + GPT_NR_ENTRIES);
	g->entry_size = get_le32(h + GPT_ENTRY_SIZE);
	g->array_crc = get_le32(h + GPT_ARRAY_CRC);
	if (g->entry_size < GPE_SIZE || g->entry_size > SCRATCH_SIZE ||
	    (g->entry_size & (g->entry_size - 1)) || !g->nr_entries ||
	    g->nr_entries > GPT_MAX_ENTRIES)
		return -EINVAL;
	return 0;
}

static void gpt_entry(struct scan *s, u32 nr, const u8 *e)
{
	static const u8 unused[16];
	u64 first = get_le64(e + GPE_FIRST);
	u64 last = get_le64(e + GPE_LAST);
	char uuid[40];

	if (!memcmp(e + GPE_TYPE, unused, sizeof(unused)) || last < first)
		return;
	guid_text(e + GPE_GUID, uuid, sizeof(uuid));
	report(s, nr, first, last - first + 1, uuid);
}

/* Walk the array in pieces; report its entries, or only sum it up. */
static int gpt_array(struct scan *s, const struct gpt *g, bool do_report)
{
	u32 total = g->nr_entries * g->entry_size, crc = 0;
	u64 nr_blocks = s->d->nr_sectors / s->spb;

	if (g->array_lba >= nr_blocks ||
	    total / s->d->block_size >= nr_blocks - g->array_lba)
		return -EINVAL;
	for (u32 pos = 0; pos < total; pos += SCRATCH_SIZE) {
		u32 n = min(total - pos, SCRATCH_SIZE);
		u64 sector = g->array_lba * s->spb + pos / 512;
		int err = s->d->read(s->d->ctx, sector, s->buf,
				     ALIGN_UP(n, s->d->block_size));

		if (err)
			return err;
		crc = crc32(crc, s->buf, n);
		for (u32 off = 0; do_report && off < n; off += g->entry_size)
			gpt_entry(s, (pos + off) / g->entry_size + 1,
				  s->buf + off);
	}
	return crc == g->array_crc ? 0 : -EINVAL;
}

static int parse_gpt(struct scan *s)
{
	u64 last = s->d->nr_sectors / s->spb - 1;
	struct gpt g;
	int err;

	err = gpt_header(s, 1, &g);
	if (!err)
		err = gpt_array(s, &g, false);
	if (err) {
		pr_warn("GPT: first copy is bad (%d), trying the last block",
			err);
		err = gpt_header(s, last, &g);
		if (!err)
			err = gpt_array(s, &g, false);
	}
	if (err)
		return err;
	return gpt_array(s, &g, true);
}

/* ---- MBR */

static bool mbr_ok(const u8 *b)
{
	if (b[MBR_MAGIC] != 0x55 || b[MBR_MAGIC + 1] != 0xaa)
		return false;
	for (u32 i = 0; i < 4; i++) {
		u8 flag = b[MBR_ENTRIES + i * MBR_ENTRY_SIZE];

		if (flag != 0 && flag != 0x80)
			return false;
	}
	return true;
}

static bool is_extended(u8 type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static void mbr_report(struct scan *s, u32 signature, u32 nr, u64 start,
		       u64 len)
{
	char uuid[40];

	scnprintf(uuid, sizeof(uuid), "%08x-%02x", signature, nr);
	report(s, nr, start, len, uuid);
}

/* Logical partitions: each link has one, and the way to the next link. */
static int parse_extended(struct scan *s, u32 signature, u64 base)
{
	u64 lba = base;

	for (u32 nr = 5; nr < 5 + MAX_PARTITIONS; nr++) {
		u8 *e = s->buf + MBR_ENTRIES;
		u8 *next = e + MBR_ENTRY_SIZE;
		int err = read_block(s, lba);

		if (err)
			return err;
		if (!mbr_ok(s->buf))
			return 0;
		if (e[MBR_TYPE] && !is_extended(e[MBR_TYPE]))
			mbr_report(s, signature, nr,
				   lba + get_le32(e + MBR_START),
				   get_le32(e + MBR_LEN));
		if (!is_extended(next[MBR_TYPE]) || !get_le32(next + MBR_START))
			return 0;
		lba = base + get_le32(next + MBR_START);
	}
	return 0;
}

static int parse_mbr(struct scan *s)
{
	u32 signature = get_le32(s->buf + MBR_DISK_SIGNATURE);
	u64 extended = 0;

	for (u32 i = 0; i < 4; i++) {
		const u8 *e = s->buf + MBR_ENTRIES + i * MBR_ENTRY_SIZE;
		u64 start = get_le32(e + MBR_START);

		if (!e[MBR_TYPE])
			continue;
		/* Of an extended one only what a boot loader wants: nobody
		 * shall make a file system there. */
		if (is_extended(e[MBR_TYPE])) {
			mbr_report(s, signature, i + 1, start,
				   min(get_le32(e + MBR_LEN),
				       max(2u / s->spb, 1u)));
			extended = start;
			continue;
		}
		mbr_report(s, signature, i + 1, start, get_le32(e + MBR_LEN));
	}
	return extended ? parse_extended(s, signature, extended) : 0;
}

static int parse(struct scan *s)
{
	int err = read_block(s, 0);

	if (err)
		return err;
	if (!mbr_ok(s->buf))
		return 0;
	for (u32 i = 0; i < 4; i++) {
		if (s->buf[MBR_ENTRIES + i * MBR_ENTRY_SIZE + MBR_TYPE] ==
		    MBR_TYPE_GPT)
			return parse_gpt(s);
	}
	return parse_mbr(s);
}

int partition_parse(const struct part_disk *d)
{
	struct scan s = { .d = d, .spb = d->block_size / 512 };
	int err;

	if (d->block_size > SCRATCH_SIZE || d->nr_sectors < 2 * (u64)s.spb)
		return 0;
	s.buf = kmalloc(SCRATCH_SIZE);
	if (!s.buf)
		return -ENOMEM;
	err = parse(&s);
	kfree(s.buf);
	return err ? err : (int)s.nr_found;
}
