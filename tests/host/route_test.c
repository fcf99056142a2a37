/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/netrig.c tests/host/fake/locks.c net/route/ */
/*
 * tests/host/route_test.c - addresses, routes, neighbours, fragments, errors; and packets
 * that nobody in his right mind would send.
 */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/netrig.h>

#include <net/route/rule.h>

#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <net/route/group.h>
#include <net/route/reasm.h>

#define ETH0 (&rig.dev[1])
#define ETH1 (&rig.dev[2])

static int begin(void **state __unused)
{
	rig_begin();
	rig_pass(5 * NSEC_PER_SEC); /* DAD */
	rig_drop_sent();
	return 0;
}

static int end(void **state __unused)
{
	rig_end();
	return 0;
}

/* --- sums */

static u16 slow_sum(u32 sum, const u8 *p, u32 n)
{
	u64 s = sum;

	for (u32 i = 0; i < n; i++)
		s += i % 2 ? p[i] : (u64)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (u16)s;
}

static void test_sum(void **state __unused)
{
	u64 seed = 7;
	u8 buf[600];

	for (u32 i = 0; i < 20000; i++) {
		u32 at = (u32)random_below(&seed, 9);
		u32 n = (u32)random_below(&seed, 500);
		u32 sum = (u32)random_below(&seed, 0x20000);

		for (u32 k = 0; k < sizeof(buf); k++)
			buf[k] = i % 3 ? (u8)next_random(&seed) : 0xff;
		assert_int_equal(ip_sum(sum, buf + at, n) % 0xffff,
				 slow_sum(sum, buf + at, n) % 0xffff);
	}
}

static void test_prefix(void **state __unused)
{
	u8 a[16], b[16];

	rig_ip("10.1.2.3", a);
	rig_ip("10.1.3.3", b);
	assert_true(ip_same_prefix(a, b, 96 + 23));
	assert_false(ip_same_prefix(a, b, 96 + 24));
	assert_true(ip_same_prefix(a, a, 128));
	assert_true(ip_same_prefix(a, b, 0));
	ip_cut_prefix(a, 96 + 9);
	rig_ip("10.0.0.0", b);
	assert_true(ip_same(a, b));
}

/* --- routes */

static int look(const char *dst, u32 oif, struct route *r)
{
	u8 ip[16];

	rig_ip(dst, ip);
	return route_lookup(&rig.net, ip, NULL, oif, r);
}

static void expect(const char *dst, enum route_type type,
		   struct net_device *dev, const char *src, const char *next)
{
	u8 want[16];
	struct route r;

	assert_int_equal(look(dst, 0, &r), 0);
	assert_int_equal(r.type, type);
	assert_ptr_equal(r.dev, dev);
	rig_ip(src, want);
	assert_true(ip_same(r.src, want));
	rig_ip(next, want);
	assert_true(ip_same(r.next, want));
	route_put(&r);
}

static int add_route(const char *dst, u32 len, const char *via,
		     struct net_device *dev, u32 metric, u8 type)
{
	struct fib_route f = {
		.dst_len = (u8)len,
		.type = type,
		.dev = dev,
		.metric = metric,
		.has_via = via != NULL,
	};

	rig_ip(dst, f.dst);
	f.family = ip_is_v4(f.dst) ? AF_INET : 10;
	if (via)
		rig_ip(via, f.via);
	return fib_add(&rig.net, &f, NLM_F_CREATE | NLM_F_EXCL);
}

static void test_routes(void **state __unused)
{
	u8 ip[16];
	struct route r;
	u32 gen;

	assert_int_equal(look("10.0.0.1", 0, &r), -ENETUNREACH);
	assert_int_equal(rig_addr(ETH0, "10.0.0.1", 24), 0);
	assert_int_equal(rig_addr(ETH0, "10.0.0.1", 24), -EEXIST);
	assert_int_equal(rig_addr(ETH1, "10.0.1.1", 24), 0);
	rig_ip("10.0.0.1", ip);
	assert_true(route_is_local(&rig.net, ip));
	expect("10.0.0.1", ROUTE_LOCAL, NULL, "10.0.0.1", "10.0.0.1");
	expect("10.0.0.9", ROUTE_UNICAST, ETH0, "10.0.0.1", "10.0.0.9");
	expect("10.0.1.9", ROUTE_UNICAST, ETH1, "10.0.1.1", "10.0.1.9");
	expect("10.0.0.255", ROUTE_BROADCAST, ETH0, "10.0.0.1", "10.0.0.255");
	assert_int_equal(look("8.8.8.8", 0, &r), -ENETUNREACH);
	assert_int_equal(add_route("0.0.0.0", 0, "10.0.2.9", NULL, 0, 1),
			 -ENETUNREACH);
	gen = route_generation(&rig.net);
	assert_int_equal(add_route("0.0.0.0", 0, "10.0.0.254", NULL, 5, 1), 0);
	assert_int_not_equal(gen, route_generation(&rig.net));
	assert_int_equal(add_route("0.0.0.0", 0, "10.0.1.254", NULL, 3, 1), 0);
	expect("8.8.8.8", ROUTE_UNICAST, ETH1, "10.0.1.1", "10.0.1.254");
	assert_int_equal(
		add_route("8.8.0.0", 16, NULL, NULL, 0, ROUTE_PROHIBIT), 0);
	assert_int_equal(look("8.8.8.8", 0, &r), -EACCES);
	assert_int_equal(add_route("8.8.8.8", 24, NULL, ETH0, 0, 1), -EINVAL);
	assert_int_equal(if_addr_del(ETH1, AF_INET, ip, -1), -EADDRNOTAVAIL);
	rig_ip("10.0.1.1", ip);
	assert_int_equal(if_addr_del(ETH1, AF_INET, ip, -1), 0);
	assert_int_equal(
		look("10.0.1.9", 0, &r),
		0); /* by the other default route: ETH1 has no address */
	assert_ptr_equal(r.dev, ETH0);
	route_put(&r);
}

/* --- rules */

static struct rule_like rule(u32 priority, u32 table)
{
	return (struct rule_like){
		.r = { .family = AF_INET,
		       .action = table ? RULE_TO_TABLE : RULE_BLACKHOLE,
		       .table = table,
		       .priority = priority,
		       .suppress = -1 },
		.priority = true,
	};
}

/* By which gateway's last byte does it go?  Or -errno. */
static int way(const char *src, u32 mark, const struct net_device *in)
{
	u8 dst_ip[16], src_ip[16];
	struct route_query q = { .dst = dst_ip, .mark = mark, .in = in };
	struct route r;
	int err;

	rig_ip("8.8.8.8", dst_ip);
	if (src) {
		rig_ip(src, src_ip);
		q.src = src_ip;
	}
	err = route_find(&rig.net, &q, &r);
	if (err)
		return err;
	err = r.next[15];
	route_put(&r);
	return err;
}

static void default_by(u32 table, const char *via)
{
	struct fib_route f = { .family = AF_INET,
			       .type = ROUTE_UNICAST,
			       .table = table,
			       .has_via = true };

	rig_ip("0.0.0.0", f.dst);
	rig_ip(via, f.via);
	assert_int_equal(fib_add(&rig.net, &f, NLM_F_CREATE), 0);
}

static void count_rule(const struct fib_rule *r, void *arg)
{
	u32 *sum = arg;

	*sum = *sum * 2 + r->priority;
}

static void test_rules(void **state __unused)
{
	struct rule_like from = rule(100, 100), mark = rule(90, 101),
			 in = rule(80, 102), hole = rule(70, 0),
			 dull = rule(60, RT_TABLE_MAIN);
	u32 sum = 0, gen;

	assert_int_equal(rig_addr(ETH0, "10.0.0.1", 24), 0);
	default_by(RT_TABLE_MAIN, "10.0.0.2");
	default_by(100, "10.0.0.3");
	default_by(101, "10.0.0.4");
	default_by(102, "10.0.0.5");
	assert_int_equal(way("10.0.0.1", 7, ETH1), 2);
	gen = route_generation(&rig.net);
	from.r.src_len = 32;
	rig_ip("10.0.0.1", from.r.src);
	assert_int_equal(rule_add(&rig.net, &from.r, true), 0);
	assert_int_not_equal(gen, route_generation(&rig.net));
	assert_int_equal(rule_add(&rig.net, &from.r, true), -EEXIST);
	assert_int_equal(way("10.0.0.1", 0, NULL), 3);
	assert_int_equal(way(NULL, 0, NULL), 2);
	mark.r.mark = 7;
	mark.r.mask = 0xff;
	assert_int_equal(rule_add(&rig.net, &mark.r, true), 0);
	assert_int_equal(way("10.0.0.1", 0xf07, NULL), 4);
	assert_int_equal(way("10.0.0.1", 8, NULL), 3);
	strcpy(in.r.iif, ETH1->name);
	assert_int_equal(rule_add(&rig.net, &in.r, true), 0);
	assert_int_equal(way("10.0.0.1", 7, ETH1), 5);
	assert_int_equal(way("10.0.0.1", 7, ETH0), 4);
	dull.r.suppress = 0; /* main's default does not count */
	assert_int_equal(rule_add(&rig.net, &dull.r, true), 0);
	assert_int_equal(way("10.0.0.1", 7, ETH1), 5);
	hole.r.invert = true;
	rig_ip("10.0.0.0", hole.r.src);
	hole.r.src_len = 24;
	assert_int_equal(rule_add(&rig.net, &hole.r, true), 0);
	assert_int_equal(way(NULL, 7, NULL), -EINVAL);
	assert_int_equal(way("10.0.0.1", 7, NULL), 4);
	rule_for_each(&rig.net, AF_INET, count_rule, &sum);
	assert_int_equal(sum,
			 ((((60 * 2 + 70) * 2 + 80) * 2 + 90) * 2 + 100) * 4 +
				 32766 * 2 + 32767);
	assert_int_equal(rule_next_priority(&rig.net, AF_INET), 59);
	assert_int_equal(rule_del(&rig.net, &hole), 0);
	assert_int_equal(rule_del(&rig.net, &hole), -ENOENT);
	assert_int_equal(rule_del(&rig.net, &in), 0);
	assert_int_equal(rule_del(&rig.net, &mark), 0);
	assert_int_equal(way("10.0.0.1", 7, ETH1), 3);
	assert_int_equal(rule_next_priority(&rig.net, AF_INET6), 32765);
}

static void test_secondary(void **state __unused)
{
	u8 ip[16];
	struct route r;

	assert_int_equal(rig_addr(ETH0, "10.0.0.1", 24), 0);
	assert_int_equal(rig_addr(ETH0, "10.0.0.2", 24), 0);
	expect("10.0.0.9", ROUTE_UNICAST, ETH0, "10.0.0.1", "10.0.0.9");
	rig_ip("10.0.0.2", ip);
	assert_true(route_is_local(&rig.net, ip));
	rig_ip("10.0.0.1", ip);
	assert_int_equal(if_addr_del(ETH0, AF_INET, ip, 24), 0);
	rig_ip("10.0.0.2", ip);
	assert_false(route_is_local(&rig.net, ip));
	assert_int_equal(look("10.0.0.9", 0, &r), -ENETUNREACH);
}

static void test_source6(void **state __unused)
{
	u8 dst[16], want[16];
	struct route r;

	assert_int_equal(rig_addr(ETH0, "2001:db8:1::1", 64), 0);
	assert_int_equal(rig_addr(ETH0, "2001:db8:2::1", 64), 0);
	rig_pass(3 * NSEC_PER_SEC);
	rig_drop_sent();
	expect("2001:db8:1::9", ROUTE_UNICAST, ETH0, "2001:db8:1::1",
	       "2001:db8:1::9");
	expect("2001:db8:2::9", ROUTE_UNICAST, ETH0, "2001:db8:2::1",
	       "2001:db8:2::9");
	rig_ip("fe80::9", dst);
	assert_int_equal(route_lookup(&rig.net, dst, NULL, 0, &r), 0);
	route_put(&r);
	assert_int_equal(route_lookup(&rig.net, dst, NULL, 2, &r), 0);
	rig_ip("fe80::00:00ff:fe00:1", want); /* EUI-64 of 02:00:00:00:00:01 */
	assert_true(ip_same(r.src, want));
	route_put(&r);
}

/* --- neighbours */

static int send_udp(const char *dst, u32 n, bool df)
{
	struct ip_opts o = { .ttl = 64, .dont_fragment = df };
	struct netbuf *b = ip_netbuf(n, true);
	u8 ip[16];
	struct route r;
	int err;

	rig_ip(dst, ip);
	for (u32 i = 0; i < n; i++)
		b->data[i] = (u8)(i * 7 + i / 256);
	(void)netbuf_put(b, n);
	err = route_lookup(&rig.net, ip, NULL, 0, &r);
	assert_int_equal(err, 0);
	err = ip_output(&rig.net, &r, IPPROTO_UDP, r.src, ip, &o, b);
	route_put(&r);
	return err;
}

/* An ARP packet arrives at eth0. */
static void arp(u32 op, u8 mac, const char *from, const char *to)
{
	u8 p[28] = { 0, 1, 8, 0, 6, 4, 0, (u8)op }, ip[16];

	p[8] = 2;
	p[13] = mac;
	rig_ip(from, ip);
	memcpy(p + 14, ip + 12, 4);
	rig_ip(to, ip);
	memcpy(p + 24, ip + 12, 4);
	rig_arrive(ETH0, ETH_P_ARP, p, sizeof(p));
}

static void test_arp(void **state __unused)
{
	struct netbuf *b;

	(void)rig_addr(ETH0, "10.0.0.1", 24);
	assert_int_equal(send_udp("10.0.0.9", 100, false), 0);
	b = rig_sent();
	assert_non_null(b);
	assert_int_equal(b->proto, ETH_P_ARP);
	assert_int_equal(b->data[7], 1);
	netbuf_free(b);
	assert_null(rig_sent());
	arp(2, 77, "10.0.0.9", "10.0.0.1");
	b = rig_sent();
	assert_non_null(b);
	assert_int_equal(b->proto, ETH_P_IP);
	assert_int_equal(rig.sent_to[5], 77);
	assert_int_equal(ip_sum(0, b->data, 20), 0xffff);
	netbuf_free(b);
	/* he asks for us */
	arp(1, 78, "10.0.0.8", "10.0.0.1");
	b = rig_sent();
	assert_non_null(b);
	assert_int_equal(b->data[7], 2);
	netbuf_free(b);
	arp(1, 78, "10.0.0.8", "10.0.0.2"); /* for somebody else */
	assert_null(rig_sent());
}

static void test_arp_fails(void **state __unused)
{
	u32 asked = 0;
	struct netbuf *b;

	(void)rig_addr(ETH0, "10.0.0.1", 24);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(send_udp("10.0.0.9", 100, false), 0);
	rig.last_err = 0;
	rig_pass(5 * NSEC_PER_SEC);
	while ((b = rig_sent())) {
		asked += b->proto == ETH_P_ARP; /* and IPv6 asks for routers */
		netbuf_free(b);
	}
	assert_int_equal(asked, 3);
	assert_int_equal(rig.last_err, EHOSTUNREACH);
}

static void test_many_neighbours(void **state __unused)
{
	char text[32];

	(void)rig_addr(ETH0, "10.0.0.1", 8);
	for (u32 i = 2; i < 5000; i++) {
		snprintf(text, sizeof(text), "10.1.%u.%u", i / 256, i % 256);
		assert_int_equal(send_udp(text, 100, false), 0);
	}
	assert_true(rig.nr_netbufs < 9000); /* ARP requests, and few waiting */
	rig_drop_sent();
	assert_true(rig.nr_netbufs <= 1024);
}

/* --- fragments */

/* What was sent comes back, in any order. */
static void loop(u32 len, bool reverse)
{
	struct netbuf *b[64];
	u32 nr = 0, got = rig.nr_udp;

	while ((b[nr] = rig_sent()))
		nr++;
	assert_int_equal(nr, (len + 1479) / 1480);
	for (u32 i = 0; i < nr; i++) {
		struct netbuf *f = b[reverse ? nr - 1 - i : i];
		u8 dst[4];

		assert_true(f->len <= 1500);
		/* as if it came from there */
		memcpy(dst, f->data + 16, 4);
		memcpy(f->data + 16, f->data + 12, 4);
		memcpy(f->data + 12, dst, 4);
		rig_arrive(ETH0, ETH_P_IP, f->data, f->len);
		if (i == 1) /* once more does no harm */
			rig_arrive(ETH0, ETH_P_IP, f->data, f->len);
		netbuf_free(f);
	}
	assert_int_equal(rig.nr_udp, got + 1);
	assert_int_equal(rig.last_len, len);
	for (u32 i = 0; i < len; i++)
		assert_int_equal(rig.last_data[i], (u8)(i * 7 + i / 256));
}

static void test_fragments(void **state __unused)
{
	(void)rig_addr(ETH0, "10.0.0.1", 24);
	(void)send_udp("10.0.0.9", 8, false);
	rig_drop_sent();
	arp(2, 77, "10.0.0.9", "10.0.0.1");
	rig_drop_sent();
	for (u32 n = 1480; n < 65515; n += 4001) {
		assert_int_equal(send_udp("10.0.0.9", n, false), 0);
		loop(n, n & 1);
	}
	assert_int_equal(send_udp("10.0.0.9", 1481, true), -EMSGSIZE);
	assert_int_equal(send_udp("10.0.0.9", 65516, false), -EMSGSIZE);
	assert_null(rig_sent());
}

static void fragment(u32 id, u32 off, u32 n, bool more)
{
	u8 p[1500] = { 0x45 }, ip[16];

	put_be16(p + 2, 20 + n);
	put_be16(p + 4, id);
	put_be16(p + 6, off / 8 | (more ? IP_MF : 0));
	p[8] = 64;
	p[9] = IPPROTO_UDP;
	rig_ip("10.0.0.9", ip);
	memcpy(p + 12, ip + 12, 4);
	rig_ip("10.0.0.1", ip);
	memcpy(p + 16, ip + 12, 4);
	put_be16(p + 10, (u16)~ip_sum(0, p, 20));
	rig_arrive(ETH0, ETH_P_IP, p, 20 + n);
}

static void test_overlap(void **state __unused)
{
	(void)rig_addr(ETH0, "10.0.0.1", 24);
	fragment(1, 0, 16, true);
	fragment(1, 8, 16, true); /* overlaps: all is dropped */
	fragment(1, 24, 8, false);
	fragment(1, 16, 8, true);
	assert_int_equal(rig.nr_udp, 0);
	fragment(2, 0, 16, true);
	fragment(2, 16, 8, false);
	assert_int_equal(rig.nr_udp, 1);
	fragment(3, 65528, 8, false); /* beyond 64 KiB */
	fragment(4, 8, 7, true);      /* not a multiple of 8 */
	fragment(5, 16, 8, false);
	fragment(5, 24, 8, false); /* behind the end */
	assert_int_equal(rig.nr_udp, 1);
	for (u32 id = 100; id < 9000; id++)
		fragment(id, 8, 1400, true);
	assert_true(rig.nr_netbufs < 4000);
	rig_pass(31 * NSEC_PER_SEC);
	rig_drop_sent();
	assert_int_equal(rig.nr_netbufs, 0);
	fragment(6, 0, 16, true);
	rig_pass(31 * NSEC_PER_SEC);
	assert_int_equal(net_stat(&rig.net, NET_REASM_TIMEOUT) > 0, true);
	rig_drop_sent();
}

/* --- forwarding */

static void packet(struct net_device *dev, const char *from, const char *to,
		   u8 ttl, u32 n, bool df)
{
	u8 p[3000] = { 0x45 }, ip[16];

	put_be16(p + 2, 20 + n);
	put_be16(p + 6, df ? IP_DF : 0);
	p[8] = ttl;
	p[9] = IPPROTO_UDP;
	rig_ip(from, ip);
	memcpy(p + 12, ip + 12, 4);
	rig_ip(to, ip);
	memcpy(p + 16, ip + 12, 4);
	put_be16(p + 10, (u16)~ip_sum(0, p, 20));
	rig_arrive(dev, ETH_P_IP, p, 20 + n);
}

static void expect_icmp(u8 type, u8 code, u32 info)
{
	struct netbuf *b = rig_sent();

	assert_non_null(b);
	assert_int_equal(b->proto, ETH_P_IP);
	assert_int_equal(b->data[9], IPPROTO_ICMP);
	assert_int_equal(b->data[20], type);
	assert_int_equal(b->data[21], code);
	assert_int_equal(get_be32(b->data + 24), info);
	assert_int_equal(ip_sum(0, b->data + 20, b->len - 20), 0xffff);
	netbuf_free(b);
}

static void test_forward(void **state __unused)
{
	struct netbuf *b;

	(void)rig_addr(ETH0, "10.0.0.1", 24);
	(void)rig_addr(ETH1, "10.0.1.1", 24);
	ETH1->mtu = 1000;
	arp(1, 78, "10.0.0.9", "10.0.0.1");
	rig_drop_sent();
	packet(ETH0, "10.0.0.9", "10.0.1.9", 64, 100, false);
	assert_null(rig_sent()); /* not a router */
	net_conf_set_all(&rig.net, CONF4_FORWARDING, 1);
	packet(ETH0, "10.0.0.9", "10.0.1.9", 64, 100, false);
	b = rig_sent();
	assert_int_equal(b->proto, ETH_P_ARP);
	assert_ptr_equal(b->dev, ETH1);
	netbuf_free(b);
	packet(ETH0, "10.0.0.9", "10.0.1.9", 1, 100, false);
	expect_icmp(11, 0, 0);
	packet(ETH0, "10.0.0.9", "10.0.1.9", 9, 1400, true);
	expect_icmp(3, 4, 1000);
	packet(ETH0, "10.0.0.9", "10.9.9.9", 9, 100, true);
	expect_icmp(3, 0, 0);
	rig_pass(5 * NSEC_PER_SEC);
	while ((b = rig_sent())) {
		if (b->proto == ETH_P_IP)
			break;
		netbuf_free(b);
	}
	assert_non_null(b);
	assert_int_equal(b->data[20], 3); /* host unreachable */
	assert_int_equal(b->data[21], 1);
	netbuf_free(b);
}

static void test_martians(void **state __unused)
{
	(void)rig_addr(ETH0, "10.0.0.1", 24);
	packet(ETH0, "10.0.0.1", "10.0.0.1", 9, 100, false);
	packet(ETH0, "127.0.0.1", "10.0.0.1", 9, 100, false);
	packet(ETH0, "10.0.0.9", "127.0.0.1", 9, 100, false);
	packet(ETH0, "224.0.0.5", "10.0.0.1", 9, 100, false);
	packet(ETH0, "0.0.0.0", "10.0.0.1", 9, 100, false);
	packet(ETH0, "255.255.255.255", "10.0.0.1", 9, 100, false);
	packet(ETH0, "10.0.0.9", "224.0.0.9", 9, 100, false);
	assert_int_equal(rig.nr_udp, 0);
	packet(ETH0, "0.0.0.0", "255.255.255.255", 9, 100, false);
	packet(ETH0, "10.0.0.9", "10.0.0.255", 9, 100, false);
	packet(ETH0, "10.0.0.9", "10.0.0.1", 9, 100, false);
	assert_int_equal(rig.nr_udp, 3);
	rig_drop_sent();
}

static void test_path_mtu(void **state __unused)
{
	u8 ip[16];
	struct route r;

	(void)rig_addr(ETH0, "10.0.0.1", 24);
	(void)add_route("0.0.0.0", 0, "10.0.0.254", NULL, 0, 1);
	rig_ip("8.8.8.8", ip);
	route_path_mtu(&rig.net, ip, 1200);
	assert_int_equal(look("8.8.8.8", 0, &r), 0);
	assert_int_equal(r.mtu, 1200);
	route_put(&r);
	route_path_mtu(&rig.net, ip, 68); /* not believed */
	assert_int_equal(look("8.8.8.8", 0, &r), 0);
	assert_int_equal(r.mtu, 552);
	route_put(&r);
	for (u32 i = 0; i < 1000; i++) {
		put_be32(ip + 12, i + 0x08080900);
		route_path_mtu(&rig.net, ip, 1200);
	}
	assert_int_equal(look("8.8.8.8", 0, &r), 0);
	assert_int_equal(r.mtu, 1500); /* the oldest had to go */
	route_put(&r);
	rig_pass(601 * NSEC_PER_SEC);
	assert_int_equal(look("8.8.9.5", 0, &r), 0);
	assert_int_equal(r.mtu, 1500);
	route_put(&r);
}

/* --- IPv6 between neighbours */

static void packet6(struct net_device *dev, const char *from, const char *to,
		    u8 next, u8 hops, const u8 *p, u32 n)
{
	u8 b[2000] = { 0x60 };

	put_be16(b + 4, n);
	b[6] = next;
	b[7] = hops;
	rig_ip(from, b + 8);
	rig_ip(to, b + 24);
	memcpy(b + 40, p, n);
	if (next == IPPROTO_ICMPV6)
		put_be16(b + 42,
			 (u16)~ip_sum(ip_pseudo_sum(next, b + 8, b + 24, n),
				      b + 40, n));
	rig_arrive(dev, ETH_P_IPV6, b, 40 + n);
}

static void test_router(void **state __unused)
{
	u8 ra[16 + 8 + 32] = { 134, 0, 0, 0, 64, 0, 7, 8 };
	u8 *o = ra + 16, ip[16], want[16];
	struct route r;

	o[0] = 1; /* its link address */
	o[1] = 1;
	o[2] = 2;
	o[7] = 99;
	o[8] = 3; /* a prefix */
	o[9] = 4;
	o[10] = 64;
	o[11] = 0xc0;
	put_be32(o + 12, 3600);
	put_be32(o + 16, 1800);
	rig_ip("2001:db8::", o + 24);
	packet6(ETH0, "fe80::99", "ff02::1", IPPROTO_ICMPV6, 254, ra,
		sizeof(ra)); /* from beyond */
	rig_pass(3 * NSEC_PER_SEC);
	assert_int_equal(look("2001:db8:9::1", 0, &r), -ENETUNREACH);
	packet6(ETH0, "fe80::99", "ff02::1", IPPROTO_ICMPV6, 255, ra,
		sizeof(ra));
	rig_pass(3 * NSEC_PER_SEC);
	rig_drop_sent();
	assert_int_equal(look("2001:db8:9::1", 0, &r), 0);
	rig_ip("fe80::99", ip);
	assert_true(ip_same(r.next, ip));
	rig_ip("2001:db8::00:00ff:fe00:1", want);
	assert_true(ip_same(r.src, want));
	route_put(&r);
	rig_pass(1900 * NSEC_PER_SEC); /* its time as a router is over */
	assert_int_equal(look("2001:db8:9::1", 0, &r), -ENETUNREACH);
	assert_true(route_is_local(&rig.net, want));
	rig_pass(3600 * NSEC_PER_SEC);
	assert_false(route_is_local(&rig.net, want));
}

static void test_dad(void **state __unused)
{
	u8 na[32] = { 136, 0, 0, 0, 0x20 }, ip[16];
	struct if_addr *a;

	assert_int_equal(rig_addr(ETH0, "2001:db8::5", 64), 0);
	rig_ip("2001:db8::5", na + 8);
	na[24] = 2;
	na[25] = 1;
	packet6(ETH0, "2001:db8::5", "ff02::1", IPPROTO_ICMPV6, 255, na, 32);
	rig_ip("fe80::77", ip);
	packet6(ETH0, "fe80::77", "ff02::1", IPPROTO_ICMPV6, 255, na, 32);
	rig_pass(3 * NSEC_PER_SEC);
	rig_drop_sent();
	rig_ip("2001:db8::5", ip);
	spin_lock(&route_lock);
	a = addr_find_locked(ETH0, ip);
	assert_non_null(a);
	assert_false(addr_is_usable(a));
	spin_unlock(&route_lock);
}

/* --- nonsense */

/* A sound packet, whose bytes are then spoilt here and there. */
static u32 make(u64 *seed, u8 *p, u16 proto)
{
	u32 n = (u32)random_below(seed, 200) +
		(random_below(seed, 9) ? 0 : 1200);
	u8 src[16], dst[16];

	for (u32 i = 0; i < n + 60; i++)
		p[i] = (u8)next_random(seed);
	if (proto == ETH_P_ARP) {
		memcpy(p, (u8[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
		return n;
	}
	rig_ip(random_below(seed, 2) ? "10.0.0.1" : "10.0.1.7", dst);
	rig_ip("10.0.0.9", src);
	if (proto == ETH_P_IP) {
		static const u8 protos[] = { 1, 1, 2, 6, 17, 17, 99 };
		u32 head = random_below(seed, 3) ? 20 : 40;

		p[0] = (u8)(0x40 | head / 4);
		put_be16(p + 2, head + n);
		if (random_below(seed, 2))
			put_be16(p + 6, 0);
		put_be16(p + 4, (u32)random_below(seed, 4));
		p[8] = (u8)random_below(seed, 4);
		p[9] = protos[random_below(seed, sizeof(protos))];
		memcpy(p + 12, src + 12, 4);
		memcpy(p + 16, dst + 12, 4);
		if (p[9] == 1 && random_below(seed, 2)) { /* an error of ours */
			memcpy(p + head, (u8[]){ 3, 3 }, 2);
			p[head + 8] = 0x45;
			p[head + 8 + 9] = (u8)(random_below(seed, 2) ? 17 : 6);
			memcpy(p + head + 8 + 12, dst + 12, 4);
		}
		put_be16(p + 10, 0);
		put_be16(p + 10, (u16)~ip_sum(0, p, head));
		return head + n;
	}
	{
		static const u8 nexts[] = { 0, 43, 44, 60, 58, 58, 17, 59 };
		u32 at = 40;

		p[0] = 0x60;
		put_be16(p + 4, n);
		p[6] = nexts[random_below(seed, sizeof(nexts))];
		p[7] = random_below(seed, 2) ? 255 : 1;
		rig_ip(random_below(seed, 2) ? "fe80::9" : "2001:db8::9",
		       p + 8);
		rig_ip(random_below(seed, 2) ? "ff02::1" : "2001:db8::5",
		       p + 24);
		for (u8 next = p[6]; at + 40 < n && next != 58 && next != 17;) {
			p[at] = next = nexts[random_below(seed, sizeof(nexts))];
			p[at + 1] = (u8)random_below(seed, 3);
			at += (p[at + 1] + 1u) * 8;
		}
		if (random_below(seed, 2))
			p[at] = (u8)(130 + random_below(seed, 8));
		p[at + 1] = 0;
		return 40 + n;
	}
}

static void forward(u32 on)
{
	net_conf_set_all(&rig.net, CONF4_FORWARDING, on);
	net_conf_set_all(&rig.net, CONF6_FORWARDING, on);
}

static void test_nonsense(void **state __unused)
{
	static const u16 protos[] = { ETH_P_IP, ETH_P_IP, ETH_P_IPV6,
				      ETH_P_IPV6, ETH_P_ARP };
	u64 seed = 0x1234567;
	static u8 p[2000];

	(void)rig_addr(ETH0, "10.0.0.1", 24);
	(void)rig_addr(ETH1, "10.0.1.1", 24);
	(void)rig_addr(ETH0, "2001:db8::5", 64);
	rig_pass(3 * NSEC_PER_SEC);
	for (u32 i = 0; i < 300000; i++) {
		u16 proto = protos[random_below(&seed, 5)];
		u32 n = make(&seed, p, proto);

		forward(i >> 14 & 1);
		for (u32 k = (u32)random_below(&seed, 4); k; k--)
			p[random_below(&seed, min(n, 80u) + 1)] =
				(u8)next_random(&seed);
		if (!random_below(&seed, 10))
			n = (u32)random_below(&seed, n + 1);
		rig_arrive(random_below(&seed, 2) ? ETH0 : ETH1, proto, p, n);
		rig_drop_sent();
		if (!random_below(&seed, 50))
			rig_pass(NSEC_PER_SEC);
		assert_true(rig.nr_netbufs < 8000);
	}
	forward(0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_prefix),
		TEST(test_routes),
		TEST(test_rules),
		TEST(test_secondary),
		TEST(test_source6),
		TEST(test_arp),
		TEST(test_arp_fails),
		TEST(test_many_neighbours),
		TEST(test_fragments),
		TEST(test_overlap),
		TEST(test_forward),
		TEST(test_martians),
		TEST(test_path_mtu),
		TEST(test_router),
		TEST(test_dad),
		TEST(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
