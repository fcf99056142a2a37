/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/symlink.c - targets of symbolic links.
 *
 * Up to 59 bytes lie in the inode, where other files have their block map;
 * longer ones in a block of their own.  The size of a link was checked when
 * its inode was read: below a block.
 */
#include <fs/ext4/extent.h>
#include <fs/ext4/namei.h>

static s64 ext4_readlink(struct inode *inode, char *buf, size_t size)
{
	struct ext4_inode *ei = EXT4_I(inode);
	size_t len = (size_t)inode->i_size;
	struct ext4_buf *b = NULL;
	const char *from = (const char *)ei->data;

	if (len >= sizeof(ei->data)) {
		b = ext4_bread(inode, 0);
		if (IS_ERR(b))
			return PTR_ERR(b);
		from = b->data;
	}
	len = strnlen(from, len);
	if (len + 1 > size) {
		ext4_buf_put(b);
		return -ENAMETOOLONG;
	}
	memcpy(buf, from, len);
	buf[len] = '\0';
	ext4_buf_put(b);
	return (s64)len;
}

void ext4_symlink_block_init(struct inode *inode)
{
	if (!inode_sbi(inode)->has_extents)
		return;
	EXT4_I(inode)->flags |= EXT4_EXTENTS_FL;
	ext4_ext_init(EXT4_I(inode));
}

const struct inode_ops ext4_symlink_inode_ops = {
	.readlink = ext4_readlink,
	.setattr = ext4_setattr,
	.getxattr = ext4_getxattr,
	.setxattr = ext4_setxattr,
	.removexattr = ext4_removexattr,
	.listxattr = ext4_listxattr,
};

const struct inode_ops ext4_special_inode_ops = {
	.setattr = ext4_setattr,
	.getxattr = ext4_getxattr,
	.setxattr = ext4_setxattr,
	.removexattr = ext4_removexattr,
	.listxattr = ext4_listxattr,
};
