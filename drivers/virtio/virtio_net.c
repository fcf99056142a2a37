/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net.c - network device over virtqueues: set-up, up and down.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 5.1.  One queue to receive, one to send,
 * one for commands.  A device whose interface is down is reset: it has no frame of
 * ours and receives nothing.  Bringing it up is what virtio calls a restart; its
 * address and receive mode are told to it again, because a reset forgets them.
 *
 * Not here: frames (virtio_net_rx.c, virtio_net_tx.c), commands (virtio_net_ctrl.c),
 * resets of a device at work (virtio_net_watch.c).
 */
#include <drivers/virtio/virtio_net_core.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/random.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define VNET_QUEUE_SIZE 256u
#define VNET_TX_QUEUE	1000u
#define VNET_MTU_MIN	68u
#define VNET_MTU_MAX	65535u
#define ETH_VLAN_TAG	4u
/* What a mergeable buffer takes of the heap, all in all. */
#define VNET_RX_OBJECT 2048u

/* ---- state */

/* One by one: whoever holds a ring's lock sees it change only then. */
static void set_state(struct vnet *vn, enum vnet_state state)
{
	spin_lock(&vn->rx.lock);
	spin_lock_nested(&vn->tx.lock);
	if (vn->state != VNET_DEAD)
		store_once(&vn->state, (u32)state);
	spin_unlock(&vn->tx.lock);
	spin_unlock(&vn->rx.lock);
}

static void drop_all(struct vnet *vn)
{
	vnet_rx_drop_all(vn);
	vnet_tx_drop_all(vn);
	vnet_ctrl_drop(vn);
}

void vnet_die(struct vnet *vn, const char *why)
{
	if (atomic_xchg(&vn->state, (u32)VNET_DEAD) == VNET_DEAD)
		return;
	set_state(vn, VNET_DEAD); /* nobody is at the rings any more */
	pr_err("%s: broken: %s", vn->nd.name, why);
	if (!virtio_kill(vn->vd))
		pr_err("%s: and does not reset", vn->nd.name);
	drop_all(vn);
	netdev_carrier(&vn->nd, false);
	netdev_tx_ready(&vn->nd); /* what waits is to be dropped */
}

static bool link_is_up(const struct vnet *vn)
{
	if (!virtio_has(vn->vd, VIRTIO_NET_F_STATUS))
		return true;
	return virtio_config_read16(vn->vd, VNC_STATUS) & VNC_STATUS_LINK_UP;
}

static void read_speed(struct vnet *vn)
{
	u32 speed;

	if (!virtio_has(vn->vd, VIRTIO_NET_F_SPEED_DUPLEX))
		return;
	speed = virtio_config_read32(vn->vd, VNC_SPEED);
	store_once(&vn->nd.speed, speed <= 0x7fffffffu ? speed : 0);
	store_once(&vn->nd.full_duplex,
		   virtio_config_read8(vn->vd, VNC_DUPLEX) == VNC_DUPLEX_FULL);
}

static void config_changed(struct virtio_dev *vd)
{
	struct vnet *vn = vd->priv;

	if (load_once(&vn->state) != VNET_UP)
		return;
	if (virtio_needs_reset(vd)) {
		vnet_want_reset(vn, "asks for a reset");
		return;
	}
	read_speed(vn);
	if (link_is_up(vn) != load_once(&vn->nd.carrier))
		netdev_carrier(&vn->nd, link_is_up(vn));
}

/* ---- up and down */

int vnet_start(struct vnet *vn)
{
	int err;

	if (load_once(&vn->state) == VNET_DEAD)
		return -EIO;
	err = virtio_reset(vn->vd);
	if (!err)
		err = virtio_restart(vn->vd);
	if (!err)
		err = vnet_rx_fill(vn);
	if (err) {
		vnet_halt(vn);
		return err;
	}
	set_state(vn, VNET_UP); /* before its first interrupt */
	virtio_ready(vn->vd);
	virtio_notify(vn->rx.vq);
	vnet_ctrl_start(vn);
	read_speed(vn);
	netdev_carrier(&vn->nd, link_is_up(vn));
	netdev_tx_ready(&vn->nd);
	return 0;
}

void vnet_halt(struct vnet *vn)
{
	set_state(vn, VNET_DOWN);
	if (load_once(&vn->state) == VNET_DEAD)
		return;
	if (virtio_reset(vn->vd)) {
		vnet_die(vn, "does not reset");
		return;
	}
	drop_all(vn);
	netdev_carrier(&vn->nd, false);
}

static struct vnet *vnet_of(struct net_device *dev)
{
	return dev->priv;
}

static int vnet_open(struct net_device *dev)
{
	struct vnet *vn = vnet_of(dev);
	int err;

	mutex_lock(&vn->conf);
	err = vnet_start(vn);
	mutex_unlock(&vn->conf);
	return err;
}

static void vnet_stop(struct net_device *dev)
{
	struct vnet *vn = vnet_of(dev);

	mutex_lock(&vn->conf);
	vnet_halt(vn);
	mutex_unlock(&vn->conf);
}

/* Whatever is between mtu_min and mtu_max fits. */
static int vnet_set_mtu(struct net_device *dev __unused, u32 mtu __unused)
{
	return 0;
}

/* Buses have no removal: it stays. */
static void vnet_release(struct net_device *dev __unused)
{
}

static const struct net_device_ops vnet_ops = {
	.open = vnet_open,
	.stop = vnet_stop,
	.xmit = vnet_xmit,
	.kick = vnet_kick,
	.set_rx_mode = vnet_set_rx_mode,
	.set_mac = vnet_set_mac,
	.set_mtu = vnet_set_mtu,
	.release = vnet_release,
};

/* ---- probe */

/* What needs another one is not wanted without it [5.1.3.1]. */
static u64 wanted(const struct virtio_dev *vd)
{
	u64 offered = virtio_offers(vd);
	u64 want = VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC |
		   VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS |
		   VIRTIO_NET_F_SPEED_DUPLEX | VIRTIO_NET_F_CSUM |
		   VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_CTRL_VQ |
		   VIRTIO_F_EVENT_IDX;

	if (offered & VIRTIO_NET_F_CSUM)
		want |= VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6;
	if ((offered & VIRTIO_NET_F_GUEST_CSUM) &&
	    (offered & VIRTIO_NET_F_MRG_RXBUF))
		want |= VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6;
	if (offered & VIRTIO_NET_F_CTRL_VQ)
		want |= VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR;
	return want;
}

/* A device without an address gets one of ours: locally administered. */
static void read_mac(struct vnet *vn)
{
	u8 *mac = vn->nd.perm_mac;

	if (virtio_has(vn->vd, VIRTIO_NET_F_MAC)) {
		for (u32 i = 0; i < ETH_ALEN; i++)
			mac[i] = virtio_config_read8(vn->vd, VNC_MAC + i);
	} else {
		random_bytes(mac, ETH_ALEN);
		mac[0] = (u8)((mac[0] & ~1u) | 2u);
	}
	memcpy(vn->nd.mac, mac, ETH_ALEN);
}

static int read_mtu(struct vnet *vn)
{
	bool mergeable = virtio_has(vn->vd, VIRTIO_NET_F_MRG_RXBUF);

	vn->nd.mtu = ETH_MTU;
	vn->nd.mtu_min = VNET_MTU_MIN;
	vn->nd.mtu_max = mergeable ? VNET_MTU_MAX : ETH_MTU;
	if (!virtio_has(vn->vd, VIRTIO_NET_F_MTU))
		return 0;
	vn->nd.mtu_max = virtio_config_read16(vn->vd, VNC_MTU);
	vn->nd.mtu = vn->nd.mtu_max;
	return vn->nd.mtu < VNET_MTU_MIN ? -EINVAL : 0;
}

static int read_config(struct vnet *vn)
{
	const struct virtio_dev *vd = vn->vd;
	struct vnet_rx *rx = &vn->rx;

	read_mac(vn);
	rx->mergeable = virtio_has(vd, VIRTIO_NET_F_MRG_RXBUF);
	rx->csum = virtio_has(vd, VIRTIO_NET_F_GUEST_CSUM);
	if (virtio_has(vd, VIRTIO_NET_F_CSUM))
		vn->nd.features |= NETDEV_TX_CSUM;
	if (virtio_has(vd, VIRTIO_NET_F_HOST_TSO4))
		vn->nd.features |= NETDEV_TSO4;
	if (virtio_has(vd, VIRTIO_NET_F_HOST_TSO6))
		vn->nd.features |= NETDEV_TSO6;
	return read_mtu(vn);
}

static int setup_rx(struct vnet *vn)
{
	struct vnet_rx *rx = &vn->rx;

	spin_init(&rx->lock, "virtio-net-rx", RANK_DEV);
	list_init(&rx->part);
	rx->buf_bytes = vn->nd.mtu_max + ETH_HEADER + ETH_VLAN_TAG;
	if (rx->mergeable)
		rx->buf_bytes = VNET_RX_OBJECT - VNET_RX_HEADROOM -
				VNET_RX_SHIFT - (u32)sizeof(struct netbuf);
	return virtio_vq_setup(vn->vd, VNET_VQ_RX, VNET_QUEUE_SIZE, -1,
			       vnet_rx_interrupt, vn, &rx->vq);
}

static int setup_tx(struct vnet *vn)
{
	struct vnet_tx *tx = &vn->tx;
	int err;

	spin_init(&tx->lock, "virtio-net-tx", RANK_DEV);
	err = virtio_vq_setup(vn->vd, VNET_VQ_TX, VNET_QUEUE_SIZE, -1,
			      vnet_tx_interrupt, vn, &tx->vq);
	if (err)
		return err;
	if (tx->vq->ring.size < VNET_TX_SEGS)
		return -EINVAL;
	tx->head = alloc_pages_exact(tx->vq->ring.size * sizeof(*tx->head),
				     GFP_ZERO);
	return tx->head ? 0 : -ENOMEM;
}

static int bring_up(struct vnet *vn)
{
	int err = virtio_negotiate(vn->vd, wanted(vn->vd));

	if (!err)
		err = read_config(vn);
	if (!err)
		err = setup_rx(vn);
	if (!err)
		err = setup_tx(vn);
	if (!err)
		err = vnet_ctrl_init(vn);
	return err;
}

static void fill_netdev(struct vnet *vn)
{
	struct net_device *nd = &vn->nd;

	strscpy(nd->name, "eth%d", sizeof(nd->name));
	nd->driver = "virtio_net";
	nd->ops = &vnet_ops;
	nd->priv = vn;
	nd->type = ARPHRD_ETHER;
	nd->link_header = ETH_HEADER;
	nd->tx_queue_len = VNET_TX_QUEUE;
	nd->flags = IFF_BROADCAST | IFF_MULTICAST;
	nd->parent = vn->vd->sys;
}

static int vnet_probe(struct virtio_dev *vd)
{
	struct vnet *vn = kzalloc(sizeof(*vn));
	int err;

	if (!vn)
		return -ENOMEM;
	vn->vd = vd;
	mutex_init(&vn->conf);
	err = bring_up(vn);
	if (err)
		return err; /* vn stays: an interrupt may still find it */
	fill_netdev(vn);
	vnet_watch_init(vn);
	vd->priv = vn;
	vd->config_changed = config_changed;
	err = netdev_register(&vn->nd, NULL);
	if (err)
		return err;
	vnet_sys_add(vn);
	pr_info("%s: %s, queues of %u and %u%s, %s", vn->nd.name, vd->name,
		vn->rx.vq->ring.size, vn->tx.vq->ring.size,
		vn->rx.mergeable ? ", mergeable" : "",
		vd->msix ? "MSI-X" : "INTx");
	return 0;
}

VIRTIO_DRIVER(net) = {
	.name = "virtio_net",
	.type = VIRTIO_ID_NET,
	.probe = vnet_probe,
};
