/* SPDX-License-Identifier: MIT */
/*
 * drivers/net/macb_phy.c - the PHY behind a Cadence GEM.
 *
 * IEEE 802.3, clause 22: what every PHY has.  It negotiates by itself; we say what we
 * can do, and look at what came of it.
 *
 * Context: any, one at a time (gem->conf, or the timer while it is armed).
 */
#include <drivers/net/macb.h>

#include <drivers/net/macb_regs.h>
#include <kernel/time/clock.h>

/* Registers [22.2.4] and their bits */
#define MII_BMCR	    0u
#define MII_BMCR_RESTART_AN BIT(9)
#define MII_BMCR_ISOLATE    BIT(10)
#define MII_BMCR_POWER_DOWN BIT(11)
#define MII_BMCR_AN	    BIT(12)
#define MII_BMSR	    1u
#define MII_BMSR_LINK	    BIT(2) /* since it was read last */
#define MII_BMSR_AN_DONE    BIT(5)
#define MII_BMSR_HAS_1000   BIT(8) /* MII_STAT1000 exists */
#define MII_ID1		    2u
#define MII_ID2		    3u
#define MII_ADVERTISE	    4u
#define MII_PARTNER	    5u
#define MII_802_3	    1u
#define MII_10_HALF	    BIT(5)
#define MII_10_FULL	    BIT(6)
#define MII_100_HALF	    BIT(7)
#define MII_100_FULL	    BIT(8)
#define MII_CTRL1000	    9u
#define MII_CTRL1000_FULL   BIT(9)
#define MII_CTRL1000_HALF   BIT(8)
#define MII_STAT1000	    10u
#define MII_STAT1000_FULL   BIT(11)

#define ADVERTISED                                                    \
	((u16)(MII_802_3 | MII_10_HALF | MII_10_FULL | MII_100_HALF | \
	       MII_100_FULL))

#define NR_PHYS	     32u
#define MDIO_WAIT_NS (1 * NSEC_PER_MSEC) /* 64 bits at 1 MHz, and some more */

/* ---- one register */

static bool idle(const struct gem *g)
{
	u64 deadline = clock_mono_ns() + MDIO_WAIT_NS;

	while (!(gem_rd(g, GEM_NSR) & GEM_NSR_MDIO_IDLE)) {
		if (clock_mono_ns() > deadline)
			return false;
	}
	return true;
}

static bool command(const struct gem *g, u32 op, u32 phy, u32 reg, u16 data)
{
	if (!idle(g))
		return false;
	gem_wr(g, GEM_MAN,
	       op | (u32)(FIELD_PREP(GEM_MAN_PHY, phy) |
			  FIELD_PREP(GEM_MAN_REG, reg) | data));
	return idle(g);
}

/* All ones when nobody answers, as on the wire. */
static u16 phy_read(const struct gem *g, u32 phy, u32 reg)
{
	if (!command(g, GEM_MAN_READ, phy, reg, 0))
		return 0xffff;
	return (u16)FIELD_GET(GEM_MAN_DATA, gem_rd(g, GEM_MAN));
}

static void phy_write(const struct gem *g, u32 reg, u16 v)
{
	(void)command(g, GEM_MAN_WRITE, g->phy, reg, v);
}

/* ---- which */

static bool is_there(const struct gem *g, u32 phy)
{
	u16 id1 = phy_read(g, phy, MII_ID1), id2 = phy_read(g, phy, MII_ID2);

	return !(id1 == 0xffff && id2 == 0xffff) && (id1 || id2);
}

void gem_phy_find(struct gem *g, u32 hint)
{
	g->phy = GEM_NO_PHY;
	if (hint < NR_PHYS && is_there(g, hint)) {
		g->phy = hint;
		return;
	}
	for (u32 phy = 0; phy < NR_PHYS; phy++) {
		if (is_there(g, phy)) {
			g->phy = phy;
			return;
		}
	}
}

/* ---- negotiation */

/* True: it has to negotiate anew. */
static bool advertise(const struct gem *g)
{
	bool changed = false;
	u16 v;

	if (phy_read(g, g->phy, MII_ADVERTISE) != ADVERTISED) {
		phy_write(g, MII_ADVERTISE, ADVERTISED);
		changed = true;
	}
	if (!(phy_read(g, g->phy, MII_BMSR) & MII_BMSR_HAS_1000))
		return changed;
	v = phy_read(g, g->phy, MII_CTRL1000);
	if (!(v & MII_CTRL1000_FULL) || (v & MII_CTRL1000_HALF)) {
		v = (u16)((v | MII_CTRL1000_FULL) & ~MII_CTRL1000_HALF);
		phy_write(g, MII_CTRL1000, v);
		changed = true;
	}
	return changed;
}

void gem_phy_start(const struct gem *g)
{
	u16 bmcr;

	if (g->phy == GEM_NO_PHY)
		return;
	bmcr = phy_read(g, g->phy, MII_BMCR);
	if (!advertise(g) && (bmcr & MII_BMCR_AN) &&
	    !(bmcr & (MII_BMCR_ISOLATE | MII_BMCR_POWER_DOWN)))
		return;
	bmcr = (u16)(bmcr & ~(MII_BMCR_ISOLATE | MII_BMCR_POWER_DOWN));
	phy_write(g, MII_BMCR, (u16)(bmcr | MII_BMCR_AN | MII_BMCR_RESTART_AN));
}

/* The best that both said [28.2.3.3]. */
static void resolve(const struct gem *g, u16 bmsr, struct gem_link *l)
{
	u16 both = phy_read(g, g->phy, MII_ADVERTISE) &
		   phy_read(g, g->phy, MII_PARTNER);

	if ((bmsr & MII_BMSR_HAS_1000) &&
	    (phy_read(g, g->phy, MII_CTRL1000) & MII_CTRL1000_FULL) &&
	    (phy_read(g, g->phy, MII_STAT1000) & MII_STAT1000_FULL)) {
		l->speed = 1000;
		l->full_duplex = true;
	} else if (both & (MII_100_FULL | MII_100_HALF)) {
		l->speed = 100;
		l->full_duplex = both & MII_100_FULL;
	} else {
		l->speed = 10;
		l->full_duplex = both & MII_10_FULL;
	}
}

/* Without a PHY to ask, as MACs that are wired to each other: the best there is. */
struct gem_link gem_phy_link(const struct gem *g)
{
	struct gem_link l = { .up = true, .full_duplex = true, .speed = 1000 };
	u16 bmsr;

	if (g->phy == GEM_NO_PHY)
		return l;
	bmsr = phy_read(g, g->phy, MII_BMSR);
	if (!(bmsr & MII_BMSR_LINK)) /* it was lost meanwhile: and now? */
		bmsr = phy_read(g, g->phy, MII_BMSR);
	l.up = bmsr != 0xffff && (bmsr & MII_BMSR_LINK) &&
	       (bmsr & MII_BMSR_AN_DONE);
	if (l.up)
		resolve(g, bmsr, &l);
	return l;
}
