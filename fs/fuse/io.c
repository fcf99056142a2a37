/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/io.c - bytes of files: by the page cache, or straight (FOPEN_DIRECT_IO,
 * O_DIRECT).
 *
 * Reading fills pages by READ.  Writing goes through: WRITE first, and what the
 * daemon took is then put into the pages.  Pages become dirty by mappings only; they
 * are copied into requests that nobody waits for, so that write-back ends at once
 * whatever the daemon does (at most FUSE_WB_MAX bytes are on their way; the rest
 * stays dirty until somebody comes again).
 *
 * Locking: a write holds inode->lock; pages under PG_LOCKED.
 */
#include <fs/fuse/fuse.h>

#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/string.h>

static struct inode *host(const struct mapping *m)
{
	return m->host;
}

/* An open file of @i that can read (write), referenced, or NULL. */
static struct fuse_file *some_file(struct inode *i, bool write)
{
	struct fuse_conn *fc = fuse_c(i);
	u32 not = write ? O_RDONLY : O_WRONLY;
	struct fuse_file *ff, *found = NULL;

	spin_lock(&fc->lock);
	list_for_each_entry(ff, &fuse_i(i)->files, node) {
		if ((ff->flags & O_ACCMODE) == not )
			continue;
		found = ff;
		atomic_inc(&ff->refs);
		break;
	}
	spin_unlock(&fc->lock);
	return found;
}

/* --- reading */

/* @n bytes from @pos: the answer, to be kfree()d, in *@buf. */
static s64 ask_read(struct fuse_file *ff, u64 pos, u32 n, u32 flags, void **buf)
{
	struct fuse_read_in in = {
		.fh = ff->fh, .offset = pos, .size = n, .flags = flags
	};
	struct fuse_args a = { .op = FUSE_READ,
			       .nodeid = ff->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } },
			       .out_size = n,
			       .short_ok = true };
	s64 got = fuse_call(ff->fc, &a);

	*buf = got >= 0 ? a.reply : NULL;
	return got;
}

/* The file ends earlier than we believed, unless somebody has written since. */
static void ends_at(struct inode *i, u64 size, u64 version)
{
	struct fuse_conn *fc = fuse_c(i);

	spin_lock(&fc->lock);
	if (fuse_i(i)->attr_version <= version && size < i->i_size &&
	    !fuse_i(i)->nr_wb) {
		store_once(&i->i_size, size);
		fuse_inval_attr(i);
	}
	spin_unlock(&fc->lock);
}

/* Fill locked pages of one request. */
static int read_pages(struct inode *i, struct fuse_file *ff, struct page **pg,
		      u32 nr)
{
	u64 pos = pg[0]->index << PAGE_SHIFT, version = fuse_version(ff->fc);
	u32 n = nr * (u32)PAGE_SIZE, k;
	void *buf;
	s64 got = ask_read(ff, pos, n, ff->flags, &buf);
	u8 *at = buf;

	if (got >= 0 && got < n)
		ends_at(i, pos + (u64)got, version);
	for (k = 0; k < nr; k++) {
		u32 off = k * (u32)PAGE_SIZE;
		u32 have =
			got > off ? min((u32)(got - off), (u32)PAGE_SIZE) : 0;

		if (got >= 0) {
			memcpy(page_addr(pg[k]), at + off, have);
			memset((u8 *)page_addr(pg[k]) + have, 0,
			       PAGE_SIZE - have);
		}
		page_end_read(pg[k], got < 0 ? (int)got : 0);
	}
	kfree(buf);
	return got < 0 ? (int)got : 0;
}

static int fuse_readpages(struct mapping *m, struct page **pg, unsigned int nr)
{
	struct fuse_file *ff = some_file(host(m), false);
	u32 most, n;
	int err = ff ? 0 : -EIO;

	if (!err && load_once(&fuse_i(host(m))->bad))
		err = -EIO;
	most = ff ? max(load_once(&ff->fc->max_read) >> PAGE_SHIFT, 1u) : 0;
	while (nr && !err) {
		n = min(nr, most);
		err = read_pages(host(m), ff, pg, n);
		pg += n;
		nr -= n;
	}
	while (nr--)
		page_end_read(*pg++, err);
	if (ff)
		fuse_file_put(ff);
	return err;
}

static int fuse_readpage(struct mapping *m, struct page *pg)
{
	return fuse_readpages(m, &pg, 1);
}

static s64 direct_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct fuse_file *ff = fuse_f(f);
	s64 got, done = 0;
	size_t n, moved;
	void *buf;

	while ((n = min_t(size_t, iov_iter_count(to),
			  load_once(&ff->fc->max_read)))) {
		got = ask_read(ff, *pos, (u32)n, f->flags, &buf);
		if (got < 0)
			return done ? done : got;
		moved = copy_to_iter(buf, (size_t)got, to);
		kfree(buf);
		*pos += moved;
		done += (s64)moved;
		if (moved < (size_t)got)
			return done ? done : -EFAULT;
		if ((size_t)got < n)
			break;
	}
	return done;
}

static bool is_direct(const struct file *f)
{
	return (fuse_f(f)->open_flags & FOPEN_DIRECT_IO) ||
	       (f->flags & O_DIRECT);
}

s64 fuse_file_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct inode *i = f->inode;
	s64 n;

	if (load_once(&fuse_i(i)->bad))
		return -EIO;
	if (!iov_iter_count(to))
		return 0;
	if (is_direct(f))
		return direct_read(f, to, pos);
	/* what is beyond the end may have come */
	if (fuse_c(i)->auto_inval ||
	    *pos + iov_iter_count(to) > load_once(&i->i_size)) {
		n = fuse_revalidate(i);
		if (n)
			return n;
	}
	return mapping_file_read(&i->mapping, f, to, pos);
}

/* --- writing */

/* Bytes that the daemon took, from @pos on, go into the pages. */
static void put_in_cache(struct inode *i, const u8 *p, u64 pos, u64 n)
{
	struct mapping *m = &i->mapping;

	while (n) {
		u32 off = (u32)(pos % PAGE_SIZE);
		u32 len = (u32)min(n, PAGE_SIZE - off);
		bool whole = len == PAGE_SIZE;
		struct page *pg = whole ? mapping_grab(m, pos / PAGE_SIZE)
					: mapping_find(m, pos / PAGE_SIZE);

		if (pg && !IS_ERR(pg)) {
			if (!whole)
				page_lock(pg);
			if (pg->mapping == m &&
			    (whole || (load_once(&pg->flags) & PG_UPTODATE))) {
				memcpy((u8 *)page_addr(pg) + off, p, len);
				atomic_fetch_or(&pg->flags, (u32)PG_UPTODATE);
			}
			page_unlock(pg);
			page_put(pg);
		}
		p += len;
		pos += len;
		n -= len;
	}
}

/* A request with the next @n bytes of @from for @pos; less when there is less. */
static struct fuse_req *write_req(struct fuse_file *ff, u32 flags,
				  struct iov_iter *from, u64 pos, u32 n)
{
	struct fuse_write_in *in;
	struct fuse_req *r = fuse_req_new(ff->fc, FUSE_WRITE, ff->nodeid,
					  (u32)sizeof(*in) + n,
					  sizeof(struct fuse_write_out));

	if (IS_ERR(r))
		return r;
	in = req_args(r);
	n = (u32)copy_from_iter(in + 1, n, from);
	if (!n) {
		fuse_req_put(r);
		return ERR_PTR(-EFAULT);
	}
	*in = (struct fuse_write_in){
		.fh = ff->fh, .offset = pos, .size = n, .flags = flags
	};
	req_header(r)->len =
		(u32)(sizeof(struct fuse_in_header) + sizeof(*in) + n);
	return r;
}

/* One request: bytes that were taken, or -errno; *@all: all that were offered. */
static s64 write_some(struct file *f, struct iov_iter *from, u64 pos, bool *all)
{
	struct fuse_file *ff = fuse_f(f);
	struct inode *i = f->inode;
	struct fuse_req *r = write_req(ff, f->flags, from, pos,
				       (u32)min_t(size_t, iov_iter_count(from),
						  ff->fc->max_write));
	const struct fuse_write_in *in;
	u32 took = 0;
	s64 n;

	if (IS_ERR(r))
		return PTR_ERR(r);
	in = req_args(r);
	n = fuse_req_run(r);
	if (n >= 0) {
		took = ((const struct fuse_write_out *)(void *)r->out)->size;
		if (took > in->size)
			n = -EIO;
	}
	if (n >= 0) {
		*all = took == in->size;
		if (pos + took > load_once(&i->i_size))
			fuse_size_changed(i, pos + took);
		if (!is_direct(f))
			put_in_cache(i, (const u8 *)(in + 1), pos, took);
		n = took;
	}
	fuse_req_put(r);
	return n;
}

static s64 write_locked(struct file *f, struct iov_iter *from, u64 *pos)
{
	s64 n, done = 0;
	bool all = true;

	while (iov_iter_count(from) && all) {
		n = write_some(f, from, *pos, &all);
		if (n < 0)
			return done ? done : n;
		*pos += (u64)n;
		done += n;
		if (signal_pending_current())
			break;
		cond_resched();
	}
	return done;
}

/* Set-id bits that writing has taken are the daemon's to take, if it does. */
static void tell_mode(struct inode *i, u32 before)
{
	struct iattr a = { .valid = ATTR_MODE, .mode = i->mode & 07777 };

	if (i->mode == before || fuse_c(i)->handle_killpriv)
		return;
	(void)fuse_setattr(i, &a);
}

s64 fuse_file_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct inode *i = f->inode;
	bool direct = is_direct(f);
	u64 start;
	u32 mode;
	s64 n;

	if (load_once(&fuse_i(i)->bad))
		return -EIO;
	down_write(&i->lock);
	mode = i->mode;
	n = file_prepare_write(f, from, pos);
	start = *pos;
	if (!n)
		tell_mode(i, mode);
	if (!n && direct && load_once(&i->mapping.nr_pages)) {
		(void)mapping_sync(&i->mapping, 0, ~0ull, true);
		n = fuse_wait_wb(i);
	}
	if (!n && iov_iter_count(from))
		n = write_locked(f, from, pos);
	if (n > 0 && direct)
		fuse_inval_pages(i, start / PAGE_SIZE,
				 (*pos + PAGE_SIZE - 1) / PAGE_SIZE);
	fuse_inval_attr(i);
	up_write(&i->lock);
	if (n > 0 && file_is_sync(f)) {
		int err = vfs_fsync(f, !(f->flags & (O_SYNC & ~O_DSYNC)));

		if (err)
			return err;
	}
	return n;
}

/* --- dirty pages */

static void wb_ended(struct fuse_req *r)
{
	struct fuse_conn *fc = r->fc;
	struct inode *i = r->arg;

	if (r->error)
		mapping_error_set(&i->mapping, r->error);
	spin_lock(&fc->lock);
	fuse_i(i)->nr_wb--;
	fc->wb_bytes -= r->num;
	spin_unlock(&fc->lock);
	wake_up_all(&fc->ready_wq);
	fuse_file_put(r->arg2);
	inode_put(i);
}

/* A copy of @pg, as far as the file goes, on its way. */
static int wb_send(struct inode *i, struct fuse_file *ff, struct page *pg)
{
	u64 pos = pg->index << PAGE_SHIFT, size = load_once(&i->i_size);
	struct fuse_conn *fc = ff->fc;
	struct fuse_write_in *in;
	struct fuse_req *r;
	u32 n;

	if (pos >= size)
		return 0; /* nothing of it is in the file */
	n = (u32)min(size - pos, PAGE_SIZE);
	r = fuse_req_new(fc, FUSE_WRITE, ff->nodeid, (u32)sizeof(*in) + n,
			 sizeof(struct fuse_write_out));
	if (IS_ERR(r))
		return -ENOMEM;
	in = req_args(r);
	*in = (struct fuse_write_in){ .fh = ff->fh,
				      .offset = pos,
				      .size = n,
				      .write_flags = FUSE_WRITE_CACHE,
				      .flags = ff->flags };
	memcpy(in + 1, page_addr(pg), n);
	r->end = wb_ended;
	r->arg = inode_get(i);
	r->arg2 = ff;
	r->num = n;
	atomic_inc(&ff->refs);
	spin_lock(&fc->lock);
	fuse_i(i)->nr_wb++;
	fc->wb_bytes += n;
	spin_unlock(&fc->lock);
	fuse_req_send(r);
	return 0;
}

static int fuse_writepage(struct mapping *m, struct page *pg)
{
	struct inode *i = host(m);
	struct fuse_file *ff = some_file(i, true);
	int err = ff ? 0 : -EIO;

	if (!err && load_once(&ff->fc->wb_bytes) >= FUSE_WB_MAX &&
	    !load_once(&fuse_i(i)->must_write) && load_once(&ff->fc->connected))
		err = -ENOMEM;
	if (!err)
		err = wb_send(i, ff, pg);
	if (err == -ENOMEM) { /* later */
		page_set_dirty(pg);
		err = 0;
	}
	page_end_writeback(pg, err);
	page_unlock(pg);
	if (ff)
		fuse_file_put(ff);
	return err;
}

static bool written(struct inode *i)
{
	return !load_once(&fuse_i(i)->nr_wb);
}

int fuse_wait_wb(struct inode *i)
{
	struct fuse_conn *fc = fuse_c(i);

	for (;;) {
		while (!written(i)) {
			if (load_once(&current->work) & WORK_EXIT)
				return -EINTR;
			(void)!wait_event_timeout(&fc->ready_wq, written(i),
						  clock_mono_ns() +
							  20 * NSEC_PER_MSEC);
		}
		if (!load_once(&i->mapping.nr_dirty))
			return 0;
		if (load_once(&current->work) & WORK_EXIT)
			return -EINTR;
		(void)mapping_sync(&i->mapping, 0, ~0ull, true);
		if (written(i))
			return 0; /* there is no memory for more */
	}
}

const struct mapping_ops fuse_mapping_ops = {
	.readpage = fuse_readpage,
	.readpages = fuse_readpages,
	.writepage = fuse_writepage,
};
