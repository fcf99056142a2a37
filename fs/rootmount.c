/* SPDX-License-Identifier: MIT */
/*
 * fs/rootmount.c - find and mount the root file system, as Linux does.
 *
 *	an initrd with /init (or rdinit=)    stay in the root tmpfs, run it
 *	else root=			     mount that over it
 *
 * root= is a name (/dev/vda1), PARTUUID=, UUID= or LABEL= (of ext4), or numbers
 * (254:1, fe01).  rootfstype=, rootflags=, ro, rw, rootwait and rootdelay= are
 * what they are on Linux.
 *
 * Context: the init thread, after all drivers.
 */
#include <fs/initramfs.h>
#include <fs/internal.h>
#include <kernel/dev/blk.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/upcalls.h>
#include <kernel/sched/thread.h>
#include <lib/ctype.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define WAIT_STEP_NS (100 * NSEC_PER_MSEC)

/* ext4 super block: place on the device, and of its fields within. */
#define EXT4_SB_SECTOR 2
#define EXT4_SB_SIZE   1024u
#define EXT4_MAGIC_OFF 56
#define EXT4_UUID_OFF  104
#define EXT4_LABEL_OFF 120

static const char *root_arg, *fstype_arg, *flags_arg;	 /* [I] */
static const char *rdinit_arg = "/init";		 /* [I] */
static bool rdinit_given, root_rw, root_wait, no_initrd; /* [I] */
static u64 root_delay_s;				 /* [I] */

static void set_root(const char *v)
{
	root_arg = v;
}
static void set_fstype(const char *v)
{
	fstype_arg = v;
}
static void set_flags(const char *v)
{
	flags_arg = v;
}
static void set_rdinit(const char *v)
{
	rdinit_arg = v;
	rdinit_given = true;
}
static void set_ro(const char *v __unused)
{
	root_rw = false;
}
static void set_rw(const char *v __unused)
{
	root_rw = true;
}
static void set_wait(const char *v __unused)
{
	root_wait = true;
}
static void set_delay(const char *v)
{
	root_delay_s = parse_u64(v, NULL, 10);
}
static void set_noinitrd(const char *v __unused)
{
	no_initrd = true;
}
BOOTPARAM(root, "root", set_root);
BOOTPARAM(rootfstype, "rootfstype", set_fstype);
BOOTPARAM(rootflags, "rootflags", set_flags);
BOOTPARAM(rdinit, "rdinit", set_rdinit);
BOOTPARAM(ro, "ro", set_ro);
BOOTPARAM(rw, "rw", set_rw);
BOOTPARAM(rootwait, "rootwait", set_wait);
BOOTPARAM(rootdelay, "rootdelay", set_delay);
BOOTPARAM(noinitrd, "noinitrd", set_noinitrd);

/* --- which device? */

/* The parameters end at a blank; compare the text up to there. */
static size_t arg_len(const char *s)
{
	size_t n = 0;

	while (s[n] && !isspace(s[n]))
		n++;
	return n;
}

static bool same_nocase(const char *a, const char *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!b[i] || tolower(a[i]) != tolower(b[i]))
			return false;
	return !b[n];
}

struct search {
	const char *want;
	size_t len;
	bool by_label; /* else by UUID */
	struct blkdev *list[64];
	u32 nr;
};

/* A disk without a medium, as loop devices are now, is none here. */
static void collect(struct blkdev *bd, void *ctx)
{
	struct search *s = ctx;

	if (bd->nr_sectors && s->nr < ARRAY_SIZE(s->list))
		s->list[s->nr++] = bd;
}

static void uuid_text(const u8 *u, char out[40])
{
	int i, at = 0;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		at += scnprintf(out + at, 40 - (size_t)at, "%02x", u[i]);
	}
}

static bool ext4_matches(struct blkdev *bd, const struct search *s, u8 *buf)
{
	char text[40] = "";

	if (bd->nr_sectors < 8 || blk_read(bd, 0, buf, 4096))
		return false;
	buf += EXT4_SB_SECTOR * SECTOR_SIZE;
	if (buf[EXT4_MAGIC_OFF] != 0x53 || buf[EXT4_MAGIC_OFF + 1] != 0xef)
		return false;
	if (!s->by_label) {
		uuid_text(buf + EXT4_UUID_OFF, text);
		return same_nocase(s->want, text, s->len);
	}
	memcpy(text, buf + EXT4_LABEL_OFF, 16);
	return strlen(text) == s->len && !memcmp(text, s->want, s->len);
}

static struct blkdev *find_by_super(const char *want, bool by_label)
{
	struct search *s = kzalloc(sizeof(*s));
	u8 *buf = get_free_page(0);
	struct blkdev *found = NULL;
	u32 i;

	if (s && buf) {
		s->want = want;
		s->len = arg_len(want);
		s->by_label = by_label;
		blkdev_for_each(collect, s);
		for (i = 0; i < s->nr && !found; i++)
			if (ext4_matches(s->list[i], s, buf))
				found = s->list[i];
	}
	if (buf)
		free_page_addr(buf);
	kfree(s);
	return found;
}

static struct blkdev *find_by_partuuid(const char *want)
{
	struct search *s = kzalloc(sizeof(*s));
	struct blkdev *found = NULL;
	size_t len = arg_len(want);
	u32 i;

	if (!s)
		return NULL;
	blkdev_for_each(collect, s);
	for (i = 0; i < s->nr && !found; i++)
		if (same_nocase(want, s->list[i]->partuuid, len))
			found = s->list[i];
	kfree(s);
	return found;
}

/* "254:1", or "fe01": eight bits of minor below the major. */
static struct blkdev *find_by_number(const char *s)
{
	const char *end;
	u64 a = parse_u64(s, &end, 10), b;

	if (end != s && *end == ':') {
		s = end + 1;
		b = parse_u64(s, &end, 10);
		if (end == s || (*end && !isspace(*end)))
			return NULL;
		return blkdev_find(MKDEV(a, b));
	}
	a = parse_u64(s, &end, 16);
	if (end == s || (*end && !isspace(*end)))
		return NULL;
	return blkdev_find(dev_decode(a));
}

static struct blkdev *find_root(void)
{
	char name[32];
	const char *s = root_arg;

	if (str_has_prefix(s, "PARTUUID="))
		return find_by_partuuid(s + 9);
	if (str_has_prefix(s, "UUID="))
		return find_by_super(s + 5, false);
	if (str_has_prefix(s, "LABEL="))
		return find_by_super(s + 6, true);
	if (!str_has_prefix(s, "/dev/"))
		return find_by_number(s);
	s += 5;
	if (arg_len(s) >= sizeof(name))
		return NULL;
	strscpy(name, s, arg_len(s) + 1);
	return blkdev_by_name(name);
}

static struct blkdev *wait_for_root(void)
{
	struct blkdev *bd;
	bool told = false;

	if (root_delay_s)
		sleep_until_ns(clock_mono_ns() + root_delay_s * NSEC_PER_SEC,
			       false);
	for (;;) {
		bd = find_root();
		if (bd || !root_wait)
			return bd;
		if (!told)
			pr_info("vfs: waiting for root device %.*s",
				(int)arg_len(root_arg), root_arg);
		told = true;
		sleep_until_ns(clock_mono_ns() + WAIT_STEP_NS, false);
	}
}

/* --- what there is, when it is not found */

static void list_devices(void)
{
	struct search *s = kzalloc(sizeof(*s));
	u32 i;

	if (!s)
		return;
	blkdev_for_each(collect, s);
	if (!s->nr)
		pr_err("vfs: there are no block devices at all");
	else
		pr_err("vfs: these block devices were found:");
	for (i = 0; i < s->nr; i++)
		pr_err("vfs:   %3u:%-3u %10llu KiB  %s %s",
		       MAJOR(s->list[i]->dev), MINOR(s->list[i]->dev),
		       (unsigned long long)s->list[i]->nr_sectors / 2,
		       s->list[i]->name, s->list[i]->partuuid);
	kfree(s);
}

/* --- mounting */

struct attempt {
	struct blkdev *bd;
	char dev[40];
	int err;
	const char *names[16]; /* types to try */
	u32 nr;
};

static void collect_type(struct fs_type *t, void *ctx)
{
	struct attempt *a = ctx;

	if (t->needs_dev && a->nr < ARRAY_SIZE(a->names))
		a->names[a->nr++] = t->name;
}

/* rootfstype= is a list with commas; without it every type is tried. */
static void list_types(struct attempt *a, char *copy)
{
	char *at = copy, *next;

	if (!*copy) {
		fs_for_each_type(collect_type, a);
		return;
	}
	for (; at && *at && a->nr < ARRAY_SIZE(a->names); at = next) {
		next = str_cut(at, ',');
		a->names[a->nr++] = at;
	}
}

static int try_types(struct attempt *a)
{
	u64 flags = root_rw ? 0 : MS_RDONLY;
	char types[64] = "", data[128] = "";
	int err = -ENODEV;
	u32 i;

	if (fstype_arg)
		strscpy(types, fstype_arg,
			min(sizeof(types), arg_len(fstype_arg) + 1));
	if (flags_arg)
		strscpy(data, flags_arg,
			min(sizeof(data), arg_len(flags_arg) + 1));
	list_types(a, types);
	for (i = 0; i < a->nr; i++) {
		err = vfs_mount(a->dev, "/", a->names[i], flags, data);
		if (err == -EACCES && root_rw) /* a write-protected device */
			err = vfs_mount(a->dev, "/", a->names[i], MS_RDONLY,
					data);
		if (!err) {
			pr_info("vfs: mounted %s (%s) as root, read-%s", a->dev,
				a->names[i], root_rw ? "write" : "only");
			return 0;
		}
		if (err != -EINVAL)
			break; /* it is that type, and it is broken */
	}
	return err;
}

static int mount_disk_root(void)
{
	struct attempt a = { .bd = NULL };

	if (!root_arg || !arg_len(root_arg)) {
		pr_err("vfs: no root= on the command line and no /init in an initrd");
		list_devices();
		return -ENODEV;
	}
	a.bd = wait_for_root();
	if (!a.bd) {
		pr_err("vfs: cannot find root device \"%.*s\"",
		       (int)arg_len(root_arg), root_arg);
		list_devices();
		return -ENXIO;
	}
	scnprintf(a.dev, sizeof(a.dev), "/dev/%s", a.bd->name);
	a.err = try_types(&a);
	if (a.err) {
		pr_err("vfs: cannot mount %s as root: error %d%s", a.dev, a.err,
		       a.err == -EINVAL ? " (no file system that we know)"
					: "");
		list_devices();
	}
	return a.err;
}

/* /dev of the new root, when there is such a directory. */
static void mount_dev(void)
{
	struct path p;

	if (path_lookup(AT_FDCWD, "/dev", LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p))
		return;
	path_put(&p);
	if (vfs_mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, ""))
		pr_warn("vfs: cannot mount devtmpfs on /dev");
}

static bool have_file(const char *path)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p);

	if (!err)
		path_put(&p);
	return !err;
}

static void unpack_initrd(void)
{
	paddr_t start, end;

	if (!boot_initrd || no_initrd)
		return;
	if (initramfs_unpack(boot_initrd, boot_initrd_size))
		pr_err("initramfs: the initrd was not unpacked completely");
	start = virt_to_phys(boot_initrd);
	end = ALIGN_DOWN(start + boot_initrd_size, PAGE_SIZE);
	start = ALIGN_UP(start, PAGE_SIZE);
	if (start < end)
		pmem_release(start, end);
	boot_initrd = NULL;
}

/* The init thread looks at the root from now on. */
static void enter_root(void)
{
	struct path root;

	fs_root_ready = true;
	if (!current->fs)
		return;
	spin_lock(&dcache_lock);
	root.mnt = mount_of_root();
	root.dentry = root.mnt->root;
	path_cross_mounts(&root);
	path_get(&root);
	path_get(&root); /* one for each */
	spin_unlock(&dcache_lock);
	fs_ctx_set_root(&root);
	fs_ctx_set_cwd(&root);
}

int root_mount_all(char *init_path, size_t n)
{
	char rdinit[128];
	int err;

	init_path[0] = '\0';
	strscpy(rdinit, rdinit_arg,
		min(sizeof(rdinit), arg_len(rdinit_arg) + 1));
	unpack_initrd();
	if (have_file(rdinit)) {
		strscpy(init_path, rdinit, n);
		enter_root();
		return 0;
	}
	if (rdinit_given)
		pr_warn("vfs: rdinit=%s is not in the initrd", rdinit);
	err = mount_disk_root();
	if (err)
		return err;
	enter_root();
	mount_dev();
	return 0;
}

static void make_read_only(struct super_block *sb, void *ctx __unused)
{
	if (!(sb->flags & MS_RDONLY))
		sb_remount_force(sb);
}

void fs_shutdown(void)
{
	sync_all(true);
	sb_for_each(make_read_only, NULL);
	pagecache_sync_all(true);
}
