/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_net_core.h - what the files of the network driver share.
 *
 * INVARIANTS
 *   I1  A frame in a ring is that ring's token and nobody else's; the rings are
 *	 empty unless the state is VNET_UP.
 *   I2  A device was reset, or may not master the bus any more, before frames that
 *	 it had are freed: it cannot write into memory that has a new owner.
 *   I3  Receive buffers are missing only while the timer is armed, or somebody is
 *	 just giving them.
 *   I4  Whoever was told that the ring is full hears netdev_tx_ready(): by the
 *	 device's interrupt, by the timer's look, or when the device is reset.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_NET_CORE_H
#define DRIVERS_VIRTIO_VIRTIO_NET_CORE_H

#include <drivers/virtio/virtio.h>
#include <drivers/virtio/virtio_net.h>
#include <kernel/dev/netdev.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <kernel/time/timer.h>
#include <lib/list.h>

/* Before a received frame: what it may get in front of it, and the device's header so
 * that the packet behind a header of Ethernet is aligned. */
#define VNET_RX_HEADROOM (NETBUF_HEADROOM + 8u)
#define VNET_RX_SHIFT	 6u /* more of it */
#define VNET_MAX_FRAME	 (65535u + ETH_HEADER)
#define VNET_TX_SEGS	 2u /* of a frame, at most */

enum vnet_state {
	VNET_DOWN, /* the device is reset, or not yet ready */
	VNET_UP,
	VNET_DEAD,
};

struct vnet_rx {
	struct spinlock lock; /* RANK_DEV */
	struct virtqueue *vq; /* [I] */
	u32 buf_bytes;	      /* [I] of a buffer, behind the device's header */
	bool mergeable;	      /* [I] */
	bool csum;	      /* [I] it may say something about checksums */
	/* [lock] A frame of which not all buffers are there yet. */
	struct list_head part;
	u32 nr_missing;	  /* buffers of it */
	u32 part_bytes;	  /* what has come, headers excluded */
	u64 nr_no_buffer; /* [lock] no memory for a buffer */
};

struct vnet_tx {
	struct spinlock lock;	  /* RANK_DEV */
	struct virtqueue *vq;	  /* [I] */
	struct vnet_header *head; /* [I] one for each descriptor */
	bool full;   /* [lock] somebody waits for netdev_tx_ready() */
	bool untold; /* [lock] the device is to be notified by vnet_kick() */
	u64 progress_ns; /* [lock] when it was seen to send, or became full */
};

struct vnet_ctrl_mem; /* virtio_net_ctrl.c */

struct vnet_ctrl {
	struct virtqueue *vq;	   /* [I] NULL: the device has none */
	struct spinlock lock;	   /* RANK_DEV: the ring */
	struct vnet_ctrl_mem *mem; /* [I] */
	bool busy;		   /* [lock] the device has mem */
	struct waitq wq;
};

struct vnet {
	struct net_device nd;
	struct virtio_dev *vd; /* [I] */
	u32 state;	       /* [rx.lock and tx.lock] enum vnet_state */
	struct mutex conf;     /* who opens, stops and resets it */
	struct vnet_rx rx;
	struct vnet_tx tx;
	struct vnet_ctrl ctrl;
	struct ktimer timer;	    /* virtio_net_watch.c */
	struct spinlock timer_lock; /* RANK_DEV */
	u64 timer_due;		    /* [timer_lock] ~0: not armed */
	u32 want_reset;		    /* [a] */
	const char *why;	    /* [a] of it */
	u64 nr_resets;		    /* [conf] */
	struct list_head all;	    /* [boot] recovery thread's */
};

/* virtio_net.c */
/* The device is beyond use: it sends and receives nothing more.  Any context. */
void vnet_die(struct vnet *vn, const char *why);
/* [conf] */
int vnet_start(struct vnet *vn);
void vnet_halt(struct vnet *vn);

/* virtio_net_rx.c */
bool vnet_rx_interrupt(struct virtqueue *vq);
/* Take what has come, give buffers; what has to be done later is the timer's. */
void vnet_rx_poll(struct vnet *vn);
/* 0, or -ENOMEM: not one buffer. */
int vnet_rx_fill(struct vnet *vn);
void vnet_rx_drop_all(struct vnet *vn);
/* Of a frame's first buffer, which lies before it: what the stack is to know.  False:
 * nonsense. */
bool vnet_rx_header(struct netbuf *b, const struct vnet_header *h);

/* virtio_net_tx.c */
bool vnet_tx_interrupt(struct virtqueue *vq);
bool vnet_xmit(struct net_device *dev, struct netbuf *b);
void vnet_kick(struct net_device *dev);
void vnet_tx_drop_all(struct vnet *vn);
/* Look whether something was sent. */
void vnet_tx_poll(struct vnet *vn);

/* virtio_net_ctrl.c */
bool vnet_ctrl_interrupt(struct virtqueue *vq);
int vnet_ctrl_init(struct vnet *vn);
/* The device is reset. */
void vnet_ctrl_drop(struct vnet *vn);
/* It is ready: tell it what a reset forgets. */
void vnet_ctrl_start(struct vnet *vn);
void vnet_set_rx_mode(struct net_device *dev);
int vnet_set_mac(struct net_device *dev, const u8 mac[ETH_ALEN]);

/* virtio_net_watch.c */
void vnet_watch_init(struct vnet *vn);
/* Look again after @ns at the latest. */
void vnet_watch_in(struct vnet *vn, u64 ns);
/* Reset the device and go on, from a thread.  Any context. */
void vnet_want_reset(struct vnet *vn, const char *why);

/* virtio_net_sysfs.c */
void vnet_sys_add(struct vnet *vn);

#endif /* DRIVERS_VIRTIO_VIRTIO_NET_CORE_H */
