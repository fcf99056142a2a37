/* SPDX-License-Identifier: MIT */
/*
 * fs/tmpfs.c - a file system in memory: its instances, options and inodes.
 *
 * Data are pages of the page cache that are written nowhere.  Pages and inodes
 * are counted against the limits of the instance, half of memory by default.
 *
 * Not here: directories (tmpfs_dir.c), data (tmpfs_file.c).
 */
#include <fs/internal.h>
#include <fs/tmpfs.h>
#include <fs/xattr_mem.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/ns/user.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define TMPFS_MAGIC 0x01021994u

static struct kmem_cache *tmpfs_cache; /* [I] */

/* Add @n to *@used if @max (0: none) allows it. */
static bool count_up(u64 *used, const u64 *max_p, u64 n)
{
	u64 limit = load_once(max_p);

	if (!limit || atomic_add_return(used, n) <= limit) {
		if (!limit)
			atomic_add_relaxed(used, n);
		return true;
	}
	atomic_fetch_add(used, -n);
	return false;
}

int tmpfs_charge(struct super_block *sb, u64 nr_pages)
{
	struct tmpfs_sb *ts = tmpfs_sb(sb);

	if (!count_up(&ts->used_blocks, &ts->max_blocks, nr_pages))
		return -ENOSPC;
	pmem_account(PMEM_SHMEM, (s64)nr_pages);
	return 0;
}

void tmpfs_uncharge(struct super_block *sb, u64 nr_pages)
{
	atomic_fetch_add(&tmpfs_sb(sb)->used_blocks, -nr_pages);
	pmem_account(PMEM_SHMEM, -(s64)nr_pages);
}

static struct inode *tmpfs_alloc_inode(struct super_block *sb __unused)
{
	struct tmpfs_inode *ti = kmem_cache_alloc(tmpfs_cache);

	if (!ti)
		return NULL;
	ti->by_name = RB_ROOT;
	ti->by_cookie = RB_ROOT;
	ti->next_cookie = 2;
	ti->nr_entries = 0;
	ti->seals = F_SEAL_SEAL;
	list_init(&ti->xattrs);
	ti->xattr_bytes = 0;
	return &ti->vfs;
}

static void tmpfs_free_inode(struct inode *i)
{
	kmem_cache_free(tmpfs_cache, tmpfs_i(i));
}

static void tmpfs_evict(struct inode *i)
{
	struct tmpfs_inode *ti = tmpfs_i(i);

	xattr_mem_free(&ti->xattrs);
	if (i->link)
		tmpfs_uncharge(i->sb, tmpfs_link_pages(strlen(i->link)));
	atomic_fetch_add(&tmpfs_sb(i->sb)->used_inodes, (u64)-1);
}

static void set_ops(struct inode *i)
{
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		i->ops = &tmpfs_file_ops;
		i->fops = &tmpfs_file_fops;
		i->mapping.ops = &tmpfs_mapping_ops;
		break;
	case S_IFDIR:
		i->ops = &tmpfs_dir_ops;
		i->fops = &tmpfs_dir_fops;
		i->nlink = 2;
		break;
	case S_IFLNK:
		i->ops = &tmpfs_link_ops;
		break;
	default:
		i->ops = &tmpfs_special_ops;
		break;
	}
}

struct inode *tmpfs_make_inode(struct super_block *sb, const struct inode *dir,
			       u32 mode, kdev_t rdev)
{
	struct tmpfs_sb *ts = tmpfs_sb(sb);
	struct inode *i;

	if (!count_up(&ts->used_inodes, &ts->max_inodes, 1))
		return ERR_PTR(-ENOSPC);
	i = inode_new(sb);
	if (!i) {
		atomic_fetch_add(&ts->used_inodes, (u64)-1);
		return ERR_PTR(-ENOMEM);
	}
	i->ino = atomic_add_return(&sb->next_ino, 1);
	i->rdev = rdev;
	i->generation = (u32)clock_mono_ns();
	inode_init_owner(i, dir, mode);
	if (S_ISDIR(mode))
		i->i_size = 2 * (u64)DIRENT_BYTES;
	set_ops(i);
	return i;
}

static int tmpfs_statfs(struct super_block *sb, struct kstatfs *st)
{
	struct tmpfs_sb *ts = tmpfs_sb(sb);
	u64 used = load_once(&ts->used_blocks), max = ts->max_blocks;

	st->type = sb->magic;
	st->bsize = st->frsize = PAGE_SIZE;
	st->namelen = NAME_MAX;
	st->blocks = max;
	st->bfree = st->bavail = max > used ? max - used : 0;
	st->files = ts->max_inodes;
	used = load_once(&ts->used_inodes);
	st->ffree = ts->max_inodes > used ? ts->max_inodes - used : 0;
	return 0;
}

/* --- options */

static int parse_size(const char *v, u64 *bytes)
{
	struct pmem_info mem;
	const char *end;
	u64 n = parse_u64(v, &end, 0);

	if (end == v)
		return -EINVAL;
	switch (*end) {
	case '%':
		pmem_info(&mem);
		n = mem.total * PAGE_SIZE / 100 * n;
		end++;
		break;
	case 'g':
	case 'G':
		n <<= 10; /* fallthrough */
		__attribute__((fallthrough));
	case 'm':
	case 'M':
		n <<= 10;
		__attribute__((fallthrough));
	case 'k':
	case 'K':
		n <<= 10;
		end++;
		break;
	default:
		break;
	}
	*bytes = n;
	return *end ? -EINVAL : 0;
}

static const char *const ignored[] = { "huge",	      "inode32", "inode64",
				       "noswap",      "mpol",	 "nr_open",
				       "newinstance", "ptmxmode" };
static const char *const known[] = { "mode",	  "size", "nr_blocks",
				     "nr_inodes", "uid",  "gid" };

static bool is_one_of(const char *const *names, size_t nr, const char *key)
{
	for (size_t k = 0; k < nr; k++)
		if (!strcmp(key, names[k]))
			return true;
	return false;
}

/* -ENOENT: it is none of ours. */
static int parse_option(void *to, const char *key, const char *val)
{
	struct tmpfs_sb *ts = to;
	u64 v = 0;
	int err;

	if (is_one_of(ignored, ARRAY_SIZE(ignored), key))
		return 0;
	if (!is_one_of(known, ARRAY_SIZE(known), key))
		return -ENOENT;
	if (!strcmp(key, "mode")) {
		err = kstrtou64(val ? val : "", 8, &v);
		ts->mode = (u32)v & 07777;
		return err;
	}
	err = parse_size(val ? val : "", &v);
	if (err)
		return err;
	if ((!strcmp(key, "uid") && uid_given((u32)v) == INVALID_ID) ||
	    (!strcmp(key, "gid") && gid_given((u32)v) == INVALID_ID))
		return -EINVAL;
	if (!strcmp(key, "size"))
		ts->max_blocks = DIV_ROUND_UP(v, PAGE_SIZE);
	else if (!strcmp(key, "nr_blocks"))
		ts->max_blocks = v;
	else if (!strcmp(key, "nr_inodes"))
		ts->max_inodes = v;
	else if (!strcmp(key, "uid"))
		ts->uid = uid_given((u32)v);
	else
		ts->gid = gid_given((u32)v);
	return 0;
}

/* fs_type->check_option */
static int check_option(const char *opt)
{
	struct tmpfs_sb scratch = { 0 };

	return fs_option(opt, parse_option, &scratch);
}

static int tmpfs_remount(struct super_block *sb, u64 flags __unused,
			 const char *data)
{
	struct tmpfs_sb *ts = tmpfs_sb(sb), want = *ts;
	int err = fs_options(data, parse_option, &want);

	if (err)
		return err;
	if (want.max_blocks && want.max_blocks < load_once(&ts->used_blocks))
		return -EINVAL;
	if (want.max_inodes && want.max_inodes < load_once(&ts->used_inodes))
		return -EINVAL;
	store_once(&ts->max_blocks, want.max_blocks);
	store_once(&ts->max_inodes, want.max_inodes);
	return 0;
}

static void tmpfs_show_options(struct super_block *sb, char *buf, size_t n)
{
	struct tmpfs_sb *ts = tmpfs_sb(sb);
	int len = 0;

	buf[0] = '\0';
	if (ts->max_blocks != ts->default_blocks)
		len = scnprintf(buf, n, ",size=%lluk",
				(unsigned long long)ts->max_blocks * 4);
	if (ts->max_inodes != ts->default_inodes)
		len += scnprintf(buf + len, n - (size_t)len, ",nr_inodes=%llu",
				 (unsigned long long)ts->max_inodes);
	if (ts->mode != 01777)
		len += scnprintf(buf + len, n - (size_t)len, ",mode=%o",
				 ts->mode);
	if (ts->uid)
		len += scnprintf(buf + len, n - (size_t)len, ",uid=%u",
				 ts->uid);
	if (ts->gid)
		len += scnprintf(buf + len, n - (size_t)len, ",gid=%u",
				 ts->gid);
	if (sb->type->check_option) /* tmpfs, and nothing that is like it */
		strscpy(buf + len, ",inode64", n - (size_t)len);
}

static void tmpfs_put_super(struct super_block *sb)
{
	kfree(sb->priv);
}

/* Only those whose numbers were given out are ever looked for. */
static void tmpfs_fh_prepare(struct inode *i)
{
	inode_hash_insert(i);
}

static struct inode *tmpfs_fh_to_inode(struct super_block *sb, u64 ino, u32 gen)
{
	struct inode *i = inode_find(sb, ino);

	if (i && i->generation == gen)
		return i;
	if (i)
		inode_put(i);
	return ERR_PTR(-ESTALE);
}

const struct super_ops tmpfs_super_ops = {
	.open_stays = true,
	.fh_prepare = tmpfs_fh_prepare,
	.fh_to_inode = tmpfs_fh_to_inode,
	.alloc_inode = tmpfs_alloc_inode,
	.free_inode = tmpfs_free_inode,
	.evict_inode = tmpfs_evict,
	.drop_names = tmpfs_drop_names,
	.statfs = tmpfs_statfs,
	.remount = tmpfs_remount,
	.put_super = tmpfs_put_super,
	.show_options = tmpfs_show_options,
	.no_icache = true,
};

int tmpfs_mount(struct super_block *sb, struct blkdev *bdev __unused,
		u64 flags __unused, const char *data)
{
	struct tmpfs_sb *ts = kzalloc(sizeof(*ts));
	struct pmem_info mem;
	struct inode *root;
	int err;

	if (!ts)
		return -ENOMEM;
	pmem_info(&mem);
	ts->max_blocks = ts->default_blocks = mem.total / 2;
	ts->max_inodes = ts->default_inodes = mem.total / 2;
	ts->mode = 01777;
	ts->uid = fs_cred()->fsuid;
	ts->gid = fs_cred()->fsgid;
	sb->priv = ts;
	sb->ops = &tmpfs_super_ops;
	sb->magic = TMPFS_MAGIC;
	sb->has_iflags = true;
	err = fs_options(data, parse_option, ts);
	if (err)
		goto fail;
	root = tmpfs_make_inode(sb, NULL, S_IFDIR | ts->mode, 0);
	err = (int)(IS_ERR(root) ? PTR_ERR(root) : 0);
	if (err)
		goto fail;
	root->uid = ts->uid;
	root->gid = ts->gid;
	sb->root = dentry_alloc_root(root);
	if (sb->root)
		return 0;
	err = -ENOMEM;
fail:
	kfree(ts);
	return err;
}

static struct user_ns *mounters_ns(void)
{
	return fs_cred()->user_ns;
}

static struct fs_type tmpfs_type = { .name = "tmpfs",
				     .mount = tmpfs_mount,
				     .owner = mounters_ns,
				     .check_option = check_option };
static struct fs_type ramfs_type = { .name = "ramfs",
				     .owner = mounters_ns,
				     .mount = tmpfs_mount };
static struct fs_type rootfs_type = { .name = "rootfs", .mount = tmpfs_mount };

static int tmpfs_init(void)
{
	tmpfs_cache =
		kmem_cache_create("tmpfs_inode", sizeof(struct tmpfs_inode), 8);
	if (!tmpfs_cache)
		return -ENOMEM;
	fs_register(&tmpfs_type);
	fs_register(&ramfs_type);
	return fs_register(&rootfs_type);
}
INITCALL(INIT_CORE, tmpfs_init);

/* The root of everything, before there is anything else. */
static int rootfs_init(void)
{
	return vfs_mount_root("rootfs", "rootfs", 0, "mode=755");
}
INITCALL(INIT_VFS, rootfs_init);
