/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/move.c - two files exchange blocks, and the first keeps its data:
 * EXT4_IOC_MOVE_EXT, of which e4defrag is made.
 *
 * Piece by piece.  The pages of the first file are kept locked while their data is
 * copied to where the second file's blocks are and both trees are changed, in one
 * handle: so nobody writes them to the old place meanwhile.  The data is there
 * before the transaction commits.  The second file gets the old blocks as
 * unwritten ones; what is written into them afterwards must not be found by who
 * replays an older transaction, so the last piece's is committed at once.
 *
 * Locking: inode->lock of both for writing, the lower address first; pages;
 * map_lock of both, likewise.
 */
#include <fs/ext4/extent.h>
#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/sched/thread.h>
#include <lib/atomic.h>

#define CREDITS	    48u
#define PIECE_BYTES (128u << 10)
#define NR_PAGES    (PIECE_BYTES / PAGE_SIZE + 1)

struct move {
	struct inode *to, *from; /* who moves, and who has the place */
	u32 at, place;		 /* blocks of theirs */
	struct ext4_map a, b;	 /* what is there */
	u8 *buf;
	struct page *page[NR_PAGES];
	u32 nr_pages;
};

static void unlock_pages(struct move *m)
{
	while (m->nr_pages) {
		struct page *pg = m->page[--m->nr_pages];

		page_unlock(pg);
		page_put(pg);
	}
}

/* All that are cached of the piece; those with data are read. */
static int lock_pages(struct move *m)
{
	u32 bits = inode_sbi(m->to)->block_bits;
	u64 first = (u64)m->at << bits >> PAGE_SHIFT;
	u64 last = (((u64)m->at + m->a.len) << bits) - 1;
	struct mapping *mp = &m->to->mapping;

	for (u64 i = first; i <= last >> PAGE_SHIFT; i++) {
		struct page *pg = m->a.state == EXT4_WRITTEN
					  ? mapping_read(mp, i, NULL)
					  : mapping_find(mp, i);

		if (IS_ERR(pg))
			return (int)PTR_ERR(pg);
		if (!pg)
			continue;
		page_lock(pg);
		m->page[m->nr_pages++] = pg;
		if (load_once(&pg->mapping) != mp)
			return -EAGAIN; /* memory was short */
		page_wait_writeback(pg);
	}
	return 0;
}

/* Data of the locked pages to where it will be. */
static int copy_data(struct move *m)
{
	struct ext4_sb *sbi = inode_sbi(m->to);
	u64 pos = (u64)m->at << sbi->block_bits;
	u32 len = m->a.len << sbi->block_bits, done = 0, i;

	for (i = 0; i < m->nr_pages && done < len; i++) {
		u32 off = (u32)((pos + done) & (PAGE_SIZE - 1));
		u32 n = min_t(u32, len - done, PAGE_SIZE - off);

		memcpy(m->buf + done, (u8 *)page_addr(m->page[i]) + off, n);
		done += n;
	}
	return ext4_io(sbi, BIO_WRITE, 0, m->b.pblk, m->buf, m->a.len);
}

/* The leaf with the extent that is exactly this one, ready to be changed. */
static int find_exact(struct ext4_handle *h, struct inode *inode, u32 at,
		      u32 len, struct ext4_ext_path *p)
{
	struct ext4_ext_node *n;
	int err = ext4_ext_find(inode, at, p);

	if (err)
		return err;
	n = ext_leaf(p);
	if (n->pos == EXT4_NO_POS || n->pos >= n->head->entries ||
	    ext_at(n->head, n->pos)->block != at ||
	    ext_len(ext_at(n->head, n->pos)) != len)
		err = -EBUSY;
	else if (n->buf)
		err = ext4_write_access(h, n->buf);
	if (err)
		ext4_ext_put(p);
	return err;
}

static void replace(struct ext4_handle *h, struct inode *inode,
		    struct ext4_ext_path *p, u64 start, bool unwritten)
{
	struct ext4_ext_node *n = ext_leaf(p);
	struct ext4_extent *e = ext_at(n->head, n->pos);

	ext_set(e, e->block, start, ext_len(e), unwritten);
	ext4_ext_merge(n);
	(void)ext4_ext_dirty(h, inode, n);
	ext4_map_forget(EXT4_I(inode));
	EXT4_I(inode)->goal_pblk = 0;
	store_once(&EXT4_I(inode)->datasync_tid, ext4_handle_tid(h));
	ext4_ext_put(p);
}

static void lock_maps(struct move *m, bool lock)
{
	struct inode *a = min(m->to, m->from), *b = max(m->to, m->from);

	if (lock) {
		down_write(&EXT4_I(a)->map_lock);
		down_write(&EXT4_I(b)->map_lock);
	} else {
		up_write(&EXT4_I(b)->map_lock);
		up_write(&EXT4_I(a)->map_lock);
	}
}

static int exchange(struct move *m)
{
	struct ext4_ext_path to, from;
	struct ext4_handle h;
	int err = ext4_begin(inode_sbi(m->to), &h, CREDITS);

	if (err)
		return err;
	lock_maps(m, true);
	err = find_exact(&h, m->to, m->at, m->a.len, &to);
	if (!err) {
		err = find_exact(&h, m->from, m->place, m->a.len, &from);
		if (err)
			ext4_ext_put(&to);
	}
	if (!err) {
		replace(&h, m->to, &to, m->b.pblk,
			m->a.state == EXT4_UNWRITTEN);
		replace(&h, m->from, &from, m->a.pblk, true);
	}
	lock_maps(m, false);
	if (!err)
		err = ext4_mark_dirty(&h, m->to);
	if (!err)
		err = ext4_mark_dirty(&h, m->from);
	ext4_end(&h);
	return err;
}

static int look(struct move *m, u32 len)
{
	int err;

	m->a = (struct ext4_map){ .lblk = m->at, .len = len };
	m->b = (struct ext4_map){ .lblk = m->place, .len = len };
	err = ext4_map_read(m->to, &m->a);
	if (!err)
		err = ext4_map_read(m->from, &m->b);
	m->a.len = min(m->a.len, m->b.len);
	return err;
}

static int move_piece(struct move *m, u32 len)
{
	u32 n = m->a.len;
	int err = ext4_cut_extent(m->to, m->at);

	if (!err)
		err = ext4_cut_extent(m->to, m->at + n);
	if (!err)
		err = ext4_cut_extent(m->from, m->place);
	if (!err)
		err = ext4_cut_extent(m->from, m->place + n);
	if (!err)
		err = lock_pages(m);
	/* Now that nobody writes: is it still so? */
	if (!err)
		err = look(m, len);
	if (!err && (m->a.len != n || m->a.state == EXT4_HOLE ||
		     m->b.state == EXT4_HOLE))
		err = -EAGAIN;
	if (!err && m->a.state == EXT4_WRITTEN)
		err = copy_data(m);
	if (!err)
		err = exchange(m);
	unlock_pages(m);
	return err;
}

static int move_all(struct move *m, u32 len, u64 *moved)
{
	struct ext4_sb *sbi = inode_sbi(m->to);
	u32 piece = PIECE_BYTES >> sbi->block_bits, tries = 0;
	int err = 0;

	while (len && !err) {
		u32 n = min(len, piece);

		err = look(m, n);
		n = m->a.len;
		if (!err && m->a.state != EXT4_HOLE && m->b.state != EXT4_HOLE)
			err = move_piece(m, n);
		if (err == -EAGAIN && tries++ < 8) {
			err = 0;
			continue;
		}
		if (err)
			break;
		m->at += n;
		m->place += n;
		len -= n;
		*moved += n;
		if (signal_pending_current())
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* How many blocks there are to move, or an error. */
static s64 check(const struct inode *to, const struct inode *from, u64 at,
		 u64 place, u64 len)
{
	u32 bits = inode_sbi(to)->block_bits;
	u64 mask = (PAGE_SIZE >> bits) - 1;
	u64 end = DIV_ROUND_UP(to->i_size, 1ull << bits);
	u64 end2 = DIV_ROUND_UP(from->i_size, 1ull << bits);

	if (from->mode & (S_ISUID | S_ISGID))
		return -EINVAL;
	if ((from->iflags | to->iflags) & (FS_IMMUTABLE_FL | FS_APPEND_FL))
		return -EPERM;
	if (!ext4_has_extents(EXT4_I((struct inode *)(uintptr_t)to)) ||
	    !ext4_has_extents(EXT4_I((struct inode *)(uintptr_t)from)))
		return -EOPNOTSUPP;
	if (!end || !end2 || (at & mask) != (place & mask))
		return -EINVAL;
	if (at >= EXT4_MAX_LBLK || place >= EXT4_MAX_LBLK ||
	    len > EXT4_MAX_LBLK || at + len >= EXT4_MAX_LBLK ||
	    place + len >= EXT4_MAX_LBLK || at >= end || place >= end2)
		return -EINVAL;
	len = min(len, min(end - at, end2 - place));
	return len ? (s64)len : -EINVAL;
}

/* Nothing dirty, nothing cached of the one that gives its place. */
static int prepare(struct move *m, u32 len)
{
	u32 bits = inode_sbi(m->to)->block_bits;
	u64 a = (u64)m->at << bits, b = (u64)m->place << bits;
	u64 n = (u64)len << bits;
	int err = mapping_sync(&m->to->mapping, a, a + n, true);

	ext4_dio_wait(m->to);
	ext4_dio_wait(m->from);
	if (!err)
		err = mapping_sync(&m->from->mapping, ALIGN_DOWN(b, PAGE_SIZE),
				   ALIGN_UP(b + n, PAGE_SIZE), true);
	return err;
}

static int locked(struct move *m, u64 len, u64 *moved)
{
	struct ext4_sb *sbi = inode_sbi(m->to);
	u64 start = ALIGN_DOWN((u64)m->place << sbi->block_bits, PAGE_SIZE);
	s64 n = check(m->to, m->from, m->at, m->place, len);
	int err, err2 = 0;

	if (n < 0)
		return (int)n;
	err = prepare(m, (u32)n);
	if (err)
		return err;
	mapping_punch(&m->from->mapping, start,
		      ALIGN_UP(m->from->i_size, PAGE_SIZE));
	err = move_all(m, (u32)n, moved);
	/* Readers take no lock. */
	mapping_punch(&m->from->mapping, start,
		      ALIGN_UP(m->from->i_size, PAGE_SIZE));
	if (*moved)
		err2 = ext4_sync_fs(sbi->vfs, true);
	return err ? err : err2;
}

int ext4_move_blocks(struct file *f, struct file *donor, u64 at, u64 place,
		     u64 len, u64 *moved)
{
	struct inode *to = f->inode, *from = donor->inode;
	struct ext4_sb *sbi = inode_sbi(to);
	struct move *m;
	int err;

	if (to == from || !S_ISREG(to->mode) || !S_ISREG(from->mode) ||
	    at > EXT4_MAX_LBLK || place > EXT4_MAX_LBLK)
		return -EINVAL;
	if (to->sb->flags & MS_RDONLY)
		return -EROFS;
	m = kzalloc(sizeof(*m));
	if (m)
		m->buf = alloc_pages_exact(PIECE_BYTES, 0);
	if (!m || !m->buf) {
		kfree(m);
		return -ENOMEM;
	}
	m->to = to;
	m->from = from;
	m->at = (u32)at;
	m->place = (u32)place;
	down_write(&min(to, from)->lock);
	down_write(&max(to, from)->lock);
	ext4_enter(sbi, EXT4_WRITE);
	err = locked(m, len, moved);
	ext4_leave(sbi, EXT4_WRITE);
	up_write(&max(to, from)->lock);
	up_write(&min(to, from)->lock);
	free_pages_exact(m->buf, PIECE_BYTES);
	kfree(m);
	return err;
}
