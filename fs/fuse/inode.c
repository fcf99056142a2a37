/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/inode.c - inodes: found by the daemon's numbers, with what it said of
 * them, and how long that holds.
 *
 * INVARIANTS
 *   I1  An inode in conn->inodes has the number that it is found by; only one has.
 *   I2  It is taken out before it is freed, and when it has become bad.
 *
 * Answers overtake each other: what was asked for before somebody changed the file
 * here (attr_version) is not believed.
 */
#include <fs/fuse/fuse.h>

#include <fs/acl.h>
#include <fs/filecaps.h>
#include <kernel/assert.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vm.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>

static struct kmem_cache *inode_cache; /* [I] */

int fuse_inode_init(void)
{
	inode_cache =
		kmem_cache_create("fuse_inode", sizeof(struct fuse_inode), 8);
	return inode_cache ? 0 : -ENOMEM;
}

struct inode *fuse_alloc_inode(struct super_block *sb __unused)
{
	struct fuse_inode *fi = kmem_cache_zalloc(inode_cache);

	if (!fi)
		return NULL;
	list_init(&fi->files);
	return &fi->vfs;
}

void fuse_free_inode(struct inode *i)
{
	kmem_cache_free(inode_cache, fuse_i(i));
}

static void untree(struct fuse_conn *fc, struct fuse_inode *fi)
{
	assert_held(&fc->lock);
	if (fi->in_tree)
		rb_erase(&fi->node, &fc->inodes);
	fi->in_tree = false;
}

void fuse_evict(struct inode *i)
{
	struct fuse_inode *fi = fuse_i(i);
	struct fuse_conn *fc = fuse_c(i);
	struct fuse_file *made;

	spin_lock(&fc->lock);
	untree(fc, fi);
	made = fi->made;
	fi->made = NULL;
	spin_unlock(&fc->lock);
	if (made)
		fuse_file_put(made);
	fuse_forget(fc, fi->nodeid, fi->nlookup);
}

/* --- times that answers hold */

u64 fuse_until(u64 sec, u32 nsec)
{
	u64 now = clock_mono_ns();

	nsec = min(nsec, (u32)NSEC_PER_SEC - 1);
	if (!sec && !nsec)
		return 0;
	if (sec > (~0ull - now) / NSEC_PER_SEC - 1)
		return ~0ull;
	return now + sec * NSEC_PER_SEC + nsec;
}

u64 fuse_version(struct fuse_conn *fc)
{
	return load_once(&fc->attr_version);
}

void fuse_inval_attr(struct inode *i)
{
	store_once(&fuse_i(i)->attr_until, 0);
}

static void new_version(struct inode *i)
{
	struct fuse_conn *fc = fuse_c(i);

	assert_held(&fc->lock);
	store_once(&fc->attr_version, fc->attr_version + 1);
	fuse_i(i)->attr_version = fc->attr_version;
}

void fuse_size_changed(struct inode *i, u64 size)
{
	struct fuse_conn *fc = fuse_c(i);

	spin_lock(&fc->lock);
	new_version(i);
	store_once(&i->i_size, size);
	spin_unlock(&fc->lock);
	fuse_inval_attr(i);
}

/* --- attributes */

bool fuse_attr_valid(const struct fuse_attr *a)
{
	switch (a->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return (s64)a->size >= 0;
	default:
		return false;
	}
}

static struct timespec64 time_of(u64 sec, u32 nsec)
{
	return (struct timespec64){ (s64)sec,
				    min(nsec, (u32)NSEC_PER_SEC - 1) };
}

/* The words of @a; conn->lock is held. */
static void copy_attr(struct inode *i, const struct fuse_attr *a)
{
	struct fuse_conn *fc = fuse_c(i);

	i->ino = a->ino;
	i->mode = (i->mode & S_IFMT) | (a->mode & 07777);
	i->nlink = S_ISDIR(i->mode) && !a->nlink ? 1 : a->nlink;
	i->uid = id_to_global(fc->user_ns, ID_UID, a->uid);
	i->gid = id_to_global(fc->user_ns, ID_GID, a->gid);
	i->blocks = a->blocks;
	i->atime = time_of(a->atime, a->atimensec);
	i->mtime = time_of(a->mtime, a->mtimensec);
	i->ctime = time_of(a->ctime, a->ctimensec);
	store_once(&fuse_i(i)->blksize, a->blksize);
}

static bool same_time(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

void fuse_inval_pages(struct inode *i, u64 start, u64 end)
{
	if (!load_once(&i->mapping.nr_pages))
		return;
	mapping_unmap_user(&i->mapping, start, end);
	(void)mapping_invalidate(&i->mapping, start, end);
}

void fuse_set_attr(struct inode *i, const struct fuse_attr *a, u64 until,
		   u64 version)
{
	struct fuse_inode *fi = fuse_i(i);
	struct fuse_conn *fc = fuse_c(i);
	struct timespec64 mtime;
	u64 size;
	bool grown, fresh;

	spin_lock(&fc->lock);
	if (version && fi->attr_version > version) {
		/* of before what was done here: ask again */
		spin_unlock(&fc->lock);
		fuse_inval_attr(i);
		return;
	}
	mtime = i->mtime;
	size = i->i_size;
	fresh = !fi->attr_version;
	copy_attr(i, a);
	fi->attr_version = max(fc->attr_version, (u64)1);
	if (!S_ISREG(i->mode) || !fi->nr_wb)
		store_once(&i->i_size, a->size);
	grown = size != i->i_size;
	store_once(&fi->attr_until, until);
	spin_unlock(&fc->lock);
	if (fresh || !S_ISREG(i->mode))
		return;
	if (a->size < size && grown)
		mapping_truncate(&i->mapping, a->size);
	if (fc->auto_inval ? grown || !same_time(&mtime, &i->mtime)
			   : grown && !fc->explicit_inval)
		fuse_inval_pages(i, 0, ~0ull);
}

/* --- finding */

/* In the tree under @nodeid, referenced, or NULL and where it would be. */
static struct inode *find(struct fuse_conn *fc, u64 nodeid,
			  struct rb_node **parent, struct rb_node ***link)
{
	struct fuse_inode *fi;
again:
	*link = &fc->inodes.node;
	*parent = NULL;
	while (**link) {
		*parent = **link;
		fi = rb_entry(*parent, struct fuse_inode, node);
		if (nodeid == fi->nodeid) {
			if (inode_try_get(&fi->vfs))
				return &fi->vfs;
			untree(fc, fi); /* it is being evicted */
			goto again;
		}
		*link = nodeid < fi->nodeid ? &(*parent)->left
					    : &(*parent)->right;
	}
	return NULL;
}

struct inode *fuse_ifind(struct fuse_conn *fc, u64 nodeid)
{
	struct rb_node *parent, **link;
	struct inode *i;

	spin_lock(&fc->lock);
	i = find(fc, nodeid, &parent, &link);
	spin_unlock(&fc->lock);
	return i;
}

static void set_ops(struct inode *i)
{
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &fuse_file_iops;
		i->fops = &fuse_file_fops;
		i->mapping.ops = &fuse_mapping_ops;
		break;
	case S_IFDIR:
		i->ops = &fuse_dir_ops;
		i->fops = &fuse_dir_fops;
		break;
	case S_IFLNK:
		i->ops = &fuse_link_ops;
		break;
	default:
		i->ops = &fuse_special_ops;
		break;
	}
}

/* A new one, not yet in the tree. */
static struct inode *make(struct super_block *sb,
			  const struct fuse_entry_out *e)
{
	struct inode *i = inode_new(sb);
	struct fuse_inode *fi;

	if (!i)
		return NULL;
	fi = fuse_i(i);
	fi->nodeid = e->nodeid;
	fi->generation = e->generation;
	i->generation = (u32)e->generation;
	i->mode = e->attr.mode;
	i->rdev = dev_decode(e->attr.rdev);
	i->btime = (struct timespec64){ 0, 0 }; /* nobody tells */
	/* lists are the daemon's business, as it checks them */
	i->acl_state = i->acl_default = ACL_NONE;
	i->filecaps = FILECAPS_NONE;
	set_ops(i);
	return i;
}

static bool fits(const struct inode *i, const struct fuse_entry_out *e)
{
	return !((i->mode ^ e->attr.mode) & S_IFMT) &&
	       fuse_i(i)->generation == e->generation &&
	       !load_once(&fuse_i(i)->bad);
}

/* One of another kind has its number now. */
static void make_bad(struct inode *i)
{
	struct fuse_conn *fc = fuse_c(i);

	spin_lock(&fc->lock);
	store_once(&fuse_i(i)->bad, true);
	if (fuse_i(i)->nodeid != FUSE_ROOT_ID)
		untree(fc, fuse_i(i));
	spin_unlock(&fc->lock);
}

/* The one of the tree, or @fresh put there. */
static struct inode *find_or_add(struct fuse_conn *fc, struct inode *fresh,
				 u64 nodeid)
{
	struct rb_node *parent, **link;
	struct inode *i;

	spin_lock(&fc->lock);
	i = find(fc, nodeid, &parent, &link);
	if (!i && fresh) {
		rb_link_node(&fuse_i(fresh)->node, parent, link);
		rb_insert_color(&fuse_i(fresh)->node, &fc->inodes);
		fuse_i(fresh)->in_tree = true;
		i = fresh;
	}
	if (i)
		fuse_i(i)->nlookup++;
	spin_unlock(&fc->lock);
	return i;
}

struct inode *fuse_iget(struct super_block *sb, const struct fuse_entry_out *e,
			u64 version)
{
	struct fuse_conn *fc = sb->priv;
	struct inode *i, *fresh = NULL;

	for (;;) {
		i = find_or_add(fc, fresh, e->nodeid);
		if (!i) {
			fresh = make(sb, e);
			if (fresh)
				continue;
			fuse_forget(fc, e->nodeid, 1);
			return ERR_PTR(-ENOMEM);
		}
		if (i != fresh && !fits(i, e)) {
			spin_lock(&fc->lock);
			fuse_i(i)->nlookup--; /* not that one's */
			spin_unlock(&fc->lock);
			make_bad(i);
			inode_put(i);
			if (e->nodeid != FUSE_ROOT_ID)
				continue;
			if (fresh)
				inode_put(fresh);
			return ERR_PTR(-EIO);
		}
		break;
	}
	if (fresh && fresh != i)
		inode_put(fresh);
	fuse_set_attr(i, &e->attr,
		      fuse_until(e->attr_valid, e->attr_valid_nsec), version);
	return i;
}

/* --- what the VFS asks */

bool fuse_allowed(const struct fuse_conn *fc)
{
	const struct cred *c = current->cred;

	if (!c)
		return true;
	if (fc->allow_other)
		return user_ns_below(c->user_ns, fc->user_ns);
	return c->euid == fc->user_id && c->suid == fc->user_id &&
	       c->uid == fc->user_id && c->egid == fc->group_id &&
	       c->sgid == fc->group_id && c->gid == fc->group_id;
}

int fuse_getattr(struct inode *i)
{
	struct fuse_conn *fc = fuse_c(i);
	u64 version = fuse_version(fc);
	struct fuse_getattr_in in = { 0 };
	struct fuse_attr_out o;
	struct fuse_args a = { .op = FUSE_GETATTR,
			       .nodeid = fuse_i(i)->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } },
			       .out = &o,
			       .out_size = sizeof(o) };
	s64 n = fuse_call(fc, &a);

	if (n < 0)
		return (int)n;
	if (!fuse_attr_valid(&o.attr) || ((i->mode ^ o.attr.mode) & S_IFMT)) {
		make_bad(i);
		return -EIO;
	}
	fuse_set_attr(i, &o.attr, fuse_until(o.attr_valid, o.attr_valid_nsec),
		      version);
	return 0;
}

int fuse_revalidate(struct inode *i)
{
	if (unlikely(load_once(&fuse_i(i)->bad)))
		return -EIO;
	if (!fuse_allowed(fuse_c(i)))
		return -EACCES;
	if (load_once(&fuse_i(i)->attr_until) > clock_mono_ns())
		return 0;
	return fuse_getattr(i);
}

static int ask_access(struct inode *i, u32 mask)
{
	struct fuse_conn *fc = fuse_c(i);
	struct fuse_access_in in = { .mask = mask & 7 };
	struct fuse_args a = { .op = FUSE_ACCESS,
			       .nodeid = fuse_i(i)->nodeid,
			       .nr = 1,
			       .in = { { &in, sizeof(in) } } };
	s64 n = fuse_call_known(fc, &a, &fc->no_access, 0);

	return n < 0 ? (int)n : 0;
}

int fuse_permission(struct inode *i, u32 mask)
{
	struct fuse_conn *fc = fuse_c(i);
	int err;

	if (unlikely(load_once(&fuse_i(i)->bad)))
		return -EIO;
	if (!fuse_allowed(fc))
		return -EACCES;
	if (fc->default_permissions ||
	    ((mask & MAY_EXEC) && S_ISREG(i->mode))) {
		err = fuse_revalidate(i);
		if (err)
			return err;
	}
	if (fc->default_permissions)
		return generic_permission(i, mask);
	if (mask & (MAY_ACCESS | MAY_CHDIR))
		return ask_access(i, mask);
	if ((mask & MAY_EXEC) && S_ISREG(i->mode) && !(i->mode & 0111))
		return -EACCES;
	return 0;
}

static void fill_setattr(const struct fuse_conn *fc, const struct iattr *a,
			 struct fuse_setattr_in *in)
{
	bool given = a->valid & ATTR_TIMES_GIVEN;

	if (a->valid & ATTR_MODE) {
		in->valid |= FATTR_MODE;
		in->mode = a->mode;
	}
	if (a->valid & ATTR_UID) {
		in->valid |= FATTR_UID;
		in->uid = id_from_global(fc->user_ns, ID_UID, a->uid);
	}
	if (a->valid & ATTR_GID) {
		in->valid |= FATTR_GID;
		in->gid = id_from_global(fc->user_ns, ID_GID, a->gid);
	}
	if (a->valid & ATTR_SIZE) {
		in->valid |= FATTR_SIZE;
		in->size = a->size;
	}
	if (a->valid & ATTR_ATIME) {
		in->valid |= FATTR_ATIME;
		if (a->valid & ATTR_ATIME_NOW)
			in->valid |= FATTR_ATIME_NOW;
		in->atime = (u64)a->atime.tv_sec;
		in->atimensec = (u32)a->atime.tv_nsec;
	}
	/* a truncation's is the daemon's to set */
	if ((a->valid & ATTR_MTIME) && (given || !(a->valid & ATTR_SIZE))) {
		in->valid |= FATTR_MTIME;
		if (a->valid & ATTR_MTIME_NOW)
			in->valid |= FATTR_MTIME_NOW;
		in->mtime = (u64)a->mtime.tv_sec;
		in->mtimensec = (u32)a->mtime.tv_nsec;
	}
}

/* A file of @i that is open for writing: its number, for a truncation. */
static bool write_handle(struct inode *i, u64 *fh)
{
	struct fuse_conn *fc = fuse_c(i);
	struct fuse_file *ff;
	bool found = false;

	spin_lock(&fc->lock);
	list_for_each_entry(ff, &fuse_i(i)->files, node) {
		if ((ff->flags & O_ACCMODE) == O_RDONLY || found)
			continue;
		*fh = ff->fh;
		found = true;
	}
	spin_unlock(&fc->lock);
	return found;
}

int fuse_setattr(struct inode *i, const struct iattr *a)
{
	struct fuse_conn *fc = fuse_c(i);
	struct fuse_setattr_in in = { 0 };
	struct fuse_attr_out o;
	struct fuse_args args = { .op = FUSE_SETATTR,
				  .nodeid = fuse_i(i)->nodeid,
				  .nr = 1,
				  .in = { { &in, sizeof(in) } },
				  .out = &o,
				  .out_size = sizeof(o) };
	bool cut = (a->valid & ATTR_SIZE) && S_ISREG(i->mode);
	s64 n;

	if (load_once(&fuse_i(i)->bad))
		return -EIO;
	if (!fuse_allowed(fc))
		return -EACCES;
	fill_setattr(fc, a, &in);
	if (cut) {
		/* what is dirty is written first: not beyond the new end */
		(void)mapping_sync(&i->mapping, 0, ~0ull, true);
		n = fuse_wait_wb(i);
		if (n)
			return (int)n;
		if (write_handle(i, &in.fh))
			in.valid |= FATTR_FH;
	}
	n = fuse_call(fc, &args);
	if (n < 0)
		return (int)n;
	if (!fuse_attr_valid(&o.attr) || ((i->mode ^ o.attr.mode) & S_IFMT)) {
		make_bad(i);
		return -EIO;
	}
	if (cut) {
		fuse_size_changed(i, o.attr.size);
		mapping_truncate(&i->mapping, o.attr.size);
	}
	fuse_set_attr(i, &o.attr, fuse_until(o.attr_valid, o.attr_valid_nsec),
		      0);
	return 0;
}
