/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/seek.c - lseek(2) to data and holes.
 *
 * Dirty pages get their blocks first, so the map tells all.  Unwritten blocks
 * are holes.  The end of the file is one, too.
 */
#include <fs/ext4/ext4.h>
#include <lib/atomic.h>

/* First block from @lblk on, before @end, that is data or not; @end: none. */
static int find(struct inode *inode, u64 lblk, u64 end, bool data, u64 *out)
{
	while (lblk < end) {
		struct ext4_map m = { .lblk = (u32)lblk };
		int err;

		m.len = (u32)min_t(u64, end - lblk, EXT4_MAX_LBLK - lblk);
		err = ext4_map_read(inode, &m);
		if (err)
			return err;
		if ((m.state == EXT4_WRITTEN) == data)
			break;
		lblk += m.len;
		cond_resched();
	}
	*out = min(lblk, end);
	return 0;
}

static s64 seek(struct inode *inode, u64 off, bool data)
{
	u32 bits = inode_sbi(inode)->block_bits;
	u64 size = load_once(&inode->i_size), lblk, end;
	int err;

	if (off >= size)
		return -ENXIO;
	if (load_once(&inode->mapping.nr_dirty)) {
		err = mapping_sync(&inode->mapping, off, size, false);
		if (err)
			return err;
	}
	end = DIV_ROUND_UP(size, 1ull << bits);
	err = find(inode, off >> bits, end, data, &lblk);
	if (err)
		return err;
	if (lblk == end)
		return data ? -ENXIO : (s64)size;
	return (s64)max(off, lblk << bits);
}

s64 ext4_llseek(struct file *f, s64 off, int whence)
{
	struct inode *inode = f->inode;
	s64 to;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(f, off, whence);
	if (off < 0)
		return -ENXIO;
	down_read(&inode->lock);
	to = seek(inode, (u64)off, whence == SEEK_DATA);
	up_read(&inode->lock);
	if (to >= 0)
		f->pos = (u64)to;
	return to;
}
