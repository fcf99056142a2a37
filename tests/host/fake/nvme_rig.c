/* SPDX-License-Identifier: MIT */
/* tests/host/fake/nvme_rig.c - see nvme_rig.h. */
#include <tests/host/cmocka.h>

#include <tests/host/fake/nvme_rig.h>

#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

struct fake_nvme dev;
struct nvme_ctrl *ctrl;
u64 rig_now;
u32 rig_lost, rig_broken;
static struct pci_dev pci;

/* ---- memory */

static struct hart hart0;
struct hart *host_this_hart = &hart0;
u64 host_direct_map, phys_ram_base, phys_ram_end = ~0ull;

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void *kcalloc(size_t n, size_t size)
{
	return calloc(n, size);
}

void kfree(const void *p)
{
	free((void *)(uintptr_t)p);
}

void *alloc_pages_exact(size_t bytes, u32 gfp)
{
	size_t whole = (bytes + PAGE_SIZE - 1) & PAGE_MASK;
	void *p = aligned_alloc(PAGE_SIZE, whole);

	(void)gfp;
	memset(p, 0, whole);
	return p;
}

void free_pages_exact(void *addr, size_t bytes)
{
	(void)bytes;
	free(addr);
}

void *get_free_page(u32 gfp)
{
	return alloc_pages_exact(PAGE_SIZE, gfp);
}

void free_page_addr(void *addr)
{
	free(addr);
}

paddr_t virt_to_phys(const void *va)
{
	return (paddr_t)(uintptr_t)va;
}

/* ---- messages, locks */

void log_printf(enum log_level level, const char *fmt, ...)
{
	(void)level;
	rig_lost += strstr(fmt, "interrupt was lost") != NULL;
}

bool log_may(struct log_ratelimit *rl)
{
	(void)rl;
	return true;
}

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

void spin_lock(struct spinlock *l)
{
	assert_int_equal(l->hart, 0);
	assert_int_equal(hart0.lock_depth++, 0); /* one at a time */
	l->hart = 1;
}

void spin_unlock(struct spinlock *l)
{
	assert_int_equal(l->hart, 1);
	hart0.lock_depth--;
	l->hart = 0;
}

bool spin_held(const struct spinlock *l)
{
	return l->hart == 1;
}

/* ---- time */

u64 clock_mono_ns(void)
{
	return rig_now += 100;
}

static struct ktimer *timers[16];
static u32 nr_timers;

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *), void *arg)
{
	*t = (struct ktimer){ .fn = fn, .arg = arg };
}

bool ktimer_cancel(struct ktimer *t)
{
	for (u32 i = 0; i < nr_timers; i++) {
		if (timers[i] == t) {
			timers[i] = timers[--nr_timers];
			return true;
		}
	}
	return false;
}

void ktimer_arm(struct ktimer *t, u64 deadline_ns)
{
	(void)ktimer_cancel(t);
	assert_true(nr_timers < ARRAY_SIZE(timers));
	t->deadline_ns = deadline_ns;
	timers[nr_timers++] = t;
}

static struct ktimer *next_timer(void)
{
	struct ktimer *first = NULL;

	for (u32 i = 0; i < nr_timers; i++) {
		if (!first || timers[i]->deadline_ns < first->deadline_ns)
			first = timers[i];
	}
	return first;
}

/* ---- waiting: everything goes on in rig_turn() */

void waitq_init(struct waitq *wq)
{
	list_init(&wq->list);
}

void wake_up_all_key(struct waitq *wq, u64 key)
{
	(void)wq;
	(void)key;
}

void waiter_init(struct waiter *w)
{
	(void)w;
}

void wait_prepare(struct waitq *wq, struct waiter *w, bool interruptible)
{
	(void)wq;
	(void)w;
	(void)interruptible;
}

void wait_finish(struct waitq *wq, struct waiter *w)
{
	(void)wq;
	(void)w;
}

static bool interrupts(void)
{
	bool any = false;

	for (u32 i = 0; ctrl && i < nvme_nr_queues(ctrl); i++) {
		if (!dev.q[i].pin)
			continue;
		dev.q[i].pin = false;
		any = true;
		(void)nvme_reap(nvme_queue_nr(ctrl, i));
	}
	return any;
}

static bool work(void)
{
	static bool inside;

	if (!ctrl || inside || !(ctrl->work & NVME_WORK_ALL))
		return false;
	inside = true;
	nvme_work(ctrl);
	inside = false;
	return true;
}

/* Nothing happens before @limit: then it is @limit. */
static void turn_until(u64 limit)
{
	struct ktimer *t;

	dev.master = pci.devfn; /* see pci_clear_master() below */
	if (fake_nvme_run(&dev) || interrupts() || work())
		return;
	t = next_timer();
	if (!t || t->deadline_ns > limit) {
		rig_now = max(rig_now, limit);
		return;
	}
	rig_now = max(rig_now, t->deadline_ns);
	(void)ktimer_cancel(t);
	t->fn(t);
}

void rig_turn(void)
{
	turn_until(rig_now + 100 * NSEC_PER_MSEC);
}

void rig_pass(u64 ns)
{
	u64 end = rig_now + ns;

	while (rig_now < end)
		turn_until(end);
}

bool rig_until(const u32 *flag, u32 want, u64 ns)
{
	u64 end = rig_now + ns;

	while (*flag < want && rig_now < end)
		turn_until(end);
	return *flag >= want;
}

int wait_suspend(u64 deadline_ns)
{
	assert_int_equal(hart0.lock_depth, 0);
	if (deadline_ns != WAIT_FOREVER && rig_now >= deadline_ns)
		return -ETIMEDOUT;
	turn_until(deadline_ns != WAIT_FOREVER ? deadline_ns
					       : rig_now + NSEC_PER_SEC);
	return 0;
}

int sleep_until_ns(u64 deadline_ns, bool interruptible)
{
	(void)interruptible;
	while (rig_now < deadline_ns)
		turn_until(deadline_ns);
	return 0;
}

/* ---- the rest of the kernel */

bool irq_is_waiting(void)
{
	for (u32 i = 0; i < FAKE_QUEUES; i++) {
		if (dev.q[i].pin)
			return true;
	}
	return false;
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	(void)name;
	fn(arg);
	return (struct thread *)8;
}

/* devfn stands for bus mastering. */
void pci_clear_master(struct pci_dev *d)
{
	d->devfn = 0;
	dev.master = false;
}

void blk_plug(void)
{
}

void blk_unplug(void)
{
}

int blkdev_register(struct blkdev *bd)
{
	bd->whole = bd;
	return 0;
}

void blkdev_resize(struct blkdev *bd, u64 nr_sectors)
{
	bd->nr_sectors = nr_sectors;
}

void blkdev_break(struct blkdev *bd)
{
	bd->broken = true;
	rig_broken++;
}

void bio_done(struct bio *bio, int status)
{
	struct user *u = container_of(bio, struct user, bio);

	assert_int_equal(hart0.lock_depth, 0);
	/* a dead device must not reach the memory of what has ended */
	assert_false(nvme_state(ctrl) == NVME_DEAD && dev.master);
	bio->status = status;
	u->ended++;
	u->ended_at = rig_now;
}

/* nvme_pci.c, nvme_dev.c, nvme_sysfs.c */
u64 nvme_io_timeout_ns = 30 * NSEC_PER_SEC;
u64 nvme_admin_timeout_ns = 60 * NSEC_PER_SEC;

u32 nvme_nr_queues(const struct nvme_ctrl *c)
{
	return c->admin ? 1 + c->nr_ioq : 0;
}

struct nvme_queue *nvme_queue_nr(const struct nvme_ctrl *c, u32 i)
{
	return i ? c->ioq[i - 1] : c->admin;
}

s64 nvme_ns_ioctl(struct blkdev *bd, unsigned int cmd, u64 arg, bool can_write)
{
	(void)bd;
	(void)cmd;
	(void)arg;
	(void)can_write;
	return -ENOTTY;
}

void nvme_sys_add_ns(struct nvme_ns *ns)
{
	(void)ns;
}

/* ---- the controller */

void rig_init(u32 block_shift)
{
	fake_nvme_init(&dev, block_shift);
	nr_timers = 0;
	rig_now = NSEC_PER_SEC;
	rig_lost = rig_broken = 0;
	hart0.lock_depth = 0;
	pci = (struct pci_dev){ 0 };
	ctrl = calloc(1, sizeof(*ctrl));
	ctrl->pci = &pci;
	ctrl->regs = dev.regs;
	ctrl->cap = nvme_rd64(ctrl, NVME_CAP);
	ctrl->version = nvme_rd32(ctrl, NVME_VS);
	ctrl->ready_ms = 1000;
	strcpy(ctrl->name, "nvme0");
}

static int make_ioqs(u32 nr, u16 depth)
{
	int err = nvme_set_nr_queues(ctrl);

	for (u32 i = 0; i < nr && !err; i++) {
		ctrl->ioq[i] =
			nvme_queue_alloc(ctrl, (u16)(i + 1), depth, PAGE_SIZE);
		ctrl->nr_ioq++;
	}
	for (u32 cpu = 0; cpu < MAX_HARTS; cpu++)
		ctrl->of_cpu[cpu] = ctrl->ioq[cpu % nr];
	return err ? err : nvme_create_ioqs(ctrl);
}

int rig_probe(u32 nr_ioq, u16 depth)
{
	int err = nvme_disable(ctrl);

	if (err)
		return err;
	pci.devfn = 1;
	ctrl->nr_wanted = nr_ioq;
	ctrl->admin = nvme_queue_alloc(ctrl, 0, 32, 0);
	err = nvme_enable(ctrl);
	if (!err)
		err = nvme_identify_ctrl(ctrl);
	if (!err)
		err = make_ioqs(nr_ioq, depth);
	if (err)
		return err;
	ctrl->state = NVME_LIVE;
	for (u32 i = 0; i < nvme_nr_queues(ctrl); i++)
		nvme_replay(nvme_queue_nr(ctrl, i), false);
	nvme_events_begin(ctrl);
	err = nvme_scan(ctrl);
	nvme_show_ns(ctrl);
	return err;
}

void rig_free(void)
{
	nvme_die(ctrl, "end of the test");
	for (u32 i = nvme_nr_queues(ctrl); i--;)
		nvme_queue_free(nvme_queue_nr(ctrl, i));
	for (u32 i = 0; i < ctrl->nr_ns; i++)
		free(ctrl->ns[i]);
	free(ctrl);
	ctrl = NULL;
	fake_nvme_free(&dev);
}

struct blkdev *rig_disk(u32 i)
{
	assert_true(i < ctrl->nr_ns);
	return &ctrl->ns[i]->bd;
}

/* ---- bios */

void user_init(struct user *u, enum bio_op op, u64 sector, u32 nr_sectors)
{
	memset(u, 0, sizeof(*u));
	u->bio.op = op;
	u->bio.sector = sector;
	u->bio.nr_sectors = nr_sectors;
}

void user_seg(struct user *u, void *addr, u32 len)
{
	u->bio.seg[u->bio.nr_segs].addr = addr;
	u->bio.seg[u->bio.nr_segs++].len = len;
}

/* The block layer's queues: one for each hart. */
unsigned int blk_hwq_cpu(u32 hwq)
{
	return hwq;
}

u32 blk_max_hwq(void)
{
	return 1;
}

int user_start(u32 disk, struct user *u)
{
	struct blkdev *bd = rig_disk(disk);
	int err;

	u->bio.dev = bd;
	err = bd->ops->submit(bd, &u->bio);
	bd->ops->commit(bd, u->bio.hwq);
	return err;
}

int user_run(u32 disk, struct user *u)
{
	u32 before = u->ended;
	int err = user_start(disk, u);

	if (err)
		return err;
	assert_true(rig_until(&u->ended, before + 1, 300 * NSEC_PER_SEC));
	return u->bio.status;
}
