/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/init.c - the first request: who can do what.
 *
 * We offer what we do, and do what the daemon takes of it.  Until it has answered
 * every other request waits.
 */
#include <fs/fuse/fuse.h>

#include <kernel/mm/page.h>
#include <lib/string.h>

#define READAHEAD (128u << 10)
#define OFFER                                                                 \
	(FUSE_ASYNC_READ | FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS |              \
	 FUSE_BIG_WRITES | FUSE_DONT_MASK | FUSE_HAS_IOCTL_DIR |              \
	 FUSE_AUTO_INVAL_DATA | FUSE_NO_OPEN_SUPPORT | FUSE_PARALLEL_DIROPS | \
	 FUSE_HANDLE_KILLPRIV | FUSE_ABORT_ERROR | FUSE_MAX_PAGES |           \
	 FUSE_NO_OPENDIR_SUPPORT | FUSE_EXPLICIT_INVAL_DATA | FUSE_INIT_EXT | \
	 FUSE_DIRECT_IO_ALLOW_MMAP)

static void take_flags(struct fuse_conn *fc, u64 flags)
{
	fc->posix_locks = flags & FUSE_POSIX_LOCKS;
	fc->flock_locks = flags & FUSE_FLOCK_LOCKS;
	fc->auto_inval = flags & FUSE_AUTO_INVAL_DATA;
	fc->explicit_inval = flags & FUSE_EXPLICIT_INVAL_DATA;
	fc->dont_mask = flags & FUSE_DONT_MASK;
	fc->readdirplus = flags & FUSE_DO_READDIRPLUS;
	fc->handle_killpriv = flags & FUSE_HANDLE_KILLPRIV;
	fc->abort_error = flags & FUSE_ABORT_ERROR;
	fc->no_open_ok = flags & FUSE_NO_OPEN_SUPPORT;
	fc->no_opendir_ok = flags & FUSE_NO_OPENDIR_SUPPORT;
	fc->direct_mmap = flags & FUSE_DIRECT_IO_ALLOW_MMAP;
}

static bool take_reply(struct fuse_conn *fc, const struct fuse_init_out *o,
		       u32 len)
{
	u64 flags = o->flags;

	if (len < 24 || o->major != FUSE_VERSION ||
	    o->minor < FUSE_MINOR_OLDEST)
		return false;
	if (flags & FUSE_INIT_EXT)
		flags |= (u64)o->flags2 << 32;
	flags &= OFFER;
	fc->minor = min(o->minor, FUSE_MINOR);
	take_flags(fc, flags);
	if (flags & FUSE_MAX_PAGES)
		fc->max_pages =
			clamp((u32)o->max_pages, 1u, FUSE_MAX_PAGES_MAX);
	fc->max_write = max(o->max_write, (u32)PAGE_SIZE);
	fc->max_write = min(fc->max_write, fc->max_pages * (u32)PAGE_SIZE);
	fc->max_read = max(fc->max_read, (u32)PAGE_SIZE);
	fc->max_read = min(fc->max_read, fc->max_pages * (u32)PAGE_SIZE);
	if (o->max_background)
		fc->max_background = o->max_background;
	if (o->congestion_threshold)
		fc->congestion = o->congestion_threshold;
	if (o->time_gran && o->time_gran <= 1000000000u)
		fc->time_gran = o->time_gran;
	return true;
}

/* Without an answer that makes sense every call ends with ECONNREFUSED. */
static void init_done(struct fuse_req *r)
{
	struct fuse_conn *fc = r->fc;
	struct fuse_init_out o = { 0 };

	memcpy(&o, r->out, r->error ? 0 : r->out_len);
	if (r->error || !take_reply(fc, &o, r->out_len))
		store_once(&fc->refused, true);
	/* FUSEINIT (full) - pairs with fuse_wait_ready(). */
	atomic_xchg(&fc->ready_word, 1u);
	wake_up_all(&fc->ready_wq);
}

int fuse_send_init(struct fuse_conn *fc)
{
	struct fuse_req *r =
		fuse_req_new(fc, FUSE_INIT, 0, sizeof(struct fuse_init_in),
			     sizeof(struct fuse_init_out));

	if (IS_ERR(r))
		return (int)PTR_ERR(r);
	*(struct fuse_init_in *)req_args(r) = (struct fuse_init_in){
		.major = FUSE_VERSION,
		.minor = FUSE_MINOR,
		.max_readahead = READAHEAD,
		.flags = (u32)(OFFER & 0xffffffffu),
		.flags2 = (u32)(OFFER >> 32),
	};
	r->short_ok = true;
	r->end = init_done;
	fuse_req_send(r);
	return 0;
}
