/* SPDX-License-Identifier: MIT */
/*
 * drivers/net/macb.c - the Cadence Gigabit Ethernet MAC, as in SiFive's FU540 and
 * FU740 (GEMGXL): found and set up.
 *
 * The clock, the reset of the MAC and that of the PHY are as firmware left them; a
 * clock that is off is switched on.  DMA is coherent.
 *
 * Not here: frames and the link (macb_io.c), descriptors (macb_ring.c), the PHY
 * (macb_phy.c).
 */
#include <drivers/net/macb.h>

#include <drivers/net/macb_regs.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vmap.h>
#include <kernel/random.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/string.h>

#define GEM_MTU_MIN  68u
#define GEM_TX_QUEUE 1000u

/* ---- ops */

static int gem_open(struct net_device *dev)
{
	struct gem *g = dev->priv;
	int err;

	mutex_lock(&g->conf);
	err = gem_start(g);
	mutex_unlock(&g->conf);
	return err;
}

static void gem_stop(struct net_device *dev)
{
	struct gem *g = dev->priv;

	mutex_lock(&g->conf);
	gem_halt(g);
	mutex_unlock(&g->conf);
}

static int gem_set_mac(struct net_device *dev, const u8 mac[ETH_ALEN])
{
	struct gem *g = dev->priv;

	spin_lock(&g->lock);
	gem_write_mac(g, mac);
	spin_unlock(&g->lock);
	return 0;
}

/* Whatever is between mtu_min and mtu_max fits. */
static int gem_set_mtu(struct net_device *dev __unused, u32 mtu __unused)
{
	return 0;
}

/* It stays. */
static void gem_release(struct net_device *dev __unused)
{
}

static const struct net_device_ops gem_ops = {
	.open = gem_open,
	.stop = gem_stop,
	.xmit = gem_xmit,
	.kick = gem_kick,
	.set_rx_mode = gem_set_rx_mode,
	.set_mac = gem_set_mac,
	.set_mtu = gem_set_mtu,
	.release = gem_release,
};

/* ---- probe */

/* One block for both rings and the dummies: their addresses have one upper half. */
static int alloc_rings(struct gem *g)
{
	size_t rx = gem_ring_bytes(GEM_RX_NR, g->addr64);
	size_t tx = gem_ring_bytes(GEM_TX_NR, g->addr64);
	struct netbuf **nb = kcalloc(GEM_RX_NR + GEM_TX_NR, sizeof(*nb));
	u8 *mem = alloc_pages_exact(rx + tx + 64, GFP_ZERO);

	if (!nb || !mem || (!g->addr64 && virt_to_phys(mem) >> 32)) {
		kfree(nb);
		if (mem)
			free_pages_exact(mem, rx + tx + 64);
		return -ENOMEM;
	}
	gem_ring_init(&g->rx, (void *)mem, nb, GEM_RX_NR, g->addr64);
	gem_ring_init(&g->tx, (void *)(mem + rx), nb + GEM_RX_NR, GEM_TX_NR,
		      g->addr64);
	g->dummy = (void *)(mem + rx + tx);
	g->dummy[GEM_D_ADDR] = (u32)(GEM_RX_USED | GEM_RX_WRAP);
	g->dummy[GEM_D_CTRL] = (u32)(GEM_TX_USED | GEM_TX_WRAP);
	return 0;
}

static bool is_address(const u8 mac[ETH_ALEN])
{
	static const u8 none[ETH_ALEN];

	return !(mac[0] & 1) && memcmp(mac, none, ETH_ALEN) != 0;
}

/* The tree's, what firmware told the device, or one of ours. */
static void choose_mac(struct gem *g, int node)
{
	u8 *mac = g->nd.perm_mac;
	int len = 0;
	const void *p = fdt_prop(boot_fdt, node, "local-mac-address", &len);
	u32 low = gem_rd(g, GEM_SA1B), high = gem_rd(g, GEM_SA1T);

	if (p && len == (int)ETH_ALEN)
		memcpy(mac, p, ETH_ALEN);
	if (!is_address(mac)) {
		memcpy(mac, &low, 4);
		memcpy(mac + 4, &high, 2);
	}
	if (!is_address(mac)) {
		random_bytes(mac, ETH_ALEN);
		mac[0] = (u8)((mac[0] & ~1u) | 2u);
	}
	memcpy(g->nd.mac, mac, ETH_ALEN);
}

/* Address of the PHY on its bus, as the tree says. */
static u32 phy_hint(int node)
{
	u32 phandle, reg;
	int phy;

	if (fdt_prop_u32(boot_fdt, node, "phy-handle", &phandle))
		return GEM_NO_PHY;
	phy = fdt_by_phandle(boot_fdt, phandle);
	if (phy < 0 || fdt_prop_u32(boot_fdt, phy, "reg", &reg))
		return GEM_NO_PHY;
	return reg;
}

/* A clock that nobody drives is taken to be on. */
static int get_clock(struct gem *g, int node)
{
	int err = clk_from_fdt(node, 0, &g->pclk);

	if (err == -EPROBE_DEFER)
		return err;
	g->has_clk = !err;
	if (g->has_clk)
		clk_enable(&g->pclk);
	return 0;
}

static int map_regs(struct gem *g, int node)
{
	u64 size;

	g->regs = dt_ioremap(node, 0, &size);
	if (!g->regs || size < GEM_REGS_SIZE)
		return -ENXIO;
	if (!fdt_compatible(boot_fdt, node, "sifive,fu540-c000-gem") &&
	    !fdt_compatible(boot_fdt, node, "sifive,fu740-c000-gem"))
		return 0;
	g->mgmt = dt_ioremap(node, 1, &size);
	return g->mgmt && size >= GEMGXL_SIZE ? 0 : -ENXIO;
}

/* Not of ours is what cannot be it: there were others of this name before. */
static int identify(struct gem *g)
{
	if (FIELD_GET(GEM_MID_ID, gem_rd(g, GEM_MID)) < GEM_MID_IS_GEM)
		return -ENODEV;
	g->addr64 = gem_rd(g, GEM_DCFG6) & GEM_DCFG6_ADDR64;
	g->read_clears = gem_rd(g, GEM_DCFG1) & GEM_DCFG1_READ_CLEAR;
	return 0;
}

static int setup(struct gem *g, int node)
{
	struct irqchip *chip;
	u32 line;
	int err = irq_from_fdt(node, 0, &chip, &line);

	if (!err)
		err = get_clock(g, node);
	if (!err)
		err = map_regs(g, node);
	if (!err)
		err = identify(g);
	if (!err)
		err = alloc_rings(g);
	if (err)
		return err;
	choose_mac(g, node);
	gem_io_init(g);
	gem_phy_find(g, phy_hint(node));
	return irq_bind(chip, line, gem_interrupt, g, "gem");
}

static void fill_netdev(struct gem *g)
{
	struct net_device *nd = &g->nd;

	strscpy(nd->name, "eth%d", sizeof(nd->name));
	nd->driver = "macb";
	nd->ops = &gem_ops;
	nd->priv = g;
	nd->type = ARPHRD_ETHER;
	nd->link_header = ETH_HEADER;
	nd->tx_queue_len = GEM_TX_QUEUE;
	nd->flags = IFF_BROADCAST | IFF_MULTICAST;
	nd->mtu = ETH_MTU;
	nd->mtu_min = GEM_MTU_MIN;
	nd->mtu_max = ETH_MTU;
}

static void undo(struct gem *g)
{
	if (g->regs)
		iounmap(g->regs);
	if (g->mgmt)
		iounmap(g->mgmt);
	kfree(g);
}

static int gem_probe(int node)
{
	struct gem *g = kzalloc(sizeof(*g));
	int err;

	if (!g)
		return -ENOMEM;
	mutex_init(&g->conf);
	err = setup(g, node);
	if (err) {
		undo(g); /* its interrupt is what is bound last */
		return err;
	}
	fill_netdev(g);
	err = netdev_register(&g->nd, NULL);
	if (err)
		return err; /* g stays: an interrupt may still find it */
	if (g->phy == GEM_NO_PHY)
		pr_info("%s: gem, no PHY", g->nd.name);
	else
		pr_info("%s: gem, PHY %u, %u-bit addresses", g->nd.name, g->phy,
			g->addr64 ? 64 : 32);
	return 0;
}

static const char *const gem_compatible[] = { "sifive,fu740-c000-gem",
					      "sifive,fu540-c000-gem",
					      "cdns,gem", "cdns,macb", NULL };

DT_DRIVER(macb) = {
	.name = "macb",
	.compatible = gem_compatible,
	.probe = gem_probe,
	.stage = DT_DEVICE,
};
