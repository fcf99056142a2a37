/* SPDX-License-Identifier: MIT */
/*
 * net/link/tun_file.c - /dev/net/tun: packets are read and written; see tun.h.
 *
 * In front of each, as the interface's flags say: a struct virtio_net_hdr, then two words
 * (flags, EtherType).
 *
 * ORDERING
 *   TUNFILE  an interface made before a file has it
 */
#include <net/link/ioctl.h>
#include <net/link/tun.h>

#include <kernel/dev/dev.h>
#include <kernel/file/iov.h>
#include <kernel/file/poll.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/ns/user.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <net/netns.h>

enum {
	TUNSETNOCSUM = 0x400454c8,
	TUNSETDEBUG = 0x400454c9,
	TUNSETIFF = 0x400454ca,
	TUNSETPERSIST = 0x400454cb,
	TUNSETOWNER = 0x400454cc,
	TUNSETGROUP = 0x400454ce,
	TUNSETOFFLOAD = 0x400454d0,
	TUNSETSNDBUF = 0x400454d4,
	TUNSETVNETHDRSZ = 0x400454d8,
};
#define TUNGETFEATURES	0x800454cfu
#define TUNGETIFF	0x800454d2u
#define TUNGETSNDBUF	0x800454d3u
#define TUNGETVNETHDRSZ 0x800454d7u
#define TUNGETDEVNETNS	0x54e3u

#define TUN_F_CSUM BIT(0)
#define TUN_F_TSO4 BIT(1)
#define TUN_F_TSO6 BIT(2)
#define TUN_F_ECN  BIT(3)

struct vnet_hdr {
	u8 flags, gso_type;
	u16 hdr_len, gso_size, csum_start, csum_offset;
};
#define VNET_NEEDS_CSUM BIT(0)
#define VNET_DATA_VALID BIT(1)
#define VNET_GSO_TCPV4	1u
#define VNET_GSO_TCPV6	4u
#define VNET_GSO_ECN	0x80u

struct tun_pi {
	u16 flags;
	u8 proto[2];
};
#define TUN_PKT_STRIP 1u
#define PACKET_MAX    (65535u + ETH_HEADER)

/* The interface of the file; NULL: it has none, or that has gone. */
static struct tun *file_tun(const struct file *f)
{
	const struct tun_file *tf = f->priv;
	/* TUNFILE (acquire) - pairs with attach(). */
	struct tun *tun = load_acquire(&tf->tun);

	return tun && load_once(&tun->file) == tf ? tun : NULL;
}

/* --- writing */

static int take_vnet(struct netbuf *b, const struct vnet_hdr *v)
{
	u8 type = (u8)(v->gso_type & ~VNET_GSO_ECN);
	u32 head = netbuf_headroom(b);

	if (v->flags & VNET_NEEDS_CSUM) {
		if (v->csum_start + v->csum_offset + 2u > b->len)
			return -EINVAL;
		b->flags |= NETBUF_CSUM_PARTIAL | NETBUF_CSUM_GOOD;
		b->csum_start = (u16)(head + v->csum_start);
		b->csum_offset = v->csum_offset;
	} else if (v->flags & VNET_DATA_VALID) {
		b->flags |= NETBUF_CSUM_GOOD;
	}
	if (!type)
		return 0;
	if ((type != VNET_GSO_TCPV4 && type != VNET_GSO_TCPV6) || !v->gso_size)
		return -EINVAL;
	b->gso_size = v->gso_size;
	b->flags |= type == VNET_GSO_TCPV6 ? NETBUF_GSO_V6 : 0;
	return 0;
}

static int find_proto(const struct tun *tun, struct netbuf *b,
		      const struct tun_pi *pi)
{
	if (tun->flags & TUN_TAP)
		return b->len < ETH_HEADER ? -EINVAL : 0;
	b->proto = (u16)(pi->proto[0] << 8 | pi->proto[1]);
	if (!(tun->flags & TUN_NO_PI))
		return 0;
	if (!b->len)
		return -EINVAL;
	switch (b->data[0] >> 4) {
	case 4:
		b->proto = ETH_P_IP;
		return 0;
	case 6:
		b->proto = ETH_P_IPV6;
		return 0;
	default:
		return -EINVAL;
	}
}

static int get_heads(const struct tun *tun, const struct tun_file *tf,
		     struct iov_iter *from, struct vnet_hdr *v,
		     struct tun_pi *pi)
{
	size_t size = load_once(&tf->vnet_size);

	if (!(tun->flags & TUN_NO_PI) &&
	    copy_from_iter(pi, sizeof(*pi), from) < sizeof(*pi))
		return -EINVAL;
	if (!(tun->flags & TUN_VNET_HDR))
		return 0;
	if (iov_iter_count(from) < size)
		return -EINVAL;
	if (copy_from_iter(v, sizeof(*v), from) < sizeof(*v))
		return -EFAULT;
	for (size -= sizeof(*v); size; size--) {
		u8 skipped;

		if (copy_from_iter(&skipped, 1, from) < 1)
			return -EFAULT;
	}
	return 0;
}

static s64 tun_write(struct file *f, struct iov_iter *from, u64 *pos __unused)
{
	struct tun *tun = file_tun(f);
	size_t all = iov_iter_count(from), n;
	struct vnet_hdr v = { 0 };
	struct tun_pi pi = { 0 };
	struct netbuf *b;
	int err;

	if (!tun)
		return -EBADFD;
	err = get_heads(tun, f->priv, from, &v, &pi);
	n = iov_iter_count(from);
	if (err || n > PACKET_MAX)
		return err ? err : -EINVAL;
	b = netbuf_alloc(NETBUF_HEADROOM, (u32)n);
	if (!b)
		return -ENOMEM;
	err = copy_from_iter(netbuf_put(b, (u32)n), n, from) < n ? -EFAULT : 0;
	if (!err)
		err = find_proto(tun, b, &pi);
	if (!err)
		err = take_vnet(b, &v);
	if (!err && !link_is_up(&tun->dev))
		err = -EIO;
	if (err) {
		netbuf_free(b);
		return err;
	}
	netdev_rx(&tun->dev, b);
	return (s64)all;
}

/* --- reading */

static struct netbuf *take(struct tun *tun)
{
	struct netbuf *b;

	spin_lock(&tun->lock);
	b = list_first_entry_or_null(&tun->queue, struct netbuf, node);
	if (b) {
		list_del(&b->node);
		tun->nr_queue--;
	}
	spin_unlock(&tun->lock);
	return b;
}

static struct vnet_hdr vnet_of(const struct netbuf *b)
{
	struct vnet_hdr v = { 0 };

	if (b->flags & NETBUF_CSUM_PARTIAL) {
		v.flags = VNET_NEEDS_CSUM;
		v.csum_start = (u16)(b->csum_start - netbuf_headroom(b));
		v.csum_offset = b->csum_offset;
	} else if (b->flags & NETBUF_CSUM_GOOD) {
		v.flags = VNET_DATA_VALID;
	}
	if (b->gso_size) {
		v.gso_type = b->flags & NETBUF_GSO_V6 ? VNET_GSO_TCPV6
						      : VNET_GSO_TCPV4;
		v.gso_size = b->gso_size;
		v.hdr_len = (u16)min(b->len, 128u);
	}
	return v;
}

static s64 put_heads(const struct tun *tun, const struct tun_file *tf,
		     const struct netbuf *b, struct iov_iter *to)
{
	struct tun_pi pi = { .proto = { (u8)(b->proto >> 8), (u8)b->proto } };
	u32 size = tun->flags & TUN_VNET_HDR ? load_once(&tf->vnet_size) : 0;
	struct vnet_hdr v = vnet_of(b);
	static const u8 zeros[64];
	s64 n = 0;

	if (!(tun->flags & TUN_NO_PI)) {
		if (iov_iter_count(to) < sizeof(pi))
			return -EINVAL;
		if (iov_iter_count(to) < sizeof(pi) + size + b->len)
			pi.flags |= TUN_PKT_STRIP;
		if (copy_to_iter(&pi, sizeof(pi), to) < sizeof(pi))
			return -EFAULT;
		n += sizeof(pi);
	}
	if (!size)
		return n;
	if (iov_iter_count(to) < size)
		return -EINVAL;
	if (copy_to_iter(&v, sizeof(v), to) < sizeof(v) ||
	    copy_to_iter(zeros, size - sizeof(v), to) < size - sizeof(v))
		return -EFAULT;
	return n + size;
}

static s64 give(const struct tun *tun, const struct tun_file *tf,
		struct netbuf *b, struct iov_iter *to)
{
	s64 n = put_heads(tun, tf, b, to);
	size_t len = min((size_t)b->len, iov_iter_count(to));

	if (n >= 0)
		n = copy_to_iter(b->data, len, to) < len ? -EFAULT
							 : n + (s64)b->len;
	netbuf_free(b);
	return n;
}

static bool readable(const struct file *f)
{
	const struct tun *tun = file_tun(f);

	return !tun || load_once(&tun->nr_queue);
}

static s64 tun_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct tun_file *tf = f->priv;
	size_t room = iov_iter_count(to);
	struct netbuf *b;
	struct tun *tun;
	s64 n;
	int err;

	for (;;) {
		tun = file_tun(f);
		if (!tun)
			return -EBADFD;
		b = take(tun);
		if (b)
			break;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&tf->wq, readable(f));
		if (err)
			return err;
	}
	n = give(tun, tf, b, to);
	return n < 0 ? n : min(n, (s64)room);
}

static u32 tun_poll(struct file *f, struct poll_table *pt)
{
	struct tun_file *tf = f->priv;
	const struct tun *tun = file_tun(f);

	poll_wait(pt, f, &tf->wq);
	if (!tun)
		return POLLERR;
	return (load_once(&tun->nr_queue) ? POLLIN | POLLRDNORM : 0) |
	       (link_is_up(&tun->dev) ? POLLOUT | POLLWRNORM : 0);
}

/* --- the rest */

static int set_offload(struct tun *tun, u64 v)
{
	u32 f = 0;

	if (v & ~(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_ECN))
		return -EINVAL;
	if (v & TUN_F_CSUM && tun->flags & TUN_VNET_HDR) {
		f = NETDEV_TX_CSUM;
		f |= v & TUN_F_TSO4 ? NETDEV_TSO4 : 0;
		f |= v & TUN_F_TSO6 ? NETDEV_TSO6 : 0;
	}
	store_once(&tun->dev.features, f);
	return 0;
}

static s64 set_persist(struct tun *tun, u64 arg)
{
	store_once(&tun->flags,
		   arg ? tun->flags | TUN_PERSIST : tun->flags & ~TUN_PERSIST);
	return 0;
}

/* What needs an interface; rtnl_mutex held. */
static s64 of_tun(struct tun_file *tf, struct tun *tun, unsigned int cmd,
		  u64 arg)
{
	struct ifreq r;

	switch (cmd) {
	case TUNGETIFF:
		tun_get_iff(tun, &r);
		return copy_to_user(arg, &r, sizeof(r));
	case TUNSETNOCSUM:
	case TUNSETDEBUG:
		return 0;
	case TUNSETPERSIST:
		return set_persist(tun, arg);
	case TUNSETOWNER:
		tun->owner = id_to_global(current_user_ns(), ID_UID, (u32)arg);
		return 0;
	case TUNSETGROUP:
		tun->group = id_to_global(current_user_ns(), ID_GID, (u32)arg);
		return 0;
	case TUNSETOFFLOAD:
		return set_offload(tun, arg);
	case TUNGETSNDBUF:
		return put_user_u32((u32)tf->sndbuf, arg);
	case TUNGETVNETHDRSZ:
		return put_user_u32(load_once(&tf->vnet_size), arg);
	default:
		return -EINVAL;
	}
}

static s64 set_word(struct tun_file *tf, unsigned int cmd, u64 arg)
{
	u32 v;

	if (get_user_u32(&v, arg))
		return -EFAULT;
	if (cmd == TUNSETSNDBUF) {
		if ((s32)v <= 0)
			return -EINVAL;
		tf->sndbuf = (s32)v;
		return 0;
	}
	if (v < sizeof(struct vnet_hdr) || v > 64)
		return -EINVAL;
	store_once(&tf->vnet_size, v);
	return 0;
}

static s64 set_iff(struct tun_file *tf, u64 arg)
{
	struct ifreq r;
	s64 err;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	mutex_lock(&rtnl_mutex);
	err = tun_set_iff(tf, &r);
	mutex_unlock(&rtnl_mutex);
	return err ? err : copy_to_user(arg, &r, sizeof(r));
}

/* Of its interface, as of a socket: SIOCGIFHWADDR, SIOCSIFHWADDR. */
static s64 hw_addr(struct net_device *dev, unsigned int cmd, u64 arg)
{
	struct ifreq r;
	s64 err;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	err = cmd == SIOCGIFHWADDR ? link_ioctl_get(dev, cmd, &r)
				   : link_ioctl_set(dev, cmd, &r);
	memcpy(r.name, dev->name, sizeof(r.name));
	return err || cmd != SIOCGIFHWADDR ? err
					   : copy_to_user(arg, &r, sizeof(r));
}

/* A descriptor of the namespace in which the interface is. */
static s64 open_dev_ns(struct file *f)
{
	struct net_ns *net = NULL;
	struct tun *tun;
	s64 fd;

	mutex_lock(&rtnl_mutex);
	tun = file_tun(f);
	if (tun)
		net = net_ns_get(tun->dev.net);
	mutex_unlock(&rtnl_mutex);
	if (!net)
		return -EBADFD;
	fd = net_ns_open(net);
	net_ns_put(net);
	return fd;
}

static s64 tun_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct tun_file *tf = f->priv;
	struct tun *tun;
	s64 err = -EBADFD;

	if (cmd == TUNGETFEATURES)
		return put_user_u32(TUN_FEATURES, arg);
	if (cmd == TUNSETIFF)
		return set_iff(tf, arg);
	if (cmd == SIOCGSKNS)
		return net_ns_open(tf->net);
	if (cmd == TUNGETDEVNETNS)
		return open_dev_ns(f);
	mutex_lock(&rtnl_mutex);
	tun = file_tun(f);
	if (tun && (cmd == SIOCGIFHWADDR || cmd == SIOCSIFHWADDR))
		err = hw_addr(&tun->dev, cmd, arg);
	else if (tun && (cmd == TUNSETSNDBUF || cmd == TUNSETVNETHDRSZ))
		err = set_word(tf, cmd, arg);
	else if (tun)
		err = of_tun(tf, tun, cmd, arg);
	mutex_unlock(&rtnl_mutex);
	return err;
}

static size_t tun_fdinfo(struct file *f, char *buf, size_t n)
{
	const struct tun *tun;
	size_t len;

	mutex_lock(&rtnl_mutex);
	tun = file_tun(f);
	len = (size_t)scnprintf(buf, n, "iff:\t%s\n", tun ? tun->dev.name : "");
	mutex_unlock(&rtnl_mutex);
	return len;
}

static int tun_open(struct chrdev *cd __unused, struct file *f)
{
	struct tun_file *tf = kzalloc(sizeof(*tf));

	if (!tf)
		return -ENOMEM;
	tf->net = net_ns_get(current_net_ns());
	tf->vnet_size = sizeof(struct vnet_hdr);
	tf->sndbuf = INT32_MAX;
	waitq_init(&tf->wq);
	f->priv = tf;
	return 0;
}

static void tun_close(struct file *f)
{
	struct tun_file *tf = f->priv;

	mutex_lock(&rtnl_mutex);
	tun_detach(tf);
	mutex_unlock(&rtnl_mutex);
	net_ns_put(tf->net);
	kfree(tf);
}

const struct file_ops tun_fops = {
	.read = tun_read,
	.write = tun_write,
	.ioctl = tun_ioctl,
	.poll = tun_poll,
	.fdinfo = tun_fdinfo,
	.release = tun_close,
};

static struct chrdev tun_dev = {
	.name = "net/tun",
	.dev = MKDEV(10, 200),
	.mode = 0666,
	.fops = &tun_fops,
	.open = tun_open,
	.sys_class = "misc",
};

static int tun_dev_init(void)
{
	return chrdev_register(&tun_dev);
}
INITCALL(INIT_DRIVER, tun_dev_init);
