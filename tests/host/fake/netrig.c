/* SPDX-License-Identifier: MIT */
/* tests/host/fake/netrig.c - see netrig.h. */
#include <stdlib.h>
#include <string.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/netrig.h>

#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/random.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/errno.h>
#include <net/link/work.h>
#include <net/route/group.h>
#include <net/route/ip6.h>
#include <net/route/wire.h>

/* libc's; its header and ours do not go together. */
int inet_pton(int family, const char *text, void *to);

struct netrig rig;
struct mutex rtnl_mutex;
struct spinlock link_lock;
struct spinlock inet_lock;

/* --- the kernel */

void *kmalloc(size_t n)
{
	return malloc(n);
}
void *kzalloc(size_t n)
{
	return calloc(1, n);
}
void *kcalloc(size_t n, size_t size)
{
	return calloc(n, size);
}
void kfree(const void *p)
{
	free((void *)(uintptr_t)p);
}
void *kmemdup(const void *p, size_t n)
{
	void *c = malloc(n);

	memcpy(c, p, n);
	return c;
}
bool mutex_held(const struct mutex *m __unused)
{
	return true;
}
void mutex_lock(struct mutex *m __unused)
{
}
void mutex_unlock(struct mutex *m __unused)
{
}
u64 clock_mono_ns(void)
{
	return rig.now;
}
u64 random_u64(void)
{
	static u64 state = 42;

	return next_random(&state);
}
void random_bytes(void *p, size_t n)
{
	memset(p, 0x5a, n);
}

void rtnl_say(const char *text __unused)
{
}

/* --- timers and the worker: both run in rig_pass() */

#define TIMERS 8u
static struct ktimer *timers[TIMERS];
static struct list_head works = LIST_HEAD_INIT(works);

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *), void *arg)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
	t->arg = arg;
}
void ktimer_arm(struct ktimer *t, u64 deadline)
{
	u32 i = 0;

	while (timers[i] && timers[i] != t)
		assert_true(++i < TIMERS);
	timers[i] = t;
	t->deadline_ns = deadline;
}
void net_work_init(struct net_work *w, void (*fn)(struct net_work *))
{
	list_init(&w->node);
	w->fn = fn;
}
void net_work_queue(struct net_work *w)
{
	if (!list_is_linked(&w->node))
		list_add_tail(&w->node, &works);
}
void net_cfg_queue(struct net_work *w)
{
	net_work_queue(w);
}

static void run_works(void)
{
	while (!list_empty(&works)) {
		struct net_work *w =
			list_first_entry(&works, struct net_work, node);

		list_del(&w->node);
		w->fn(w);
	}
}

static struct ktimer *next_timer(u64 until)
{
	struct ktimer *first = NULL;

	for (u32 i = 0; i < TIMERS; i++) {
		struct ktimer *t = timers[i];

		if (t && t->deadline_ns <= until &&
		    (!first || t->deadline_ns < first->deadline_ns))
			first = t;
	}
	return first;
}

void rig_pass(u64 ns)
{
	u64 until = rig.now + ns;
	struct ktimer *t;

	run_works();
	while ((t = next_timer(until))) {
		for (u32 i = 0; i < TIMERS; i++) {
			if (timers[i] == t)
				timers[i] = NULL;
		}
		if (t->deadline_ns > rig.now)
			rig.now = t->deadline_ns;
		t->fn(t);
		run_works();
	}
	rig.now = until;
}

/* --- interfaces */

struct netbuf *netbuf_alloc(u32 headroom, u32 len)
{
	struct netbuf *b = calloc(1, sizeof(*b) + headroom + len);

	list_init(&b->node);
	b->cap = headroom + len;
	b->data = b->mem + headroom;
	rig.nr_netbufs++;
	return b;
}
void netbuf_free(struct netbuf *b)
{
	if (!b)
		return;
	netdev_put(b->dev);
	rig.nr_netbufs--;
	free(b);
}
void netbuf_set_dev(struct netbuf *b, struct net_device *dev)
{
	if (dev)
		netdev_get(dev);
	netdev_put(b->dev);
	b->dev = dev;
}
struct net_device *netdev_get(struct net_device *dev)
{
	dev->refs++;
	return dev;
}
void netdev_put(struct net_device *dev)
{
	if (!dev)
		return;
	assert_true(dev->refs > 1);
	dev->refs--;
}
struct net_device *link_by_index(const struct net_ns *net __unused, s32 index)
{
	for (u32 i = 0; i < RIG_DEVS; i++) {
		if (rig.dev[i].index == index)
			return netdev_get(&rig.dev[i]);
	}
	return NULL;
}
int link_send_from(struct net_device *dev, struct netbuf *b,
		   const u8 to[LINK_ADDR_MAX],
		   const struct socket *from __unused)
{
	assert_true(netbuf_headroom(b) >= ETH_HEADER);
	assert_true(netbuf_headroom(b) + b->len <= b->cap);
	netbuf_set_dev(b, dev);
	memcpy(rig.sent_to, to, LINK_ADDR_MAX);
	list_add_tail(&b->node, &rig.sent);
	rig.nr_sent++;
	return 0;
}
int link_mc_join(struct net_device *dev __unused,
		 const u8 mac[ETH_ALEN] __unused)
{
	return 0;
}
void link_mc_leave(struct net_device *dev __unused,
		   const u8 mac[ETH_ALEN] __unused)
{
}

/* --- sockets */

static void got(struct ip_packet *p)
{
	rig.last_len = p->b->len;
	memcpy(rig.last_data, p->b->data, p->b->len);
	netbuf_free(p->b);
}
void udp_wire_input(struct net_ns *net __unused, struct ip_packet *p)
{
	rig.nr_udp++;
	got(p);
}
void tcp_input(struct net_ns *net __unused, struct ip_packet *p)
{
	rig.nr_tcp++;
	got(p);
}
void icmp_wire_input(struct net_ns *net, struct ip_packet *p)
{
	rig.nr_icmp++;
	if (p->proto == IPPROTO_ICMPV6 && p->b->len >= 8) {
		if (p->b->data[0] >= ND_ROUTER_SOLICIT &&
		    p->b->data[0] <= ND_NEIGHBOR_ADVERT)
			ndp_input(net, p);
		else if (p->b->data[0] == MLD_QUERY)
			mld_input(net, p);
	} else if (p->proto == IPPROTO_ICMP && p->b->len >= 8) {
		const u8 *h = p->b->data;
		struct icmp_report e = { .from = p->src,
					 .err = ECONNREFUSED,
					 .hard = true };

		if (h[0] == 3)
			icmp_told(net, &e, true, h + 8, p->b->len - 8);
	}
	got(p);
}
void tcp_path_error(struct net_ns *net __unused, const u8 src[16] __unused,
		    const u8 dst[16] __unused, const u8 *seg, u32 len, int err,
		    u32 mtu __unused)
{
	static u8 sink[65536];

	assert_true(len >= 8);
	memcpy(sink, seg, len);
	rig.last_err = (u32)-err;
}
void udp_told(struct net_ns *net __unused, const struct icmp_report *e,
	      u8 proto __unused, const u8 src[16] __unused,
	      const u8 dst[16] __unused, const u8 *p __unused, u32 n)
{
	assert_true(n >= 8);
	rig.last_err = e->err;
}
void ping_told(struct net_ns *net __unused, const struct icmp_report *e,
	       u8 proto __unused, const u8 src[16] __unused,
	       const u8 dst[16] __unused, const u8 *p __unused, u32 n)
{
	assert_true(n >= 8);
	rig.last_err = e->err;
}
void raw_told(struct net_ns *net __unused, const struct icmp_report *e __unused,
	      u8 proto __unused, const u8 src[16] __unused,
	      const u8 dst[16] __unused, const u8 *p __unused, u32 n __unused)
{
}
bool raw_hear(struct net_ns *net __unused, u8 proto __unused,
	      const struct inet_buf *b __unused)
{
	return false;
}

/* --- for tests */

void rig_ip(const char *text, u8 ip[16])
{
	u8 v4[4];

	if (inet_pton(AF_INET6, text, ip) == 1)
		return;
	assert_int_equal(inet_pton(AF_INET, text, v4), 1);
	ip_set_v4(ip, v4);
}

int rig_addr(struct net_device *dev, const char *text, u32 prefix)
{
	struct if_addr a = {
		.dev = dev,
		.prefix = (u8)prefix,
		.valid_until = ~0ull,
		.preferred_until = ~0ull,
	};

	rig_ip(text, a.ip);
	a.family = ip_is_v4(a.ip) ? AF_INET : 10;
	if (ip_is_link_local(a.ip))
		a.scope = RT_SCOPE_LINK;
	return if_addr_add(&a);
}

void link_for_each(struct net_ns *net __unused,
		   void (*fn)(struct net_device *dev, void *arg), void *arg)
{
	for (u32 i = 0; i < RIG_DEVS; i++)
		fn(&rig.dev[i], arg);
}

void rig_begin(void)
{
	static bool once;

	if (!once)
		assert_int_equal(host_run_initcalls(INIT_CORE), 0);
	once = true;
	memset(&rig, 0, sizeof(rig));
	list_init(&rig.sent);
	rig.now = 1000 * NSEC_PER_SEC;
	for (u32 i = 0; i < RIG_DEVS; i++) {
		struct net_device *d = &rig.dev[i];

		d->refs = 1;
		d->index = (s32)i + 1;
		d->registered = d->carrier = true;
		d->net = &rig.net;
		memcpy(d->conf, (u32[NET_NR_CONF])NET_CONF_DEFAULT,
		       sizeof(d->conf));
		d->mtu = i ? 1500 : 65536;
		d->type = i ? ARPHRD_ETHER : ARPHRD_LOOPBACK;
		d->flags = IFF_UP | (i ? IFF_BROADCAST : IFF_LOOPBACK);
		snprintf(d->name, sizeof(d->name), i ? "eth%u" : "lo", i - 1);
		memcpy(d->mac, (u8[]){ 2, 0, 0, 0, 0, (u8)i }, 6);
		route_link_changed(d, true);
	}
}

void rig_drop_sent(void)
{
	struct netbuf *b;

	while ((b = rig_sent()))
		netbuf_free(b);
}

struct netbuf *rig_sent(void)
{
	struct netbuf *b =
		list_first_entry_or_null(&rig.sent, struct netbuf, node);

	if (b)
		list_del(&b->node);
	return b;
}

void rig_end(void)
{
	for (u32 i = 0; i < RIG_DEVS; i++) {
		rig.dev[i].flags &= ~IFF_UP;
		route_link_changed(&rig.dev[i], false);
		route_link_gone(&rig.dev[i]);
	}
	rig_pass(60 * NSEC_PER_SEC); /* fragments time out */
	rig_drop_sent();
	route_net_end(&rig.net);
	for (u32 i = 0; i < RIG_DEVS; i++)
		assert_int_equal(rig.dev[i].refs, 1);
	assert_int_equal(rig.nr_netbufs, 0);
}

void link_input(struct net_device *dev, struct netbuf *b)
{
	netbuf_set_dev(b, dev);
	if (b->proto == ETH_P_IP)
		ip4_input(&rig.net, b);
	else if (b->proto == ETH_P_IPV6)
		ip6_input(&rig.net, b);
	else
		arp_input(&rig.net, b);
}

void rig_arrive(struct net_device *dev, u16 proto, const void *p, u32 n)
{
	struct netbuf *b = netbuf_alloc(ETH_HEADER, n);

	memcpy(netbuf_put(b, n), p, n);
	b->proto = proto;
	link_input(dev, b);
	run_works();
}
