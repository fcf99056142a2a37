/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio.h - a virtio device, whatever it is.
 *
 * The transport (virtio_pci.c) finds it, resets it and offers it to the
 * VIRTIO_DRIVER row of its type.  The driver then does, in this order
 * [VIRTIO 1.2, 3.1.1]: virtio_negotiate(), reads its configuration,
 * virtio_vq_setup() for each queue, virtio_ready().
 *
 * Context: threads, but for virtio_notify(), virtio_config_*() and
 * virtio_kill(): any.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include <drivers/virtio/vring.h>
#include <kernel/spinlock.h>
#include <lib/types.h>

/* Device types [5] */
#define VIRTIO_ID_NET	1u
#define VIRTIO_ID_BLOCK 2u

/* Features that are not of a type [6] */
#define VIRTIO_F_INDIRECT_DESC	BIT(28)
#define VIRTIO_F_EVENT_IDX	BIT(29)
#define VIRTIO_F_VERSION_1	BIT(32)
#define VIRTIO_F_ORDER_PLATFORM BIT(36)

#define VIRTIO_MAX_QUEUES 16u

struct pci_dev;
struct sys_dir; /* kernel/dev/sysfs.h */
struct virtio_dev;

/*
 * A queue of a device.  The ring's lock is the driver's business; handler runs
 * in loop context when the device may have used something, and says whether it
 * found anything.
 */
struct virtqueue {
	struct vring ring;		       /* [driver's lock] */
	struct virtio_dev *vd;		       /* [I] */
	u16 index;			       /* [I] */
	bool (*handler)(struct virtqueue *vq); /* [I] */
	void *priv;			       /* [I] driver's */
	u16 __iomem *notify;		       /* [I] */
	void *mem;			       /* [I] */
	u16 vector;			       /* [I] of MSI-X */
	u64 nr_notifies;		       /* [a] relaxed: statistics */
	u64 nr_interrupts;		       /* [a] relaxed: statistics */
};

struct virtio_dev {
	struct pci_dev *pci; /* [I] */
	const char *name;    /* [I] of the transport's device */
	u32 type;	     /* [I] VIRTIO_ID_* */
	u64 features;	     /* [I after virtio_negotiate()] */
	u8 __iomem *common, *isr, *config, *notify_base; /* [I] */
	u64 config_len, notify_len;			 /* [I] */
	u32 notify_multiplier;				 /* [I] */
	u32 nr_vecs;					 /* [I] */
	bool msix;					 /* [I] */
	struct virtqueue *vq[VIRTIO_MAX_QUEUES];	 /* [I after ready] */
	void (*config_changed)(struct virtio_dev *vd);	 /* [I], or NULL */
	void *priv;					 /* [I] driver's */
	struct sys_dir *sys; /* [I] its directory in /sys, or NULL */
	const char *driver;  /* [I after probe] or NULL */
};

struct virtio_driver {
	const char *name;
	u64 type;			     /* VIRTIO_ID_* */
	int (*probe)(struct virtio_dev *vd); /* 0 or -errno */
	u64 pad; /* rows of a section are 32 bytes */
};

#define VIRTIO_DRIVER(ident)                                    \
	static const struct virtio_driver __used_virtio_##ident \
		__attribute__((section(".virtiodrivers"), used, aligned(8)))

/* Agree on what both know of @wanted; VERSION_1 is a must.  -ENODEV: no. */
int virtio_negotiate(struct virtio_dev *vd, u64 wanted);
/* What it knows, before or after that. */
u64 virtio_offers(const struct virtio_dev *vd);
static inline bool virtio_has(const struct virtio_dev *vd, u64 feature)
{
	return vd->features & feature;
}

/* Type-specific configuration; zero beyond its end. */
u8 virtio_config_read8(const struct virtio_dev *vd, u32 offset);
u16 virtio_config_read16(const struct virtio_dev *vd, u32 offset);
u32 virtio_config_read32(const struct virtio_dev *vd, u32 offset);
u64 virtio_config_read64(const struct virtio_dev *vd, u32 offset);

/* Queue @index with at most @max_size entries, its interrupt for hart @cpu if it
 * has one of its own.  Gives *@out to the device. */
int virtio_vq_setup(struct virtio_dev *vd, u16 index, u16 max_size, int cpu,
		    bool (*handler)(struct virtqueue *vq), void *priv,
		    struct virtqueue **out);
void virtio_ready(struct virtio_dev *vd);
void virtio_notify(struct virtqueue *vq);
/* The device says that it is beyond help [2.1.1]. */
bool virtio_needs_reset(const struct virtio_dev *vd);

/*
 * Another life: virtio_reset(), after which the device touches no memory of ours;
 * the driver takes back what was in flight (vring_abort()); virtio_restart() with
 * the same features, queues and interrupts; virtio_ready().  0 or -EIO.
 */
int virtio_reset(struct virtio_dev *vd);
int virtio_restart(struct virtio_dev *vd);

/*
 * Stop a device for good: after this it touches no memory of ours.  False: it
 * did not confirm the reset; its bus mastering is off in any case.
 */
bool virtio_kill(struct virtio_dev *vd);

/* The device's status register, for those who look [2.1]. */
u8 virtio_status(const struct virtio_dev *vd);

/* virtio_sysfs.c: a directory below @parent; driver bound; gone. */
void virtio_sys_add(struct virtio_dev *vd, struct sys_dir *parent);
void virtio_sys_bind(struct virtio_dev *vd, const char *driver);
void virtio_sys_del(struct virtio_dev *vd);

#endif /* DRIVERS_VIRTIO_VIRTIO_H */
