/* SPDX-License-Identifier: MIT */
/*
 * lib/gunzip.c - the gzip file format [RFC 1952].
 *
 * A file is a sequence of members: header, deflate stream, CRC and length of
 * what comes out.
 */
#include <lib/inflate.h>

#include <lib/crc.h>
#include <lib/errno.h>
#include <lib/string.h>

/* Header [2.3]. */
#define HEADER_LEN  10u
#define TRAILER_LEN 8u
#define METHOD	    8 /* deflate, the only one */
#define FHCRC	    BIT(1)
#define FEXTRA	    BIT(2)
#define FNAME	    BIT(3)
#define FCOMMENT    BIT(4)
#define FRESERVED   GENMASK(7, 5)

/* What is left of the input. */
struct span {
	const u8 *p;
	size_t len;
};

/* The caller's sink, and what passed through it. */
struct checked_sink {
	inflate_sink_fn *sink;
	void *ctx;
	u32 crc;
	u32 len;
};

static u32 get_le32(const u8 *p)
{
	return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static int skip(struct span *in, size_t n)
{
	if (n > in->len)
		return -EINVAL;
	in->p += n;
	in->len -= n;
	return 0;
}

static int skip_string(struct span *in)
{
	const u8 *end = memchr(in->p, 0, in->len);

	return end ? skip(in, (size_t)(end - in->p) + 1) : -EINVAL;
}

bool gzip_detect(const void *in, size_t in_len)
{
	const u8 *p = in;

	return in_len >= HEADER_LEN && p[0] == 0x1f && p[1] == 0x8b;
}

static int skip_header(struct span *in)
{
	u8 flags = in->len >= HEADER_LEN ? in->p[3] : 0;

	if (!gzip_detect(in->p, in->len) || in->p[2] != METHOD ||
	    (flags & FRESERVED))
		return -EINVAL;
	(void)skip(in, HEADER_LEN);
	if (flags & FEXTRA) {
		if (in->len < 2 || skip(in, 2u + in->p[0] + in->p[1] * 256u))
			return -EINVAL;
	}
	if ((flags & FNAME) && skip_string(in))
		return -EINVAL;
	if ((flags & FCOMMENT) && skip_string(in))
		return -EINVAL;
	return flags & FHCRC ? skip(in, 2) : 0;
}

static int check_and_pass(void *ctx, const void *data, size_t len)
{
	struct checked_sink *c = ctx;

	c->crc = crc32(c->crc, data, len);
	c->len += (u32)len;
	return c->sink(c->ctx, data, len);
}

static int member(struct span *in, inflate_sink_fn *sink, void *ctx, void *work)
{
	struct checked_sink c = { sink, ctx, 0, 0 };
	size_t used;
	int r = skip_header(in);

	if (r < 0)
		return r;
	r = inflate_raw(in->p, in->len, check_and_pass, &c, work, &used);
	if (r < 0)
		return r;
	(void)skip(in, used);
	if (in->len < TRAILER_LEN || get_le32(in->p) != c.crc ||
	    get_le32(in->p + 4) != c.len)
		return -EINVAL;
	return skip(in, TRAILER_LEN);
}

int gunzip(const void *in, size_t in_len, inflate_sink_fn *sink, void *ctx,
	   void *work)
{
	struct span left = { in, in_len };
	int r;

	do {
		r = member(&left, sink, ctx, work);
	} while (r == 0 && gzip_detect(left.p, left.len));
	return r;
}
