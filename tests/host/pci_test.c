/* SPDX-License-Identifier: MIT */
/* sources: drivers/pci/pci.c drivers/pci/scan.c drivers/pci/bar.c */
/* sources: drivers/pci/assign.c drivers/pci/port.c lib/fmt.c lib/string.c */
/*
 * tests/host/pci_test.c - enumeration of a fake PCI tree: numbers of buses,
 * sizes, places and windows, and devices that make no sense.
 */
#include <tests/host/cmocka.h>

#include <drivers/pci/pci_core.h>
#include <kernel/dev/sysfs.h>
#include <kernel/log.h>
#include <kernel/sched/wait.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

/* Waiting for a link costs no time here; it may come meanwhile. */
static u32 nr_sleeps, link_after;
static u8 *link_status; /* upper byte of a port's, or NULL */

int sleep_until_ns(u64 deadline_ns __unused, bool interruptible __unused)
{
	if (++nr_sleeps == link_after && link_status)
		*link_status |= 0x20; /* active */
	return 0;
}

/* ---- what the core wants of the kernel */

/* The core's list of devices only grows: freed at the very end. */
static void *allocs[1 << 17];
static u32 nr_allocs;
static u64 now_ns;

void *kzalloc(size_t size)
{
	assert_true(nr_allocs < 1 << 17);
	return allocs[nr_allocs++] = calloc(1, size);
}

static void free_all(void)
{
	while (nr_allocs)
		free(allocs[--nr_allocs]);
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

int sys_bind(const char *bus, const char *driver, struct sys_dir *d)
{
	(void)bus;
	(void)driver;
	(void)d;
	return 0;
}

void pci_sys_add_host(struct pci_host *h)
{
	(void)h;
}

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

u64 clock_mono_ns(void)
{
	return now_ns += 1000;
}

void udelay(u32 us)
{
	now_ns += us * 1000ull;
}

static paddr_t mapped;

void __iomem *ioremap(paddr_t pa, size_t size)
{
	(void)size;
	mapped = pa;
	return (void *)8;
}

const struct pci_driver __pcidrivers_start[1];
const struct pci_driver __pcidrivers_end[1];

/* ---- the machine */

#define MAX_FAKES 64

struct fake {
	struct fake *parent; /* bridge that it is behind, or NULL */
	u32 devfn;
	u8 cfg[4096];
	u32 bar_mask[6]; /* writable bits; low bits are in cfg */
	bool pref64;	 /* bridge: window type */
	u32 retries;	 /* reads of the id that say "retry" */
};

static struct fake fakes[MAX_FAKES];
static u32 nr_fakes;

static u32 get32(const struct fake *f, u32 reg)
{
	u32 v;

	memcpy(&v, f->cfg + reg, 4);
	return v;
}

static void set32(struct fake *f, u32 reg, u32 v)
{
	memcpy(f->cfg + reg, &v, 4);
}

/* As the hardware routes: by the numbers that the bridges hold now. */
static bool reached(const struct fake *f, u32 bus, u32 bus_first)
{
	const struct fake *b = f->parent;

	if (!b)
		return bus == bus_first;
	if (b->cfg[0x19] != bus)
		return false;
	for (; b->parent; b = b->parent) {
		const struct fake *up = b->parent;

		if (b->cfg[0x19] < up->cfg[0x19] ||
		    b->cfg[0x19] > up->cfg[0x1a])
			return false;
	}
	return true;
}

static struct fake *find(struct pci_host *h, u32 bus, u32 devfn)
{
	for (u32 i = 0; i < nr_fakes; i++) {
		if (fakes[i].devfn == devfn &&
		    reached(&fakes[i], bus, h->bus_first))
			return &fakes[i];
	}
	return NULL;
}

static u32 fake_read(struct pci_host *h, u32 bus, u32 devfn, u32 reg, u32 width)
{
	struct fake *f = find(h, bus, devfn);
	u32 v = 0;

	if (!f)
		return ~0u >> (32 - 8 * width);
	if (reg == 0 && f->retries) {
		f->retries--;
		return 0xffff0001;
	}
	memcpy(&v, f->cfg + reg, width);
	return v;
}

static void fake_write(struct pci_host *h, u32 bus, u32 devfn, u32 reg,
		       u32 width, u32 v)
{
	struct fake *f = find(h, bus, devfn);
	bool bridge;

	if (!f)
		return;
	bridge = (f->cfg[0xe] & 0x7f) == 1;
	if (reg >= 0x10 && reg < (bridge ? 0x18 : 0x28)) {
		u32 n = (reg - 0x10) / 4, old = get32(f, reg);

		assert_int_equal(width, 4);
		set32(f, reg, (old & ~f->bar_mask[n]) | (v & f->bar_mask[n]));
		return;
	}
	if (bridge && reg == 0x24) {
		set32(f, reg, (v & 0xfff0fff0) | (f->pref64 ? 0x10001 : 0));
		return;
	}
	if (reg < 4 || reg == 8 || reg == 0xe || reg == 0x34 || reg == 0x3d)
		return;
	memcpy(f->cfg + reg, &v, width);
}

static const struct pci_host_ops ops = { .read = fake_read,
					 .write = fake_write };

static struct fake *add_dev(struct fake *parent, u32 slot, u32 func, u16 id)
{
	struct fake *f = &fakes[nr_fakes++];

	assert_true(nr_fakes < MAX_FAKES);
	memset(f, 0, sizeof(*f));
	f->parent = parent;
	f->devfn = slot << 3 | func;
	set32(f, 0, (u32)id << 16 | 0x1234);
	set32(f, 8, 0x01000000);
	f->cfg[0x3d] = 1;
	set32(f, 4, 7); /* left running by somebody */
	return f;
}

static struct fake *add_bridge(struct fake *parent, u32 slot, u32 port_type)
{
	struct fake *f = add_dev(parent, slot, 0, 0xb);

	f->cfg[0xe] = 1;
	set32(f, 8, 0x06040000);
	f->pref64 = true;
	f->cfg[6] = 0x10;
	f->cfg[0x34] = 0x40;
	f->cfg[0x40] = 0x10;
	f->cfg[0x42] = (u8)(port_type << 4);
	set32(f, 0x18, 0x00ffee00); /* stale */
	return f;
}

static void add_bar32(struct fake *f, u32 n, u32 size, bool prefetch)
{
	f->bar_mask[n] = ~(size - 1);
	set32(f, 0x10 + 4 * n, prefetch ? 8 : 0);
}

static void add_bar64(struct fake *f, u32 n, u64 size, bool prefetch)
{
	u64 mask = ~(size - 1);

	f->bar_mask[n] = (u32)mask;
	f->bar_mask[n + 1] = (u32)(mask >> 32);
	set32(f, 0x10 + 4 * n, prefetch ? 0xc : 4);
}

static struct pci_host host;

static void host_init(void)
{
	nr_fakes = 0;
	host = (struct pci_host){
		.ops = &ops,
		.fdt_node = -1,
		.bus_last = 255,
		.nr_win = 2,
		.win = {
			{ .cpu_addr = 0x40000000, .bus_addr = 0x40000000,
			  .size = 0x40000000 },
			{ .cpu_addr = 0x1400000000, .bus_addr = 0x400000000,
			  .size = 0x400000000 },
		},
	};
}

/* ---- checks */

static struct {
	u64 start, end;
} placed[512];
static u32 nr_placed;

static void check_res(const struct pci_res *r, u64 lo, u64 hi)
{
	if (!r->size || !r->placed)
		return;
	assert_int_equal(r->addr % r->align, 0);
	assert_true(r->addr >= lo && r->addr + r->size - 1 <= hi);
	for (u32 i = 0; i < nr_placed; i++)
		assert_true(r->addr >= placed[i].end ||
			    r->addr + r->size <= placed[i].start);
	placed[nr_placed].start = r->addr;
	placed[nr_placed++].end = r->addr + r->size;
}

static struct fake *fake_of(const struct pci_dev *d)
{
	return find(&host, d->bus->nr, d->devfn);
}

static void check_bus(const struct pci_bus *bus, const u64 *lo, const u64 *hi)
{
	struct pci_dev *d;

	list_for_each_entry(d, &bus->devs, node) {
		struct fake *f = fake_of(d);

		assert_non_null(f);
		for (u32 i = 0; i < 6; i++) {
			const struct pci_res *r = &d->bar[i];
			u32 kind = bus->pref64 && r->is64 && r->prefetch;

			check_res(r, lo[kind], hi[kind]);
			if (!r->placed)
				continue;
			assert_int_equal(get32(f, 0x10 + 4 * i) & ~0xfu,
					 (u32)r->addr);
			if (r->is64)
				assert_int_equal(get32(f, 0x14 + 4 * i),
						 r->addr >> 32);
		}
		if (d->child) {
			u64 clo[2], chi[2];
			u32 m = get32(f, 0x20), p = get32(f, 0x24);

			clo[0] = (m & 0xfff0ull) << 16;
			chi[0] = (m & 0xfff00000ull) | 0xfffff;
			clo[1] = (p & 0xfff0ull) << 16 | (u64)get32(f, 0x28)
								 << 32;
			chi[1] = (p & 0xfff00000ull) | 0xfffff |
				 (u64)get32(f, 0x2c) << 32;
			assert_int_equal(f->cfg[0x18], bus->nr);
			assert_int_equal(f->cfg[0x19], d->child->nr);
			for (u32 k = 0; k < 2; k++)
				assert_true(
					clo[k] > chi[k] ||
					(clo[k] >= lo[k] && chi[k] <= hi[k]));
			check_bus(d->child, clo, chi);
		}
	}
}

static void check_all(void)
{
	const u64 any_lo[2] = { 0, 0 }, any_hi[2] = { ~0ull, ~0ull };

	nr_placed = 0;
	check_bus(host.root, any_lo, any_hi);
}

static struct pci_dev *on_bus(struct pci_bus *bus, u16 id)
{
	struct pci_dev *d, *r;

	list_for_each_entry(d, &bus->devs, node) {
		if (d->device == id)
			return d;
		r = d->child ? on_bus(d->child, id) : NULL;
		if (r)
			return r;
	}
	return NULL;
}

static struct pci_dev *dev_by_id(u16 id)
{
	return on_bus(host.root, id);
}

/* ---- tests */

static void flat(void **state)
{
	struct fake *f;
	struct pci_dev *d;

	(void)state;
	host_init();
	f = add_dev(NULL, 1, 0, 0x1001);
	add_bar32(f, 1, 4096, false);
	add_bar64(f, 4, 16384, true);
	set32(f, 0x10, 1); /* an I/O BAR: ignored */
	f->bar_mask[0] = 0xffffff80;
	add_dev(NULL, 2, 1, 0x9999); /* function 1 alone: invisible */
	assert_int_equal(pci_host_register(&host), 0);
	check_all();
	d = dev_by_id(0x1001);
	assert_non_null(d);
	assert_null(dev_by_id(0x9999));
	assert_int_equal(d->bar[0].size, 0);
	assert_int_equal(d->bar[1].size, 4096);
	assert_int_equal(d->bar[4].size, 16384);
	assert_true(d->bar[4].addr >= 0x400000000);
	assert_int_equal(d->bar[4].cpu_addr, d->bar[4].addr + 0x1000000000);
	/* quiet until a driver comes */
	assert_int_equal(get32(f, 4) & 7, 0);
	assert_int_equal(pci_enable(d), 0);
	pci_set_master(d);
	assert_int_equal(get32(f, 4) & 7, 6);
	pci_disable(d);
	assert_int_equal(get32(f, 4) & 7, 0);
	assert_non_null(pci_iomap(d, 4, 4096, 12288));
	assert_int_equal(mapped, d->bar[4].cpu_addr + 4096);
	assert_null(pci_iomap(d, 4, 4096, 12289));
	assert_null(pci_iomap(d, 4, ~0ull, 2));
	assert_null(pci_iomap(d, 4, 0, 0));
	assert_null(pci_iomap(d, 5, 0, 1));
	assert_null(pci_iomap(d, 7, 0, 1));
}

static void tree(void **state)
{
	struct fake *port, *up, *down, *f;

	(void)state;
	host_init();
	for (u32 i = 0; i < 3; i++) {
		port = add_bridge(NULL, 1 + i, 4);
		f = add_dev(port, 0, 0, (u16)(0x100 + i));
		add_bar64(f, 0, 1u << (14 + 3 * i), i & 1);
		add_bar32(f, 2, 1u << (12 + i), false);
		add_dev(port, 1, 0, 0x666); /* ghost: no such slot */
	}
	port = add_bridge(NULL, 8, 4);
	up = add_bridge(port, 0, 5);
	add_bar32(up, 0, 1 << 17, false);
	for (u32 i = 0; i < 4; i++) {
		down = add_bridge(up, i, 6);
		f = add_dev(down, 0, 0, (u16)(0x200 + i));
		f->cfg[0xe] = 0x80;
		add_bar64(f, 0, 1ull << (33 - i), true);
		f = add_dev(down, 0, 3, (u16)(0x300 + i));
		add_bar32(f, 0, 16 << i, false);
	}
	assert_int_equal(pci_host_register(&host), 0);
	check_all();
	assert_null(dev_by_id(0x666));
	assert_int_equal(dev_by_id(0x102)->bus->nr, 3);
	assert_int_equal(dev_by_id(0x203)->bus->nr, 9);
	assert_int_equal(dev_by_id(0x303)->bus->nr, 9);
	assert_true(dev_by_id(0x200)->bar[0].placed);
	assert_true(dev_by_id(0x200)->bar[0].addr >= 0x400000000);
	assert_true(dev_by_id(0x100)->bar[0].addr < 0x80000000);
	assert_true(dev_by_id(0x300)->bar[0].placed);
}

/* A bridge that cannot pass 64 bits: all that is behind it goes low. */
static void narrow_bridge(void **state)
{
	struct fake *port, *f;

	(void)state;
	host_init();
	port = add_bridge(NULL, 1, 4);
	port->pref64 = false;
	f = add_dev(port, 0, 0, 1);
	add_bar64(f, 0, 1 << 20, true);
	assert_int_equal(pci_host_register(&host), 0);
	check_all();
	assert_true(dev_by_id(1)->bar[0].placed);
	assert_true(dev_by_id(1)->bar[0].addr < 0x80000000);
}

static void no_room(void **state)
{
	struct fake *port, *f;

	(void)state;
	host_init();
	port = add_bridge(NULL, 1, 4);
	f = add_dev(port, 0, 0, 1);
	add_bar32(f, 0, 1u << 31, false);
	f = add_dev(NULL, 2, 0, 2);
	add_bar32(f, 0, 1 << 20, false);
	f = add_dev(NULL, 3, 0, 3);
	add_bar64(f, 0, 1ull << 50, true);
	assert_int_equal(pci_host_register(&host), 0);
	check_all();
	assert_false(dev_by_id(1)->bar[0].placed);
	assert_int_equal(pci_enable(dev_by_id(1)), -ENOSPC);
	assert_true(dev_by_id(2)->bar[0].placed);
	assert_int_equal(pci_enable(dev_by_id(2)), 0);
	assert_int_equal(pci_enable(dev_by_id(3)), -ENOSPC);
}

/* More bridges in a row than we follow, and more than there are numbers. */
static void deep(void **state)
{
	struct fake *b = NULL;

	(void)state;
	host_init();
	for (u32 i = 0; i < 20; i++)
		b = add_bridge(b, 0, 6);
	add_dev(b, 0, 0, 1);
	assert_int_equal(pci_host_register(&host), 0);
	assert_null(dev_by_id(1));
	host_init();
	host.bus_last = 2;
	for (u32 i = 0; i < 4; i++) {
		b = add_bridge(NULL, i, 4);
		add_dev(b, 0, 0, (u16)i);
	}
	assert_int_equal(pci_host_register(&host), 0);
	assert_non_null(dev_by_id(1));
	assert_null(dev_by_id(3));
}

static void capabilities(void **state)
{
	struct fake *f;
	struct pci_dev *d;

	(void)state;
	host_init();
	f = add_dev(NULL, 1, 0, 1);
	f->cfg[6] = 0x10;
	f->cfg[0x34] = 0x40;
	f->cfg[0x40] = 9;
	f->cfg[0x41] = 0x60;
	f->cfg[0x60] = 9;
	f->cfg[0x61] = 0x50;
	f->cfg[0x50] = 0x11;
	set32(f, 0x100, 0x14010001);
	set32(f, 0x140, 0x00010010);
	assert_int_equal(pci_host_register(&host), 0);
	d = dev_by_id(1);
	assert_int_equal(pci_find_cap(d, 9, 0), 0x40);
	assert_int_equal(pci_find_cap(d, 9, 0x40), 0x60);
	assert_int_equal(pci_find_cap(d, 9, 0x60), 0);
	assert_int_equal(pci_find_cap(d, 0x11, 0), 0x50);
	assert_int_equal(pci_find_ext_cap(d, 0x10), 0x140);
	assert_int_equal(pci_find_ext_cap(d, 0x11), 0);
	/* loops and nonsense end */
	f->cfg[0x51] = 0x40;
	assert_int_equal(pci_find_cap(d, 5, 0), 0);
	f->cfg[0x51] = 0x3c;
	assert_int_equal(pci_find_cap(d, 5, 0), 0);
	set32(f, 0x140, 0x10010010);
	assert_int_equal(pci_find_ext_cap(d, 0x11), 0);
	set32(f, 0x140, 0xffffffff);
	assert_int_equal(pci_find_ext_cap(d, 0x11), 0);
}

static void retries(void **state)
{
	struct fake *f;

	(void)state;
	host_init();
	f = add_dev(NULL, 1, 0, 1);
	f->retries = 20;
	f = add_dev(NULL, 2, 0, 2);
	f->retries = 1u << 30;
	assert_int_equal(pci_host_register(&host), 0);
	assert_non_null(dev_by_id(1));
	assert_null(dev_by_id(2));
}

/* How often the scan sleeps for one downstream port. */
static u32 sleeps_for(bool slot, bool present, u32 after)
{
	struct fake *port, *up;

	host_init();
	up = add_bridge(add_bridge(NULL, 1, 4), 0, 5);
	port = add_bridge(up, 3, 6);
	port->cfg[0x43] = slot;
	port->cfg[0x4e] = 0x10; /* says whether its link is active */
	port->cfg[0x5a] = present ? 0x40 : 0;
	link_status = &port->cfg[0x53];
	link_after = after;
	nr_sleeps = 0;
	assert_int_equal(pci_host_register(&host), 0);
	link_status = NULL;
	return nr_sleeps;
}

static void links_come_late(void **state)
{
	assert_int_equal(sleeps_for(true, false, 1), 0); /* empty */
	assert_int_equal(sleeps_for(true, true, 50), 51);
	assert_true(sleeps_for(true, true, ~0u) > 100); /* and retrained */
	/* no slot that tells: a little */
	assert_int_equal(sleeps_for(false, false, 7), 8);
	assert_int_equal(sleeps_for(false, false, ~0u), 20);
}

static void bars_of_nonsense(void **state)
{
	struct fake *f;

	(void)state;
	host_init();
	f = add_dev(NULL, 1, 0, 1);
	f->bar_mask[0] = 0xf0f0f000; /* a hole */
	f->bar_mask[5] = 0xfffff000; /* 64 bits in the last one */
	set32(f, 0x24, 4);
	assert_int_equal(pci_host_register(&host), 0);
	check_all();
	assert_int_equal(dev_by_id(1)->bar[0].size, 0);
}

/* Trees that nobody would build. */
static void random_trees(void **state)
{
	uint64_t rng = 7;

	(void)state;
	for (u32 round = 0; round < 400; round++) {
		u32 n = 1 + (u32)random_below(&rng, MAX_FAKES - 2);

		host_init();
		for (u32 i = 0; i < n; i++) {
			struct fake *parent = NULL, *f;
			u32 k = (u32)random_below(&rng, n);

			if (k < nr_fakes && (fakes[k].cfg[0xe] & 0x7f) == 1)
				parent = &fakes[k];
			if (next_random(&rng) & 1) {
				f = add_bridge(parent, i & 31,
					       (u32)next_random(&rng) & 7);
				f->pref64 = next_random(&rng) & 1;
				continue;
			}
			f = add_dev(parent, i & 31, 0, (u16)i);
			add_bar32(f, 0, 16u << random_below(&rng, 18),
				  next_random(&rng) & 1);
			add_bar64(f, 2, 16ull << random_below(&rng, 32),
				  next_random(&rng) & 1);
			if (next_random(&rng) % 8 == 0)
				f->bar_mask[4] = (u32)next_random(&rng);
		}
		assert_int_equal(pci_host_register(&host), 0);
		check_all();
	}
	free_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat),
		cmocka_unit_test(tree),
		cmocka_unit_test(narrow_bridge),
		cmocka_unit_test(no_room),
		cmocka_unit_test(deep),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(retries),
		cmocka_unit_test(links_come_late),
		cmocka_unit_test(bars_of_nonsense),
		cmocka_unit_test(random_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
