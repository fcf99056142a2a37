/* SPDX-License-Identifier: MIT */
/*
 * lib/crc.h - cyclic redundancy checks.
 *
 * crc32() is that of gzip: begin with 0, pass the result on to continue.
 * crc32c() and crc16() neither invert first nor last, because ext4 chains them
 * that way: begin with ~0.  crc16_ccitt() and crc7() are those of SD cards: most
 * significant bit first, begin with 0; crc7() has its bits in 7:1.
 */
#ifndef LIB_CRC_H
#define LIB_CRC_H

#include <lib/types.h>

u32 crc32(u32 crc, const void *buf, size_t len);
u32 crc32c(u32 seed, const void *buf, size_t len);
u16 crc16(u16 seed, const void *buf, size_t len);
u16 crc16_ccitt(u16 seed, const void *buf, size_t len);
u8 crc7(u8 seed, const void *buf, size_t len);
/* gzip's polynomial, but the highest bit first, and not inverted either. */
u32 crc32_be(u32 seed, const void *buf, size_t len);

#endif /* LIB_CRC_H */
