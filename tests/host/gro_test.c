/* SPDX-License-Identifier: MIT */
/* sources: net/route/gro.c net/route/cksum.c net/link/netbuf.c */
/* sources: tests/host/fake/locks.c lib/string.c */
/*
 * tests/host/gro_test.c - what goes up together, what alone, and that all of it goes up once
 * and in order.
 */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <net/link/link.h>
#include <net/route/route_int.h>

#define SEGS_MAX 64u /* of one connection that go up together */
#define FLOWS	 8u
#define ACK	 0x10u
#define RST	 0x04u

static struct net_ns net;
static struct net_device dev = { .net = &net };
static u32 nr_alive;
static enum route_type where;

/* What went up: of each packet its connection and number, in order. */
static struct {
	u32 nr_calls, nr;
	u32 flow[256], number[256];
	u32 chain[256]; /* packets of each call */
} up;

void *kmalloc(size_t size)
{
	nr_alive++;
	return malloc(size);
}

void kfree(const void *p)
{
	nr_alive--;
	free((void *)(uintptr_t)p);
}

struct net_device *netdev_get(struct net_device *d)
{
	d->refs++;
	return d;
}

void netdev_put(struct net_device *d)
{
	if (d)
		d->refs--;
}

enum route_type route_input_type(const struct net_ns *n, const u8 dst[16])
{
	assert_ptr_equal(n, &net);
	assert_int_equal(dst[15], 1);
	return where;
}

/* The first one has its header of IP, those behind it begin with TCP's. */
void link_input(struct net_device *d, struct netbuf *b)
{
	u32 head = b->proto == ETH_P_IP ? IP4_HEADER : IP6_HEADER;

	assert_ptr_equal(d, &dev);
	for (struct netbuf *p = b; p; p = p->more, head = 0) {
		assert_true(p->len >= head + 20);
		up.flow[up.nr] = get_be16(p->data + head);
		up.number[up.nr++] = get_be16(p->data + head + 6);
		up.chain[up.nr_calls]++;
	}
	up.nr_calls++;
	netbuf_free(b);
}

static int begin(void **state __unused)
{
	memset(&up, 0, sizeof(up));
	where = ROUTE_LOCAL;
	return 0;
}

static int end(void **state __unused)
{
	gro_flush();
	assert_int_equal(nr_alive, 0);
	assert_int_equal(dev.refs, 0);
	return 0;
}

static struct netbuf *packet(bool v4, u32 flow, u32 number, u8 flags, u32 pad)
{
	u32 head = v4 ? IP4_HEADER : IP6_HEADER, len = head + 20 + 100;
	struct netbuf *b = netbuf_alloc(128, len + pad);
	u8 *h = netbuf_put(b, len + pad);

	memset(h, 0, len + pad);
	b->proto = v4 ? ETH_P_IP : ETH_P_IPV6;
	b->pkttype = PACKET_HOST;
	netbuf_set_dev(b, &dev);
	h[head - 1] = 1; /* to */
	put_be16(h + head, flow);
	put_be16(h + head + 6, number);
	h[head + 13] = flags;
	if (v4) {
		h[0] = 0x45;
		put_be16(h + 2, len);
		h[9] = IPPROTO_TCP;
		put_be16(h + 10, (u16)~ip_sum(0, h, IP4_HEADER));
	} else {
		h[0] = 0x60;
		put_be16(h + 4, len - IP6_HEADER);
		h[6] = IPPROTO_TCP;
	}
	return b;
}

/* As who hands them over does. */
static void arrives(struct netbuf *b)
{
	if (!gro_hold(&dev, b))
		link_input(&dev, b);
}

static void in_order(u32 flow, u32 nr)
{
	u32 next = 0;

	for (u32 i = 0; i < up.nr; i++) {
		if (up.flow[i] == flow)
			assert_int_equal(up.number[i], next++);
	}
	assert_int_equal(next, nr);
}

static void test_together(void **state __unused)
{
	for (u32 v4 = 0; v4 < 2; v4++) {
		begin(NULL);
		for (u32 i = 0; i < 140; i++)
			arrives(packet(v4, 7, i, ACK, i % 3));
		gro_flush();
		in_order(7, 140);
		assert_int_equal(up.nr_calls, 3);
		assert_int_equal(up.chain[0], SEGS_MAX);
		assert_int_equal(up.chain[2], 140 % SEGS_MAX);
		gro_flush();
		assert_int_equal(up.nr, 140);
	}
}

static void test_flows(void **state __unused)
{
	for (u32 i = 0; i < 180; i++) {
		u32 f = i / 2 % (2 * FLOWS - 1);

		arrives(packet(f % 3, f, i / 30 * 2 + i % 2, ACK, 0));
	}
	gro_flush();
	for (u32 f = 0; f < 2 * FLOWS - 1; f++)
		in_order(f, 12);
	assert_int_equal(up.nr_calls, 90);
}

/* A reset goes up behind what came before it, and alone. */
static void test_alone(void **state __unused)
{
	arrives(packet(true, 1, 0, ACK, 0));
	arrives(packet(true, 1, 1, ACK, 0));
	arrives(packet(true, 1, 2, ACK | RST, 0));
	assert_int_equal(up.nr_calls, 2);
	assert_int_equal(up.chain[1], 1);
	arrives(packet(true, 1, 3, ACK, 0));
	gro_flush();
	in_order(1, 4);
}

/* What is for others, or heard by raw sockets, goes up one by one. */
static void test_not_local(void **state __unused)
{
	where = ROUTE_UNICAST;
	for (u32 i = 0; i < 5; i++)
		arrives(packet(true, 1, i, ACK, 0));
	gro_flush();
	in_order(1, 5);
	assert_int_equal(up.nr_calls, 5);
	where = ROUTE_LOCAL;
	net.taps = 1;
	for (u32 i = 5; i < 10; i++)
		arrives(packet(true, 1, i, ACK, 0));
	net.taps = 0;
	in_order(1, 10);
	assert_int_equal(up.nr_calls, 10);
}

/* A header that is wrong, short, of a fragment or with options is for others to look at. */
static void spoil(struct netbuf *b, u32 how)
{
	u8 *h = b->data;

	switch (how) {
	case 0:
		h[10] ^= 1;
		return;
	case 1:
		b->len = IP4_HEADER + 19;
		return;
	case 2:
		put_be16(h + 6, IP_MF);
		break;
	case 3:
		h[0] = 0x46;
		break;
	case 4:
		put_be16(h + 2, b->len + 1);
		break;
	case 5:
		put_be16(h + 2, IP4_HEADER + 19);
		break;
	default:
		b->pkttype = PACKET_BROADCAST;
		return;
	}
	put_be16(h + 10, 0);
	put_be16(h + 10, (u16)~ip_sum(0, h, IP4_HEADER));
}

static void test_bad(void **state __unused)
{
	for (u32 how = 0; how <= 6; how++) {
		struct netbuf *b = packet(true, 1, 9, ACK, 0);

		arrives(packet(true, 1, how, ACK, 0));
		spoil(b, how);
		assert_false(gro_hold(&dev, b));
		assert_int_equal(up.nr, how + 1); /* the good one */
		netbuf_free(b);
	}
	in_order(1, 7);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_together),  TEST(test_flows), TEST(test_alone),
		TEST(test_not_local), TEST(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
