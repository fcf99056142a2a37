/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/notify.c - what a daemon tells without being asked: that names and contents
 * have changed, what they are now, that a poll has something to say.
 *
 * A call of the daemon's: it must not wait for who waits for the daemon.  So page
 * locks are tried, and a page that somebody is just reading is left alone.
 *
 * Locking: conn->super for reading, so that the mount stays.
 */
#include <fs/fuse/fuse.h>

#include <kernel/file/iov.h>
#include <kernel/mm/cache.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <lib/string.h>

static int take(void *buf, size_t n, struct iov_iter *from)
{
	return copy_from_iter(buf, n, from) == n ? 0 : -EFAULT;
}

/* --- poll */

static int notify_poll(struct fuse_conn *fc, u32 size, struct iov_iter *from)
{
	struct fuse_notify_poll_out o;
	struct fuse_file *ff;
	int err = size == sizeof(o) ? take(&o, sizeof(o), from) : -EINVAL;

	if (err)
		return err;
	spin_lock(&fc->lock);
	list_for_each_entry(ff, &fc->polled, polled) {
		if (ff->kh != o.kh)
			continue;
		ff->answered = false;
		ff->told = ff->asked;
		wake_up_all(&ff->poll_wq);
	}
	spin_unlock(&fc->lock);
	return 0;
}

/* --- contents */

static int inval_inode(struct fuse_conn *fc,
		       const struct fuse_notify_inode_out *o)
{
	struct inode *i = fuse_ifind(fc, o->ino);
	u64 end = ~0ull;

	if (!i)
		return -ENOENT;
	fuse_inval_attr(i);
	if (o->off >= 0) {
		if (o->len > 0)
			end = ((u64)o->off + (u64)o->len - 1) / PAGE_SIZE + 1;
		fuse_inval_pages(i, (u64)o->off / PAGE_SIZE, end);
	}
	inode_put(i);
	return 0;
}

static int notify_inode(struct fuse_conn *fc, u32 size, struct iov_iter *from)
{
	struct fuse_notify_inode_out o;
	int err = size == sizeof(o) ? take(&o, sizeof(o), from) : -EINVAL;

	return err ? err : inval_inode(fc, &o);
}

/* --- names */

/* @size bytes follow: a name of @len and its end. */
static int take_name(char *name, u32 len, u32 size, struct iov_iter *from)
{
	int err;

	if (len > FUSE_NAME_MAX)
		return -ENAMETOOLONG;
	if (size != len + 1)
		return -EINVAL;
	err = take(name, len + 1, from);
	if (err)
		return err;
	name[len] = '\0';
	return strlen(name) == len && len ? 0 : -EINVAL;
}

/* @child: what it has to lead to, or 0. */
static int inval_entry(struct fuse_conn *fc, u64 parent, const char *name,
		       u32 len, u64 child, bool expire)
{
	struct inode *dir = fuse_ifind(fc, parent);
	struct inode *only = child ? fuse_ifind(fc, child) : NULL;
	int err = -ENOENT;

	if (dir && (only || !child)) {
		err = S_ISDIR(dir->mode)
			      ? dentry_forget(dir, name, len, only, expire)
			      : -ENOTDIR;
		fuse_inval_attr(dir);
	}
	inode_put(only);
	inode_put(dir);
	return err;
}

/* The name that follows the @fixed bytes of a message of @size, in a buffer of the
 * caller's to free; ERR_PTR. */
static char *name_of(u32 len, u32 fixed, u32 size, struct iov_iter *from)
{
	char *name = kmalloc(FUSE_NAME_MAX + 1);
	int err = name ? take_name(name, len, size - fixed, from) : -ENOMEM;

	if (!err)
		return name;
	kfree(name);
	return ERR_PTR(err);
}

static int notify_entry(struct fuse_conn *fc, u32 size, struct iov_iter *from)
{
	struct fuse_notify_entry_out o;
	int err = size < sizeof(o) ? -EINVAL : take(&o, sizeof(o), from);
	char *name;

	if (err)
		return err;
	name = name_of(o.namelen, sizeof(o), size, from);
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	err = inval_entry(fc, o.parent, name, o.namelen, 0,
			  o.flags & FUSE_EXPIRE_ONLY);
	kfree(name);
	return err;
}

static int notify_delete(struct fuse_conn *fc, u32 size, struct iov_iter *from)
{
	struct fuse_notify_delete_out o;
	int err = size < sizeof(o) ? -EINVAL : take(&o, sizeof(o), from);
	char *name;

	if (err)
		return err;
	name = name_of(o.namelen, sizeof(o), size, from);
	if (IS_ERR(name))
		return (int)PTR_ERR(name);
	err = inval_entry(fc, o.parent, name, o.namelen, o.child, false);
	kfree(name);
	return err;
}

/* --- pages */

/* The page at @index, locked and referenced, new if @make; NULL: somebody is at it,
 * or it is not there. */
static struct page *page_now(struct mapping *m, u64 index, bool make)
{
	struct page *pg = mapping_find(m, index);

	if (!pg && make) {
		pg = cache_add_new(m, index);
		return IS_ERR(pg) ? NULL : pg;
	}
	if (pg && (!page_trylock(pg) || pg->mapping != m)) {
		page_put(pg);
		return NULL;
	}
	return pg;
}

/* @n bytes of one page, which are in @buf, into the cache. */
static void store_part(struct inode *i, u64 pos, u32 n, const void *buf)
{
	u32 off = (u32)(pos % PAGE_SIZE);
	bool whole =
		!off && (n == PAGE_SIZE || pos + n >= load_once(&i->i_size));
	struct page *pg = page_now(&i->mapping, pos / PAGE_SIZE, whole);

	if (!pg)
		return;
	if (whole && !(load_once(&pg->flags) & PG_UPTODATE)) {
		memset((u8 *)page_addr(pg) + n, 0, PAGE_SIZE - n);
		memcpy(page_addr(pg), buf, n);
		atomic_fetch_or(&pg->flags, (u32)PG_UPTODATE);
	} else if (load_once(&pg->flags) & PG_UPTODATE) {
		memcpy((u8 *)page_addr(pg) + off, buf, n);
	}
	page_unlock(pg);
	page_put(pg);
}

static int store(struct inode *i, const struct fuse_notify_store_out *o,
		 struct iov_iter *from)
{
	u64 pos = o->offset, end = pos + o->size;
	void *buf = get_free_page(0);
	int err = buf ? 0 : -ENOMEM;
	u32 n;

	if (!err && end > load_once(&i->i_size))
		fuse_size_changed(i, end);
	while (!err && pos < end) {
		n = (u32)min(end - pos, PAGE_SIZE - pos % PAGE_SIZE);
		err = take(buf, n, from);
		if (!err)
			store_part(i, pos, n, buf);
		pos += n;
	}
	if (buf)
		free_page_addr(buf);
	return err;
}

static int notify_store(struct fuse_conn *fc, u32 size, struct iov_iter *from)
{
	struct fuse_notify_store_out o;
	struct inode *i;
	int err;

	if (size < sizeof(o))
		return -EINVAL;
	err = take(&o, sizeof(o), from);
	if (err)
		return err;
	if (size - sizeof(o) != o.size || (s64)o.offset < 0 ||
	    (s64)(o.offset + o.size) < 0)
		return -EINVAL;
	i = fuse_ifind(fc, o.nodeid);
	if (!i)
		return -ENOENT;
	err = S_ISREG(i->mode) ? store(i, &o, from) : -EINVAL;
	inode_put(i);
	return err;
}

/* What the cache has from @pos on, in one piece: bytes, @n at most. */
static u32 copy_cached(struct inode *i, u64 pos, u32 n, u8 *to)
{
	u32 done = 0, len;
	struct page *pg;

	while (done < n) {
		pg = mapping_find(&i->mapping, pos / PAGE_SIZE);
		if (!pg || !(load_once(&pg->flags) & PG_UPTODATE)) {
			if (pg)
				page_put(pg);
			break;
		}
		len = min(n - done, (u32)(PAGE_SIZE - pos % PAGE_SIZE));
		memcpy(to + done, (u8 *)page_addr(pg) + pos % PAGE_SIZE, len);
		page_put(pg);
		done += len;
		pos += len;
	}
	return done;
}

static int retrieve(struct inode *i, const struct fuse_notify_retrieve_out *o)
{
	struct fuse_conn *fc = fuse_c(i);
	u64 size = load_once(&i->i_size);
	u32 n = o->offset < size ? (u32)min((u64)o->size, size - o->offset) : 0;
	struct fuse_notify_retrieve_in *in;
	struct fuse_req *r;

	n = min(n, fc->max_write);
	r = fuse_req_new(fc, FUSE_NOTIFY_REPLY, o->nodeid, (u32)sizeof(*in) + n,
			 0);
	if (IS_ERR(r))
		return -ENOMEM;
	in = req_args(r);
	n = copy_cached(i, o->offset, n, (u8 *)(in + 1));
	*in = (struct fuse_notify_retrieve_in){ .offset = o->offset,
						.size = n };
	req_header(r)->len =
		(u32)(sizeof(struct fuse_in_header) + sizeof(*in) + n);
	req_header(r)->unique = o->notify_unique;
	r->no_reply = true;
	fuse_req_send(r);
	return 0;
}

static int notify_retrieve(struct fuse_conn *fc, u32 size,
			   struct iov_iter *from)
{
	struct fuse_notify_retrieve_out o;
	struct inode *i;
	int err = size == sizeof(o) ? take(&o, sizeof(o), from) : -EINVAL;

	if (err)
		return err;
	if ((s64)o.offset < 0)
		return -EINVAL;
	i = fuse_ifind(fc, o.nodeid);
	if (!i)
		return -ENOENT;
	err = S_ISREG(i->mode) ? retrieve(i, &o) : -EINVAL;
	inode_put(i);
	return err;
}

static int notified(struct fuse_conn *fc, s32 code, u32 size,
		    struct iov_iter *from)
{
	switch (code) {
	case FUSE_NOTIFY_INVAL_INODE:
		return notify_inode(fc, size, from);
	case FUSE_NOTIFY_INVAL_ENTRY:
		return notify_entry(fc, size, from);
	case FUSE_NOTIFY_DELETE:
		return notify_delete(fc, size, from);
	case FUSE_NOTIFY_STORE:
		return notify_store(fc, size, from);
	case FUSE_NOTIFY_RETRIEVE:
		return notify_retrieve(fc, size, from);
	default:
		return -EINVAL;
	}
}

int fuse_notified(struct fuse_conn *fc, s32 code, u32 size,
		  struct iov_iter *from)
{
	int err = -ENOENT;

	if (code == FUSE_NOTIFY_POLL)
		return notify_poll(fc, size, from);
	down_read(&fc->super);
	if (fc->sb && load_once(&fc->connected))
		err = notified(fc, code, size, from);
	up_read(&fc->super);
	return err;
}
