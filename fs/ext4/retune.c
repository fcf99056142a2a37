/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/retune.c - somebody writes the super block of a mounted volume: tune2fs.
 *
 * On Linux he and the file system have one buffer.  Here what he may set is taken
 * over from the device into ours and committed, so that neither a checkpoint nor a
 * replay brings the old values back: labels, limits, what to do on errors, who owns
 * the reserve, default options.  All that says how the volume is made stays as it is.
 *
 * Locking: a handle.
 */
#include <fs/ext4/ext4.h>
#include <fs/ext4/io.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>

static const struct {
	u16 off, len;
} tunable[] = {
#define FIELD(f)                                            \
	{                                                   \
		offsetof(struct ext4_super, f),             \
			sizeof(((struct ext4_super *)0)->f) \
	}
	FIELD(mnt_count),
	FIELD(max_mnt_count),
	FIELD(errors),
	FIELD(lastcheck),
	FIELD(checkinterval),
	FIELD(def_resuid),
	FIELD(def_resgid),
	FIELD(r_blocks_count_lo),
	FIELD(r_blocks_count_hi),
	FIELD(volume_name),
	FIELD(last_mounted),
	FIELD(default_mount_opts),
	FIELD(mount_opts),
	FIELD(raid_stride),
	FIELD(raid_stripe_width),
	FIELD(def_hash_version),
	FIELD(min_extra_isize),
	FIELD(want_extra_isize),
	FIELD(encoding_flags),
#undef FIELD
};

/* It is a super block, and of this volume. */
static bool is_ours(struct ext4_sb *sbi, const struct ext4_super *es)
{
	return es->magic == EXT4_MAGIC &&
	       !memcmp(es->uuid, sbi->es->uuid, sizeof(es->uuid)) &&
	       (!sbi->has_csum || ext4_super_csum_ok(es));
}

static bool take_over(struct ext4_super *to, const struct ext4_super *from)
{
	bool changed = false;

	for (size_t i = 0; i < ARRAY_SIZE(tunable); i++) {
		u8 *a = (u8 *)to + tunable[i].off;
		const u8 *b = (const u8 *)from + tunable[i].off;

		if (!memcmp(a, b, tunable[i].len))
			continue;
		memcpy(a, b, tunable[i].len);
		changed = true;
	}
	return changed;
}

/* What is looked at elsewhere than in the super block. */
static void apply(struct ext4_sb *sbi)
{
	const struct ext4_super *es = sbi->es;
	u64 reserve = es->r_blocks_count_lo;

	if (sbi->has_64bit)
		reserve |= (u64)es->r_blocks_count_hi << 32;
	store_once(&sbi->r_blocks, min(reserve, sbi->nr_blocks / 2));
	sbi->opt.resuid = es->def_resuid;
	sbi->opt.resgid = es->def_resgid;
}

static void retune(struct ext4_sb *sbi, const struct ext4_super *es)
{
	struct ext4_handle h;
	int err;

	if (!is_ours(sbi, es) || ext4_begin(sbi, &h, 1))
		return;
	err = ext4_write_access(&h, sbi->super_buf);
	if (!err && take_over(sbi->es, es)) {
		apply(sbi);
		ext4_dirty(&h, sbi->super_buf);
	}
	ext4_end(&h);
	if (!err)
		(void)ext4_sync_fs(sbi->vfs, true);
}

void ext4_device_written(struct super_block *sb, u64 pos, u64 len)
{
	struct ext4_sb *sbi = EXT4_SB(sb);
	u8 *page;

	if (pos >= EXT4_SUPER_OFFSET + sizeof(struct ext4_super) ||
	    pos + len <= EXT4_SUPER_OFFSET)
		return;
	page = get_free_page(0);
	if (page && !blk_read(sbi->bdev, 0, page, PAGE_SIZE))
		retune(sbi, (void *)(page + EXT4_SUPER_OFFSET));
	if (page)
		free_page_addr(page);
}
