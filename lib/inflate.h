/* SPDX-License-Identifier: MIT */
/*
 * lib/inflate.h - unpack gzip [RFC 1952] and raw deflate [RFC 1951].
 *
 * Output goes to a sink in pieces of at most 32 KiB.  The input may be
 * corrupt: the answer is then -EINVAL, after some output perhaps.
 */
#ifndef LIB_INFLATE_H
#define LIB_INFLATE_H

#include <lib/types.h>

#define INFLATE_WINDOW	  32768u
#define INFLATE_WORK_SIZE (INFLATE_WINDOW + 12288u)

/* Takes the next @len bytes.  0, or an error that ends the unpacking. */
typedef int inflate_sink_fn(void *ctx, const void *data, size_t len);

/*
 * @work: INFLATE_WORK_SIZE bytes, 8-aligned, borrowed for the call.
 *
 * gunzip() unpacks every member of @in and stops at zeroes behind the last
 * one.  inflate_raw() sets @used (may be NULL) to the bytes of @in it took.
 */
int gunzip(const void *in, size_t in_len, inflate_sink_fn *sink, void *ctx,
	   void *work) __must_check;
int inflate_raw(const void *in, size_t in_len, inflate_sink_fn *sink, void *ctx,
		void *work, size_t *used) __must_check;

/* Does @in begin like a gzip file? */
bool gzip_detect(const void *in, size_t in_len);

#endif /* LIB_INFLATE_H */
