/* SPDX-License-Identifier: MIT */
/*
 * drivers/net/macb.h - what the files of the Cadence GEM driver share.
 *
 * INVARIANTS
 *   I1  A descriptor of the receive ring that is the device's has a buffer; a buffer
 *	 leaves the ring only when another one takes its place.
 *   I2  The device neither receives nor sends before frames of its rings are freed.
 *   I3  Whoever was told that the ring is full hears netdev_tx_ready(): by the
 *	 interrupt, by the timer's look, or when the rings are made anew.
 */
#ifndef DRIVERS_NET_MACB_H
#define DRIVERS_NET_MACB_H

#include <arch/riscv/mmio.h>
#include <kernel/dev/clk.h>
#include <kernel/dev/netdev.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <kernel/time/timer.h>
#include <lib/types.h>

#define GEM_RX_NR 256u
#define GEM_TX_NR 256u
#define GEM_RX_OFFSET \
	2u /* so that what is behind a header of Ethernet is aligned */
#define GEM_RX_BUF 1600u /* offset, header, VLAN tag, packet; 64 bytes each */

/* macb_ring.c: a ring in memory, no registers.  Locking: the caller's. */
struct gem_ring {
	u32 *words;	    /* descriptors, device-visible */
	struct netbuf **nb; /* [I] the array; one for each descriptor */
	u32 nr;		    /* [I] */
	u32 stride;	    /* [I] words of a descriptor */
	u32 next;	    /* RX: to look at; TX: to fill */
	u32 oldest;	    /* TX: to free */
	u32 in_flight;	    /* TX */
};

/* What gem_rx_take() found. */
enum gem_took {
	GEM_NOTHING,
	GEM_FRAME,   /* in *@out */
	GEM_NO_MEM,  /* a frame was dropped: no buffer to replace it */
	GEM_NO_SENSE /* a frame was dropped: parts, errors, a wrong length */
};

size_t gem_ring_bytes(u32 nr, bool addr64);
/* @words: gem_ring_bytes(), zeroed, 16 bytes aligned; @nb: @nr of them, NULL.  Borrows
 * both. */
void gem_ring_init(struct gem_ring *r, u32 *words, struct netbuf **nb, u32 nr,
		   bool addr64);
/* A buffer for each descriptor.  0 or -ENOMEM: nothing is in the ring. */
int gem_rx_fill(struct gem_ring *r);
/* The device begins at the first one again; what it had received is lost. */
void gem_rx_restart(struct gem_ring *r);
enum gem_took gem_rx_take(struct gem_ring *r, struct netbuf **out);
/* All descriptors free. */
void gem_tx_reset(struct gem_ring *r);
/* False: full, or a place that the device cannot address (*@bad). */
bool gem_tx_add(struct gem_ring *r, struct netbuf *b, bool *bad);
/* The oldest frame if it was sent, or NULL. */
struct netbuf *gem_tx_sent(struct gem_ring *r, bool *failed);
/* The device is stopped: all buffers are freed. */
void gem_ring_drop(struct gem_ring *r);

struct gem {
	struct net_device nd;
	u8 __iomem *regs;	/* [I] */
	u8 __iomem *mgmt;	/* [I] or NULL */
	struct clk pclk;	/* [I] */
	bool has_clk;		/* [I] */
	bool addr64;		/* [I] */
	bool read_clears;	/* [I] the status of interrupts */
	struct mutex conf;	/* open, stop, mode, address */
	struct spinlock lock;	/* RANK_DEV: what follows */
	bool up;		/* [lock] */
	u32 ncr, ncfgr;		/* [lock] as written */
	struct gem_ring rx, tx; /* [lock] */
	bool tx_full;	     /* [lock] somebody waits for netdev_tx_ready() */
	u64 tx_progress_ns;  /* [lock] */
	u32 *dummy;	     /* [I] descriptors of queues that are not used */
	u64 nr_resets;	     /* [lock] */
	struct ktimer timer; /* armed while up: macb_watch() */
	u64 looked_ns;	     /* timer, open: when at the link */
	bool lost;	     /* the link has been down since it was first up */
	u32 phy;	     /* [I] its address; GEM_NO_PHY */
};
#define GEM_NO_PHY 32u

/* macb_io.c */
bool gem_interrupt(void *arg);
bool gem_xmit(struct net_device *dev, struct netbuf *b);
void gem_kick(struct net_device *dev);
/* [conf] */
int gem_start(struct gem *g);
void gem_halt(struct gem *g);
void gem_set_rx_mode(struct net_device *dev);
void gem_write_mac(const struct gem *g, const u8 mac[ETH_ALEN]);
void gem_io_init(struct gem *g);

static inline u32 gem_rd(const struct gem *g, u32 reg)
{
	return mmio_read32(g->regs + reg);
}

static inline void gem_wr(const struct gem *g, u32 reg, u32 v)
{
	mmio_write32(v, g->regs + reg);
}

/* macb_phy.c.  Context: any, one at a time; each access takes about 30 us. */
struct gem_link {
	bool up;
	bool full_duplex;
	u32 speed; /* Mbit/s */
};
/* Find it, at @hint first; g->phy. */
void gem_phy_find(struct gem *g, u32 hint);
/* Let it negotiate, unless it has done so. */
void gem_phy_start(const struct gem *g);
struct gem_link gem_phy_link(const struct gem *g);

#endif /* DRIVERS_NET_MACB_H */
