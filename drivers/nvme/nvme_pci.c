/* SPDX-License-Identifier: MIT */
/*
 * drivers/nvme/nvme_pci.c - NVMe controllers on PCI: probe, interrupts, arguments.
 *
 * A controller may come enabled, with queues of a boot loader in memory that is
 * ours now: it is disabled before it may master the bus.
 *
 * Interrupts: vector 0 is the admin queue's, and the I/O queue i has vector i, sent
 * to the service hart that it belongs to; with fewer vectors (MSI, INTx: one)
 * queues share.  On a shared line a handler looks until none of its queues has
 * anything: see I3 of nvme_cmd.c.
 *
 * Boot arguments: nvme.mode=irq|poll|hybrid (all queues), nvme.poll_queues=N (the
 * first N poll), nvme_core.io_timeout= and nvme_core.admin_timeout= in seconds.
 */
#include <drivers/nvme/nvme.h>

#include <kernel/assert.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/reset.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define IRQ_ROUNDS 16u

u64 nvme_io_timeout_ns = 30 * NSEC_PER_SEC;
u64 nvme_admin_timeout_ns = 60 * NSEC_PER_SEC;
static u8 boot_mode = NVME_MODE_IRQ; /* [I after boot] */
static u32 poll_queues;		     /* [I after boot] */

/* Only the probes, one after another, add; shutdown walks. */
static struct list_head ctrls = LIST_HEAD_INIT(ctrls);
static u32 nr_ctrls;

/* ---- arguments */

const char *const nvme_mode_names[NR_NVME_MODES] = {
	[NVME_MODE_IRQ] = "irq",
	[NVME_MODE_POLL] = "poll",
	[NVME_MODE_HYBRID] = "hybrid",
};

static void param_mode(const char *v)
{
	for (u32 m = 0; m < NR_NVME_MODES; m++) {
		if (!strcmp(v, nvme_mode_names[m])) {
			boot_mode = (u8)m;
			return;
		}
	}
	pr_warn("nvme: mode=%s: irq, poll or hybrid", v);
}
BOOTPARAM(nvme_mode, "nvme.mode", param_mode);

static u64 number(const char *name, const char *v, u64 lo, u64 hi, u64 dflt)
{
	u64 n;

	if (!kstrtou64(v, 0, &n) && n >= lo && n <= hi)
		return n;
	pr_warn("nvme: %s=%s is not a number from %llu to %llu", name, v,
		(unsigned long long)lo, (unsigned long long)hi);
	return dflt;
}

static void param_poll_queues(const char *v)
{
	poll_queues = (u32)number("poll_queues", v, 0, NVME_MAX_IOQ, 0);
}
BOOTPARAM(nvme_poll_queues, "nvme.poll_queues", param_poll_queues);

static void param_io_timeout(const char *v)
{
	nvme_io_timeout_ns =
		NSEC_PER_SEC * number("io_timeout", v, 1, 86400, 30);
}
BOOTPARAM(nvme_io_timeout, "nvme_core.io_timeout", param_io_timeout);

static void param_admin_timeout(const char *v)
{
	nvme_admin_timeout_ns =
		NSEC_PER_SEC * number("admin_timeout", v, 1, 86400, 60);
}
BOOTPARAM(nvme_admin_timeout, "nvme_core.admin_timeout", param_admin_timeout);

/* ---- interrupts */

u32 nvme_nr_queues(const struct nvme_ctrl *c)
{
	return c->admin ? 1 + c->nr_ioq : 0;
}

struct nvme_queue *nvme_queue_nr(const struct nvme_ctrl *c, u32 i)
{
	return i ? c->ioq[i - 1] : c->admin;
}

/* Vector 0 goes to the default hart, and so does a pin that others share. */
static u32 vector_cpu(const struct nvme_ctrl *c, u32 vector)
{
	if (vector && c->pci->irq_kind == PCI_IRQ_MSIX)
		return blk_hwq_cpu(vector - 1);
	return (u32)service_cpu_default();
}

static bool look(const struct nvme_vector *v)
{
	const struct nvme_ctrl *c = v->ctrl;
	u32 nr = nvme_nr_queues(c);
	bool found = false;

	for (u32 i = 0; i < nr; i++) {
		struct nvme_queue *q = nvme_queue_nr(c, i);

		if (q->vector == v->index && nvme_reap(q)) {
			store_once(&q->lost_in_row, 0); /* relaxed: a measure */
			found = true;
		}
	}
	return found;
}

/* Did its queues complete anything since it was asked last?  Who polls may have been
 * faster than the interrupt, which somebody wanted all the same. */
static bool was_wanted(struct nvme_vector *v)
{
	u32 nr = nvme_nr_queues(v->ctrl);
	u64 old = load_once(&v->taken), sum = 0;

	for (u32 i = 0; i < nr; i++) {
		const struct nvme_queue *q = nvme_queue_nr(v->ctrl, i);

		if (q->vector == v->index)
			sum += load_once(&q->ring.nr_taken);
	}
	store_once(&v->taken, sum);
	return sum != old;
}

static bool nvme_interrupt(void *arg)
{
	struct nvme_vector *v = arg;
	bool found = look(v);

	for (u32 n = 0; found && n < IRQ_ROUNDS && look(v); n++)
		;
	/* relaxed: statistics */
	atomic_add_relaxed(&nvme_queue_nr(v->ctrl, v->index)->nr_irqs, 1ull);
	return was_wanted(v);
}

static int bind_vector(struct nvme_ctrl *c, u32 i, int cpu)
{
	c->vec[i] = (struct nvme_vector){ .ctrl = c, .index = i };
	return pci_irq_bind_hart(c->pci, i, cpu, nvme_interrupt, &c->vec[i],
				 c->name);
}

/* ---- queues */

static u16 queue_depth(const struct nvme_ctrl *c, u32 wanted)
{
	u32 max = (u32)FIELD_GET(NVME_CAP_MQES, c->cap) + 1;

	return (u16)max(min(wanted, max), 2u);
}

static int setup_admin(struct nvme_ctrl *c)
{
	int nr = pci_irq_alloc(c->pci, 1 + c->nr_wanted);

	if (nr < 0) {
		pr_err("%s: no interrupt (%d)", c->name, nr);
		return nr;
	}
	c->nr_vecs = (u32)nr;
	c->admin = nvme_queue_alloc(c, 0, queue_depth(c, NVME_ADMIN_DEPTH), 0);
	if (!c->admin)
		return -ENOMEM;
	c->admin->irq_cpu = vector_cpu(c, 0);
	return bind_vector(c, 0, -1);
}

/* Bytes of a list for the largest transfer: a power of two, at most a page. */
static u32 list_bytes(const struct nvme_ctrl *c)
{
	u32 bytes = 64;

	while (bytes < PAGE_SIZE && bytes / 8 < c->max_bytes / PAGE_SIZE)
		bytes *= 2;
	return bytes;
}

static int setup_ioq(struct nvme_ctrl *c, u32 i)
{
	struct nvme_queue *q = nvme_queue_alloc(
		c, (u16)(i + 1), queue_depth(c, NVME_IO_DEPTH), list_bytes(c));

	if (!q)
		return -ENOMEM;
	q->vector = (i + 1) % c->nr_vecs;
	q->irq_cpu = vector_cpu(c, q->vector);
	q->mode = i < poll_queues && boot_mode == NVME_MODE_IRQ ? NVME_MODE_POLL
								: boot_mode;
	c->ioq[i] = q;
	return q->vector ? bind_vector(c, q->vector, (int)q->irq_cpu) : 0;
}

/* For commands that do not come from the block core: a service hart has its own
 * queue, an application hart shares one. */
static void assign_queues(struct nvme_ctrl *c)
{
	u32 nr[2] = { 0, 0 };

	for (u32 cpu = 0; cpu < nr_harts; cpu++) {
		u32 service = (service_mask() & BIT(cpu)) != 0;

		c->of_cpu[cpu] = c->ioq[nr[service]++ % c->nr_ioq];
	}
}

static int setup_ioqs(struct nvme_ctrl *c)
{
	int err = nvme_set_nr_queues(c);

	for (u32 i = 0; i < min(c->nr_wanted, c->nr_granted) && !err; i++) {
		err = setup_ioq(c, i);
		if (c->ioq[i])
			c->nr_ioq++;
	}
	if (err)
		return err;
	assign_queues(c);
	return nvme_create_ioqs(c);
}

/* ---- probe */

static int read_cap(struct nvme_ctrl *c)
{
	u64 to;

	c->regs = pci_iomap(c->pci, 0, 0, NVME_DB_BASE);
	if (!c->regs)
		return -ENODEV;
	c->cap = nvme_rd64(c, NVME_CAP);
	c->version = nvme_rd32(c, NVME_VS);
	iounmap(c->regs);
	c->regs = NULL;
	if (c->cap == ~0ull)
		return -ENODEV;
	if (!(c->cap & NVME_CAP_CSS) || FIELD_GET(NVME_CAP_MPSMIN, c->cap) ||
	    FIELD_GET(NVME_CAP_DSTRD, c->cap) > 10) {
		pr_err("%s: capabilities %#llx: not for us", c->name,
		       (unsigned long long)c->cap);
		return -EINVAL;
	}
	to = FIELD_GET(NVME_CAP_TO, c->cap);
	c->ready_ms = (u32)(to + 1) * 500;
	return 0;
}

static int map_regs(struct nvme_ctrl *c)
{
	u64 stride = 4ull << FIELD_GET(NVME_CAP_DSTRD, c->cap);
	u64 len = NVME_DB_BASE + 2 * (c->nr_wanted + 1ull) * stride;

	c->regs = pci_iomap(c->pci, 0, 0, len);
	return c->regs ? 0 : -ENODEV;
}

static int bring_up(struct nvme_ctrl *c)
{
	int err = pci_enable(c->pci);

	if (!err)
		err = read_cap(c);
	if (!err)
		err = map_regs(c);
	if (!err)
		err = nvme_disable(c);
	if (err)
		return err;
	pci_set_master(c->pci);
	err = setup_admin(c);
	if (!err)
		err = nvme_enable(c);
	if (!err)
		err = nvme_identify_ctrl(c);
	if (!err)
		err = setup_ioqs(c);
	return err;
}

/* What bring_up() has made, after it failed. */
static void tear_down(struct nvme_ctrl *c)
{
	u32 nr = nvme_nr_queues(c);

	nvme_die(c, "does not come up");
	pci_irq_free(c->pci);
	for (u32 i = 0; i < nr; i++)
		nvme_watch_stop(nvme_queue_nr(c, i));
	for (u32 i = nr; i--;)
		nvme_queue_free(nvme_queue_nr(c, i));
	pci_disable(c->pci);
	if (c->regs)
		iounmap(c->regs);
	kfree(c);
}

static void go_live(struct nvme_ctrl *c)
{
	store_once(&c->state, (u32)NVME_LIVE);
	for (u32 i = 0; i < nvme_nr_queues(c); i++)
		nvme_replay(nvme_queue_nr(c, i), false);
}

static const char *irq_name(const struct nvme_ctrl *c)
{
	static const char *const name[] = {
		[PCI_IRQ_NONE] = "no interrupt",
		[PCI_IRQ_INTX] = "INTx",
		[PCI_IRQ_MSI] = "MSI",
		[PCI_IRQ_MSIX] = "MSI-X",
	};

	return name[c->pci->irq_kind];
}

static void report(const struct nvme_ctrl *c)
{
	pr_info("%s: %s: %s, firmware %s, NVMe %u.%u", c->name, c->pci->name,
		c->model, c->firmware,
		(u32)FIELD_GET(NVME_VS_MAJOR, c->version),
		(u32)FIELD_GET(NVME_VS_MINOR, c->version));
	pr_info("%s: %u queues of %u, %s, %s, transfers of up to %u KiB%s",
		c->name, c->nr_ioq, c->ioq[0]->ring.depth, irq_name(c),
		nvme_mode_names[c->ioq[0]->mode], c->max_bytes >> 10,
		c->write_cache ? ", write cache" : "");
}

static int show(struct nvme_ctrl *c)
{
	int err = nvme_worker_start(c);

	if (err)
		return err;
	list_add_tail(&c->node, &ctrls);
	go_live(c);
	report(c);
	nvme_events_begin(c);
	err = nvme_scan(c);
	if (err)
		pr_err("%s: no list of namespaces (error %d)", c->name, err);
	err = nvme_dev_register(c);
	if (err)
		pr_err("%s: no /dev/%s (error %d)", c->name, c->name, err);
	nvme_sys_add(c);
	nvme_show_ns(c);
	return 0;
}

/*
 * QEMU's model has a write cache and completes writes with FUA without caring
 * for it (7.2 and 10; `make powercut' loses commits then).  The block core flushes
 * after such a write to a disk that does not know FUA.
 */
static bool ignores_fua(const struct pci_dev *d)
{
	return d->vendor == 0x1b36 && d->device == 0x0010;
}

static int nvme_probe(struct pci_dev *d)
{
	struct nvme_ctrl *c = kzalloc(sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->pci = d;
	c->ignores_fua = ignores_fua(d);
	c->nr = nr_ctrls++;
	scnprintf(c->name, sizeof(c->name), "nvme%u", c->nr);
	c->nr_wanted = min_t(u32, blk_max_hwq(), NVME_MAX_IOQ);
	waitq_init(&c->work_wq);
	waitq_init(&c->done_wq);
	d->priv = c;
	err = bring_up(c);
	if (!err)
		err = show(c);
	if (err)
		tear_down(c);
	return err;
}

static void shut_all(void)
{
	struct nvme_ctrl *c;

	list_for_each_entry(c, &ctrls, node)
		nvme_shut(c);
}

static int nvme_init(void)
{
	reset_prepare_register(shut_all);
	return 0;
}
INITCALL(INIT_BUS, nvme_init);

static const struct pci_id nvme_ids[] = {
	{ .vendor = PCI_ANY,
	  .device = PCI_ANY,
	  .class = NVME_PCI_CLASS,
	  .class_mask = 0xffffff },
	{ 0 },
};

PCI_DRIVER(nvme) = {
	.name = "nvme",
	.ids = nvme_ids,
	.probe = nvme_probe,
};
