/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/journal.c - find the journal, believe its super block, change that.
 *
 * The journal is a file, inode 8.  Where its blocks are is noted once; the
 * inode is not needed afterwards.
 *
 * INVARIANT  after ext4_journal_open() every number of struct ext4_journal is
 * within the journal, and every log block has a place on the volume.
 *
 * Locking: super_lock for the super block.
 * Not here: replay (recover.c), transactions (handle.c, commit.c).
 */
#include <fs/ext4/journal.h>

#include <fs/ext4/io.h>
#include <kernel/mm/kmalloc.h>
#include <lib/atomic.h>
#include <lib/crc.h>

#define MIN_BLOCKS 1024u
#define KNOWN_INCOMPAT                                      \
	(JBD_INCOMPAT_REVOKE | JBD_INCOMPAT_64BIT |         \
	 JBD_INCOMPAT_ASYNC_COMMIT | JBD_INCOMPAT_CSUM_V2 | \
	 JBD_INCOMPAT_CSUM_V3 | JBD_INCOMPAT_FAST_COMMIT)

static int bad(struct ext4_journal *j, const char *what, u64 value)
{
	pr_err("ext4: %s: bad journal: %s %llu", j->sbi->bdev->name, what,
	       (unsigned long long)value);
	return -EFSCORRUPTED;
}

/* --- where it is */

static int add_run(struct ext4_journal *j, const struct ext4_map *m)
{
	struct ext4_run *r = j->nr_runs ? &j->run[j->nr_runs - 1] : NULL;

	if (r && r->blk + r->len == m->pblk) {
		r->len += m->len;
		return 0;
	}
	if (j->nr_runs % 16 == 0) {
		r = krealloc(j->run, (j->nr_runs + 16) * sizeof(*r));
		if (!r)
			return -ENOMEM;
		j->run = r;
	}
	j->run[j->nr_runs++] = (struct ext4_run){ m->lblk, m->len, m->pblk };
	return 0;
}

static int map_inode(struct ext4_journal *j, struct inode *inode, u32 *blocks)
{
	u32 nr = (u32)(inode->i_size >> j->sbi->block_bits);
	struct ext4_map m = { 0 };
	int err = 0;

	if (!S_ISREG(inode->mode) || !inode->nlink)
		return bad(j, "inode of mode", inode->mode);
	if (nr < MIN_BLOCKS || inode->i_size >> 40)
		return bad(j, "size", inode->i_size);
	for (m.lblk = 0; m.lblk < nr && !err; m.lblk += m.len) {
		m.len = nr - m.lblk;
		err = ext4_map_read(inode, &m);
		if (!err && m.state != EXT4_WRITTEN)
			err = bad(j, "hole at block", m.lblk);
		if (!err)
			err = add_run(j, &m);
	}
	*blocks = nr;
	return err;
}

static int map_journal(struct ext4_journal *j, u32 *blocks)
{
	u32 ino = j->sbi->es->journal_inum;
	struct inode *inode;
	int err;

	if (ino != EXT4_JOURNAL_INO)
		return bad(j, "inode", ino);
	err = ext4_iget(j->sbi, ino, &inode);
	if (err)
		return err;
	err = map_inode(j, inode, blocks);
	inode_put(inode);
	return err;
}

/* --- what it says */

static bool is_v2(const struct ext4_journal *j)
{
	return be32_get(j->super->head.type) == JBD_SUPER_V2;
}

static u32 super_csum(const struct jbd_super *s)
{
	const u8 *p = (const u8 *)s;
	u32 at = offsetof(struct jbd_super, csum), zero = 0, c;

	c = crc32c(~0u, p, at);
	c = crc32c(c, &zero, sizeof(zero));
	at += (u32)sizeof(zero);
	return crc32c(c, p + at, (u32)sizeof(*s) - at);
}

static void set_format(struct ext4_journal *j)
{
	const struct jbd_super *s = j->super;
	u32 incompat = is_v2(j) ? be32_get(s->incompat) : 0;
	bool csum;

	j->is_64bit = incompat & JBD_INCOMPAT_64BIT;
	j->csum_v2 = incompat & JBD_INCOMPAT_CSUM_V2;
	j->csum_v3 = incompat & JBD_INCOMPAT_CSUM_V3;
	j->csum_v1 = is_v2(j) && (be32_get(s->compat) & JBD_COMPAT_CHECKSUM);
	j->seed = crc32c(~0u, s->uuid, sizeof(s->uuid));
	csum = j->csum_v2 || j->csum_v3;
	j->tail_bytes = csum ? (u32)sizeof(struct jbd_tail) : 0;
	j->tag_bytes = (u32)sizeof(struct jbd_tag);
	if (j->csum_v3)
		j->tag_bytes = (u32)sizeof(struct jbd_tag3);
	else if (j->csum_v2)
		j->tag_bytes += (u32)sizeof(struct be16);
	if (!j->csum_v3 && !j->is_64bit)
		j->tag_bytes -= (u32)sizeof(struct be32);
	j->revokes_per_block =
		(j->sbi->block_size - (u32)sizeof(struct jbd_revoke) -
		 j->tail_bytes) /
		(j->is_64bit ? 8 : 4);
}

static int check_features(struct ext4_journal *j)
{
	const struct jbd_super *s = j->super;
	u32 incompat = be32_get(s->incompat);

	if (!is_v2(j))
		return 0;
	if ((incompat & ~KNOWN_INCOMPAT) || be32_get(s->ro_compat))
		return bad(j, "unknown features", incompat);
	if ((incompat & JBD_INCOMPAT_FAST_COMMIT) && be32_get(s->start)) {
		pr_err("ext4: %s: the journal has fast commits: run e2fsck",
		       j->sbi->bdev->name);
		return -EINVAL;
	}
	if (j->csum_v2 && j->csum_v3)
		return bad(j, "checksums of two versions", incompat);
	if (!j->csum_v2 && !j->csum_v3)
		return 0;
	if (s->csum_type != JBD_CSUM_CRC32C)
		return bad(j, "checksum type", s->csum_type);
	if (be32_get(s->csum) != super_csum(s)) {
		pr_err("ext4: %s: journal super block: wrong checksum",
		       j->sbi->bdev->name);
		return -EFSBADCRC;
	}
	return 0;
}

static int check_super(struct ext4_journal *j, u32 blocks)
{
	const struct jbd_super *s = j->super;
	u32 type = be32_get(s->head.type), start = be32_get(s->start);
	u32 maxlen = be32_get(s->maxlen), first = be32_get(s->first);
	int err;

	if (be32_get(s->head.magic) != JBD_MAGIC)
		return bad(j, "magic number", be32_get(s->head.magic));
	if (type != JBD_SUPER_V1 && type != JBD_SUPER_V2)
		return bad(j, "type", type);
	if (be32_get(s->blocksize) != j->sbi->block_size)
		return bad(j, "block size", be32_get(s->blocksize));
	if (maxlen > blocks || maxlen < MIN_BLOCKS)
		return bad(j, "length", maxlen);
	if (!first || first > maxlen - MIN_BLOCKS / 2)
		return bad(j, "first block", first);
	set_format(j);
	err = check_features(j);
	if (!err && start && (start < first || start >= maxlen))
		err = bad(j, "start", start);
	if (err)
		return err;
	j->first = first;
	j->end = maxlen;
	return 0;
}

/* --- opening and closing */

static struct ext4_journal *new_journal(struct ext4_sb *sbi)
{
	struct ext4_journal *j = kzalloc(sizeof(*j));

	if (!j)
		return NULL;
	j->sbi = sbi;
	mutex_init(&j->super_lock);
	mutex_init(&j->commit_lock);
	mutex_init(&j->cp_lock);
	list_init(&j->cps);
	j->super = alloc_pages_exact(sbi->block_size, 0);
	return j;
}

int ext4_journal_open(struct ext4_sb *sbi)
{
	struct ext4_journal *j;
	u32 blocks;
	int err;

	if (!(sbi->es->feature_compat & EXT4_COMPAT_HAS_JOURNAL))
		return 0;
	j = new_journal(sbi);
	if (!j)
		return -ENOMEM;
	sbi->journal = j;
	if (!j->super)
		return -ENOMEM;
	err = map_journal(j, &blocks);
	if (!err)
		err = ext4_log_io(j, BIO_READ, 0, j->super, 1);
	if (!err)
		err = check_super(j, blocks);
	if (err)
		pr_err("ext4: %s: cannot use the journal: %d", sbi->bdev->name,
		       err);
	return err;
}

static void free_txns(struct ext4_journal *j)
{
	struct ext4_txn *t, *tmp;

	list_for_each_entry_safe(t, tmp, &j->cps, node) {
		list_del(&t->node);
		ext4_txn_free(t);
	}
	ext4_txn_free(j->committing);
	ext4_txn_free(j->running);
}

/* After the buffers, which transactions may still have on their lists. */
void ext4_journal_close(struct ext4_sb *sbi)
{
	struct ext4_journal *j = sbi->journal;

	if (!j)
		return;
	sbi->journal = NULL;
	free_txns(j);
	if (j->super)
		free_pages_exact(j->super, sbi->block_size);
	if (j->pool)
		free_pages_exact(j->pool, EXT4_POOL_BYTES);
	kfree(j->batch);
	kfree(j->run);
	kfree(j);
}

/* --- writing */

static int write_super(struct ext4_journal *j, bool durable)
{
	if (j->csum_v2 || j->csum_v3)
		j->super->csum = be32_of(super_csum(j->super));
	if (durable)
		return ext4_log_write_fua(j, 0, j->super);
	return ext4_log_io(j, BIO_WRITE, 0, j->super, 1);
}

int ext4_journal_set_tail(struct ext4_journal *j, u32 start, u32 tid,
			  enum ext4_tail how)
{
	int err;

	mutex_lock(&j->super_lock);
	j->super->start = be32_of(how == TAIL_EMPTY ? 0 : start);
	j->super->seq = be32_of(tid);
	err = write_super(j, how != TAIL_BEGINS);
	j->tail = start;
	j->empty = how == TAIL_EMPTY;
	mutex_unlock(&j->super_lock);
	if (err)
		ext4_give_up(j->sbi, err, "cannot write to the journal");
	return err;
}

void ext4_journal_save_error(struct ext4_journal *j)
{
	mutex_lock(&j->super_lock);
	j->super->error = be32_of((u32)-EIO);
	(void)write_super(j, true);
	mutex_unlock(&j->super_lock);
}

/* What Linux would choose for such a volume; fast commits we do not write. */
static void choose_format(struct ext4_journal *j)
{
	struct jbd_super *s = j->super;
	u32 incompat = JBD_INCOMPAT_REVOKE;

	if (j->sbi->has_64bit)
		incompat |= JBD_INCOMPAT_64BIT;
	if (j->sbi->has_csum)
		incompat |= JBD_INCOMPAT_CSUM_V3;
	s->compat = be32_of(be32_get(s->compat) & ~JBD_COMPAT_CHECKSUM);
	s->incompat = be32_of(incompat);
	s->csum_type = j->sbi->has_csum ? JBD_CSUM_CRC32C : 0;
	if (!j->sbi->has_csum)
		s->csum = be32_of(0);
	set_format(j);
}

static int alloc_buffers(struct ext4_journal *j)
{
	u32 tags = (j->sbi->block_size - (u32)sizeof(struct jbd_head) -
		    j->tail_bytes - JBD_UUID_SIZE) /
		   j->tag_bytes;

	j->pool_blocks = min(EXT4_POOL_BYTES >> j->sbi->block_bits, 1 + tags);
	if (!j->pool)
		j->pool = alloc_pages_exact(EXT4_POOL_BYTES, 0);
	if (!j->batch)
		j->batch = kcalloc(EXT4_CP_BATCH, sizeof(*j->batch));
	return j->pool && j->batch ? 0 : -ENOMEM;
}

int ext4_journal_start(struct ext4_sb *sbi)
{
	struct ext4_journal *j = sbi->journal;
	int err;

	if (!is_v2(j)) {
		pr_err("ext4: %s: the journal's format is too old to be written",
		       sbi->bdev->name);
		return -EROFS;
	}
	choose_format(j);
	err = alloc_buffers(j);
	if (err)
		return err;
	j->max_need = min((j->end - j->first) / 4,
			  max(MIN_BLOCKS / 4, sbi->max_bufs / 4));
	j->next_tid = be32_get(j->super->seq) + 1;
	j->committed = j->next_tid - 1;
	j->wanted = j->committed;
	j->head = j->first;
	/* One stays free, so that full and empty differ. */
	j->free = j->end - j->first - 1;
	j->super->error = be32_of(0);
	return ext4_journal_set_tail(j, j->head, j->next_tid, TAIL_EMPTY);
}
