/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/file.c - open files: open, flush, release, fsync, seek, allocate.
 *
 * A file that CREATE has opened waits in its inode for the open() of the thread that
 * made it.  Who comes otherwise asks the daemon.
 *
 * Not here: reading and writing (io.c).
 */
#include <fs/fuse/fuse.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vm.h>
#include <kernel/task/process.h>
#include <lib/hash.h>
#include <lib/string.h>

#define FALLOC_KNOWN 0x13 /* KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE */

struct fuse_file *fuse_file_new(struct fuse_conn *fc, u64 nodeid, u32 flags,
				bool dir)
{
	struct fuse_file *ff = kzalloc(sizeof(*ff));

	if (!ff)
		return NULL;
	fuse_conn_get(fc);
	ff->refs = 1;
	ff->fc = fc;
	ff->nodeid = nodeid;
	ff->flags = flags &
		    ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	ff->dir = dir;
	ff->kh = atomic_add_return(&fc->next_kh, 1ul);
	list_init(&ff->node);
	list_init(&ff->polled);
	waitq_init(&ff->poll_wq);
	return ff;
}

/* Nothing of the inode's was forgotten before. */
static void release_done(struct fuse_req *r)
{
	inode_put(r->arg);
}

static void send_release(struct fuse_file *ff)
{
	struct fuse_req *r;
	struct fuse_release_in *in;

	r = fuse_req_new(ff->fc, ff->dir ? FUSE_RELEASEDIR : FUSE_RELEASE,
			 ff->nodeid, sizeof(*in), 0);
	if (IS_ERR(r)) {
		inode_put(ff->inode);
		return;
	}
	r->end = release_done;
	r->arg = ff->inode;
	in = req_args(r);
	*in = (struct fuse_release_in){ .fh = ff->fh, .flags = ff->flags };
	if (ff->flocked) {
		in->release_flags = FUSE_RELEASE_FLOCK_UNLOCK;
		in->lock_owner = fuse_lock_owner(ff);
	}
	fuse_req_send(r);
}

void fuse_file_put(struct fuse_file *ff)
{
	struct fuse_conn *fc = ff->fc;

	if (!atomic_dec_and_test(&ff->refs))
		return;
	spin_lock(&fc->lock);
	list_del(&ff->polled);
	spin_unlock(&fc->lock);
	if (!ff->no_release)
		send_release(ff);
	else
		inode_put(ff->inode);
	fuse_conn_put(fc);
	kfree(ff);
}

/* Who it is does not concern the daemon; who is the same does. */
u64 fuse_lock_owner(const void *files)
{
	static const u64 salt = 0x5bd1e995a7c3f1d3ull;

	return hash64((u64)(uintptr_t)files ^ salt);
}

/* --- opening */

/* What CREATE has opened for this open(), or NULL. */
static struct fuse_file *take_made(struct inode *i, const struct file *f)
{
	struct fuse_conn *fc = fuse_c(i);
	struct fuse_file *ff;

	spin_lock(&fc->lock);
	ff = fuse_i(i)->made;
	if (ff &&
	    (ff->maker != current || (((ff->flags ^ f->flags) & O_ACCMODE) &&
				      (ff->flags & O_ACCMODE) != O_RDWR)))
		ff = NULL;
	if (ff)
		fuse_i(i)->made = NULL;
	spin_unlock(&fc->lock);
	return ff;
}

/* 0, with @ff complete. */
static int ask_open(struct fuse_file *ff, const struct file *f)
{
	struct fuse_conn *fc = ff->fc;
	bool *none = ff->dir ? &fc->no_opendir : &fc->no_open;
	bool may = ff->dir ? fc->no_opendir_ok : fc->no_open_ok;
	struct fuse_open_in in = {
		.flags = f->flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY),
	};
	struct fuse_open_out o = { 0 };
	struct fuse_args a = { .op = ff->dir ? FUSE_OPENDIR : FUSE_OPEN,
			       .nodeid = ff->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } },
			       .out = &o,
			       .out_size = sizeof(o) };
	s64 n = -ENOSYS;

	if (!load_once(none))
		n = fuse_call(fc, &a);
	if (n == -ENOSYS && may) {
		store_once(none, true);
		ff->no_release = true;
		o.open_flags = FOPEN_KEEP_CACHE;
		n = 0;
	}
	if (n < 0)
		return (int)n;
	ff->fh = o.fh;
	ff->open_flags = o.open_flags;
	return 0;
}

static void finish_open(struct inode *i, struct file *f, struct fuse_file *ff)
{
	struct fuse_conn *fc = ff->fc;

	f->priv = ff;
	if (!ff->dir) {
		spin_lock(&fc->lock);
		list_add_tail(&ff->node, &fuse_i(i)->files);
		spin_unlock(&fc->lock);
		if (!(ff->open_flags & (FOPEN_KEEP_CACHE | FOPEN_DIRECT_IO)))
			fuse_inval_pages(i, 0, ~0ull);
	}
	if (ff->open_flags & FOPEN_STREAM)
		f->atomic_pos = false;
	if (ff->open_flags & (FOPEN_STREAM | FOPEN_NONSEEKABLE))
		f->ops = ff->dir ? f->ops : &fuse_stream_fops;
}

int fuse_open(struct inode *i, struct file *f)
{
	struct fuse_conn *fc = fuse_c(i);
	struct fuse_file *ff = NULL;
	int err;

	if (load_once(&fuse_i(i)->bad))
		return -EIO;
	if (!fuse_allowed(fc))
		return -EACCES;
	if (S_ISREG(i->mode))
		ff = take_made(i, f);
	if (!ff) {
		ff = fuse_file_new(fc, fuse_i(i)->nodeid, f->flags,
				   S_ISDIR(i->mode));
		if (!ff)
			return -ENOMEM;
		err = ask_open(ff, f);
		if (err) {
			ff->no_release = true;
			fuse_file_put(ff);
			return err;
		}
	}
	finish_open(i, f, ff);
	return 0;
}

/* --- closing */

static int write_back_all(struct inode *i)
{
	int err = mapping_sync(&i->mapping, 0, ~0ull, true), err2;

	err2 = fuse_wait_wb(i);
	return err ? err : err2;
}

/* Who ends does not wait: it may be the daemon itself. */
static int flush_at_exit(struct fuse_file *ff, const struct fuse_flush_in *in)
{
	struct fuse_req *r =
		fuse_req_new(ff->fc, FUSE_FLUSH, ff->nodeid, sizeof(*in), 0);

	if (IS_ERR(r))
		return (int)PTR_ERR(r);
	memcpy(req_args(r), in, sizeof(*in));
	fuse_req_send(r);
	return 0;
}

static int fuse_flush(struct file *f)
{
	struct fuse_file *ff = fuse_f(f);
	struct fuse_conn *fc = ff->fc;
	struct fuse_flush_in in = {
		.fh = ff->fh,
		.lock_owner = fuse_lock_owner(current->files),
	};
	struct fuse_args a = { .op = FUSE_FLUSH,
			       .nodeid = ff->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } } };

	if (load_once(&fuse_i(f->inode)->bad))
		return -EIO;
	if (load_once(&f->inode->mapping.nr_dirty))
		(void)write_back_all(f->inode);
	if ((ff->open_flags & FOPEN_NOFLUSH) || load_once(&fc->no_flush))
		return 0;
	if (load_once(&current->work) & WORK_EXIT)
		return flush_at_exit(ff, &in);
	return (int)fuse_call_known(fc, &a, &fc->no_flush, 0);
}

void fuse_release(struct file *f)
{
	struct fuse_file *ff = fuse_f(f);
	struct fuse_conn *fc = ff->fc;

	if (!ff->dir && load_once(&f->inode->mapping.nr_dirty)) {
		/* however much it is: nobody could write it later */
		store_once(&fuse_i(f->inode)->must_write, true);
		(void)mapping_sync(&f->inode->mapping, 0, ~0ull, true);
		store_once(&fuse_i(f->inode)->must_write, false);
	}
	spin_lock(&fc->lock);
	list_del(&ff->node);
	spin_unlock(&fc->lock);
	ff->inode = inode_get(f->inode);
	fuse_file_put(ff);
}

int fuse_ask_fsync(struct file *f, u32 op, bool datasync, bool *none)
{
	struct fuse_file *ff = fuse_f(f);
	struct fuse_fsync_in in = { .fh = ff->fh,
				    .fsync_flags =
					    datasync ? FUSE_FSYNC_DATA : 0 };
	struct fuse_args a = { .op = op,
			       .nodeid = ff->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } } };

	return (int)fuse_call_known(ff->fc, &a, none, 0);
}

static int fuse_fsync(struct file *f, bool datasync)
{
	int err;

	if (load_once(&fuse_i(f->inode)->bad))
		return -EIO;
	err = mapping_sync(&f->inode->mapping, 0, ~0ull, true);
	if (!err)
		err = fuse_wait_wb(f->inode);
	if (!err) /* errors of requests came with their ends */
		err = mapping_fsync(&f->inode->mapping, f, 0, ~0ull);
	if (err)
		return err;
	return fuse_ask_fsync(f, FUSE_FSYNC, datasync,
			      &fuse_f(f)->fc->no_fsync);
}

/* --- the rest */

/* -ENOSYS: the daemon knows nothing of holes. */
static s64 ask_seek(struct file *f, s64 off, int whence)
{
	struct fuse_file *ff = fuse_f(f);
	struct fuse_lseek_in in = { .fh = ff->fh,
				    .offset = (u64)off,
				    .whence = (u32)whence };
	struct fuse_lseek_out o = { 0 };
	struct fuse_args a = { .op = FUSE_LSEEK,
			       .nodeid = ff->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } },
			       .out = &o,
			       .out_size = sizeof(o) };
	s64 n;

	n = fuse_call_known(ff->fc, &a, &ff->fc->no_lseek, -ENOSYS);
	if (n < 0)
		return n;
	if ((s64)o.offset < 0)
		return -EINVAL;
	f->pos = o.offset;
	return (s64)o.offset;
}

static s64 fuse_llseek(struct file *f, s64 off, int whence)
{
	s64 n;

	if (whence == SEEK_DATA || whence == SEEK_HOLE) {
		n = ask_seek(f, off, whence);
		if (n != -ENOSYS)
			return n;
	}
	if (whence != SEEK_SET && whence != SEEK_CUR) {
		n = fuse_revalidate(f->inode);
		if (n)
			return n;
	}
	return generic_file_llseek(f, off, whence);
}

static int fuse_fallocate(struct file *f, int mode, u64 off, u64 len)
{
	struct fuse_file *ff = fuse_f(f);
	struct inode *i = f->inode;
	struct fuse_fallocate_in in = {
		.fh = ff->fh, .offset = off, .length = len, .mode = (u32)mode
	};
	struct fuse_args a = { .op = FUSE_FALLOCATE,
			       .nodeid = ff->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } } };
	s64 n = 0;

	if ((mode & ~FALLOC_KNOWN) || load_once(&ff->fc->no_fallocate))
		return -EOPNOTSUPP;
	down_write(&i->lock);
	if (mode & ~1)
		n = write_back_all(i);
	if (!n)
		n = fuse_call_known(ff->fc, &a, &ff->fc->no_fallocate,
				    -EOPNOTSUPP);
	if (!n && !(mode & 1) && off + len > i->i_size)
		fuse_size_changed(i, off + len);
	if (!n && (mode & ~1))
		mapping_punch(&i->mapping, off, off + len);
	fuse_inval_attr(i);
	up_write(&i->lock);
	return (int)n;
}

static s64 fuse_copy_range(struct file *in, u64 from, struct file *out, u64 to,
			   u64 len)
{
	struct fuse_file *a_in = fuse_f(in), *a_out = fuse_f(out);
	struct inode *i = out->inode;
	struct fuse_copy_file_range_in arg = {
		.fh_in = a_in->fh,
		.off_in = from,
		.nodeid_out = a_out->nodeid,
		.fh_out = a_out->fh,
		.off_out = to,
		.len = len & ~(PAGE_SIZE - 1) ? len & ~(PAGE_SIZE - 1) : len,
	};
	struct fuse_write_out o;
	struct fuse_args a = { .op = FUSE_COPY_FILE_RANGE,
			       .nodeid = a_in->nodeid,
			       .nr = 1,
			       .in = { { &arg, sizeof(arg) } },
			       .out = &o,
			       .out_size = sizeof(o) };
	s64 n;

	if (load_once(&a_in->fc->no_copy))
		return -EOPNOTSUPP;
	n = write_back_all(in->inode);
	if (n)
		return n;
	down_write(&i->lock);
	n = write_back_all(i);
	if (!n)
		n = fuse_call_known(a_in->fc, &a, &a_in->fc->no_copy,
				    -EOPNOTSUPP);
	if (n > 0) {
		n = o.size > arg.len ? -EIO : (s64)o.size;
		fuse_inval_pages(i, to / PAGE_SIZE,
				 DIV_ROUND_UP(to + o.size, PAGE_SIZE));
		if (n > 0 && to + (u64)n > i->i_size)
			fuse_size_changed(i, to + (u64)n);
		fuse_inval_attr(i);
	}
	up_write(&i->lock);
	return n;
}

static int fuse_mmap(struct file *f, struct vma *vma)
{
	struct fuse_file *ff = fuse_f(f);

	if (ff->open_flags & FOPEN_DIRECT_IO) {
		if ((vma->flags & VM_SHARED) && !ff->fc->direct_mmap)
			return -ENODEV;
		fuse_inval_pages(f->inode, 0, ~0ull);
	}
	return generic_file_mmap(f, vma);
}

const struct inode_ops fuse_file_iops = {
	FUSE_COMMON_OPS,
	.open = fuse_open,
};

#define FILE_OPS                                                             \
	.read = fuse_file_read, .write = fuse_file_write, .mmap = fuse_mmap, \
	.fsync = fuse_fsync, .flush = fuse_flush, .release = fuse_release,   \
	.fallocate = fuse_fallocate, .ioctl = fuse_ioctl, .poll = fuse_poll, \
	.lock = fuse_lock, .copy_range = fuse_copy_range

const struct file_ops fuse_file_fops = {
	FILE_OPS,
	.llseek = fuse_llseek,
};

/* FOPEN_STREAM, FOPEN_NONSEEKABLE */
const struct file_ops fuse_stream_fops = { FILE_OPS };
