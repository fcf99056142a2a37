/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/jlog.c - blocks of the log: where they are, their heads and sums.
 *
 * Locking: none of its own; the log is written by who holds commit_lock.
 */
#include <fs/ext4/io.h>
#include <fs/ext4/journal.h>
#include <lib/atomic.h>
#include <lib/crc.h>

#define DISCARD_BLOCKS 32768u /* at once */

/* Block of the volume for @log; *len more, itself included, follow it. */
static u64 log_block(const struct ext4_journal *j, u32 log, u32 *len)
{
	u32 lo = 0, hi = j->nr_runs;
	const struct ext4_run *r;

	while (hi - lo > 1) {
		u32 mid = (lo + hi) / 2;

		if (j->run[mid].log <= log)
			lo = mid;
		else
			hi = mid;
	}
	r = &j->run[lo];
	KASSERT(log - r->log < r->len);
	*len = r->len - (log - r->log);
	return r->blk + (log - r->log);
}

int ext4_log_io(struct ext4_journal *j, u32 op, u32 log, void *mem, u32 nr)
{
	u8 *p = mem;

	while (nr) {
		u32 n;
		u64 blk = log_block(j, log, &n);
		int err;

		n = min(min(n, nr), log < j->end ? j->end - log : 1);
		err = ext4_io(j->sbi, op, 0, blk, p, n);
		if (err)
			return err;
		p += (size_t)n << j->sbi->block_bits;
		nr -= n;
		log = ext4_log_next(j, log, n);
	}
	return 0;
}

int ext4_log_write_fua(struct ext4_journal *j, u32 log, void *mem)
{
	bool fua = !(load_once(&j->sbi->opt.flags) & EXT4_OPT_NOBARRIER);
	u32 n;
	u64 blk = log_block(j, log, &n);

	return ext4_io(j->sbi, BIO_WRITE, fua ? BIO_FUA : 0, blk, mem, 1);
}

int ext4_log_discard(struct ext4_journal *j)
{
	u32 shift = j->sbi->block_bits - SECTOR_SHIFT, log, n;

	for (log = j->first; log < j->end; log += n) {
		u64 blk = log_block(j, log, &n);
		int err;

		n = min(min(n, j->end - log), DISCARD_BLOCKS);
		err = blk_range(j->sbi->bdev, BIO_DISCARD, blk << shift,
				n << shift);
		if (err)
			return err;
	}
	return 0;
}

u32 ext4_log_data_csum(const struct ext4_journal *j, u32 tid, const void *mem)
{
	struct be32 seq = be32_of(tid);

	return crc32c(crc32c(j->seed, &seq, sizeof(seq)), mem,
		      j->sbi->block_size);
}

/* Of a whole block in which the sum itself, 4 bytes at @at, counts as zero. */
static u32 csum_without(const struct ext4_journal *j, const void *mem, u32 at)
{
	const u8 *p = mem;
	u32 zero = 0, c = crc32c(j->seed, p, at);

	c = crc32c(c, &zero, sizeof(zero));
	at += (u32)sizeof(zero);
	return crc32c(c, p + at, j->sbi->block_size - at);
}

u32 ext4_log_tail_csum(const struct ext4_journal *j, const void *mem)
{
	return csum_without(j, mem,
			    j->sbi->block_size - (u32)sizeof(struct jbd_tail));
}

u32 ext4_log_commit_csum(const struct ext4_journal *j, const void *mem)
{
	return csum_without(j, mem, offsetof(struct jbd_commit, csum));
}

void ext4_log_head(void *mem, enum jbd_type type, u32 tid)
{
	struct jbd_head *h = mem;

	h->magic = be32_of(JBD_MAGIC);
	h->type = be32_of(type);
	h->seq = be32_of(tid);
}
