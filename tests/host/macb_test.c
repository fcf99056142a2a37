/* SPDX-License-Identifier: MIT */
/* sources: drivers/net/macb_ring.c drivers/net/macb_io.c drivers/net/macb_phy.c */
/* sources: net/link/netbuf.c tests/host/fake/locks.c lib/string.c */
/*
 * tests/host/macb_test.c - the GEM's driver against registers that are memory, rings
 * that the test plays the device of, and a PHY of some numbers.
 */
#include <tests/host/cmocka.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <drivers/net/macb.h>
#include <drivers/net/macb_regs.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

/* ---- the kernel */

static u32 nr_alive, nr_until_none = ~0u, nr_ready, nr_carrier;
static u64 now;
static bool armed;
static struct netbuf *got[512];
static u32 nr_got;

void *kmalloc(size_t size)
{
	if (!nr_until_none)
		return NULL;
	nr_until_none -= nr_until_none != ~0u;
	nr_alive++;
	return malloc(size);
}

void kfree(const void *p)
{
	nr_alive -= p != NULL;
	free((void *)(uintptr_t)p);
}

paddr_t virt_to_phys(const void *va)
{
	return (paddr_t)(uintptr_t)va;
}

u64 clock_mono_ns(void)
{
	return now += 100;
}

void udelay(u32 us)
{
	now += us * 1000ull;
}

void log_printf(enum log_level level, const char *fmt, ...)
{
}

bool log_may(struct log_ratelimit *rl)
{
	return true;
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *), void *arg)
{
	*t = (struct ktimer){ .fn = fn, .arg = arg };
	armed = false;
}

void ktimer_arm(struct ktimer *t, u64 deadline_ns)
{
	armed = true;
}

bool ktimer_cancel(struct ktimer *t)
{
	armed = false;
	return true;
}

u64 clk_rate(const struct clk *clk)
{
	return 125125000;
}

struct net_device *netdev_get(struct net_device *dev)
{
	return dev;
}

void netdev_put(struct net_device *dev)
{
}

void netdev_rx(struct net_device *dev, struct netbuf *b)
{
	got[nr_got++] = b;
}

void netdev_tx_ready(struct net_device *dev)
{
	nr_ready++;
}

static bool kick_later; /* a batch is open */

bool netdev_kick_later(struct net_device *dev)
{
	return kick_later;
}

void netdev_carrier(struct net_device *dev, bool on)
{
	dev->carrier = on;
	nr_carrier++;
}

/* ---- the device */

static u8 regs[GEM_REGS_SIZE] __attribute__((aligned(4096)));
static u8 mgmt[16];
static u16 phy_regs[32];
static u32 phy_at, nr_restarts;
static bool mdio_hangs;

static u32 *reg(u32 r)
{
	return (u32 *)(void *)(regs + r);
}

static void mdio(u32 v)
{
	u32 phy = (u32)FIELD_GET(GEM_MAN_PHY, v);
	u32 r = (u32)FIELD_GET(GEM_MAN_REG, v);

	if ((v & 0xf0020000u) == GEM_MAN_READ) {
		*reg(GEM_MAN) = (v & 0xffff0000u) |
				(phy == phy_at ? phy_regs[r] : 0xffff);
	} else if (phy == phy_at) {
		assert_int_equal(v & 0xf0020000u, GEM_MAN_WRITE);
		phy_regs[r] = (u16)v;
		nr_restarts += r == 0 && (v & BIT(9));
	}
}

void host_mmio_write(volatile void *a, u32 bytes)
{
	u32 r = (u32)((volatile u8 *)a - regs);

	assert_int_equal(bytes, 4);
	if (r == GEM_MAN) {
		assert_true(*reg(GEM_NCR) & GEM_NCR_MDIO);
		mdio(*reg(r));
	}
	if (r == GEM_ISR || r == GEM_TSR || r == GEM_RSR)
		*reg(r) = 0;
}

void host_mmio_read(volatile void *a, u32 bytes)
{
	*reg(GEM_NSR) = mdio_hangs ? 0 : (u32)GEM_NSR_MDIO_IDLE;
}

/* ---- rig */

static struct gem *g;
static u32 *words;

static const struct net_device_ops no_ops;

static void rig(bool addr64)
{
	size_t size = gem_ring_bytes(GEM_RX_NR, addr64);

	g = calloc(1, sizeof(*g));
	words = aligned_alloc(4096, 4096 * 4);
	memset(words, 0, 4096 * 4);
	memset(regs, 0, sizeof(regs));
	memset(mgmt, 0xff, sizeof(mgmt));
	memset(phy_regs, 0, sizeof(phy_regs));
	phy_regs[1] = BIT(2) | BIT(5) | BIT(8); /* link, done, has more */
	phy_regs[2] = 7;
	phy_regs[3] = 0x771;
	phy_regs[5] = 0xcde1;
	phy_regs[10] = BIT(11);
	phy_at = 3;
	nr_restarts = 0;
	mdio_hangs = false;
	nr_got = nr_ready = nr_carrier = 0;
	nr_until_none = ~0u;
	g->regs = regs;
	g->mgmt = mgmt;
	g->has_clk = true;
	g->addr64 = addr64;
	g->nd.priv = g;
	g->nd.ops = &no_ops;
	memcpy(g->nd.mac, "\x52\x54\0\1\2\3", ETH_ALEN);
	gem_ring_init(&g->rx, words, calloc(GEM_RX_NR, sizeof(void *)),
		      GEM_RX_NR, addr64);
	gem_ring_init(&g->tx, words + size / 4,
		      calloc(GEM_TX_NR, sizeof(void *)), GEM_TX_NR, addr64);
	g->dummy = words + size / 2;
	*reg(GEM_DCFG1) = 2u << 25;
	gem_io_init(g);
	gem_phy_find(g, 3);
	assert_int_equal(g->phy, 3);
	assert_int_equal(gem_start(g), 0);
}

static void end(void)
{
	for (u32 i = 0; i < nr_got; i++)
		netbuf_free(got[i]);
	nr_got = 0;
	gem_halt(g);
	assert_false(armed);
	assert_int_equal(nr_alive, 0);
	assert_false(*reg(GEM_NCR) & (GEM_NCR_RX | GEM_NCR_TX));
	free(g->rx.nb);
	free(g->tx.nb);
	free(words);
	free(g);
}

static u32 *rxd(u32 i)
{
	return g->rx.words + i * g->rx.stride;
}

static u8 *rx_memory(u32 i)
{
	u64 at = rxd(i)[GEM_D_ADDR] & GEM_RX_ADDR;

	at |= (u64)rxd(i)[GEM_D_ADDRH] << 32;
	return (u8 *)(uintptr_t)at;
}

/* The device fills descriptor @i. */
static void dev_rx(u32 i, u32 len, u32 ctrl)
{
	assert_false(rxd(i)[GEM_D_ADDR] & GEM_RX_USED);
	assert_int_equal(!!(rxd(i)[GEM_D_ADDR] & GEM_RX_WRAP),
			 i == GEM_RX_NR - 1);
	memset(rx_memory(i), 0xee, 2);
	if (len <= GEM_RX_BUF - 2)
		memset(rx_memory(i) + 2, (int)i, len);
	rxd(i)[GEM_D_CTRL] = ctrl | (len & (u32)GEM_RX_LEN);
	rxd(i)[GEM_D_ADDR] |= (u32)GEM_RX_USED;
}

#define WHOLE ((u32)(GEM_RX_FIRST | GEM_RX_LAST))

static void interrupt(u32 isr)
{
	*reg(GEM_ISR) = isr;
	assert_true(gem_interrupt(g));
}

/* ---- tests */

static void set_up(void **state)
{
	u32 ncfgr;

	rig(true);
	assert_int_equal(nr_alive, GEM_RX_NR);
	assert_true(g->nd.carrier);
	assert_int_equal(g->nd.speed, 1000);
	assert_true(g->nd.full_duplex);
	ncfgr = *reg(GEM_NCFGR);
	assert_true(ncfgr & GEM_NCFGR_1000);
	assert_true(ncfgr & GEM_NCFGR_FULL_DUPLEX);
	assert_int_equal(FIELD_GET(GEM_NCFGR_MDC, ncfgr), 4); /* by 64 */
	assert_int_equal(FIELD_GET(GEM_NCFGR_BUS_WIDTH, ncfgr), 1);
	assert_int_equal(FIELD_GET(GEM_DMACFG_RX_BUF, *reg(GEM_DMACFG)), 25);
	assert_true(*reg(GEM_DMACFG) & GEM_DMACFG_ADDR64);
	assert_int_equal(*reg(GEM_SA1B), 0x01005452);
	assert_int_equal(*reg(GEM_SA1T), 0x0302);
	assert_int_equal(*(u32 *)(void *)mgmt, GEMGXL_CLK_PLL);
	assert_int_equal(*reg(GEM_RBQP), (u32)(uintptr_t)g->rx.words);
	assert_int_equal(*reg(GEM_RBQPH), (uintptr_t)g->rx.words >> 32);
	assert_true(*reg(GEM_NCR) & GEM_NCR_RX);
	assert_true(*reg(GEM_NCR) & GEM_NCR_TX);
	assert_true(armed);
	/* advertised is what we can; 1000 half is not */
	assert_int_equal(phy_regs[4], 0x1e1);
	assert_int_equal(phy_regs[9], BIT(9));
	assert_int_equal(nr_restarts, 1);
	gem_phy_start(g);
	assert_int_equal(nr_restarts, 1); /* it has done so */
	end();
}

static void receives(void **state)
{
	rig(true);
	for (u32 i = 0; i < 3 * GEM_RX_NR; i++) {
		u32 at = i % GEM_RX_NR;

		dev_rx(at, 60 + at, WHOLE | (at == 5 ? 2u << 22 : 0));
		interrupt((u32)GEM_INT_RX);
		assert_int_equal(nr_got, 1);
		assert_int_equal(got[0]->len, 60 + at);
		assert_int_equal(got[0]->data[0], (u8)at);
		assert_int_equal((uintptr_t)(got[0]->data + 14) % 4, 0);
		assert_int_equal(got[0]->flags, at == 5 ? NETBUF_CSUM_GOOD : 0);
		netbuf_free(got[0]);
		nr_got = 0;
	}
	assert_int_equal(nr_alive, GEM_RX_NR);
	/* a ring's worth at once is all that one call takes */
	for (u32 i = 0; i < GEM_RX_NR; i++)
		dev_rx(i, 100, WHOLE);
	interrupt((u32)GEM_INT_RX);
	assert_int_equal(nr_got, GEM_RX_NR);
	end();
}

static void refuses_nonsense(void **state)
{
	static const u32 lens[] = { 0, 13, GEM_RX_BUF - 1, 0x1fff };

	rig(true);
	for (u32 i = 0; i < ARRAY_SIZE(lens); i++)
		dev_rx(i, lens[i], WHOLE);
	dev_rx(4, 100, (u32)GEM_RX_FIRST);
	dev_rx(5, 100, (u32)GEM_RX_LAST);
	dev_rx(6, 100, 0);
	dev_rx(7, 100, WHOLE);
	interrupt((u32)GEM_INT_RX);
	assert_int_equal(nr_got, 1);
	assert_int_equal(g->nd.stats.rx_errors, 7);
	assert_int_equal(nr_alive, GEM_RX_NR + 1);
	end();
}

/* A frame is dropped, its buffer stays: the ring is never without. */
static void no_memory(void **state)
{
	rig(true);
	nr_until_none = 0;
	for (u32 i = 0; i < 2 * GEM_RX_NR; i++) {
		dev_rx(i % GEM_RX_NR, 100, WHOLE);
		interrupt((u32)GEM_INT_RX);
	}
	assert_int_equal(nr_got, 0);
	assert_int_equal(g->nd.stats.rx_dropped, 2 * GEM_RX_NR);
	nr_until_none = ~0u;
	dev_rx(0, 100, WHOLE);
	interrupt((u32)GEM_INT_RX);
	assert_int_equal(nr_got, 1);
	netbuf_free(got[0]);
	nr_got = 0;
	gem_halt(g);
	nr_until_none = 100;
	assert_int_equal(gem_start(g), -ENOMEM);
	assert_int_equal(nr_alive, 0);
	nr_until_none = ~0u;
	assert_int_equal(gem_start(g), 0);
	end();
}

static u32 *txd(u32 i)
{
	return g->tx.words + i * g->tx.stride;
}

static struct netbuf *frame(u32 len)
{
	struct netbuf *b = netbuf_alloc(NETBUF_HEADROOM, len);

	memset(netbuf_put(b, len), 9, len);
	return b;
}

static void sends(void **state)
{
	u32 sent = 0, nr = 0;
	struct netbuf *b;

	rig(true);
	nr_ready = 0;
	for (;;) {
		b = frame(60);
		if (!gem_xmit(&g->nd, b))
			break;
		assert_true(*reg(GEM_NCR) & GEM_NCR_TSTART);
		assert_int_equal(txd(nr)[GEM_D_CTRL] & ~(u32)GEM_TX_WRAP,
				 GEM_TX_LAST | 60);
		nr++;
	}
	/* the last one ends the ring */
	assert_int_equal(nr, GEM_TX_NR - 1);
	assert_true(txd(nr)[GEM_D_CTRL] & GEM_TX_USED);
	assert_true(txd(GEM_TX_NR - 1)[GEM_D_CTRL] & GEM_TX_WRAP);
	assert_int_equal(*reg(GEM_IER), GEM_INT_TX);
	while (sent < GEM_TX_NR / 4 - 2)
		txd(sent++)[GEM_D_CTRL] |= (u32)GEM_TX_USED;
	interrupt((u32)GEM_INT_TX);
	assert_int_equal(nr_ready, 0);
	txd(sent++)[GEM_D_CTRL] |= (u32)(GEM_TX_USED | BIT(29));
	interrupt((u32)GEM_INT_TX);
	assert_int_equal(nr_ready, 1);
	assert_int_equal(g->nd.stats.tx_errors, 1);
	assert_int_equal(*reg(GEM_IDR), GEM_INT_TX);
	assert_true(gem_xmit(&g->nd, b));
	/* too long for a descriptor */
	assert_true(gem_xmit(&g->nd, frame(20000)));
	assert_int_equal(g->nd.stats.tx_errors, 2);
	end();
	assert_int_equal(nr_alive, 0);
}

/* Of a batch it is told once, at the end; of nothing never. */
static void is_told_once(void **state)
{
	rig(true);
	*reg(GEM_NCR) = g->ncr;
	gem_kick(&g->nd);
	assert_false(*reg(GEM_NCR) & GEM_NCR_TSTART);
	kick_later = true;
	assert_true(gem_xmit(&g->nd, frame(60)));
	assert_true(gem_xmit(&g->nd, frame(60)));
	assert_false(*reg(GEM_NCR) & GEM_NCR_TSTART);
	gem_kick(&g->nd);
	assert_true(*reg(GEM_NCR) & GEM_NCR_TSTART);
	kick_later = false;
	end();
}

/* It stopped although there is more. */
static void is_told_again(void **state)
{
	rig(true);
	assert_true(gem_xmit(&g->nd, frame(60)));
	*reg(GEM_NCR) = g->ncr;
	*reg(GEM_TSR) = (u32)GEM_TSR_GO;
	interrupt((u32)GEM_INT_TX_USED);
	assert_false(*reg(GEM_NCR) & GEM_NCR_TSTART);
	*reg(GEM_TSR) = 0;
	interrupt((u32)GEM_INT_TX_USED);
	assert_true(*reg(GEM_NCR) & GEM_NCR_TSTART);
	end();
}

static void starts_again(void **state)
{
	rig(true);
	for (u32 i = 0; i < 7; i++) {
		dev_rx(i, 100, WHOLE);
		assert_true(gem_xmit(&g->nd, frame(60)));
	}
	interrupt((u32)(GEM_INT_RX | GEM_INT_TX_BUS));
	assert_int_equal(nr_got, 7);
	assert_int_equal(g->nr_resets, 1);
	assert_int_equal(g->tx.in_flight, 0);
	dev_rx(0, 100, WHOLE); /* from the beginning */
	interrupt((u32)GEM_INT_RX);
	assert_int_equal(nr_got, 8);
	assert_true(gem_xmit(&g->nd, frame(60)));
	assert_false(txd(0)[GEM_D_CTRL] & GEM_TX_USED);
	end();
}

static void watch(void)
{
	now += 2 * NSEC_PER_SEC;
	g->timer.fn(&g->timer);
	assert_true(armed);
}

static void follows_the_link(void **state)
{
	rig(true);
	phy_regs[1] &= (u16)~BIT(2);
	watch();
	assert_false(g->nd.carrier);
	assert_int_equal(g->nd.speed, 0);
	phy_regs[1] |= BIT(2);
	phy_regs[10] = 0;
	watch();
	assert_true(g->nd.carrier);
	assert_int_equal(g->nd.speed, 100);
	assert_true(*reg(GEM_NCFGR) & GEM_NCFGR_100);
	assert_false(*reg(GEM_NCFGR) & GEM_NCFGR_1000);
	assert_int_equal(*(u32 *)(void *)mgmt, GEMGXL_CLK_PHY);
	phy_regs[5] = 1 | BIT(5);
	nr_carrier = 0;
	watch();
	assert_int_equal(g->nd.speed, 10);
	assert_false(g->nd.full_duplex);
	assert_int_equal(nr_carrier, 0);
	/* a bus that hangs is a link that is down */
	mdio_hangs = true;
	watch();
	assert_false(g->nd.carrier);
	end();
}

static void finds_the_phy(void **state)
{
	rig(true);
	phy_at = 17;
	gem_phy_find(g, 3);
	assert_int_equal(g->phy, 17);
	phy_at = 99;
	gem_phy_find(g, 3);
	assert_int_equal(g->phy, GEM_NO_PHY);
	assert_true(gem_phy_link(g).up);
	end();
}

static void sender_is_stuck(void **state)
{
	struct netbuf *b;

	rig(true);
	while (gem_xmit(&g->nd, b = frame(60)))
		;
	nr_ready = 0;
	watch();
	assert_int_equal(g->nr_resets, 0);
	watch();
	watch();
	assert_int_equal(g->nr_resets, 1);
	assert_int_equal(nr_ready, 1);
	assert_true(gem_xmit(&g->nd, b));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_up),
		cmocka_unit_test(receives),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(sends),
		cmocka_unit_test(is_told_once),
		cmocka_unit_test(is_told_again),
		cmocka_unit_test(starts_again),
		cmocka_unit_test(follows_the_link),
		cmocka_unit_test(finds_the_phy),
		cmocka_unit_test(sender_is_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
