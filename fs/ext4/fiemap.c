/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/fiemap.c - tell where a file's blocks are: FIEMAP, FIBMAP.
 *
 * Runs that follow each other in the file and on the volume are told as one.
 * Pages that have no block yet are told as delayed ones, unless FIEMAP_FLAG_SYNC
 * has them written before.  With FIEMAP_FLAG_XATTR it is told where the attributes are.
 *
 * Locking: map_lock of each run, by ext4_map_read(): what changes meanwhile is told
 * as it was or as it is.
 */
#include <fs/ext4/extent.h>
#include <fs/ext4/xattr.h>
#include <kernel/mm/user.h>
#include <kernel/sched/thread.h>
#include <kernel/task/process.h>

/* linux/fiemap.h; bytes */
struct fiemap {
	u64 start, length;
	u32 flags, mapped, count, reserved;
};
struct fiemap_extent {
	u64 logical, physical, length;
	u64 reserved64[2];
	u32 flags, reserved[3];
};
STATIC_ASSERT(sizeof(struct fiemap_extent) == 56, "as in the ABI");

#define FLAG_SYNC	   0x1u
#define FLAG_XATTR	   0x2u
#define FLAG_CACHE	   0x4u
#define EXTENT_LAST	   0x001u
#define EXTENT_UNKNOWN	   0x002u
#define EXTENT_DELALLOC	   0x004u
#define EXTENT_NOT_ALIGNED 0x100u
#define EXTENT_INLINE	   0x200u
#define EXTENT_UNWRITTEN   0x800u

struct teller {
	struct inode *inode;
	uaddr_t to; /* of the next extent */
	u32 count, nr;
	struct fiemap_extent last; /* not yet told; length 0: none */
};

/* 1: there is no room for more. */
static int flush(struct teller *t)
{
	if (!t->last.length)
		return 0;
	if (t->count && t->nr == t->count)
		return 1;
	t->nr++;
	if (t->count && copy_to_user(t->to, &t->last, sizeof(t->last)))
		return -EFAULT;
	t->to += sizeof(t->last);
	t->last.length = 0;
	return t->count && t->nr == t->count;
}

static int add(struct teller *t, const struct fiemap_extent *x)
{
	struct fiemap_extent *l = &t->last;
	int ret;

	if (l->length && l->flags == x->flags &&
	    l->logical + l->length == x->logical &&
	    (x->flags & EXTENT_DELALLOC ||
	     l->physical + l->length == x->physical)) {
		l->length += x->length;
		return 0;
	}
	ret = flush(t);
	if (!ret)
		*l = *x;
	return ret;
}

/* What is at *at, up to @end; moves *at behind it. */
static int next(struct inode *inode, u64 *at, u64 end, struct fiemap_extent *x)
{
	u32 bits = inode_sbi(inode)->block_bits;
	struct ext4_map m = { .lblk = (u32)*at, .len = (u32)(end - *at) };
	struct ext4_cached c = { .delayed = false };
	int err = ext4_map_read(inode, &m);

	if (!err && m.state == EXT4_HOLE)
		err = ext4_map_cached(inode, &m, &c);
	if (err)
		return err;
	*x = (struct fiemap_extent){ .logical = *at << bits };
	if (m.state != EXT4_HOLE) {
		x->physical = m.pblk << bits;
		x->flags = m.state == EXT4_UNWRITTEN ? EXTENT_UNWRITTEN : 0;
	} else if (c.delayed) {
		x->flags = EXTENT_DELALLOC | EXTENT_UNKNOWN;
	}
	if (m.state != EXT4_HOLE || c.delayed)
		x->length = (u64)m.len << bits;
	*at += m.len;
	return 0;
}

/* The first block behind all that the file may have. */
static u64 end_of(struct inode *inode)
{
	u32 bits = inode_sbi(inode)->block_bits, last = 0;
	u64 end = DIV_ROUND_UP(load_once(&inode->i_size), 1ull << bits);

	if (ext4_has_extents(EXT4_I(inode))) {
		down_read(&EXT4_I(inode)->map_lock);
		(void)ext4_ext_end(inode, &last);
		up_read(&EXT4_I(inode)->map_lock);
	}
	return max(end, (u64)last);
}

static int tell(struct teller *t, u64 from, u64 to)
{
	int ret = 0;

	to = min(to, end_of(t->inode));
	while (from < to && !ret) {
		struct fiemap_extent x;

		ret = next(t->inode, &from, to, &x);
		if (!ret && x.length)
			ret = add(t, &x);
		cond_resched();
	}
	if (!ret && t->last.length) {
		t->last.flags |= EXTENT_LAST; /* of what was asked for */
		ret = flush(t);
	}
	return min(ret, 0);
}

/* Where the attributes are; the slot counts when both it and a block have some. */
static int tell_xattr(struct teller *t, u64 start)
{
	struct fiemap_extent x = { .flags = EXTENT_LAST };
	bool inside;
	int err;

	err = ext4_xattr_where(t->inode, &x.physical, &x.length, &inside);
	if (err == -ENODATA || (!err && start >= x.length))
		return 0;
	if (err)
		return err;
	if (inside)
		x.flags |= EXTENT_INLINE | EXTENT_NOT_ALIGNED;
	t->last = x;
	return min(flush(t), 0);
}

static int run(struct inode *inode, struct fiemap *m, uaddr_t to)
{
	u32 bits = inode_sbi(inode)->block_bits;
	u64 max = ext4_max_size(inode), end;
	struct teller t = { .inode = inode, .to = to, .count = m->count };
	int err = 0;

	if (!m->length)
		return -EINVAL;
	if (m->start >= max)
		return -EFBIG;
	end = m->length > max - m->start ? max : m->start + m->length;
	m->flags &= ~FLAG_CACHE; /* of what the tree is like; ours is read */
	if (m->flags & ~(FLAG_SYNC | FLAG_XATTR)) {
		m->flags &= ~(FLAG_SYNC | FLAG_XATTR);
		return -EBADR;
	}
	if ((m->flags & FLAG_SYNC) && S_ISREG(inode->mode))
		err = mapping_sync(&inode->mapping, 0, ~0ull, true);
	if (err)
		return err;
	if (m->flags & FLAG_XATTR) {
		m->flags &= ~FLAG_XATTR;
		err = tell_xattr(&t, m->start);
	} else {
		err = tell(&t, m->start >> bits,
			   DIV_ROUND_UP(end, 1ull << bits));
	}
	m->mapped = t.nr;
	return err;
}

int ext4_fiemap(struct inode *inode, uaddr_t arg)
{
	struct fiemap m;
	int err;

	if (copy_from_user(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.count > 0xffffffffu / sizeof(struct fiemap_extent))
		return -EINVAL;
	err = run(inode, &m, arg + sizeof(m));
	if (copy_to_user(arg, &m, sizeof(m)))
		err = -EFAULT;
	return err;
}

int ext4_fibmap(struct inode *inode, uaddr_t arg)
{
	struct ext4_map m = { .len = 1 };
	int err = 0;
	u32 lblk;

	if (!S_ISREG(inode->mode))
		return -ENOTTY;
	if (!capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (get_user_u32(&lblk, arg))
		return -EFAULT;
	if ((s32)lblk < 0)
		return -EINVAL;
	m.lblk = lblk;
	if (load_once(&inode->mapping.nr_dirty))
		err = mapping_sync(&inode->mapping, 0, ~0ull, true);
	if (!err)
		err = ext4_map_read(inode, &m);
	if (err)
		return err;
	if (m.state != EXT4_WRITTEN || m.pblk >> 31)
		m.pblk = 0;
	return put_user_u32((u32)m.pblk, arg);
}
