/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/xattr.c - our own extended attributes, and those that look like ours.
 *
 * Ours are trusted.overlay.*, or user.overlay.* with the option userxattr.  Somebody
 * who sets such a name in the union has it as trusted.overlay.overlay.* underneath:
 * so layers can be made inside of an overlay.
 *
 * Context: mounter's credentials.
 */
#include <fs/overlay/overlay.h>

#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static const char *const names[] = {
	[OVL_OPAQUE] = "opaque",     [OVL_REDIRECT] = "redirect",
	[OVL_ORIGIN] = "origin",     [OVL_IMPURE] = "impure",
	[OVL_METACOPY] = "metacopy", [OVL_WHITEOUT] = "whiteout",
	[OVL_UPPER_ID] = "upper",    [OVL_PROTATTR] = "protattr",
	[OVL_UUID] = "uuid",
};

static const char *prefix(const struct ovl_fs *ofs)
{
	return ofs->config.userxattr ? "user.overlay." : "trusted.overlay.";
}

static void full_name(const struct ovl_fs *ofs, enum ovl_mark m, char *buf,
		      size_t n)
{
	snprintf(buf, n, "%s%s", prefix(ofs), names[m]);
}

s64 ovl_mark_get(const struct ovl_fs *ofs, struct inode *real, enum ovl_mark m,
		 void *buf, size_t n)
{
	char name[40];

	full_name(ofs, m, name, sizeof(name));
	return under_getxattr(real, name, buf, n);
}

int ovl_mark_set(const struct ovl_fs *ofs, struct dentry *upper,
		 enum ovl_mark m, const void *buf, size_t n)
{
	struct path p = { ovl_upper_mnt(ofs), upper };
	char name[40];

	if (ofs->no_xattr)
		return -EOPNOTSUPP;
	full_name(ofs, m, name, sizeof(name));
	return under_setxattr(&p, name, buf, n, 0);
}

char ovl_opaque_kind(const struct ovl_fs *ofs, struct inode *dir)
{
	char c = 0;

	return ovl_mark_get(ofs, dir, OVL_OPAQUE, &c, 1) == 1 &&
			       (c == 'y' || c == 'x')
		       ? c
		       : 0;
}

bool ovl_xattr_private(const struct ovl_fs *ofs, const char *name)
{
	return str_has_prefix(name, prefix(ofs));
}

const char *ovl_xattr_below(const struct ovl_fs *ofs, const char *name,
			    char *buf, size_t n)
{
	if (!ovl_xattr_private(ofs, name))
		return name;
	if ((size_t)snprintf(buf, n, "%soverlay.%s", prefix(ofs),
			     name + strlen(prefix(ofs))) >= n)
		return NULL;
	return buf;
}

s64 ovl_xattr_shown(const struct ovl_fs *ofs, char *list, s64 n)
{
	char *from = list, *to = list, *end = list + n;
	size_t len, head = strlen(prefix(ofs));

	for (; from < end; from += len) {
		len = strlen(from) + 1;
		if (!ovl_xattr_private(ofs, from)) {
			memmove(to, from, len);
			to += len;
		} else if (str_has_prefix(from + head, "overlay.")) {
			memmove(to, from, head);
			memmove(to + head, from + head + 8, len - head - 8);
			to += len - 8;
		}
	}
	return to - list;
}

/* Linux says EIO to somebody who cannot be given what he wants for lack of it. */
int ovl_set_opaque(struct ovl_fs *ofs, struct inode *dir)
{
	struct ovl_inode *oi = ovl_i(dir);
	int err;

	if (load_once(&oi->opaque))
		return 0;
	err = ovl_mark_set(ofs, ovl_upper(dir), OVL_OPAQUE, "y", 1);
	if (!err)
		store_once(&oi->opaque, true);
	return err == -EOPNOTSUPP ? -EIO : err;
}

int ovl_set_impure(struct ovl_fs *ofs, struct inode *dir)
{
	struct ovl_inode *oi = ovl_i(dir);
	int err;

	if (load_once(&oi->impure))
		return 0;
	err = ovl_mark_set(ofs, ovl_upper(dir), OVL_IMPURE, "y", 1);
	if (!err)
		store_once(&oi->impure, true);
	return err == -EOPNOTSUPP ? 0 : err;
}

void ovl_tell_impure(struct ovl_fs *ofs, const struct inode *moved,
		     struct inode *dir)
{
	if (ovl_i(moved)->origin || ovl_i(moved)->nr_lower)
		(void)ovl_set_impure(ofs, dir);
}
