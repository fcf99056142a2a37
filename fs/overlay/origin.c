/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/origin.c - what a copy was made from, as Linux writes it down: the
 * file's handle in trusted.overlay.origin.
 *
 * It gives the copy the number of the original, and nothing else: so who does not
 * find it goes on without.
 *
 * Context: mounter's credentials.
 */
#include <fs/overlay/overlay.h>

#include <lib/errno.h>
#include <lib/string.h>

#define FH_MAGIC      0xfbu
#define FH_BIG_ENDIAN BIT(0)
#define FH_PATH_UPPER BIT(2)
#define FH_HEAD	      21u
#define FID_MAX	      12u

/* As on the disk; @fid is of @len - FH_HEAD bytes. */
struct ovl_fh {
	u8 version, magic, len, flags, type;
	u8 uuid[16];
	u8 fid[FID_MAX];
} __packed;

int ovl_origin_set(struct ovl_fs *ofs, struct dentry *upper,
		   const struct inode *lower)
{
	struct ovl_fh fh = { .magic = FH_MAGIC, .len = FH_HEAD + 8 };
	const struct super_block *sb = lower->sb;
	u32 ino = (u32)lower->ino;
	int err;

	if (ofs->config.userxattr && !S_ISREG(lower->mode) &&
	    !S_ISDIR(lower->mode))
		return 0; /* which have no "user." */
	if (!sb->ops->fh_to_inode || ino != lower->ino) {
		err = ovl_mark_set(ofs, upper, OVL_ORIGIN, "", 0);
		return err == -EOPNOTSUPP ? 0 : err;
	}
	if (sb->ops->fh_prepare)
		sb->ops->fh_prepare((struct inode *)(uintptr_t)lower);
	fh.type = FILEID_INO32_GEN;
	if (ofs->config.uuid != OVL_UUID_OFF)
		memcpy(fh.uuid, sb->uuid, sizeof(fh.uuid));
	memcpy(fh.fid, &ino, sizeof(ino));
	memcpy(fh.fid + 4, &lower->generation, 4);
	err = ovl_mark_set(ofs, upper, OVL_ORIGIN, &fh, fh.len);
	return err == -EOPNOTSUPP ? 0 : err;
}

/* Is it a file of this layer's? */
static struct inode *decode(const struct ovl_fs *ofs, const struct ovl_fh *fh,
			    const struct ovl_layer *l)
{
	struct super_block *sb = l->mnt->sb;
	u32 ino, gen;

	if (!sb->ops->fh_to_inode)
		return NULL;
	if (ofs->config.uuid != OVL_UUID_OFF &&
	    memcmp(fh->uuid, sb->uuid, sizeof(fh->uuid)) != 0)
		return NULL;
	memcpy(&ino, fh->fid, sizeof(ino));
	memcpy(&gen, fh->fid + 4, sizeof(gen));
	return sb->ops->fh_to_inode(sb, ino, gen);
}

int ovl_origin_find(struct ovl_fs *ofs, struct inode *upper, struct inode **out,
		    u32 *fsys)
{
	struct ovl_fh fh;
	struct inode *i;
	s64 n = ovl_mark_get(ofs, upper, OVL_ORIGIN, &fh, sizeof(fh));

	*out = NULL;
	if (n != (s64)(FH_HEAD + 8) || fh.len != n || fh.magic != FH_MAGIC ||
	    fh.version || fh.type != FILEID_INO32_GEN ||
	    (fh.flags & (FH_BIG_ENDIAN | FH_PATH_UPPER)))
		return 0;
	for (u32 k = 1; k < ofs->nr_layers; k++) {
		i = decode(ofs, &fh, &ofs->layer[k]);
		if (!i || IS_ERR(i))
			continue;
		if (((i->mode ^ upper->mode) & S_IFMT) == 0) {
			*out = i;
			*fsys = ofs->layer[k].fsys;
			return 0;
		}
		inode_put(i);
	}
	return 0;
}
