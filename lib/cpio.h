/* SPDX-License-Identifier: MIT */
/*
 * lib/cpio.h - walk a cpio archive of the "newc" kind (070701, 070702).
 *
 *	size_t off = 0;
 *	while ((r = cpio_next(buf, size, &off, &e)) > 0)
 *		...
 *
 * The archive may be corrupt; nothing outside of it is read.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include <lib/types.h>

struct cpio_entry {
	const char *name; /* in the archive, terminated; borrowed with it */
	size_t name_len;
	const void *data;
	size_t size;
	u32 ino; /* equal for hard links: the last of them has the data */
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u32 mtime;
	u32 rdev_major;
	u32 rdev_minor;
};

/*
 * The entry at *@off, which moves on behind it.  1, or 0 at the trailer or at
 * the end of @buf (*@off is then behind it: another archive may follow, after
 * zeroes), or -EINVAL with *@off unchanged.
 */
int cpio_next(const void *buf, size_t size, size_t *off,
	      struct cpio_entry *e) __must_check;

#endif /* LIB_CPIO_H */
