/* SPDX-License-Identifier: MIT */
/* drivers/mmc/sd_csd.c - see sd_csd.h. */
#include <drivers/mmc/sd_csd.h>

#include <lib/errno.h>

#define CSD_BYTE_CARDS	0
#define CSD_BLOCK_CARDS 1
#define SECTOR_LOG2	9u
#define TENTH_MHZ	100000u

/* Bits @hi:@lo of the register; the first byte has bits 127:120. */
static u32 bits(const u8 *raw, u32 hi, u32 lo)
{
	u32 v = 0;

	for (u32 bit = hi + 1; bit-- > lo;)
		v = v << 1 | ((raw[15 - bit / 8] >> bit % 8) & 1u);
	return v;
}

/* TRAN_SPEED: tenths of a mantissa, times a power of ten [5.3.2]. */
static u32 transfer_rate(u32 v)
{
	static const u8 tenths[16] = { 0,  10, 12, 13, 15, 20, 25, 30,
				       35, 40, 45, 50, 55, 60, 70, 80 };
	u32 hz = tenths[(v >> 3) & 15] * TENTH_MHZ / 10;

	for (u32 i = v & 7; i; i--)
		hz *= 10;
	return (v & 7) > 3 ? 0 : hz;
}

int sd_csd_parse(const u8 raw[16], struct sd_csd *out)
{
	u32 block_log2 = bits(raw, 83, 80), shift;

	out->max_hz = transfer_rate(bits(raw, 103, 96));
	out->write_protected = bits(raw, 13, 12) != 0;
	switch (bits(raw, 127, 126)) {
	case CSD_BYTE_CARDS:
		shift = bits(raw, 49, 47) + 2 + block_log2;
		if (block_log2 < SECTOR_LOG2 || shift < SECTOR_LOG2)
			return -EINVAL;
		out->nr_sectors = (bits(raw, 73, 62) + 1ull)
				  << (shift - SECTOR_LOG2);
		break;
	case CSD_BLOCK_CARDS:
		out->nr_sectors = (bits(raw, 69, 48) + 1ull) << 10;
		break;
	default:
		return -EINVAL;
	}
	return out->max_hz ? 0 : -EINVAL;
}
