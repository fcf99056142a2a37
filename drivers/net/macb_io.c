/* SPDX-License-Identifier: MIT */
/*
 * drivers/net/macb_io.c - a Cadence GEM at work: up, down, frames, the link.
 *
 * An interface that is down has a device that neither receives nor sends, and no
 * frame in the rings.  Going up programs all of it anew.
 *
 * What was sent is freed by the next xmit(); the interrupt for it is on only while
 * somebody waits for room.  The device may overlook that it was told to send when it
 * just finished: the interrupt for "nothing more to send" looks whether that is true.
 *
 * While the interface is up a timer looks at the PHY, and at a sender that does not
 * send.
 *
 * Locking: gem->lock for rings and registers; net/ is called without it.
 * Not here: descriptors (macb_ring.c), the PHY (macb_phy.c), probe (macb.c).
 */
#include <drivers/net/macb.h>

#include <drivers/net/macb_regs.h>
#include <kernel/log.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define LINK_LOOK_NS  (1 * NSEC_PER_SEC)
#define TX_TIMEOUT_NS (5 * NSEC_PER_SEC)
#define HALT_US	      1000u

#define INT_RX	   ((u32)(GEM_INT_RX | GEM_INT_RX_USED | GEM_INT_RX_OVR))
#define INT_TX_BAD ((u32)(GEM_INT_TX_UND | GEM_INT_TX_RLE | GEM_INT_TX_BUS))
#define INT_ALWAYS (INT_RX | INT_TX_BAD | (u32)(GEM_INT_TX_USED | GEM_INT_BUS))
#define INT_ALL	   ~0u

/* pclk / div <= 2.5 MHz, by its field's value */
static const u32 mdc_div[] = { 8, 16, 32, 48, 64, 96, 128, 224 };
#define MDC_HZ	   2500000ull
#define USUAL_PCLK 125000000ull

static struct gem *gem_of(struct net_device *dev)
{
	return dev->priv;
}

/* ---- set-up */

static u32 mdc_field(const struct gem *g)
{
	u64 hz = g->has_clk ? clk_rate(&g->pclk) : 0;
	u32 i = 0;

	if (!hz)
		hz = USUAL_PCLK;
	while (i + 1 < ARRAY_SIZE(mdc_div) && hz / mdc_div[i] > MDC_HZ)
		i++;
	return i;
}

/* Groups are not told one by one: the filter lets all of them through. */
static u32 usual_ncfgr(const struct gem *g)
{
	u32 words = (u32)FIELD_GET(GEM_DCFG1_BUS_WIDTH, gem_rd(g, GEM_DCFG1));

	return (u32)(GEM_NCFGR_1536 | GEM_NCFGR_MULTI_HASH | GEM_NCFGR_NO_FCS |
		     GEM_NCFGR_NO_PAUSE | GEM_NCFGR_RX_CSUM |
		     FIELD_PREP(GEM_NCFGR_RX_OFFSET, GEM_RX_OFFSET) |
		     FIELD_PREP(GEM_NCFGR_MDC, mdc_field(g)) |
		     FIELD_PREP(GEM_NCFGR_BUS_WIDTH, words >> 1));
}

static u32 dmacfg(const struct gem *g)
{
	u32 v = gem_rd(g, GEM_DMACFG);

	v &= (u32) ~(GEM_DMACFG_BURST | GEM_DMACFG_SWAPS | GEM_DMACFG_TX_CSUM |
		     GEM_DMACFG_RX_BUF | GEM_DMACFG_EXT | GEM_DMACFG_ADDR64);
	v |= (u32)(FIELD_PREP(GEM_DMACFG_BURST, 16) | GEM_DMACFG_RX_FIFO |
		   GEM_DMACFG_TX_FIFO |
		   FIELD_PREP(GEM_DMACFG_RX_BUF, GEM_RX_BUF / 64));
	return v | (g->addr64 ? (u32)GEM_DMACFG_ADDR64 : 0);
}

static void write_ncr(struct gem *g, u32 v)
{
	g->ncr = v;
	gem_wr(g, GEM_NCR, v);
}

static void ack_interrupts(const struct gem *g)
{
	u32 isr = gem_rd(g, GEM_ISR);

	if (!g->read_clears)
		gem_wr(g, GEM_ISR, isr);
}

/* It finishes the frame that it has begun, if it can. */
static void quiesce(struct gem *g)
{
	write_ncr(g, (u32)GEM_NCR_MDIO);
	for (u32 us = 0; us < HALT_US && (gem_rd(g, GEM_TSR) & GEM_TSR_GO);
	     us += 10)
		udelay(10);
	gem_wr(g, GEM_IDR, INT_ALL);
	gem_wr(g, GEM_TSR, INT_ALL);
	gem_wr(g, GEM_RSR, INT_ALL);
	ack_interrupts(g);
}

static void set_base(const struct gem *g, u32 low, u32 high, const u32 *words)
{
	busaddr_t at = virt_to_phys(words);

	gem_wr(g, low, (u32)at);
	if (g->addr64)
		gem_wr(g, high, (u32)(at >> 32));
}

/* Queues that we do not use find a descriptor that says so.  (The upper halves of
 * their addresses are the first queue's: all lie in one block.) */
static void set_other_queues(const struct gem *g)
{
	u32 there = (u32)FIELD_GET(GEM_DCFG6_QUEUES, gem_rd(g, GEM_DCFG6));
	busaddr_t at = virt_to_phys(g->dummy);

	for (u32 q = 1; q < GEM_MAX_QUEUES; q++) {
		if (!(there & BIT(q - 1)))
			continue;
		gem_wr(g, GEM_IDR_OF(q), INT_ALL);
		gem_wr(g, GEM_TBQP_OF(q), (u32)at);
		gem_wr(g, GEM_RBQP_OF(q), (u32)at);
	}
}

void gem_write_mac(const struct gem *g, const u8 mac[ETH_ALEN])
{
	gem_wr(g, GEM_SA1B,
	       (u32)mac[0] | (u32)mac[1] << 8 | (u32)mac[2] << 16 |
		       (u32)mac[3] << 24);
	gem_wr(g, GEM_SA1T, (u32)mac[4] | (u32)mac[5] << 8);
}

static void apply_rx_mode(struct gem *g)
{
	bool all = load_once(&g->nd.flags) & IFF_PROMISC;

	g->ncfgr &= (u32)~GEM_NCFGR_COPY_ALL;
	g->ncfgr |= all ? (u32)GEM_NCFGR_COPY_ALL : 0;
	gem_wr(g, GEM_NCFGR, g->ncfgr);
}

static void program(struct gem *g)
{
	quiesce(g);
	gem_wr(g, GEM_NCR, (u32)(GEM_NCR_MDIO | GEM_NCR_CLRSTAT));
	g->ncfgr = usual_ncfgr(g);
	apply_rx_mode(g);
	gem_wr(g, GEM_DMACFG, dmacfg(g));
	gem_wr(g, GEM_HRB, INT_ALL);
	gem_wr(g, GEM_HRT, INT_ALL);
	gem_write_mac(g, g->nd.mac);
	set_base(g, GEM_RBQP, GEM_RBQPH, g->rx.words);
	set_base(g, GEM_TBQP, GEM_TBQPH, g->tx.words);
	set_other_queues(g);
}

static void run(struct gem *g)
{
	g->up = true;
	g->tx_full = false;
	write_ncr(g, (u32)(GEM_NCR_MDIO | GEM_NCR_RX | GEM_NCR_TX));
	gem_wr(g, GEM_IER, INT_ALWAYS);
}

/* ---- the link */

static u32 speed_bits(const struct gem_link *l)
{
	return (u32)((l->speed == 1000	? GEM_NCFGR_1000
		      : l->speed == 100 ? GEM_NCFGR_100
					: 0) |
		     (l->full_duplex ? GEM_NCFGR_FULL_DUPLEX : 0));
}

static void follow_link(struct gem *g, const struct gem_link *l)
{
	u32 mask =
		(u32)(GEM_NCFGR_1000 | GEM_NCFGR_100 | GEM_NCFGR_FULL_DUPLEX);

	spin_lock(&g->lock);
	if (g->up && l->up) {
		g->ncfgr = (g->ncfgr & ~mask) | speed_bits(l);
		gem_wr(g, GEM_NCFGR, g->ncfgr);
		if (g->mgmt)
			mmio_write32(l->speed == 1000 ? GEMGXL_CLK_PLL
						      : GEMGXL_CLK_PHY,
				     g->mgmt + GEMGXL_CLK);
	}
	spin_unlock(&g->lock);
	store_once(&g->nd.speed, l->up ? l->speed : 0);
	store_once(&g->nd.full_duplex, l->up && l->full_duplex);
}

static void look_at_link(struct gem *g)
{
	struct gem_link l = gem_phy_link(g);
	bool was = load_once(&g->nd.carrier);

	g->looked_ns = clock_mono_ns();
	if (l.up == was &&
	    (!l.up || (l.speed == load_once(&g->nd.speed) &&
		       l.full_duplex == load_once(&g->nd.full_duplex))))
		return;
	follow_link(g, &l);
	/* the first one is expected, and comes just when somebody is at the console */
	if (l.up && !was)
		log_printf(g->lost ? LOG_INFO : LOG_DEBUG,
			   "%s: link is up, %u Mbit/s, %s duplex", g->nd.name,
			   l.speed, l.full_duplex ? "full" : "half");
	else if (!l.up)
		pr_info("%s: link is down", g->nd.name);
	g->lost = !l.up;
	if (l.up != was)
		netdev_carrier(&g->nd, l.up);
}

/* ---- to send */

static void reap(struct gem *g)
{
	struct netbuf *b;
	bool failed;

	assert_held(&g->lock);
	while ((b = gem_tx_sent(&g->tx, &failed))) {
		if (failed)
			atomic_add_relaxed(&g->nd.stats.tx_errors, 1ull);
		netbuf_free(b);
		g->tx_progress_ns = clock_mono_ns();
	}
}

static bool has_room(const struct gem *g)
{
	return g->tx.in_flight <= g->tx.nr - g->tx.nr / 4;
}

/* Who waits may go on: true, once. */
static bool room_again(struct gem *g)
{
	if (!g->tx_full || !has_room(g))
		return false;
	g->tx_full = false;
	gem_wr(g, GEM_IDR, (u32)GEM_INT_TX);
	return true;
}

/* Also when it may have overlooked the last time. */
static void tell_to_send(struct gem *g)
{
	gem_wr(g, GEM_NCR, g->ncr | (u32)GEM_NCR_TSTART);
}

/* Room after all: true. */
static bool mark_full(struct gem *g)
{
	if (!g->tx_full)
		g->tx_progress_ns = clock_mono_ns();
	g->tx_full = true;
	gem_wr(g, GEM_IER, (u32)GEM_INT_TX);
	reap(g); /* what was sent before that raises nothing */
	return room_again(g);
}

static bool add(struct gem *g, struct netbuf *b, bool *bad)
{
	reap(g);
	if (gem_tx_add(&g->tx, b, bad))
		return true;
	return !*bad && mark_full(g) && gem_tx_add(&g->tx, b, bad);
}

void gem_kick(struct net_device *dev)
{
	struct gem *g = gem_of(dev);

	spin_lock(&g->lock);
	if (g->up && g->tx.in_flight)
		tell_to_send(g);
	spin_unlock(&g->lock);
}

bool gem_xmit(struct net_device *dev, struct netbuf *b)
{
	struct gem *g = gem_of(dev);
	bool bad = true, taken = false;

	spin_lock(&g->lock);
	if (g->up)
		taken = add(g, b, &bad);
	spin_unlock(&g->lock);
	if (!bad && !(taken && netdev_kick_later(dev)))
		gem_kick(dev);
	if (taken || !bad)
		return taken;
	atomic_add_relaxed(&dev->stats.tx_errors, 1ull);
	netbuf_free(b);
	return true;
}

/* ---- interrupts */

/* At most a ring's worth; true: there may be more. */
static bool take_frames(struct gem *g, struct list_head *frames)
{
	enum gem_took took = GEM_NOTHING;

	for (u32 n = 0; n < g->rx.nr; n++) {
		struct netbuf *b;

		took = gem_rx_take(&g->rx, &b);
		if (took == GEM_NOTHING)
			return false;
		if (took == GEM_FRAME)
			list_add_tail(&b->node, frames);
		else if (took == GEM_NO_MEM)
			atomic_add_relaxed(&g->nd.stats.rx_dropped, 1ull);
		else
			atomic_add_relaxed(&g->nd.stats.rx_errors, 1ull);
	}
	return true;
}

/* The rings are lost with what was to be sent; what was received stays. */
static void start_again(struct gem *g)
{
	assert_held(&g->lock);
	g->nr_resets++;
	quiesce(g);
	gem_ring_drop(&g->tx);
	gem_tx_reset(&g->tx);
	gem_rx_restart(&g->rx);
	set_base(g, GEM_RBQP, GEM_RBQPH, g->rx.words);
	set_base(g, GEM_TBQP, GEM_TBQPH, g->tx.words);
	run(g);
}

/* True: somebody waits for room, and there is some. */
static bool tx_interrupt(struct gem *g, u32 isr)
{
	bool waited = g->tx_full;

	reap(g);
	if (isr & (INT_TX_BAD | (u32)GEM_INT_BUS)) {
		pr_warn_ratelimited("%s: reset: interrupts %#x", g->nd.name,
				    isr);
		start_again(g);
		return waited;
	}
	if (g->tx.in_flight && !(gem_rd(g, GEM_TSR) & GEM_TSR_GO))
		tell_to_send(g);
	return room_again(g);
}

static bool deliver(struct gem *g, struct list_head *frames)
{
	struct netbuf *b, *next;
	bool any = false;

	list_for_each_entry_safe(b, next, frames, node) {
		list_del(&b->node);
		netdev_rx(&g->nd, b);
		any = true;
	}
	return any;
}

static bool serve(struct gem *g, u32 isr)
{
	bool ready = false, more = false;
	struct list_head frames;

	list_init(&frames);
	spin_lock(&g->lock);
	if (g->up) {
		more = take_frames(g, &frames);
		ready = tx_interrupt(g, isr);
	}
	if (more)
		ktimer_arm(&g->timer, 0);
	spin_unlock(&g->lock);
	(void)deliver(g, &frames);
	if (ready)
		netdev_tx_ready(&g->nd);
	return isr;
}

bool gem_interrupt(void *arg)
{
	struct gem *g = arg;
	u32 isr = gem_rd(g, GEM_ISR);

	if (!isr)
		return false;
	if (!g->read_clears)
		gem_wr(g, GEM_ISR, isr);
	return serve(g, isr);
}

/* ---- the timer */

static bool is_stuck(struct gem *g)
{
	return g->tx_full &&
	       clock_mono_ns() > g->tx_progress_ns + TX_TIMEOUT_NS;
}

static void watch(struct ktimer *t)
{
	struct gem *g = t->arg;
	bool up, ready = false;

	if (clock_mono_ns() >= g->looked_ns + LINK_LOOK_NS)
		look_at_link(g);
	(void)serve(g, 0);
	spin_lock(&g->lock);
	up = g->up;
	if (up && is_stuck(g)) {
		pr_warn_ratelimited("%s: reset: sends nothing for 5 seconds",
				    g->nd.name);
		start_again(g);
		ready = true;
	}
	if (up && !ktimer_armed(t))
		ktimer_arm(t, clock_mono_ns() + LINK_LOOK_NS);
	spin_unlock(&g->lock);
	if (ready)
		netdev_tx_ready(&g->nd);
}

/* ---- up and down */

int gem_start(struct gem *g)
{
	int err = gem_rx_fill(&g->rx);

	if (err)
		return err;
	gem_tx_reset(&g->tx);
	spin_lock(&g->lock);
	program(g);
	run(g);
	spin_unlock(&g->lock);
	gem_phy_start(g);
	look_at_link(g);
	spin_lock(&g->lock);
	ktimer_arm(&g->timer, clock_mono_ns() + LINK_LOOK_NS);
	spin_unlock(&g->lock);
	netdev_tx_ready(&g->nd);
	return 0;
}

void gem_halt(struct gem *g)
{
	spin_lock(&g->lock);
	g->up = false;
	quiesce(g);
	spin_unlock(&g->lock);
	(void)ktimer_cancel(&g->timer); /* it does not arm itself any more */
	gem_ring_drop(&g->rx);
	gem_ring_drop(&g->tx);
	netdev_carrier(&g->nd, false);
	store_once(&g->nd.speed, 0u);
}

void gem_set_rx_mode(struct net_device *dev)
{
	struct gem *g = gem_of(dev);

	spin_lock(&g->lock);
	if (g->up)
		apply_rx_mode(g);
	spin_unlock(&g->lock);
}

void gem_io_init(struct gem *g)
{
	spin_init(&g->lock, "gem", RANK_DEV);
	ktimer_init(&g->timer, watch, g);
	spin_lock(&g->lock);
	quiesce(g);
	g->ncfgr = usual_ncfgr(g);
	gem_wr(g, GEM_NCFGR, g->ncfgr); /* the clock of the PHY's registers */
	spin_unlock(&g->lock);
}
