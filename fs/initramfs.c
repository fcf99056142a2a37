/* SPDX-License-Identifier: MIT */
/*
 * fs/initramfs.c - unpack the initrd into the root tmpfs.
 *
 * A sequence of cpio archives (newc), each plain or gzip, with zeroes between
 * them, as Linux takes it.  A corrupt one ends the unpacking with a message and
 * an error; what came before it stays.
 *
 * Context: the init thread, before user space.
 */
#include <fs/initramfs.h>
#include <fs/vfs.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/inflate.h>
#include <lib/list.h>
#include <lib/string.h>

/* First name of a file that has more than one. */
struct known_file {
	struct list_head node;
	u32 ino;
	char name[];
};

struct unpack {
	struct list_head known; /* of struct known_file */
	unsigned int nr_files, nr_failed;
};

static void complain(struct unpack *u, const char *name, int err)
{
	if (!u->nr_failed++)
		pr_warn("initramfs: cannot make %s: error %d", name, err);
}

/* "./a", "/a" and "a" are the same. */
static const char *clean_name(const char *name)
{
	for (;;) {
		if (name[0] == '/')
			name++;
		else if (name[0] == '.' && name[1] == '/')
			name += 2;
		else
			return name;
	}
}

static void set_attributes(const char *name, const struct cpio_entry *e)
{
	struct iattr a = {
		.valid = ATTR_UID | ATTR_GID | ATTR_MTIME | ATTR_TIMES_GIVEN,
		.uid = e->uid,
		.gid = e->gid,
		.mtime.tv_sec = e->mtime,
	};
	struct path p;

	if (path_lookup(AT_FDCWD, name, 0, &p))
		return;
	vfs_setattr(&p, &a);
	if (!S_ISLNK(e->mode)) { /* after chown, which clears set-id bits */
		a.valid = ATTR_MODE;
		a.mode = e->mode & 07777;
		vfs_setattr(&p, &a);
	}
	path_put(&p);
}

static int write_data(struct file *f, const struct cpio_entry *e)
{
	const char *at = e->data;
	size_t left = e->size;
	struct iov_iter it;
	u64 pos = 0;
	s64 n;

	while (left) {
		iov_iter_kernel(&it, (void *)(uintptr_t)at, left);
		n = vfs_write(f, &it, &pos);
		if (n <= 0)
			return n ? (int)n : -EIO;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

static int make_file(const char *name, const struct cpio_entry *e)
{
	struct file *f =
		vfs_open(AT_FDCWD, name,
			 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	int err;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	err = write_data(f, e);
	file_put(f);
	return err;
}

static struct known_file *find_known(struct unpack *u, u32 ino)
{
	struct known_file *k;

	list_for_each_entry(k, &u->known, node) {
		if (k->ino == ino)
			return k;
	}
	return NULL;
}

static int remember(struct unpack *u, const char *name, u32 ino)
{
	size_t len = strlen(name) + 1;
	struct known_file *k = kmalloc(sizeof(*k) + len);

	if (!k)
		return -ENOMEM;
	k->ino = ino;
	memcpy(k->name, name, len);
	list_add(&k->node, &u->known);
	return 0;
}

/* One of several names; any of them may bring the data. */
static int make_linked(struct unpack *u, const char *name,
		       const struct cpio_entry *e)
{
	struct known_file *k = find_known(u, e->ino);
	int err;

	if (!k) {
		err = remember(u, name, e->ino);
		return err ? err : make_file(name, e);
	}
	vfs_unlink(AT_FDCWD, name, false);
	err = vfs_link(AT_FDCWD, k->name, AT_FDCWD, name, 0);
	if (!err && e->size)
		err = make_file(name, e);
	return err;
}

static int make_symlink(const char *name, const struct cpio_entry *e)
{
	char *target;
	int err;

	if (e->size >= PATH_MAX)
		return -ENAMETOOLONG;
	target = kmalloc(e->size + 1);
	if (!target)
		return -ENOMEM;
	memcpy(target, e->data, e->size);
	target[e->size] = '\0';
	vfs_unlink(AT_FDCWD, name, false);
	err = vfs_symlink(target, AT_FDCWD, name);
	kfree(target);
	return err;
}

static int make_entry(struct unpack *u, const char *name,
		      const struct cpio_entry *e)
{
	int err;

	switch (e->mode & S_IFMT) {
	case S_IFREG:
		return e->nlink > 1 ? make_linked(u, name, e)
				    : make_file(name, e);
	case S_IFDIR:
		err = vfs_mkdir(AT_FDCWD, name, e->mode & 07777);
		return err == -EEXIST ? 0 : err;
	case S_IFLNK:
		return make_symlink(name, e);
	default:
		err = vfs_mknod(AT_FDCWD, name, e->mode,
				MKDEV(e->rdev_major, e->rdev_minor));
		return err == -EEXIST ? 0 : err;
	}
}

static void unpack_entry(struct unpack *u, const struct cpio_entry *e)
{
	const char *name = clean_name(e->name);
	int err;

	if (!*name || !strcmp(name, "."))
		return;
	err = make_entry(u, name, e);
	if (err) {
		complain(u, name, err);
		return;
	}
	set_attributes(name, e);
	u->nr_files++;
}

static size_t skip_zeroes(const u8 *buf, size_t size, size_t at)
{
	while (at < size && !buf[at])
		at++;
	return at;
}

/* Archives without compression, one behind the other.  Where it stopped: at the
 * end, or at what is no cpio. */
static int unpack_cpio(struct unpack *u, const u8 *buf, size_t size,
		       size_t *used)
{
	struct cpio_entry e;
	size_t at = 0;
	int r;

	for (;;) {
		at = skip_zeroes(buf, size, at);
		if (at >= size || buf[at] != '0')
			break;
		while ((r = cpio_next(buf, size, &at, &e)) > 0)
			unpack_entry(u, &e);
		if (r < 0) {
			pr_err("initramfs: corrupt cpio archive at byte %zu",
			       at);
			return r;
		}
	}
	*used = at;
	return 0;
}

/* --- gzip: into a buffer that grows */

struct grown {
	u8 *buf;
	size_t size, room;
};

static int grow_sink(void *ctx, const void *data, size_t len)
{
	struct grown *g = ctx;
	size_t room = g->room;
	u8 *bigger;

	if (g->size + len > room) {
		room = (g->size + len) + (g->size + len) / 2;
		bigger = vmalloc(room);
		if (!bigger)
			return -ENOMEM;
		memcpy(bigger, g->buf, g->size);
		if (g->buf)
			vfree(g->buf);
		g->buf = bigger;
		g->room = room;
	}
	memcpy(g->buf + g->size, data, len);
	g->size += len;
	return 0;
}

/* The last word of a gzip file is its length unpacked; it may lie. */
static size_t guess_room(const u8 *in, size_t len)
{
	size_t room = 0;
	int i;

	for (i = 1; i <= 4 && len >= 4; i++)
		room = room << 8 | in[len - (size_t)i];
	return clamp(room + 4096, len, len * 16);
}

static int unpack_gzip(struct unpack *u, const u8 *in, size_t len)
{
	struct grown g = { .room = guess_room(in, len) };
	void *work = kmalloc(INFLATE_WORK_SIZE);
	size_t used = 0;
	int err = -ENOMEM;

	g.buf = vmalloc(g.room);
	if (work && g.buf)
		err = gunzip(in, len, grow_sink, &g, work);
	if (err)
		pr_err("initramfs: cannot unpack gzip: %s",
		       err == -ENOMEM ? "out of memory" : "corrupt data");
	if (g.size && err != -ENOMEM) {
		int err2 = unpack_cpio(u, g.buf, g.size, &used);

		err = err ? err : err2;
	}
	if (g.buf)
		vfree(g.buf);
	kfree(work);
	return err;
}

static const char *compression_name(const u8 *p, size_t left)
{
	if (left >= 6 && !memcmp(p,
				 "\xfd"
				 "7zXZ",
				 5))
		return "xz";
	if (left >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4))
		return "zstd";
	if (left >= 3 && !memcmp(p, "BZh", 3))
		return "bzip2";
	if (left >= 4 && !memcmp(p, "\x02\x21\x4c\x18", 4))
		return "lz4";
	if (left >= 3 && p[0] == 0x5d && !p[1] && !p[2])
		return "lzma";
	return NULL;
}

static int unpack_all(struct unpack *u, const u8 *buf, size_t size)
{
	const char *other;
	size_t used = 0;
	int err = unpack_cpio(u, buf, size, &used);

	if (err || used >= size)
		return err;
	buf += used;
	size -= used;
	if (gzip_detect(buf, size))
		return unpack_gzip(u, buf, size);
	other = compression_name(buf, size);
	if (other)
		pr_err("initramfs: %s compression is not supported", other);
	else
		pr_err("initramfs: neither cpio nor gzip at byte %zu", used);
	return -EINVAL;
}

int initramfs_unpack(const void *buf, size_t size)
{
	struct unpack u = { .known = LIST_HEAD_INIT(u.known) };
	struct known_file *k;
	int err = unpack_all(&u, buf, size);

	while (!list_empty(&u.known)) {
		k = list_first_entry(&u.known, struct known_file, node);
		list_del(&k->node);
		kfree(k);
	}
	if (u.nr_failed)
		pr_warn("initramfs: %u entries could not be made", u.nr_failed);
	pr_info("initramfs: %u entries from %zu KiB", u.nr_files, size / 1024);
	return err;
}
