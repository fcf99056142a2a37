/* SPDX-License-Identifier: MIT */
/*
 * net/link/tun.h - tun and tap: interfaces whose other end is a file, /dev/net/tun.
 *
 *	link_transmit() --> xmit() --> queue --> read(2)
 *	write(2) --> netdev_rx()
 *
 * A file has one interface at most and an interface one file (no IFF_MULTI_QUEUE).  It goes
 * with its file, unless it is persistent; a file whose interface has gone answers EBADFD.
 *
 * Locking: rtnl_mutex: who has whom; tun->lock (RANK_DEV): the queue.
 */
#ifndef NET_LINK_TUN_H
#define NET_LINK_TUN_H

#include <kernel/file/file.h>
#include <net/link/dev.h>

#define TUN_TUN	     0x0001u /* IFF_* of struct ifreq's flags */
#define TUN_TAP	     0x0002u
#define TUN_PERSIST  0x0800u
#define TUN_NO_PI    0x1000u
#define TUN_ONE	     0x2000u /* kept */
#define TUN_VNET_HDR 0x4000u
#define TUN_EXCL     0x8000u
#define TUN_FEATURES (TUN_TUN | TUN_TAP | TUN_NO_PI | TUN_ONE | TUN_VNET_HDR)

#define NOBODY ~0u

struct tun_file;
struct tun {
	struct net_device dev;
	u32 flags;	       /* [rtnl_mutex, a] TUN_* */
	u32 owner, group;      /* [rtnl_mutex] NOBODY: any */
	struct tun_file *file; /* [rtnl_mutex, lock] NULL: not open */
	struct spinlock lock;
	struct list_head queue; /* [lock] of struct netbuf */
	u32 nr_queue;		/* [lock] */
};

struct tun_file {
	struct net_ns *net; /* [I] owned */
	struct tun *tun; /* [rtnl_mutex, a] with a reference; NULL: none yet */
	struct waitq wq;
	u32 vnet_size; /* [a] of the header in front */
	s32 sndbuf;    /* [a] kept */
};

static inline struct tun *tun_of(const struct net_device *dev)
{
	return dev->priv;
}
/* tun.c; rtnl_mutex held */
struct ifreq;
int tun_set_iff(struct tun_file *tf, struct ifreq *r);
void tun_detach(struct tun_file *tf);
void tun_get_iff(const struct tun *tun, struct ifreq *r);
/* tun_file.c */
extern const struct file_ops tun_fops;

#endif /* NET_LINK_TUN_H */
