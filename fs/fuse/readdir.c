/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/readdir.c - entries of directories, as the daemon has them.
 *
 * Positions are the daemon's: they are handed back as they came.
 */
#include <fs/fuse/fuse.h>

#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/string.h>

#define CHUNK 32768u

static s64 ask(struct file *f, u64 pos, struct fuse_args *a)
{
	struct fuse_file *ff = fuse_f(f);
	struct fuse_read_in in = {
		.fh = ff->fh,
		.offset = pos,
		.size = min(CHUNK, ff->fc->max_pages * (u32)PAGE_SIZE),
		.flags = f->flags,
	};

	*a = (struct fuse_args){ .op = FUSE_READDIR,
				 .nodeid = ff->nodeid,
				 .nr = 1,
				 .in = { { &in, sizeof(in) } },
				 .out_size = in.size,
				 .short_ok = true };
	return fuse_call(ff->fc, a);
}

/* The entries of @buf, until the reader is full: 0 or -EIO. */
static int emit(struct dir_ctx *ctx, const u8 *buf, size_t n)
{
	const struct fuse_dirent *d;
	size_t len;

	while (n >= sizeof(*d)) {
		d = (const void *)buf;
		if (!d->namelen || d->namelen > FUSE_NAME_MAX)
			return -EIO;
		len = ALIGN_UP(sizeof(*d) + d->namelen, 8);
		if (len > n)
			break; /* a piece of one */
		if (memchr(d->name, '/', d->namelen))
			return -EIO;
		if (!ctx->emit(ctx, d->name, d->namelen, d->ino, d->type & 15,
			       d->off))
			return 0;
		ctx->pos = d->off;
		buf += len;
		n -= len;
	}
	return 0;
}

static int fuse_readdir(struct file *f, struct dir_ctx *ctx)
{
	struct fuse_args a;
	s64 n;
	int r;

	if (load_once(&fuse_i(f->inode)->bad))
		return -EIO;
	/* what fits into one answer is enough */
	n = ask(f, ctx->pos, &a);
	if (n < 0)
		return (int)n;
	r = emit(ctx, a.reply, (size_t)n);
	kfree(a.reply);
	return r;
}

static int fuse_fsyncdir(struct file *f, bool datasync)
{
	return fuse_ask_fsync(f, FUSE_FSYNCDIR, datasync,
			      &fuse_f(f)->fc->no_fsyncdir);
}

const struct file_ops fuse_dir_fops = {
	.readdir = fuse_readdir,
	.llseek = endless_llseek,
	.fsync = fuse_fsyncdir,
	.release = fuse_release,
	.ioctl = fuse_ioctl,
};
