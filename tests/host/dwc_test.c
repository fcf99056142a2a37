/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/locks.c */
/* sources: drivers/pci/dwc.c drivers/pci/dwc_msi.c lib/fmt.c */
/*
 * tests/host/dwc_test.c - the DesignWare root complex against a core of our own:
 * translation regions, configuration space through the window, link training,
 * messages; and cores that lack something or do not do as they are told.
 */
#include <tests/host/cmocka.h>

#include <drivers/pci/dwc.h>
#include <drivers/pci/dwc_regs.h>
#include <kernel/log.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>

#define EXP	 0x70u /* where the FU740's root port has its capability */
#define NR_FUNCS 4u

/* ---- the core */

static struct {
	u8 dbi[DWC_DBI_SIZE] __attribute__((aligned(4096)));
	u8 window[DWC_ATU_ALIGN] __attribute__((aligned(4096)));
	struct {
		u32 bus, devfn;
		u8 cfg[DWC_ATU_ALIGN];
	} func[NR_FUNCS];
	u32 nr_funcs, nr_regions, nr_banks;
	u32 stuck_region; /* does not open; ~0: none */
	u32 lnkcap;	  /* as only the privileged may write it */
	u32 msi_status[DWC_MSI_MAX_BANKS];
	/* training: the states in turn, each for some microseconds */
	const u8 *states;
	u32 nr_states, state_us;
	bool up;
	u64 began;
	/* what it saw */
	u32 nr_window, last_type, last_target, nr_speed_changes;
} core;

static struct dwc d;
static u64 now_ns;
static char logged[4096];
static int register_err, bind_err, nr_hosts;
static irq_handler_fn *bound;
static void *bound_arg;

static u32 *reg(u32 r)
{
	return (u32 *)(core.dbi + r);
}

static u8 *behind_window(void)
{
	u32 base = DWC_ATU_OUT(0), target = *reg(base + DWC_ATU_LOWER_TARGET);

	assert_true(*reg(base + DWC_ATU_CTRL2) & DWC_ATU_CTRL2_ENABLE);
	assert_true(core.up); /* the request would never be answered */
	core.nr_window++;
	core.last_type = *reg(base + DWC_ATU_CTRL1);
	core.last_target = target;
	for (u32 i = 0; i < core.nr_funcs; i++) {
		if (DWC_ATU_FUNC(core.func[i].bus, core.func[i].devfn) ==
		    target)
			return core.func[i].cfg;
	}
	return NULL;
}

static void train(void)
{
	u64 at = core.state_us ? (now_ns - core.began) / 1000 / core.state_us
			       : core.nr_states;
	bool end = at + 1 >= core.nr_states;

	if (!core.nr_states)
		return;
	core.up = end && core.states[core.nr_states - 1] == DWC_LTSSM_L0;
	*reg(DWC_DEBUG0) = core.states[end ? core.nr_states - 1 : at] | 0xabc0;
}

void host_mmio_read(volatile void *a, u32 bytes)
{
	u64 r = (u64)((volatile u8 *)a - core.dbi);
	u64 w = (u64)((volatile u8 *)a - core.window);

	(void)bytes;
	if (w < sizeof(core.window)) {
		const u8 *cfg = behind_window();

		for (u32 i = 0; i < sizeof(core.window); i++)
			core.window[i] = cfg ? cfg[i] : 0xff;
		return;
	}
	assert_true(r < DWC_DBI_SIZE);
	train();
	*reg(DWC_DEBUG1) =
		core.up ? (u32)DWC_DEBUG1_LINK_UP : (u32)DWC_DEBUG1_TRAINING;
	for (u32 i = 0; i < core.nr_banks; i++)
		*reg(DWC_MSI_STATUS(i)) = core.msi_status[i];
}

static void write_atu(u32 r)
{
	u32 n = (r - DWC_ATU_OUT(0)) / 0x200;

	if (n >= core.nr_regions)
		*reg(r) = 0;
	if (n == core.stuck_region && r == DWC_ATU_OUT(n) + DWC_ATU_CTRL2)
		*reg(r) = 0;
}

static void write_msi(u32 r)
{
	for (u32 i = 0; i < DWC_MSI_MAX_BANKS; i++) {
		if (r == DWC_MSI_ENABLE(i) && i >= core.nr_banks)
			*reg(r) = 0;
		if (r == DWC_MSI_STATUS(i))
			core.msi_status[i] &= ~*reg(r);
	}
}

void host_mmio_write(volatile void *a, u32 bytes)
{
	u32 r = (u32)((volatile u8 *)a - core.dbi);
	u64 w = (u64)((volatile u8 *)a - core.window);

	if (w < sizeof(core.window)) {
		u8 *cfg = behind_window();

		if (cfg)
			memcpy(cfg + w, core.window + w, bytes);
		return;
	}
	assert_true(r < DWC_DBI_SIZE);
	if (r == EXP + PCI_EXP_LNKCAP) {
		if (*reg(DWC_MISC) & DWC_MISC_RO_WRITABLE)
			core.lnkcap = *reg(r);
		*reg(r) = core.lnkcap;
	}
	if (r == DWC_GEN2 && (*reg(r) & DWC_GEN2_SPEED_CHANGE)) {
		core.nr_speed_changes++;
		core.began = now_ns;
	}
	if (r >= DWC_ATU_OUT(0))
		write_atu(r);
	write_msi(r);
}

/* ---- what the driver wants of the kernel */

void log_printf(enum log_level level, const char *fmt, ...)
{
	size_t len = strlen(logged);
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(logged + len, sizeof(logged) - len, fmt, ap);
	va_end(ap);
}

u64 clock_mono_ns(void)
{
	return now_ns;
}

void udelay(u32 us)
{
	now_ns += us * 1000ull;
}

int sleep_until_ns(u64 deadline_ns, bool interruptible)
{
	(void)interruptible;
	assert_true(deadline_ns >= now_ns);
	now_ns = deadline_ns;
	return 0;
}

paddr_t virt_to_phys(const void *va)
{
	return (paddr_t)va;
}

int irqchip_register(struct irqchip *chip)
{
	assert_true(chip->ops->msi_alloc && chip->ops->msi_compose);
	return register_err;
}

int irq_bind(struct irqchip *chip, u32 line, irq_handler_fn *fn, void *arg,
	     const char *name)
{
	(void)chip;
	(void)name;
	assert_int_equal(line, 56);
	bound = fn;
	bound_arg = arg;
	return bind_err;
}

int pci_host_register(struct pci_host *h)
{
	assert_ptr_equal(h, &d.host);
	nr_hosts++;
	return 0;
}

static u32 handled[256], nr_handled;
static void (*in_handler)(u32 line);

void irq_handle(struct irqchip *chip, u32 line)
{
	assert_ptr_equal(chip, &d.msi.chip);
	/* what is signalled from here on must count again */
	assert_false(core.msi_status[line / 32] & BIT(line % 32));
	assert_true(nr_handled < 256);
	handled[nr_handled++] = line;
	if (in_handler)
		in_handler(line);
}

/* ---- helpers */

static const u8 good_training[] = { 0, 1, 2, 4, 0xd, DWC_LTSSM_L0 };

static void window(u64 cpu, u64 bus, u64 size)
{
	d.host.win[d.host.nr_win++] = (struct pci_window){ .cpu_addr = cpu,
							   .bus_addr = bus,
							   .size = size };
}

static void add_func(u32 bus, u32 devfn, u32 id)
{
	u32 n = core.nr_funcs++;

	core.func[n].bus = bus;
	core.func[n].devfn = devfn;
	memcpy(core.func[n].cfg, &id, 4);
}

/* A core out of reset, the FU740's windows, a switch behind it. */
static int setup(void **state)
{
	(void)state;
	memset(&core, 0, sizeof(core));
	memset(&d, 0, sizeof(d));
	core.nr_regions = 8;
	core.nr_banks = 8;
	core.stuck_region = ~0u;
	core.states = good_training;
	core.nr_states = sizeof(good_training);
	*reg(0) = 0xf15e;
	*reg(PCI_CLASS_REVISION) = 0xffffff01;
	*reg(PCI_CAP_POINTER) = 0x40;
	*reg(0x40) = EXP << 8 | 0x01; /* power management */
	*reg(EXP) = PCI_CAP_ID_EXP;
	core.lnkcap = *reg(EXP + PCI_EXP_LNKCAP) = 0x00f00003;
	*reg(DWC_ATU_VIEWPORT) = ~0u;
	*reg(DWC_ATU_IN(3) + DWC_ATU_CTRL2) = (u32)DWC_ATU_CTRL2_ENABLE;
	add_func(1, 0, 0x28241b21);
	add_func(2, PCI_DEVFN(4, 0), 0x28241b21);
	add_func(5, 0, 0x00101b36);
	d.name = "test";
	d.dbi = core.dbi;
	d.cfg = core.window;
	d.cfg_base = 0xdf0000000;
	d.nr_lanes = 8;
	d.host.bus_last = 255;
	window(0x60090000, 0x60090000, 0x0ff70000);
	window(0x70000000, 0x70000000, 0x10000000);
	window(0x2000000000, 0x2000000000, 0x2000000000);
	register_err = bind_err = nr_hosts = 0;
	bound = NULL;
	in_handler = NULL;
	nr_handled = 0;
	now_ns = 0;
	logged[0] = 0;
	return 0;
}

static u32 rd(u32 bus, u32 devfn, u32 r, u32 width)
{
	return d.host.ops->read(&d.host, bus, devfn, r, width);
}

static void wr(u32 bus, u32 devfn, u32 r, u32 width, u32 v)
{
	d.host.ops->write(&d.host, bus, devfn, r, width, v);
}

static void check_region(u32 n, u64 from, u64 last, u64 to, u32 ctrl1)
{
	u32 base = DWC_ATU_OUT(n);

	assert_int_equal(*reg(base + DWC_ATU_LOWER_BASE), (u32)from);
	assert_int_equal(*reg(base + DWC_ATU_UPPER_BASE), from >> 32);
	assert_int_equal(*reg(base + DWC_ATU_LIMIT), (u32)last);
	assert_int_equal(*reg(base + DWC_ATU_UPPER_LIMIT), last >> 32);
	assert_int_equal(*reg(base + DWC_ATU_LOWER_TARGET), (u32)to);
	assert_int_equal(*reg(base + DWC_ATU_UPPER_TARGET), to >> 32);
	assert_int_equal(*reg(base + DWC_ATU_CTRL1), ctrl1);
	assert_int_equal(*reg(base + DWC_ATU_CTRL2), DWC_ATU_CTRL2_ENABLE);
}

/* ---- translation */

static void regions(void **state)
{
	assert_int_equal(dwc_init_root(&d), 0);
	check_region(0, 0xdf0000000, 0xdf0000fff, 0, DWC_ATU_CTRL1_CFG0);
	check_region(1, 0x60090000, 0x6fffffff, 0x60090000, DWC_ATU_CTRL1_MEM);
	check_region(2, 0x70000000, 0x7fffffff, 0x70000000, DWC_ATU_CTRL1_MEM);
	/* across 4 GiB: the upper half of the limit counts */
	check_region(3, 0x2000000000, 0x3fffffffff, 0x2000000000,
		     (u32)DWC_ATU_CTRL1_BEYOND_4G);
	assert_int_equal(*reg(DWC_ATU_OUT(4) + DWC_ATU_CTRL2), 0);
	assert_int_equal(*reg(DWC_ATU_IN(3) + DWC_ATU_CTRL2), 0);
}

static void region_elsewhere(void **state)
{
	d.host.nr_win = 0;
	window(0x3f00000000, 0x80000000, 0x1000);
	assert_int_equal(dwc_init_root(&d), 0);
	check_region(1, 0x3f00000000, 0x3f00000fff, 0x80000000,
		     DWC_ATU_CTRL1_MEM);
}

static void cores_refused(void **state)
{
	core.nr_regions = 3; /* four are wanted */
	assert_int_equal(dwc_init_root(&d), -ENOSPC);
	setup(NULL);
	core.nr_regions = 0;
	assert_int_equal(dwc_init_root(&d), -ENOSPC);
	setup(NULL);
	core.stuck_region = 2;
	assert_int_equal(dwc_init_root(&d), -EIO);
	assert_non_null(strstr(logged, "region 2 does not open"));
	setup(NULL);
	d.host.win[1].cpu_addr += 0x800;
	assert_int_equal(dwc_init_root(&d), -EINVAL);
	setup(NULL);
	*reg(DWC_ATU_VIEWPORT) = 0; /* an older core */
	assert_int_equal(dwc_init_root(&d), -ENODEV);
}

static void capabilities_refused(void **state)
{
	*reg(PCI_CAP_POINTER) = 0;
	assert_int_equal(dwc_init_root(&d), -ENODEV);
	setup(NULL);
	*reg(0x40) = 0x01; /* the list ends before */
	assert_int_equal(dwc_init_root(&d), -ENODEV);
	setup(NULL);
	*reg(0x40) = 0x4001; /* and this one never does */
	assert_int_equal(dwc_init_root(&d), -ENODEV);
	setup(NULL);
	memset(core.dbi, 0xff, sizeof(core.dbi)); /* nothing there at all */
	assert_int_equal(dwc_init_root(&d), -ENODEV);
}

static void root_port(void **state)
{
	*reg(PCI_BUSES) = 0xaa123456;
	*reg(DWC_PORT_LINK) = 0xff80ff80;
	assert_int_equal(dwc_init_root(&d), 0);
	assert_int_equal(*reg(PCI_BUSES), 0xaaff0100);
	assert_int_equal(*reg(PCI_CLASS_REVISION), 0x06040001);
	assert_int_equal(*reg(DWC_PORT_LINK), 0xff8fff20);
	assert_int_equal(core.lnkcap & 0x3f0, 0x80); /* 8 lanes */
	assert_false(*reg(DWC_GEN2) & DWC_GEN2_SPEED_CHANGE);
	assert_int_equal(*reg(PCI_COMMAND),
			 PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
	/* read-only again once the host is known */
	assert_int_equal(dwc_register(&d), 0);
	assert_int_equal(nr_hosts, 1);
	dwc_set_max_speed(&d, 2);
	assert_int_equal(core.lnkcap & 0xf, 3);
}

/* ---- configuration space */

static void window_shows(void **state)
{
	assert_int_equal(dwc_init_root(&d), 0);
	core.up = true;
	core.nr_states = 0;
	assert_int_equal(rd(0, 0, 0, 4), 0xf15e);
	assert_int_equal(core.nr_window, 0);
	assert_int_equal(rd(1, 0, 0, 4), 0x28241b21);
	assert_int_equal(core.last_type, DWC_ATU_CTRL1_CFG0);
	assert_int_equal(rd(5, 0, 0, 2), 0x1b36);
	assert_int_equal(core.last_type, DWC_ATU_CTRL1_CFG1);
	assert_int_equal(core.last_target, 5u << 24);
	assert_int_equal(rd(2, PCI_DEVFN(4, 0), 1, 1), 0x1b);
	assert_int_equal(core.last_target, 2u << 24 | 4u << 19);
	/* nobody at home */
	assert_int_equal(rd(2, PCI_DEVFN(5, 0), 0, 4), ~0u);
	assert_int_equal(rd(2, PCI_DEVFN(5, 0), 0, 2), 0xffff);
	assert_int_equal(rd(2, PCI_DEVFN(5, 0), 0, 1), 0xff);
}

static void window_writes(void **state)
{
	static const u8 want[8] = {
		0x78, 0x56, 0x34, 0x12, 0, 0xab, 0xef, 0xcd
	};

	assert_int_equal(dwc_init_root(&d), 0);
	core.up = true;
	core.nr_states = 0;
	wr(5, 0, 0x40, 4, 0x12345678);
	wr(5, 0, 0x45, 1, 0xab);
	wr(5, 0, 0x46, 2, 0xcdef);
	assert_memory_equal(core.func[2].cfg + 0x40, want, 8);
	wr(5, 0, 0xffc, 4, 1); /* extended space */
	assert_int_equal(rd(5, 0, 0xffc, 4), 1);
	wr(7, 0, 0, 4, 0); /* swallowed */
	wr(0, 0, PCI_BUSES, 1, 0);
	assert_int_equal(rd(0, 0, PCI_BUSES, 4), 0x00ff0100);
}

/* Requests that must never leave the core. */
static void window_stays_shut(void **state)
{
	assert_int_equal(dwc_init_root(&d), 0);
	core.up = true;
	core.nr_states = 0;
	d.host.bus_last = 8;
	assert_int_equal(rd(1, PCI_DEVFN(1, 0), 0, 4), ~0u);
	assert_int_equal(rd(9, 0, 0, 4), ~0u);
	assert_int_equal(rd(0, PCI_DEVFN(1, 0), 0, 4), ~0u);
	assert_int_equal(rd(2, 256, 0, 4), ~0u);
	assert_int_equal(rd(2, 0, 0x1000, 4), ~0u);
	wr(1, PCI_DEVFN(31, 7), 0, 4, 0);
	assert_null(strstr(logged, "link is down"));
	core.up = false; /* the model fails whoever asks now */
	*reg(DWC_DEBUG0) = 0xd;
	assert_int_equal(rd(1, 0, 0, 2), 0xffff);
	assert_int_equal(rd(5, 0, 0, 1), 0xff);
	wr(5, 0, 0x40, 4, 1);
	assert_non_null(strstr(logged, "the link is down, state 0xd"));
	assert_int_equal(core.nr_window, 0);
	logged[0] = '\0'; /* said once */
	assert_int_equal(rd(1, 0, 0, 2), 0xffff);
	assert_int_equal(logged[0], '\0');
	assert_int_equal(rd(0, 0, 0, 4), 0xf15e);
}

/* ---- link */

static void link_comes(void **state)
{
	u32 gen, lanes;

	assert_int_equal(dwc_init_root(&d), 0);
	core.state_us = 1000;
	assert_int_equal(dwc_wait_link(&d, 1000), 0);
	assert_true(now_ns >= 5000000 && now_ns < 7000000);
	assert_non_null(strstr(logged, " 0 0x1 0x2 0x4 0xd 0x11, link up"));
	*reg(EXP + PCI_EXP_LNKCTL) = 0x00810000;
	dwc_link_status(&d, &gen, &lanes);
	assert_int_equal(gen, 1);
	assert_int_equal(lanes, 8);
}

static void link_does_not_come(void **state)
{
	static const u8 nothing[] = { 0, 1 };
	static const u8 restless[] = { 0, 1, 0, 1, 0, 1, 2, 4, 2, 4, 2,
				       4, 2, 4, 2, 4, 2, 4, 2, 4, 2 };

	assert_int_equal(dwc_init_root(&d), 0);
	core.states = nothing;
	core.nr_states = sizeof(nothing);
	core.state_us = 10000;
	assert_int_equal(dwc_wait_link(&d, 1000), -ETIMEDOUT);
	assert_true(now_ns > 1000000000 && now_ns < 1002000000);
	assert_non_null(strstr(logged, "states 0 0x1, link down"));
	core.states = restless;
	core.nr_states = sizeof(restless);
	core.began = now_ns;
	assert_int_equal(dwc_wait_link(&d, 1000), -ETIMEDOUT);
	assert_non_null(strstr(logged, " 0x2 0x4 ..., link down"));
}

static void speeds(void **state)
{
	static const u8 lost[] = { DWC_LTSSM_L0, 0xd, 0 };

	assert_int_equal(dwc_init_root(&d), 0);
	dwc_set_max_speed(&d, 1);
	assert_int_equal(core.lnkcap, 0x00f00081);
	dwc_set_max_speed(&d, 3);
	assert_int_equal(core.lnkcap, 0x00f00083);
	/* a bit that was left set is seen to rise all the same */
	*reg(DWC_GEN2) |= (u32)DWC_GEN2_SPEED_CHANGE;
	assert_int_equal(dwc_change_speed(&d, 200), 0);
	assert_int_equal(core.nr_speed_changes, 1);
	core.states = lost;
	core.nr_states = sizeof(lost);
	core.state_us = 100;
	assert_int_equal(dwc_change_speed(&d, 200), -ETIMEDOUT);
	assert_non_null(strstr(logged, " 0, link down"));
}

/* ---- messages */

static void start_messages(void)
{
	static struct irqchip parent;

	core.msi_status[2] = 0xffffffff; /* a boot loader's */
	assert_int_equal(dwc_init_root(&d), 0);
	assert_int_equal(dwc_msi_init(&d, &parent, 56), 0);
}

static void messages_begin(void **state)
{
	u64 addr, target;
	u32 data;

	start_messages();
	assert_ptr_equal(d.host.msi, &d.msi.chip);
	assert_int_equal(d.msi.chip.nr_lines, 256);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(*reg(DWC_MSI_MASK(i)), ~0u);
		assert_int_equal(*reg(DWC_MSI_ENABLE(i)), ~0u);
		assert_int_equal(core.msi_status[i], 0);
	}
	target = *reg(DWC_MSI_ADDR_LO) | (u64)*reg(DWC_MSI_ADDR_HI) << 32;
	d.msi.chip.ops->msi_compose(&d.msi.chip, 77, &addr, &data);
	assert_int_equal(addr, target);
	assert_int_equal(addr % 4, 0);
	assert_int_equal(data, 77);
	assert_false(bound(bound_arg)); /* nothing there: not ours */
}

static void messages_refused(void **state)
{
	static struct irqchip parent;

	core.nr_banks = 0;
	assert_int_equal(dwc_init_root(&d), 0);
	assert_int_equal(dwc_msi_init(&d, &parent, 56), -ENODEV);
	assert_null(d.host.msi);
	core.nr_banks = 1;
	register_err = -ENOMEM;
	assert_int_equal(dwc_msi_init(&d, &parent, 56), -ENOMEM);
	register_err = 0;
	bind_err = -EBUSY;
	assert_int_equal(dwc_msi_init(&d, &parent, 56), -EBUSY);
	assert_null(d.host.msi); /* devices then use their pins */
	bind_err = 0;
	assert_int_equal(dwc_msi_init(&d, &parent, 56), 0);
	assert_int_equal(d.msi.chip.nr_lines, 32);
}

static void blocks(void **state)
{
	const struct irqchip_ops *ops;
	struct irqchip *chip = &d.msi.chip;
	u32 first;

	core.nr_banks = 2;
	start_messages();
	ops = chip->ops;
	assert_int_equal(ops->msi_alloc(chip, 0, &first), -EINVAL);
	assert_int_equal(ops->msi_alloc(chip, 3, &first), -EINVAL);
	assert_int_equal(ops->msi_alloc(chip, 64, &first), -EINVAL);
	assert_int_equal(ops->msi_alloc(chip, 1, &first), 0);
	assert_int_equal(first, 0);
	assert_int_equal(ops->msi_alloc(chip, 8, &first), 0);
	assert_int_equal(first, 8); /* aligned to its size */
	assert_int_equal(ops->msi_alloc(chip, 32, &first), 0);
	assert_int_equal(first, 32);
	assert_int_equal(ops->msi_alloc(chip, 32, &first), -ENOSPC);
	for (u32 i = 0; i < 23; i++)
		assert_int_equal(ops->msi_alloc(chip, 1, &first), 0);
	assert_int_equal(ops->msi_alloc(chip, 1, &first), -ENOSPC);
	ops->msi_free(chip, 8, 8);
	assert_int_equal(ops->msi_alloc(chip, 4, &first), 0);
	assert_int_equal(first, 8);
}

static void masks(void **state)
{
	const struct irqchip_ops *ops;
	struct irqchip *chip = &d.msi.chip;

	start_messages();
	ops = chip->ops;
	assert_int_equal(ops->enable(chip, 33, -1), 0);
	assert_int_equal(ops->enable(chip, 63, 2), 0);
	assert_int_equal(*reg(DWC_MSI_MASK(1)), 0x7ffffffd);
	assert_int_equal(*reg(DWC_MSI_MASK(0)), ~0u);
	core.msi_status[0] = 1; /* of a line that nobody has */
	core.msi_status[1] = 0x80000007;
	assert_true(bound(bound_arg));
	assert_int_equal(nr_handled, 2);
	assert_int_equal(handled[0], 33);
	assert_int_equal(handled[1], 63);
	assert_int_equal(core.msi_status[0], 1);
	assert_int_equal(core.msi_status[1], 5);
	ops->disable(chip, 33);
	assert_int_equal(*reg(DWC_MSI_MASK(1)), 0x7fffffff);
}

static u32 again;

static void signal_again(u32 line)
{
	if (again) {
		again--;
		core.msi_status[line / 32] |= (u32)BIT(line % 32);
	}
}

/* What comes while a handler runs is not left behind; a storm is. */
static void messages_in_handlers(void **state)
{
	start_messages();
	d.msi.chip.ops->enable(&d.msi.chip, 5, -1);
	in_handler = signal_again;
	again = 3;
	core.msi_status[0] = BIT(5);
	assert_true(bound(bound_arg));
	assert_int_equal(nr_handled, 4);
	assert_int_equal(core.msi_status[0], 0);
	nr_handled = 0;
	again = ~0u;
	core.msi_status[0] = BIT(5);
	assert_true(bound(bound_arg));
	assert_true(nr_handled >= 2 && nr_handled < 256);
	assert_int_equal(core.msi_status[0], BIT(5)); /* the line stays up */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(regions, setup),
		cmocka_unit_test_setup(region_elsewhere, setup),
		cmocka_unit_test_setup(cores_refused, setup),
		cmocka_unit_test_setup(capabilities_refused, setup),
		cmocka_unit_test_setup(root_port, setup),
		cmocka_unit_test_setup(window_shows, setup),
		cmocka_unit_test_setup(window_writes, setup),
		cmocka_unit_test_setup(window_stays_shut, setup),
		cmocka_unit_test_setup(link_comes, setup),
		cmocka_unit_test_setup(link_does_not_come, setup),
		cmocka_unit_test_setup(speeds, setup),
		cmocka_unit_test_setup(messages_begin, setup),
		cmocka_unit_test_setup(messages_refused, setup),
		cmocka_unit_test_setup(blocks, setup),
		cmocka_unit_test_setup(masks, setup),
		cmocka_unit_test_setup(messages_in_handlers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
