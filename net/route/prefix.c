/* SPDX-License-Identifier: MIT */
/*
 * net/route/prefix.c - the first bits of addresses.
 */
#include <net/route/route_int.h>

bool ip_same_prefix(const u8 a[16], const u8 b[16], u32 bits)
{
	u32 whole = min(bits, 128u) / 8, rest = min(bits, 128u) % 8;

	if (memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

void ip_cut_prefix(u8 ip[16], u32 bits)
{
	u32 whole = bits / 8;

	if (bits >= 128)
		return;
	ip[whole] &= (u8)(0xff00u >> bits % 8);
	memset(ip + whole + 1, 0, 15 - whole);
}
