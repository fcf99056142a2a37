/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/locks.c */
/* sources: tests/host/fake/dtrig.c drivers/pci/fu740.c lib/fdt.c lib/fdt_reg.c */
/*
 * tests/host/fu740_test.c - what the FU740's PCIe root needs, in this order: lines,
 * registers around the core, clock, reset, PHYs, link.  Each step is a word of a
 * text, so that a test says what it wants; and links that do not come, or go.
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/dtrig.h>

#include <drivers/pci/dwc.h>
#include <drivers/pci/fu740_regs.h>
#include <kernel/dev/clk.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/gpio.h>
#include <kernel/init.h>
#include <kernel/mm/vmap.h>
#include <kernel/reset.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define TREE                                                             \
	"/dts-v1/;\n"                                                    \
	"/ { #address-cells = <2>; #size-cells = <2>;\n"                 \
	"	pcie { compatible = \"sifive,fu740-pcie\"; num-lanes = <8>;\n" \
	"	reg = <0xe 0 0 0x80000000>, <0xd 0xf0000000 0 0x10000000>,\n"  \
	"		<0 0x100d0000 0 0x1000>;\n"                                   \
	"	reg-names = \"dbi\", \"config\", \"mgmt\"; };\n"               \
	"};\n"

/* Slots and core in reset, power, and out of reset again. */
#define RESET "gpio8=0 mgmt0=0 mgmt10=0 gpio5=1 100ms mgmt0=1 gpio8=1 "
/* Clock, PHYs while the core is held, the core let go without a clock. */
#define CORE  "aux=1 mgmt18=1 rst=0 phys aux=0 mgmt18=0 aux=1 mgmt708=4 "
#define TRAIN RESET CORE "init gen1 mgmt10=1 wait1000ms "
#define OFF   "gpio8=0 mgmt0=0 aux=0 rst=1 gpio5=0 100ms "
#define END   "status msi 100ms register "

static u8 mgmt[FU740_MGMT_SIZE] __attribute__((aligned(4096)));
static u8 space[4096] __attribute__((aligned(4096)));
static char trace[4096];
static u32 nr_phy_writes;
static u32 deaf_phy;	 /* 1 + the one that does not acknowledge; 0: none */
static u32 nr_no_link;	 /* so many times the link does not come */
static bool speed_kills; /* a change of speed loses it */
static void (*at_the_end)(void);

static void note(const char *fmt, ...)
{
	size_t len = strlen(trace);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(trace + len, sizeof(trace) - len, fmt, ap);
	va_end(ap);
}

static u32 *reg(u32 r)
{
	return (u32 *)(mgmt + r);
}

/* ---- the registers around the core */

void host_mmio_read(volatile void *a, u32 bytes)
{
	(void)a;
	assert_int_equal(bytes, 4);
}

/* All lanes of both, address and data before the request. */
static void phy_write(u32 phy, u32 r)
{
	u32 base = FU740_PHY(phy);

	if (r == FU740_PHY_WR_EN && *reg(base + r)) {
		u32 lane = nr_phy_writes % FU740_LANES_OF_PHY;

		assert_int_equal(*reg(base + FU740_PHY_SEL), 1);
		assert_int_equal(phy, nr_phy_writes / FU740_LANES_OF_PHY %
					      FU740_NR_PHYS);
		assert_int_equal(*reg(base + FU740_PHY_ADDR),
				 0x1008 + 0x100 * lane);
		assert_int_equal(*reg(base + FU740_PHY_WR_DATA), 0x0e21);
		if (++nr_phy_writes % (FU740_NR_PHYS * FU740_LANES_OF_PHY) == 0)
			note("phys ");
	}
	if (r == FU740_PHY_WR_EN && phy + 1 != deaf_phy)
		*reg(base + FU740_PHY_ACK) = *reg(base + r);
}

void host_mmio_write(volatile void *a, u32 bytes)
{
	u32 r = (u32)((volatile u8 *)a - mgmt);

	assert_int_equal(bytes, 4);
	assert_true(r < sizeof(mgmt));
	if (r < FU740_PHY(0) || r >= FU740_PHY(FU740_NR_PHYS))
		note("mgmt%x=%u ", r, *reg(r));
	else
		phy_write((r - FU740_PHY(0)) / 0x40, (r - FU740_PHY(0)) % 0x40);
}

void __iomem *ioremap(paddr_t pa, size_t size)
{
	return pa == 0x100d0000 && size == sizeof(mgmt) ? mgmt : space;
}

/* ---- lines, clock, reset */

int gpio_from_fdt(int fdt_node, const char *prop, u32 idx, struct gpio *g)
{
	(void)fdt_node;
	(void)idx;
	*g = (struct gpio){ .line = prop[0] == 'p' ? 5 : 8 };
	return 0;
}

void gpio_output(const struct gpio *g, bool high)
{
	note("gpio%u=%u ", g->line, high);
}

int clk_from_fdt(int fdt_node, u32 idx, struct clk *clk)
{
	(void)fdt_node;
	(void)idx;
	(void)clk;
	return 0;
}

int reset_line_from_fdt(int fdt_node, u32 idx, struct reset_line *r)
{
	(void)fdt_node;
	(void)idx;
	(void)r;
	return 0;
}

void clk_enable(const struct clk *clk)
{
	(void)clk;
	note("aux=1 ");
}

void clk_disable(const struct clk *clk)
{
	(void)clk;
	note("aux=0 ");
}

void reset_line_assert(const struct reset_line *r)
{
	(void)r;
	note("rst=1 ");
}

void reset_line_deassert(const struct reset_line *r)
{
	(void)r;
	note("rst=0 ");
}

void reset_prepare_bus_register(void (*fn)(void))
{
	at_the_end = fn;
}

/* ---- the core */

void dwc_sleep_ms(u32 ms)
{
	note("%ums ", ms);
}

int dwc_init_root(struct dwc *d)
{
	assert_int_equal(d->nr_lanes, 8);
	assert_int_equal(d->cfg_base, 0xdf0000000);
	note("init ");
	return 0;
}

void dwc_set_max_speed(struct dwc *d, u32 gen)
{
	(void)d;
	note("gen%u ", gen);
}

int dwc_wait_link(struct dwc *d, u32 timeout_ms)
{
	(void)d;
	note("wait%ums ", timeout_ms);
	if (!nr_no_link)
		return 0;
	nr_no_link--;
	return -ETIMEDOUT;
}

int dwc_change_speed(struct dwc *d, u32 timeout_ms)
{
	(void)d;
	(void)timeout_ms;
	note("change ");
	return speed_kills ? -ETIMEDOUT : 0;
}

void dwc_link_status(const struct dwc *d, u32 *gen, u32 *lanes)
{
	(void)d;
	note("status ");
	*gen = 1;
	*lanes = 8;
}

int dwc_msi_init(struct dwc *d, struct irqchip *parent, u32 line)
{
	(void)d;
	(void)parent;
	assert_int_equal(line, 56);
	note("msi ");
	return 0;
}

int dwc_register(struct dwc *d)
{
	(void)d;
	note("register ");
	return 0;
}

int pci_host_from_fdt(struct pci_host *h, int node)
{
	(void)h;
	(void)node;
	return 0;
}

int irq_from_fdt(int fdt_node, unsigned int idx, struct irqchip **chip,
		 u32 *line)
{
	(void)fdt_node;
	*chip = NULL;
	*line = 56 + idx;
	return 0;
}

/* ---- tests */

static int begin(void **state)
{
	(void)state;
	rig_start(TREE);
	memset(mgmt, 0, sizeof(mgmt));
	trace[0] = '\0';
	nr_phy_writes = deaf_phy = nr_no_link = 0;
	speed_kills = false;
	return host_run_initcalls(INIT_BUS);
}

static int end(void **state)
{
	(void)state;
	rig_end();
	return 0;
}

static void pci_is(const char *value)
{
	for (const struct bootparam *p = __start_bootparams;
	     p < __stop_bootparams; p++) {
		if (!strcmp(p->name, "pci"))
			p->fn(value);
	}
}

static void comes_up(void **state)
{
	assert_int_equal(rig_probe("/pcie"), 0);
	assert_string_equal(trace, TRAIN END);
	/* and whoever comes next finds the slots in reset */
	trace[0] = '\0';
	at_the_end();
	assert_string_equal(trace, "gpio8=0 mgmt0=0 ");
}

/* Whatever a boot loader left: the same, from the same beginning. */
static void comes_up_again(void **state)
{
	*reg(FU740_MGMT_PERST_N) = 1;
	*reg(FU740_MGMT_LTSSM_ENABLE) = 1;
	*reg(FU740_MGMT_DEVICE_TYPE) = FU740_DEVICE_TYPE_ROOT;
	assert_int_equal(rig_probe("/pcie"), 0);
	assert_string_equal(trace, TRAIN END);
}

static void second_try(void **state)
{
	nr_no_link = 1;
	assert_int_equal(rig_probe("/pcie"), 0);
	assert_string_equal(trace, TRAIN OFF TRAIN END);
}

static void no_link(void **state)
{
	nr_no_link = 2;
	assert_int_equal(rig_probe("/pcie"), -ENODEV);
	assert_string_equal(trace, TRAIN OFF TRAIN "gpio8=0 mgmt0=0 ");
	assert_non_null(strstr(rig_log, "no PCI on this machine"));
}

static void a_phy_is_deaf(void **state)
{
	deaf_phy = 2;
	assert_int_equal(rig_probe("/pcie"), 0);
	assert_string_equal(trace, TRAIN END);
	assert_non_null(strstr(rig_log, "PHY 1 lane 3 does not answer"));
	assert_null(strstr(rig_log, "PHY 0"));
}

/* Last, because what was asked for stays. */
static void speeds_up(void **state)
{
	pci_is("nomsi");
	pci_is("nomsi,gen5"); /* more than the core can */
	nr_no_link = 1;
	assert_int_equal(rig_probe("/pcie"), 0);
	assert_string_equal(trace, TRAIN OFF TRAIN "gen3 change " END);
}

static void speed_loses_the_link(void **state)
{
	speed_kills = true;
	assert_int_equal(rig_probe("/pcie"), 0);
	assert_string_equal(trace, TRAIN "gen3 change " OFF TRAIN END);
	assert_non_null(strstr(rig_log, "link lost at the change to "
					"generation 3, back to 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_up, begin, end),
		cmocka_unit_test_setup_teardown(comes_up_again, begin, end),
		cmocka_unit_test_setup_teardown(second_try, begin, end),
		cmocka_unit_test_setup_teardown(no_link, begin, end),
		cmocka_unit_test_setup_teardown(a_phy_is_deaf, begin, end),
		cmocka_unit_test_setup_teardown(speeds_up, begin, end),
		cmocka_unit_test_setup_teardown(speed_loses_the_link, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
