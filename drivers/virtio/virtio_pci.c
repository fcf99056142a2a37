/* SPDX-License-Identifier: MIT */
/*
 * drivers/virtio/virtio_pci.c - virtio devices on the PCI bus, modern only.
 *
 * Virtual I/O Device (VIRTIO) 1.2, section 4.1.  A transitional device is driven
 * through its modern structures; its legacy registers are never touched.
 *
 * INVARIANTS
 *   I1  Each structure is mapped from the BAR that its own capability names,
 *	 and lies inside of it.
 *   I2  The device is reset before it may master the bus, so that rings of a
 *	 boot loader are forgotten.
 *   I3  Queues are enabled before DRIVER_OK, and one by one [4.1.5.1.3].
 *
 * Interrupts: with MSI-X, vector 0 is for configuration and each queue has one of its
 * own; queues for which there is none share vector 0.  Else INTx and the ISR register,
 * which is read before the rings, because reading lowers the line.
 *
 * Not here: the ring (vring.c), what the device does (virtio_blk.c).
 */
#include <drivers/virtio/virtio.h>

#include <arch/riscv/mmio.h>
#include <drivers/pci/pci.h>
#include <drivers/virtio/virtio_pci_regs.h>
#include <kernel/assert.h>
#include <kernel/dev/blk.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/vmap.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>

#define RESET_NS (200 * NSEC_PER_MSEC)

extern const struct virtio_driver __virtiodrivers_start[];
extern const struct virtio_driver __virtiodrivers_end[];

/* ---- registers */

static u8 vc_read8(const struct virtio_dev *vd, u32 reg)
{
	return mmio_read8(vd->common + reg);
}

static u16 vc_read16(const struct virtio_dev *vd, u32 reg)
{
	return mmio_read16(vd->common + reg);
}

static u32 vc_read32(const struct virtio_dev *vd, u32 reg)
{
	return mmio_read32(vd->common + reg);
}

static void vc_write8(const struct virtio_dev *vd, u32 reg, u8 v)
{
	mmio_write8(v, vd->common + reg);
}

static void vc_write16(struct virtio_dev *vd, u32 reg, u16 v)
{
	mmio_write16(v, vd->common + reg);
}

static void vc_write32(const struct virtio_dev *vd, u32 reg, u32 v)
{
	mmio_write32(v, vd->common + reg);
}

static void vc_write64(struct virtio_dev *vd, u32 reg, u64 v)
{
	vc_write32(vd, reg, (u32)v);
	vc_write32(vd, reg + 4, (u32)(v >> 32));
}

static void add_status(struct virtio_dev *vd, u8 bits)
{
	vc_write8(vd, VC_STATUS, vc_read8(vd, VC_STATUS) | bits);
}

/* [4.1.4.3.1]: it is reset when it says 0 */
static bool reset(struct virtio_dev *vd)
{
	u64 deadline = clock_mono_ns() + RESET_NS;

	vc_write8(vd, VC_STATUS, 0);
	while (vc_read8(vd, VC_STATUS)) {
		if (clock_mono_ns() > deadline)
			return false;
		udelay(10);
	}
	return true;
}

u8 virtio_status(const struct virtio_dev *vd)
{
	return vd->common ? vc_read8(vd, VC_STATUS) : 0;
}

bool virtio_needs_reset(const struct virtio_dev *vd)
{
	return vc_read8(vd, VC_STATUS) & VIRTIO_STATUS_NEEDS_RESET;
}

int virtio_reset(struct virtio_dev *vd)
{
	return reset(vd) ? 0 : -EIO;
}

bool virtio_kill(struct virtio_dev *vd)
{
	bool quiet = reset(vd);

	pci_disable(vd->pci);
	return quiet;
}

/* ---- features [3.1.1] */

u64 virtio_offers(const struct virtio_dev *vd)
{
	u64 v;

	vc_write32(vd, VC_DEVICE_FEATURE_SELECT, 1);
	v = (u64)vc_read32(vd, VC_DEVICE_FEATURE) << 32;
	vc_write32(vd, VC_DEVICE_FEATURE_SELECT, 0);
	return v | vc_read32(vd, VC_DEVICE_FEATURE);
}

static void write_features(struct virtio_dev *vd, u64 v)
{
	vc_write32(vd, VC_DRIVER_FEATURE_SELECT, 0);
	vc_write32(vd, VC_DRIVER_FEATURE, (u32)v);
	vc_write32(vd, VC_DRIVER_FEATURE_SELECT, 1);
	vc_write32(vd, VC_DRIVER_FEATURE, (u32)(v >> 32));
}

static int agree(struct virtio_dev *vd)
{
	write_features(vd, vd->features);
	add_status(vd, VIRTIO_STATUS_FEATURES_OK);
	if (vc_read8(vd, VC_STATUS) & VIRTIO_STATUS_FEATURES_OK)
		return 0;
	pr_err("%s: refuses features %#llx", vd->name,
	       (unsigned long long)vd->features);
	return -ENODEV;
}

int virtio_negotiate(struct virtio_dev *vd, u64 wanted)
{
	u64 offered = virtio_offers(vd);

	if (!(offered & VIRTIO_F_VERSION_1)) {
		pr_err("%s: not a modern device (features %#llx)", vd->name,
		       (unsigned long long)offered);
		return -ENODEV;
	}
	vd->features = offered &
		       (wanted | VIRTIO_F_VERSION_1 | VIRTIO_F_ORDER_PLATFORM);
	return agree(vd);
}

/* ---- type-specific configuration */

u8 virtio_config_read8(const struct virtio_dev *vd, u32 offset)
{
	return offset + 1ull <= vd->config_len ? mmio_read8(vd->config + offset)
					       : 0;
}

u16 virtio_config_read16(const struct virtio_dev *vd, u32 offset)
{
	return offset + 2ull <= vd->config_len
		       ? mmio_read16(vd->config + offset)
		       : 0;
}

u32 virtio_config_read32(const struct virtio_dev *vd, u32 offset)
{
	return offset + 4ull <= vd->config_len
		       ? mmio_read32(vd->config + offset)
		       : 0;
}

/* Two halves make a whole only within one generation [2.5.3]. */
u64 virtio_config_read64(const struct virtio_dev *vd, u32 offset)
{
	u64 v = 0;

	for (u32 tries = 0; tries < 100; tries++) {
		u8 generation = vc_read8(vd, VC_CONFIG_GENERATION);

		v = virtio_config_read32(vd, offset);
		v |= (u64)virtio_config_read32(vd, offset + 4) << 32;
		if (generation == vc_read8(vd, VC_CONFIG_GENERATION))
			break;
	}
	return v;
}

/* ---- interrupts */

static bool run_queue(struct virtqueue *vq)
{
	atomic_add_relaxed(&vq->nr_interrupts, 1ull);
	return vq->handler(vq);
}

static void run_config(struct virtio_dev *vd)
{
	if (vd->config_changed)
		vd->config_changed(vd);
}

/* All without a vector of their own. */
static void run_shared_queues(struct virtio_dev *vd)
{
	for (u32 i = 0; i < VIRTIO_MAX_QUEUES; i++) {
		struct virtqueue *vq = load_once(&vd->vq[i]);

		if (vq && !vq->vector)
			(void)run_queue(vq);
	}
}

static bool intx_handler(void *arg)
{
	struct virtio_dev *vd = arg;
	u8 isr = mmio_read8(vd->isr);

	if (!isr || isr == 0xff)
		return false;
	if (isr & VIRTIO_ISR_CONFIG)
		run_config(vd);
	run_shared_queues(vd);
	return true;
}

static bool msix_shared_handler(void *arg)
{
	struct virtio_dev *vd = arg;

	run_config(vd);
	run_shared_queues(vd);
	return true;
}

static bool msix_config_handler(void *arg)
{
	run_config(arg);
	return true;
}

/* A message without anything new is no error: the ring was seen before it. */
static bool msix_queue_handler(void *arg)
{
	(void)run_queue(arg);
	return true;
}

static int set_config_vector(struct virtio_dev *vd)
{
	vc_write16(vd, VC_CONFIG_MSIX_VECTOR, 0);
	return vc_read16(vd, VC_CONFIG_MSIX_VECTOR) == 0 ? 0 : -EBUSY;
}

/* Queues that its driver sets up: more than one for each service hart has no use. */
static u32 want_queues(const struct virtio_dev *vd)
{
	switch (vd->type) {
	case VIRTIO_ID_NET:
		return 3; /* one each way, and commands */
	case VIRTIO_ID_BLOCK:
		return blk_max_hwq();
	default:
		return VIRTIO_MAX_QUEUES;
	}
}

static int irq_setup(struct virtio_dev *vd)
{
	irq_handler_fn *fn = intx_handler;
	u32 nr_queues = vc_read16(vd, VC_NUM_QUEUES);
	int nr, err;

	nr_queues = min(nr_queues, min(VIRTIO_MAX_QUEUES, want_queues(vd)));
	nr = pci_irq_alloc(vd->pci, nr_queues + 1);
	if (nr < 0)
		return nr;
	vd->nr_vecs = (u32)nr;
	vd->msix = vd->pci->irq_kind == PCI_IRQ_MSIX;
	if (vd->msix)
		fn = (u32)nr > nr_queues ? msix_config_handler
					 : msix_shared_handler;
	err = pci_irq_bind(vd->pci, 0, fn, vd, vd->name);
	if (!err && vd->msix)
		err = set_config_vector(vd);
	if (err)
		pci_irq_free(vd->pci);
	return err;
}

/* The selected queue raises @vec. */
static int set_vq_vector(struct virtio_dev *vd, u16 vec)
{
	if (!vd->msix)
		return 0;
	vc_write16(vd, VC_QUEUE_MSIX_VECTOR, vec);
	return vc_read16(vd, VC_QUEUE_MSIX_VECTOR) == vec ? 0 : -EBUSY;
}

/* Vector of a queue: its own, or the shared one. */
static int vq_vector(struct virtio_dev *vd, struct virtqueue *vq, int cpu)
{
	int err;

	vq->vector = vd->nr_vecs > vq->index + 1u ? (u16)(vq->index + 1u) : 0;
	if (vd->msix && vq->vector) {
		err = pci_irq_bind_hart(vd->pci, vq->vector, cpu,
					msix_queue_handler, vq, vd->name);
		if (err)
			return err;
	}
	return set_vq_vector(vd, vq->vector);
}

/* ---- queues [4.1.5.1.3] */

static u16 choose_size(struct virtio_dev *vd, u16 max_size)
{
	u16 offered = vc_read16(vd, VC_QUEUE_SIZE), size = 1;

	if (!offered)
		return 0;
	while (size * 2u <= offered && size * 2u <= max_size)
		size *= 2;
	return size;
}

static int vq_notify_addr(struct virtio_dev *vd, struct virtqueue *vq)
{
	u64 offset =
		(u64)vc_read16(vd, VC_QUEUE_NOTIFY_OFF) * vd->notify_multiplier;

	if (offset + sizeof(u16) > vd->notify_len || offset % sizeof(u16))
		return -EINVAL;
	vq->notify = (u16 __iomem *)(void __iomem *)(vd->notify_base + offset);
	return 0;
}

static int vq_memory(struct virtio_dev *vd, struct virtqueue *vq, u16 size)
{
	struct vring_slot *slot = kcalloc(size, sizeof(*slot));
	bool event_idx = virtio_has(vd, VIRTIO_F_EVENT_IDX);

	vq->mem = alloc_pages_exact(vring_bytes(size), GFP_ZERO);
	if (!slot || !vq->mem) {
		kfree(slot);
		return -ENOMEM;
	}
	vring_init(&vq->ring, size, vq->mem, slot, event_idx);
	return 0;
}

static void vq_enable(struct virtio_dev *vd, struct virtqueue *vq)
{
	u16 size = vq->ring.size;
	busaddr_t base = virt_to_phys(vq->mem);

	vc_write16(vd, VC_QUEUE_SIZE, size);
	vc_write64(vd, VC_QUEUE_DESC, base);
	vc_write64(vd, VC_QUEUE_DRIVER, base + vring_avail_offset(size));
	vc_write64(vd, VC_QUEUE_DEVICE, base + vring_used_offset(size));
	vc_write16(vd, VC_QUEUE_ENABLE, 1);
}

static int vq_setup(struct virtio_dev *vd, struct virtqueue *vq, u16 max_size,
		    int cpu)
{
	u16 size;
	int err;

	vc_write16(vd, VC_QUEUE_SELECT, vq->index);
	size = choose_size(vd, max_size);
	if (!size)
		return -ENOENT;
	if (vc_read16(vd, VC_QUEUE_ENABLE))
		return -EBUSY; /* not reset after all */
	err = vq_notify_addr(vd, vq);
	if (!err)
		err = vq_memory(vd, vq, size);
	if (!err)
		err = vq_vector(vd, vq, cpu);
	return err;
}

int virtio_vq_setup(struct virtio_dev *vd, u16 index, u16 max_size, int cpu,
		    bool (*handler)(struct virtqueue *vq), void *priv,
		    struct virtqueue **out)
{
	struct virtqueue *vq = kzalloc(sizeof(*vq));
	int err;

	KASSERT(index < VIRTIO_MAX_QUEUES && max_size <= VRING_MAX_SIZE);
	if (!vq)
		return -ENOMEM;
	vq->vd = vd;
	vq->index = index;
	vq->handler = handler;
	vq->priv = priv;
	err = vq_setup(vd, vq, max_size, cpu);
	if (err) {
		/* its vector may be bound: the caller kills the device, and
		 * the few bytes stay with it */
		if (vq->mem)
			free_pages_exact(vq->mem, vring_bytes(vq->ring.size));
		vq->mem = NULL;
		return err;
	}
	vq_enable(vd, vq);
	*out = vq;
	store_once(&vd->vq[index], vq);
	return 0;
}

static int vq_restart(struct virtio_dev *vd, struct virtqueue *vq)
{
	int err;

	vring_reset(&vq->ring);
	vc_write16(vd, VC_QUEUE_SELECT, vq->index);
	if (vc_read16(vd, VC_QUEUE_SIZE) < vq->ring.size)
		return -EIO;
	err = set_vq_vector(vd, vq->vector);
	if (!err)
		vq_enable(vd, vq);
	return err;
}

int virtio_restart(struct virtio_dev *vd)
{
	int err;

	add_status(vd, VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(vd, VIRTIO_STATUS_DRIVER);
	if ((virtio_offers(vd) & vd->features) != vd->features)
		return -EIO;
	err = agree(vd);
	if (!err && vd->msix)
		err = set_config_vector(vd);
	for (u32 i = 0; i < VIRTIO_MAX_QUEUES && !err; i++) {
		if (vd->vq[i])
			err = vq_restart(vd, vd->vq[i]);
	}
	return err ? -EIO : 0;
}

void virtio_ready(struct virtio_dev *vd)
{
	add_status(vd, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_notify(struct virtqueue *vq)
{
	atomic_add_relaxed(&vq->nr_notifies, 1ull);
	mmio_write16(vq->index, vq->notify);
}

/* ---- probe */

/* Map the structure of @type; the first that fits counts [4.1.4.1]. */
static u8 __iomem *map_struct(struct virtio_dev *vd, u8 type, u32 min_len,
			      u64 *len, u32 *cap_out)
{
	struct pci_dev *d = vd->pci;
	u32 cap = 0;

	for (u32 n = 0; n < PCI_CFG_SIZE / 4; n++) {
		u8 __iomem *va;

		cap = pci_find_cap(d, PCI_CAP_ID_VENDOR, cap);
		if (!cap || cap + VIRTIO_CAP_MIN_LEN > PCI_CFG_SIZE)
			return NULL;
		if (pci_read8(d, cap + VIRTIO_CAP_TYPE) != type ||
		    pci_read8(d, cap + VIRTIO_CAP_LEN) < VIRTIO_CAP_MIN_LEN)
			continue;
		*len = pci_read32(d, cap + VIRTIO_CAP_LENGTH);
		if (*len < min_len)
			continue;
		va = pci_iomap(d, pci_read8(d, cap + VIRTIO_CAP_BAR),
			       pci_read32(d, cap + VIRTIO_CAP_OFFSET), *len);
		if (va) {
			*cap_out = cap;
			return va;
		}
	}
	return NULL;
}

static int map_all(struct virtio_dev *vd)
{
	u32 cap = 0, unused;
	u64 len;

	vd->common = map_struct(vd, VIRTIO_TYPE_COMMON, VC_SIZE, &len, &unused);
	vd->isr = map_struct(vd, VIRTIO_TYPE_ISR, 1, &len, &unused);
	vd->notify_base =
		map_struct(vd, VIRTIO_TYPE_NOTIFY, 2, &vd->notify_len, &cap);
	if (!vd->common || !vd->isr || !vd->notify_base ||
	    cap + VIRTIO_CAP_MULTIPLIER + 4 > PCI_CFG_SIZE)
		return -ENODEV;
	vd->notify_multiplier =
		pci_read32(vd->pci, cap + VIRTIO_CAP_MULTIPLIER);
	vd->config =
		map_struct(vd, VIRTIO_TYPE_DEVICE, 1, &vd->config_len, &unused);
	if (!vd->config)
		vd->config_len = 0;
	return 0;
}

static void unmap_all(struct virtio_dev *vd)
{
	u8 __iomem *va[] = { vd->common, vd->isr, vd->notify_base, vd->config };

	for (u32 i = 0; i < ARRAY_SIZE(va); i++) {
		if (va[i])
			iounmap(va[i]);
	}
}

static int start(struct virtio_dev *vd)
{
	int err;

	if (!reset(vd)) {
		pr_err("%s: does not reset", vd->name);
		return -EIO;
	}
	pci_set_master(vd->pci);
	add_status(vd, VIRTIO_STATUS_ACKNOWLEDGE);
	add_status(vd, VIRTIO_STATUS_DRIVER);
	err = irq_setup(vd);
	if (err)
		pr_err("%s: no interrupt (%d)", vd->name, err);
	return err;
}

static int offer(struct virtio_dev *vd)
{
	const struct virtio_driver *drv;

	for (drv = __virtiodrivers_start; drv < __virtiodrivers_end; drv++) {
		int err;

		if (drv->type != vd->type)
			continue;
		err = drv->probe(vd);
		if (!err)
			virtio_sys_bind(vd, drv->name);
		return err;
	}
	return -ENODEV;
}

static int bring_up(struct virtio_dev *vd)
{
	int err = pci_enable(vd->pci);

	if (!err)
		err = map_all(vd);
	if (!err)
		err = start(vd);
	if (!err) {
		err = offer(vd);
		if (err) {
			add_status(vd, VIRTIO_STATUS_FAILED);
			(void)virtio_kill(vd);
			pci_irq_free(vd->pci);
		}
	}
	if (err) {
		virtio_sys_del(vd); /* its status is in what we unmap */
		pci_disable(vd->pci);
		unmap_all(vd);
	}
	return err;
}

static u32 device_type(const struct pci_dev *d)
{
	if (d->device < VIRTIO_PCI_TRANS_FIRST ||
	    d->device > VIRTIO_PCI_MODERN_LAST)
		return 0;
	if (d->device < VIRTIO_PCI_MODERN_FIRST)
		return d->subsys_device;
	return d->device - VIRTIO_PCI_MODERN_FIRST;
}

static int virtio_pci_probe(struct pci_dev *d)
{
	u32 type = device_type(d);
	struct virtio_dev *vd;
	int err;

	if (!type)
		return -ENODEV;
	vd = kzalloc(sizeof(*vd));
	if (!vd)
		return -ENOMEM;
	vd->pci = d;
	vd->name = d->name;
	vd->type = type;
	d->priv = vd;
	virtio_sys_add(vd, d->sys);
	err = bring_up(vd);
	if (err)
		kfree(vd);
	return err;
}

static const struct pci_id virtio_pci_ids[] = {
	{ .vendor = VIRTIO_PCI_VENDOR, .device = PCI_ANY },
	{ 0 },
};

PCI_DRIVER(virtio_pci) = {
	.name = "virtio-pci",
	.ids = virtio_pci_ids,
	.probe = virtio_pci_probe,
};
