/* SPDX-License-Identifier: MIT */
/*
 * user/tests/packetring.c - PACKET_RX_RING of packet(7): frames in shared memory.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define BLOCK 16384u
#define FRAME 2048u

static int packet(int version)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = 1 };
	int s = socket(AF_PACKET, SOCK_RAW, 0);

	CHECK_OK(s);
	CHECK_OK(setsockopt(s, SOL_PACKET, PACKET_VERSION, &version, 4));
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	return s;
}

/* @n bytes over the loopback, to somebody. */
static void say(size_t n)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	static char data[8192];
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_OK(s);
	memset(data, 'u', sizeof(data));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(bind(s, (void *)&a, len));
	CHECK_OK(getsockname(s, (void *)&a, &len));
	CHECK_EQ(sendto(s, data, n, 0, (void *)&a, sizeof(a)), n);
	close(s);
}

static bool readable(int s, int ms)
{
	struct pollfd p = { .fd = s, .events = POLLIN };

	CHECK_OK(poll(&p, 1, ms));
	return p.revents & POLLIN;
}

static int header(int version)
{
	int s = socket(AF_PACKET, SOCK_RAW, 0), v = version;
	socklen_t len = sizeof(v);

	CHECK_OK(getsockopt(s, SOL_PACKET, PACKET_HDRLEN, &v, &len));
	close(s);
	return v;
}

TEST(packetring, refused)
{
	struct tpacket_req r = { BLOCK, 2, FRAME, 2 * BLOCK / FRAME };
	struct tpacket_req bad;
	int s, v = 3;
	void *p;

	ut_own_net();
	CHECK_EQ(header(TPACKET_V1), sizeof(struct tpacket_hdr));
	CHECK_EQ(header(TPACKET_V2), sizeof(struct tpacket2_hdr));
	CHECK_EQ(header(TPACKET_V3), sizeof(struct tpacket3_hdr));
	s = packet(TPACKET_V2);
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, 4), EINVAL);
	bad = r;
	bad.tp_block_size = 1000;
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &bad, sizeof(bad)),
		  EINVAL);
	bad = r;
	bad.tp_frame_nr++;
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &bad, sizeof(bad)),
		  EINVAL);
	bad = r;
	bad.tp_frame_size = 32;
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &bad, sizeof(bad)),
		  EINVAL);
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &r, 8), EINVAL);
	CHECK_EQ((long)mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED,
			    s, 0),
		 -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_OK(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &r, sizeof(r)));
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &r, sizeof(r)),
		  EBUSY);
	v = TPACKET_V1;
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_VERSION, &v, 4), EBUSY);
	CHECK_EQ((long)mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, s,
			    0),
		 -1);
	p = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	CHECK(p != MAP_FAILED);
	memset(&bad, 0, sizeof(bad));
	CHECK_ERR(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &bad, sizeof(bad)),
		  EBUSY);
	CHECK_OK(munmap(p, 2 * BLOCK));
	CHECK_OK(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &bad, sizeof(bad)));
}

/* One after the other, each where the last one's header says; what there is no room for
 * is counted. */
TEST(packetring, frames)
{
	struct tpacket_req r = { BLOCK, 1, FRAME, BLOCK / FRAME };
	struct tpacket_stats st;
	socklen_t len = sizeof(st);
	struct tpacket2_hdr *h;
	struct sockaddr_ll *from;
	char *p;
	int s;

	ut_own_net();
	s = packet(TPACKET_V2);
	CHECK_OK(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &r, sizeof(r)));
	p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	CHECK(p != MAP_FAILED);
	CHECK(!readable(s, 0));
	say(100);
	CHECK(readable(s, 5000));
	h = (void *)p;
	CHECK(h->tp_status & TP_STATUS_USER);
	CHECK_EQ(h->tp_len, 14 + 20 + 8 + 100);
	CHECK_EQ(h->tp_snaplen, h->tp_len);
	CHECK_EQ(h->tp_mac, 66);
	CHECK_EQ(h->tp_net, 80);
	CHECK(h->tp_sec > 0);
	CHECK_EQ(p[h->tp_mac + 14 + 28], 'u');
	CHECK_EQ(p[h->tp_mac + 12], 8); /* IPv4 */
	from = (void *)(p + 32);
	CHECK_EQ(from->sll_family, AF_PACKET);
	CHECK_EQ(from->sll_protocol, htons(ETH_P_IP));
	CHECK_EQ(from->sll_ifindex, 1);
	say(4000);
	h = (void *)(p + FRAME);
	CHECK(readable(s, 5000));
	CHECK_EQ(h->tp_len, 14 + 20 + 8 + 4000);
	CHECK_EQ(h->tp_snaplen, FRAME - 66);
	for (int i = 2; i < 12; i++)
		say(1);
	CHECK_OK(getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &st, &len));
	CHECK_EQ(st.tp_packets, 12);
	CHECK_EQ(st.tp_drops, 4);
	for (unsigned i = 0; i < BLOCK / FRAME; i++)
		((struct tpacket2_hdr *)(p + i * FRAME))->tp_status = 0;
	CHECK(!readable(s, 0));
	say(7);
	CHECK(readable(s, 5000));
	CHECK_EQ(((struct tpacket2_hdr *)p)->tp_len, 14 + 20 + 8 + 7);
}

static struct tpacket_block_desc *block(char *p, int nr)
{
	return (void *)(p + nr * BLOCK);
}

/* How many frames the program has, and how long they were in all. */
static unsigned frames_in(char *p, int nr, unsigned *bytes)
{
	struct tpacket_block_desc *b = block(p, nr);
	unsigned n = b->hdr.bh1.num_pkts;
	char *at = (char *)b + b->hdr.bh1.offset_to_first_pkt;

	if (!(b->hdr.bh1.block_status & TP_STATUS_USER))
		return 0;
	CHECK_EQ(b->version, TPACKET_V3);
	CHECK(n > 0);
	for (unsigned i = 0; i < n; i++) {
		struct tpacket3_hdr *h = (void *)at;

		CHECK_EQ(h->tp_snaplen, h->tp_len);
		CHECK_EQ(at[h->tp_mac + 42], 'u');
		CHECK_EQ(h->tp_next_offset % 8, 0);
		CHECK_EQ(h->tp_next_offset == 0, i + 1 == n);
		*bytes += h->tp_len;
		at += h->tp_next_offset;
	}
	return n;
}

/* A block is given when its time is over, or when it is full. */
TEST(packetring, blocks)
{
	struct tpacket_req3 r = { .tp_block_size = BLOCK,
				  .tp_block_nr = 2,
				  .tp_frame_size = FRAME,
				  .tp_frame_nr = 2 * BLOCK / FRAME,
				  .tp_retire_blk_tov = 50 };
	unsigned bytes = 0, n;
	struct tpacket_stats_v3 st;
	socklen_t len = sizeof(st);
	char *p;
	int s;

	ut_own_net();
	s = packet(TPACKET_V3);
	CHECK_OK(setsockopt(s, SOL_PACKET, PACKET_RX_RING, &r, sizeof(r)));
	p = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	CHECK(p != MAP_FAILED);
	say(100);
	say(3000);
	CHECK(readable(s, 5000));
	ut_sleep_ms(300);
	CHECK(block(p, 0)->hdr.bh1.block_status & TP_STATUS_BLK_TMO);
	CHECK_EQ(block(p, 0)->hdr.bh1.seq_num, 1);
	n = frames_in(p, 0, &bytes) + frames_in(p, 1, &bytes);
	CHECK_EQ(n, 2);
	CHECK_EQ(bytes, 2 * (14 + 20 + 8) + 3100);
	for (int i = 0; i < 9; i++)
		say(8000);
	CHECK(readable(s, 5000));
	ut_sleep_ms(300);
	bytes = 0;
	n = frames_in(p, 0, &bytes) + frames_in(p, 1, &bytes);
	CHECK(n >= 2 && n < 11);
	CHECK_EQ(block(p, 1)->hdr.bh1.seq_num, 2);
	CHECK_OK(getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &st, &len));
	CHECK_EQ(len, sizeof(st));
	CHECK_EQ(st.tp_packets, 11);
	CHECK_EQ(st.tp_drops, 11 - n);
	CHECK(st.tp_freeze_q_cnt >= 1);
	for (int i = 0; i < 2; i++)
		block(p, i)->hdr.bh1.block_status = TP_STATUS_KERNEL;
	say(5);
	CHECK(readable(s, 5000));
}

/* What libpcap asks before it listens. */
TEST(packetring, ethtool)
{
	struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	struct ifreq r = { .ifr_name = "lo" };
	int s;

	ut_own_net();
	CHECK_OK(s = socket(AF_INET, SOCK_DGRAM, 0));
	r.ifr_data = (void *)&info;
	CHECK_OK(ioctl(s, SIOCETHTOOL, &r));
	CHECK(info.so_timestamping & SOF_TIMESTAMPING_RX_SOFTWARE);
	CHECK_EQ(info.phc_index, -1);
	r.ifr_data = (void *)&link;
	CHECK_OK(ioctl(s, SIOCETHTOOL, &r));
	CHECK_EQ(link.data, 1);
	CHECK_OK(s = socket(AF_NETLINK, SOCK_RAW, 0));
	link.data = 0;
	CHECK_OK(ioctl(s, SIOCETHTOOL, &r));
	CHECK_EQ(link.data, 1);
	link.cmd = 0xffff;
	CHECK_ERR(ioctl(s, SIOCETHTOOL, &r), EOPNOTSUPP);
}
