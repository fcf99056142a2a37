/* SPDX-License-Identifier: MIT */
/*
 * fs/filecaps.c - capabilities of files: the attribute security.capability.
 *
 * What is in it counts when the file is executed (kernel/task/exec_cred.c).  It does
 * not outlive a change of what the file contains or of who owns it; so that writing
 * need not look for it every time, the inode remembers that there is none.
 */
#include <fs/filecaps.h>

#include <fs/vfs.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

/* linux/capability.h: little-endian words */
#define CAP_REVISION   0xff000000u
#define CAP_REVISION_1 0x01000000u
#define CAP_REVISION_2 0x02000000u
#define CAP_REVISION_3 0x03000000u
#define CAP_EFFECTIVE  BIT(0)
#define CAP_FILE_KNOWN ((1ull << (CAP_LAST + 1)) - 1)

struct cap_data {
	u32 magic;
	struct {
		u32 permitted, inheritable;
	} set[2];
	u32 rootid;
};

void filecaps_drop_slow(struct inode *i)
{
	s64 n = -ENODATA;

	if (!S_ISREG(i->mode))
		return;
	if (i->ops->getxattr && i->ops->removexattr)
		n = i->ops->getxattr(i, FILECAPS_NAME, NULL, 0);
	if (n >= 0)
		n = i->ops->removexattr(i, FILECAPS_NAME);
	if (!n || n == -ENODATA || n == -EOPNOTSUPP)
		store_once(&i->filecaps, FILECAPS_NONE);
}

/* Is @uid, of the first namespace, root of current's or of one above it? */
static bool is_root_here(u32 uid)
{
	const struct user_ns *ns = current_user_ns();

	while (ns != &init_user_ns && id_from_global(ns, ID_UID, uid))
		ns = ns->ns.owner;
	return !id_from_global(ns, ID_UID, uid);
}

static int decode(const struct cap_data *d, size_t n, struct exec_caps *c)
{
	u32 revision = d->magic & CAP_REVISION;
	bool wide = revision != CAP_REVISION_1;
	size_t want = revision == CAP_REVISION_3   ? 24
		      : revision == CAP_REVISION_2 ? 20
		      : revision == CAP_REVISION_1 ? 12
						   : 0;

	if (n != want)
		return -EINVAL;
	if (!is_root_here(revision == CAP_REVISION_3 ? d->rootid : 0))
		return 0;
	c->has = true;
	c->effective = d->magic & CAP_EFFECTIVE;
	c->permitted = d->set[0].permitted |
		       (wide ? (u64)d->set[1].permitted << 32 : 0);
	c->inheritable = d->set[0].inheritable |
			 (wide ? (u64)d->set[1].inheritable << 32 : 0);
	c->permitted &= CAP_FILE_KNOWN;
	c->inheritable &= CAP_FILE_KNOWN;
	return 0;
}

int exec_caps(struct file *f, struct exec_caps *c)
{
	struct inode *i = f->inode;
	struct cap_data d = { 0 };
	s64 n;

	*c = (struct exec_caps){ 0 };
	if (load_once(&i->filecaps) == FILECAPS_NONE || !i->ops->getxattr ||
	    !exec_honours(f))
		return 0;
	down_read(&i->lock);
	n = i->ops->getxattr(i, FILECAPS_NAME, &d, sizeof(d));
	if (n == -ENODATA || n == -EOPNOTSUPP)
		store_once(&i->filecaps, FILECAPS_NONE);
	up_read(&i->lock);
	if (n == -ENODATA || n == -EOPNOTSUPP)
		return 0;
	if (n < 0)
		return n == -ERANGE ? -EINVAL : (int)n;
	return decode(&d, (size_t)n, c);
}
