/* SPDX-License-Identifier: MIT */
/*
 * lib/cpio.c - walk a cpio archive of the "newc" kind.
 *
 * An entry: magic, thirteen numbers of eight hexadecimal digits, the name and
 * its zero, padding to four, data, padding to four.
 */
#include <lib/cpio.h>

#include <lib/errno.h>
#include <lib/string.h>

#define MAGIC_LEN  6
#define HEADER_LEN 110u
#define TRAILER	   "TRAILER!!!"

enum field {
	F_INO,
	F_MODE,
	F_UID,
	F_GID,
	F_NLINK,
	F_MTIME,
	F_SIZE,
	F_MAJOR,
	F_MINOR,
	F_RMAJOR,
	F_RMINOR,
	F_NAMESIZE,
	F_CHECK,
	NR_FIELDS
};

static int hex_digit(u8 c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int parse_header(const u8 *p, u32 field[NR_FIELDS])
{
	p += MAGIC_LEN;
	for (int f = 0; f < NR_FIELDS; f++) {
		u32 v = 0;

		for (int i = 0; i < 8; i++) {
			int digit = hex_digit(*p++);

			if (digit < 0)
				return -EINVAL;
			v = v << 4 | (u32)digit;
		}
		field[f] = v;
	}
	return 0;
}

static u32 byte_sum(const u8 *p, size_t n)
{
	u32 sum = 0;

	while (n--)
		sum += *p++;
	return sum;
}

static void fill(struct cpio_entry *e, const u32 field[NR_FIELDS])
{
	e->ino = field[F_INO];
	e->mode = field[F_MODE];
	e->uid = field[F_UID];
	e->gid = field[F_GID];
	e->nlink = field[F_NLINK];
	e->mtime = field[F_MTIME];
	e->rdev_major = field[F_RMAJOR];
	e->rdev_minor = field[F_RMINOR];
	e->size = field[F_SIZE];
	e->name_len = field[F_NAMESIZE] - 1;
}

/* The entry at @at.  Returns the place behind it, or -EINVAL. */
static s64 parse_entry(const u8 *buf, size_t size, size_t at,
		       struct cpio_entry *e)
{
	const u8 *p = buf + at;
	u32 field[NR_FIELDS];
	size_t data;
	bool sums;

	if (size - at < HEADER_LEN)
		return -EINVAL;
	sums = memcmp(p, "070702", MAGIC_LEN) == 0;
	if (!sums && memcmp(p, "070701", MAGIC_LEN) != 0)
		return -EINVAL;
	if (parse_header(p, field) < 0 || field[F_NAMESIZE] == 0)
		return -EINVAL;
	data = ALIGN_UP(at + HEADER_LEN + field[F_NAMESIZE], 4);
	if (data > size || field[F_SIZE] > size - data)
		return -EINVAL;
	fill(e, field);
	e->name = (const char *)p + HEADER_LEN;
	e->data = buf + data;
	if (strnlen(e->name, field[F_NAMESIZE]) != e->name_len)
		return -EINVAL;
	if (sums && byte_sum(e->data, e->size) != field[F_CHECK])
		return -EINVAL;
	data = ALIGN_UP(data + e->size, 4);
	return (s64)min(data, size);
}

int cpio_next(const void *buf, size_t size, size_t *off, struct cpio_entry *e)
{
	const u8 *b = buf;
	size_t at = *off;
	s64 next;

	while (at < size && !b[at])
		at++;
	if (at >= size) {
		*off = size;
		return 0;
	}
	next = parse_entry(b, size, at, e);
	if (next < 0)
		return -EINVAL;
	*off = (size_t)next;
	return strcmp(e->name, TRAILER) != 0;
}
