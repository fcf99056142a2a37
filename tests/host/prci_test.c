/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/locks.c */
/* sources: tests/host/fake/dtrig.c drivers/clk/sifive_prci.c kernel/dev/clk.c */
/* sources: lib/fdt.c lib/fdt_reg.c */
/*
 * tests/host/prci_test.c - clocks and resets of the FU740 and FU540: rates from the
 * values that first stages leave, and not one bit written that keeps the memory
 * alive.
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/dtrig.h>

#include <drivers/clk/sifive_prci_regs.h>
#include <kernel/dev/clk.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <lib/errno.h>
#include <lib/fdt.h>

/* @more: so that the nodes of two trees are not at the same offsets. */
#define TREE(compatible, more)                                        \
	"/dts-v1/;\n"                                                 \
	"/ {\n" more "	hf: hfclk { compatible = \"fixed-clock\";\n"   \
	"		#clock-cells = <0>;\n"                                     \
	"		clock-frequency = <26000000>; };\n"                        \
	"	rtc: rtcclk { compatible = \"fixed-clock\";\n"              \
	"		#clock-cells = <0>; };\n"                                  \
	"	wide: wide { #clock-cells = <2>; };\n"                      \
	"	p: prci { compatible = \"" compatible "\";\n"         \
	"		clocks = <&hf>, <&rtc>;\n"                                 \
	"		#clock-cells = <1>; #reset-cells = <1>; };\n"              \
	"	late: late { compatible = \"nobody's\";\n"                  \
	"		#clock-cells = <1>; #reset-cells = <1>; };\n"              \
	"	broken { compatible = \"" compatible "\";\n"          \
	"		clocks = <&rtc>; };\n"                                     \
	"	without { compatible = \"" compatible "\"; };\n"      \
	"	dev { clocks = <&hf>, <&p 7>, <&p 8>, <&p 0>, <&late 1>,\n" \
	"			<&wide 1 2>, <&p 3>;\n"                                   \
	"		resets = <&p 4>, <&p 0>, <&late 4>;\n"                     \
	"	};\n"                                                       \
	"	eth { clocks = <&p 2>; };\n"                                \
	"};\n"

/* ---- registers: only what may be written is */

static u32 allowed[3], nr_writes;

static u32 *reg(u32 r)
{
	return (u32 *)(rig_regs + r);
}

void host_mmio_write(volatile void *a, u32 bytes)
{
	u32 r = (u32)((volatile u8 *)a - rig_regs);

	assert_int_equal(bytes, 4);
	nr_writes++;
	for (u32 i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (r == allowed[i])
			return;
	}
	fail_msg("register %#x is written", r);
}

static u32 pll(u32 divr, u32 divf, u32 divq)
{
	return divr | divf << 6 | divq << 15 | BIT(25) | BIT(31);
}

static void start(const char *dts)
{
	rig_start(dts);
	allowed[0] = PRCI_PCIE_AUX;
	allowed[1] = PRCI_DEVICESRESETN;
	allowed[2] = PRCI_GEMGXLPLL_GATE;
	nr_writes = 0;
	/* as the first stage of the Unmatched leaves it */
	*reg(PRCI_COREPLL) = pll(0, 76, 2);
	*reg(PRCI_DVFSCOREPLL) = pll(0, 91, 2);
	*reg(PRCI_COREPLLSEL) = PRCI_COREPLLSEL_DVFS;
	*reg(PRCI_HFPCLKPLL) = pll(0, 39, 3);
	*reg(PRCI_HFPCLKPLLDIV) = 0;
	*reg(PRCI_DEVICESRESETN) = 0x6f;
}

static int fu740(void **state)
{
	(void)state;
	start(TREE("sifive,fu740-c000-prci", ""));
	return 0;
}

static int end(void **state)
{
	(void)state;
	rig_end();
	return 0;
}

static int dev_clk(u32 idx, struct clk *clk)
{
	return clk_from_fdt(fdt_path_offset(boot_fdt, "/dev"), idx, clk);
}

static int dev_reset(u32 idx, struct reset_line *r)
{
	return reset_line_from_fdt(fdt_path_offset(boot_fdt, "/dev"), idx, r);
}

/* ---- tests */

static void rates(void **state)
{
	struct clk clk;

	assert_int_equal(rig_probe("/prci"), 0);
	assert_non_null(strstr(rig_log, "crystal 26000 kHz, cores 1196000 kHz,"
					" peripherals 130000 kHz"));
	assert_int_equal(dev_clk(0, &clk), 0);
	assert_int_equal(clk_rate(&clk), 26000000);
	assert_int_equal(dev_clk(1, &clk), 0);
	assert_int_equal(clk_rate(&clk), 130000000);
	*reg(PRCI_HFPCLKPLLDIV) = 2;
	assert_int_equal(clk_rate(&clk), 65000000);
	*reg(PRCI_HFPCLKPLLSEL) = PRCI_HFPCLKPLLSEL_HFCLK;
	*reg(PRCI_HFPCLKPLLDIV) = 0;
	assert_int_equal(clk_rate(&clk), 13000000);
	*reg(PRCI_HFPCLKPLLSEL) = 0;
	*reg(PRCI_HFPCLKPLL) |= (u32)PRCI_PLL_BYPASS;
	assert_int_equal(clk_rate(&clk), 13000000);
	/* garbage is a rate too, and no division by nothing */
	*reg(PRCI_HFPCLKPLL) = ~(u32)PRCI_PLL_BYPASS;
	*reg(PRCI_HFPCLKPLLDIV) = ~0u;
	assert_int_equal(clk_rate(&clk), 0);
	assert_int_equal(nr_writes, 0);
}

static void cores(void **state)
{
	*reg(PRCI_COREPLLSEL) = 0;
	assert_int_equal(rig_probe("/prci"), 0);
	assert_non_null(strstr(rig_log, "cores 1001000 kHz"));
	*reg(PRCI_CORECLKSEL) = PRCI_CORECLKSEL_HFCLK;
	assert_int_equal(rig_probe("/prci"), 0);
	assert_non_null(strstr(rig_log, "cores 26000 kHz"));
}

static void ethernet(void **state)
{
	struct clk clk;

	*reg(PRCI_GEMGXLPLL) = pll(0, 76, 5);
	assert_int_equal(rig_probe("/prci"), 0);
	assert_int_equal(
		clk_from_fdt(fdt_path_offset(boot_fdt, "/eth"), 0, &clk), 0);
	assert_int_equal(clk_rate(&clk), 125125000);
	clk_enable(&clk);
	assert_int_equal(*reg(PRCI_GEMGXLPLL_GATE), BIT(31));
	clk_disable(&clk);
	assert_int_equal(*reg(PRCI_GEMGXLPLL_GATE), 0);
	assert_int_equal(nr_writes, 2);
}

static void pcie(void **state)
{
	struct reset_line r;
	struct clk clk;

	assert_int_equal(rig_probe("/prci"), 0);
	assert_int_equal(dev_clk(2, &clk), 0);
	assert_int_equal(clk_rate(&clk), 0);
	clk_enable(&clk);
	assert_int_equal(*reg(PRCI_PCIE_AUX), 1);
	clk_disable(&clk);
	assert_int_equal(*reg(PRCI_PCIE_AUX), 0);
	assert_int_equal(dev_reset(0, &r), 0);
	reset_line_deassert(&r);
	assert_int_equal(*reg(PRCI_DEVICESRESETN), 0x7f);
	reset_line_assert(&r); /* the memory's bits stay */
	assert_int_equal(*reg(PRCI_DEVICESRESETN), 0x6f);
	*reg(PRCI_DEVICESRESETN) = 0xffffffff;
	reset_line_assert(&r);
	assert_int_equal(*reg(PRCI_DEVICESRESETN), 0xffffffef);
	/* and a clock without a gate has none */
	nr_writes = 0;
	assert_int_equal(dev_clk(1, &clk), 0);
	clk_disable(&clk);
	assert_int_equal(dev_clk(0, &clk), 0);
	clk_disable(&clk);
	assert_int_equal(nr_writes, 0);
}

static void not_for_drivers(void **state)
{
	struct reset_line r;
	struct clk clk;

	assert_int_equal(rig_probe("/prci"), 0);
	assert_int_equal(dev_clk(3, &clk), -EINVAL); /* the cores' PLL */
	assert_int_equal(dev_clk(4, &clk), -EPROBE_DEFER);
	assert_int_equal(dev_clk(5, &clk), -EINVAL); /* two cells */
	assert_int_equal(dev_clk(6, &clk), -EINVAL); /* the list ends there */
	assert_int_equal(dev_clk(7, &clk), -EINVAL);
	assert_int_equal(dev_reset(1, &r), -EINVAL); /* the memory's */
	assert_int_equal(dev_reset(2, &r), -EPROBE_DEFER);
	assert_int_equal(dev_reset(3, &r), -ENOENT);
}

static void refused(void **state)
{
	assert_int_equal(rig_probe("/broken"), -EINVAL);
	assert_int_equal(rig_probe("/without"), -ENOENT);
	rig_regs_size = 0x5c; /* one register too few */
	assert_int_equal(rig_probe("/prci"), -ENXIO);
	assert_int_equal(rig_mapped, 0);
	rig_regs_size = 0;
	assert_int_equal(rig_probe("/prci"), -ENXIO);
	rig_no_memory = true;
	assert_int_equal(rig_probe("/prci"), -ENOMEM);
}

static int fu540(void **state)
{
	(void)state;
	start(TREE("sifive,fu540-c000-prci", "first {};"));
	return 0;
}

static void sister(void **state)
{
	struct reset_line r;
	struct clk clk;

	rig_regs_size = 0x30;
	allowed[0] = allowed[1] = ~0u; /* nothing of it is ours */
	assert_int_equal(rig_probe("/prci"), 0);
	assert_int_equal(dev_clk(1, &clk), -EINVAL);
	assert_int_equal(dev_clk(2, &clk), -EINVAL);
	assert_int_equal(dev_reset(0, &r), -EINVAL);
	assert_non_null(strstr(rig_log, "cores 1001000 kHz, peripherals "
					"500500 kHz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rates, fu740, end),
		cmocka_unit_test_setup_teardown(cores, fu740, end),
		cmocka_unit_test_setup_teardown(ethernet, fu740, end),
		cmocka_unit_test_setup_teardown(pcie, fu740, end),
		cmocka_unit_test_setup_teardown(not_for_drivers, fu740, end),
		cmocka_unit_test_setup_teardown(refused, fu740, end),
		cmocka_unit_test_setup_teardown(sister, fu540, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
