/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/locks.c */
/* sources: tests/host/fake/dtrig.c drivers/i2c/ocores.c drivers/power/da9063.c */
/* sources: kernel/dev/i2c.c kernel/dev/clk.c lib/fdt.c lib/fdt_reg.c */
/*
 * tests/host/i2c_test.c - the I2C controller and the power management chip of the
 * HiFive Unmatched, against a bus of our own that keeps time: chips that do not
 * answer, buses that hang, clocks that were never set.
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/dtrig.h>

#include <drivers/i2c/ocores_regs.h>
#include <drivers/power/da9063_regs.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/i2c.h>
#include <kernel/init.h>
#include <kernel/reset.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define SHIFT  2
#define ADDR   0x58u
#define BIT_NS 10000u /* 100 kHz */

static const char tree[] =
	"/dts-v1/;\n"
	"/ {\n"
	"	clk: clk { compatible = \"fixed-clock\"; #clock-cells = <0>;\n"
	"		clock-frequency = <130000000>; };\n"
	"	fast: fast { compatible = \"fixed-clock\"; #clock-cells = <0>;\n"
	"		clock-frequency = <4000000000>; };\n"
	"	none: none { compatible = \"fixed-clock\"; #clock-cells = <0>;\n"
	"		clock-frequency = <0>; };\n"
	"	i2c { compatible = \"sifive,i2c0\"; clocks = <&clk>;\n"
	"		reg-shift = <2>;\n"
	"		#address-cells = <1>; #size-cells = <0>;\n"
	"		pmic@58 { compatible = \"dlg,da9063\"; reg = <0x58>; };\n"
	"		nowhere { compatible = \"dlg,da9063\"; };\n"
	"	};\n"
	"	other { pmic@58 { compatible = \"dlg,da9063\"; }; };\n"
	"	bad1 { compatible = \"sifive,i2c0\"; };\n"
	"	bad2 { compatible = \"sifive,i2c0\"; clocks = <&fast>; };\n"
	"	bad3 { compatible = \"sifive,i2c0\"; clocks = <&none>; };\n"
	"	bad4 { compatible = \"sifive,i2c0\"; clocks = <&clk>;\n"
	"		reg-shift = <5>; };\n"
	"};\n";

/* ---- controller, wire and chip */

static struct {
	/* how it misbehaves */
	bool absent, stuck_byte, stuck_bus, lost;
	bool hung;	/* a byte once was */
	u32 nack_after; /* that many bytes; 0: all are taken */
	/* how it is now */
	u8 command, status, received;
	bool busy, tip, reading;
	u64 until; /* of what is under way */
	bool addressed, have_reg;
	u32 reg, nr_bytes;
	u8 regs[512]; /* pages 0 and 1, then 2 and 3 */
	u8 page;
	/* what it saw */
	u32 nr_starts, nr_stops;
	char writes[256];
} bus;

static u8 *at(u32 r)
{
	return rig_regs + (r << SHIFT);
}

static void chip_takes(u8 v)
{
	if (!bus.have_reg) {
		bus.have_reg = true;
		bus.reg = v;
		return;
	}
	snprintf(bus.writes + strlen(bus.writes),
		 sizeof(bus.writes) - strlen(bus.writes), " %x=%x", bus.reg, v);
	if (bus.reg == DA9063_PAGE_CON)
		bus.page = v;
	else
		bus.regs[(bus.page & 2) * 128 + bus.reg] = v;
	bus.reg = (bus.reg + 1) & 0xff;
}

static bool chip_acks(u8 v, bool start)
{
	if (start) {
		bus.addressed = v >> 1 == ADDR && !bus.absent;
		bus.reading = v & 1;
		if (!bus.reading)
			bus.have_reg = false;
		bus.nr_bytes = 0;
	} else if (bus.addressed) {
		chip_takes(v);
	}
	return bus.addressed &&
	       (!bus.nack_after || bus.nr_bytes++ < bus.nack_after);
}

static void command(u8 c)
{
	bus.command = c;
	bus.status = 0;
	if (c & OCI2C_COMMAND_START) {
		bus.nr_starts++;
		bus.busy = true;
	}
	bus.tip = c & (OCI2C_COMMAND_WRITE | OCI2C_COMMAND_READ);
	bus.hung = bus.tip && bus.stuck_byte;
	bus.until = rig_now + (bus.tip ? 9 : 1) * BIT_NS;
	if (c & OCI2C_COMMAND_WRITE) {
		if (!chip_acks(*at(OCI2C_DATA), c & OCI2C_COMMAND_START))
			bus.status = (u8)OCI2C_STATUS_NACK;
		if (bus.lost) {
			bus.status |= (u8)OCI2C_STATUS_LOST;
			bus.tip = bus.busy = false; /* the other's now */
		}
	} else if (c & OCI2C_COMMAND_READ) {
		assert_true(bus.reading);
		bus.received = bus.regs[(bus.page & 2) * 128 + bus.reg];
		bus.reg = (bus.reg + 1) & 0xff;
	}
}

static void pass_time(void)
{
	if (rig_now < bus.until)
		return;
	if (bus.tip && !bus.stuck_byte) {
		bus.tip = false;
		if (bus.command & OCI2C_COMMAND_READ)
			*at(OCI2C_DATA) = bus.received;
	}
	if ((bus.command & OCI2C_COMMAND_STOP) && !bus.stuck_bus) {
		bus.nr_stops += bus.busy;
		bus.busy = false;
	}
}

void host_mmio_read(volatile void *a, u32 bytes)
{
	assert_int_equal(bytes, 1);
	pass_time();
	if (a == at(OCI2C_STATUS))
		*at(OCI2C_STATUS) =
			bus.status | (u8)((bus.tip ? OCI2C_STATUS_TIP : 0) |
					  (bus.busy ? OCI2C_STATUS_BUSY : 0));
	else
		assert_false(bus.tip); /* not yet what was received */
}

void host_mmio_write(volatile void *a, u32 bytes)
{
	assert_int_equal(bytes, 1);
	pass_time();
	if (a == at(OCI2C_COMMAND)) {
		assert_true(*at(OCI2C_CONTROL) & OCI2C_CONTROL_EN);
		assert_true(!bus.tip || bus.hung);
		command(*at(OCI2C_COMMAND));
	} else if (a == at(OCI2C_CONTROL) && !*at(OCI2C_CONTROL)) {
		/* a chip would be left in the middle */
		assert_true(!bus.busy || bus.stuck_bus || bus.hung);
	} else if (a == at(OCI2C_PRE_LO) || a == at(OCI2C_PRE_HI)) {
		assert_false(*at(OCI2C_CONTROL) & OCI2C_CONTROL_EN);
	}
}

/* ---- what the chip's driver wants of the kernel */

static void (*reset_fn)(enum reset_kind kind);
static u64 real_ns;

void reset_register(enum reset_rank rank, void (*fn)(enum reset_kind kind))
{
	assert_int_equal(rank, RESET_DRIVER);
	reset_fn = fn;
}

void clock_set_real_ns(u64 ns)
{
	real_ns = ns;
}

/* 2024-02-29 23:59:58 */
static const u8 leap_day[DA9063_NR_COUNTS] = { 0x80 | 58, 59, 23, 29, 2, 24 };

static int setup(void **state)
{
	(void)state;
	rig_start(tree);
	memset(&bus, 0, sizeof(bus));
	bus.regs[256 + DA9063_DEVICE_ID] = DA9063_DEVICE_ID_VALUE;
	memcpy(bus.regs + DA9063_COUNT_S, leap_day, sizeof(leap_day));
	real_ns = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	rig_end();
	return 0;
}

/* One for all tests: the list keeps the first. */
static struct i2c_bus *probe_bus(void)
{
	static struct i2c_bus *b;

	if (!b) {
		assert_int_equal(rig_probe("/i2c"), 0);
		b = i2c_bus_of(fdt_path_offset(boot_fdt, "/i2c/pmic@58"));
	}
	assert_non_null(b);
	b->lock.locked = 0; /* a test that failed had it */
	return b;
}

/* ---- the controller */

static void transfers(void **state)
{
	struct i2c_bus *b = probe_bus();
	u8 got[3];

	bus.regs[0x20] = 0xaa;
	bus.regs[0x21] = 0xbb;
	bus.regs[0x22] = 0xcc;
	assert_int_equal(i2c_read(b, ADDR, 0x20, got, 3), 0);
	assert_int_equal(got[0], 0xaa);
	assert_int_equal(got[2], 0xcc);
	assert_int_equal(bus.nr_starts, 2); /* the second repeated */
	assert_int_equal(bus.nr_stops, 1);
	assert_true(bus.command & OCI2C_COMMAND_STOP);
	assert_int_equal(i2c_write(b, ADDR, 0x30, 0x5a), 0);
	assert_int_equal(bus.regs[0x30], 0x5a);
	assert_int_equal(bus.nr_stops, 2);
	/* five clocks of 500 kHz and more make a bit: not above 100 kHz */
	assert_true((*at(OCI2C_PRE_HI) << 8 | *at(OCI2C_PRE_LO)) + 1 >= 260);
}

static void no_answer(void **state)
{
	struct i2c_bus *b = probe_bus();
	u8 got;

	assert_int_equal(i2c_read(b, 0x33, 0, &got, 1), -ENXIO);
	assert_false(bus.busy); /* let go all the same */
	bus.nack_after = 1;	/* the address, but nothing more */
	assert_int_equal(i2c_write(b, ADDR, 0x30, 1), -ENXIO);
	assert_false(bus.busy);
	bus.nack_after = 0;
	assert_int_equal(i2c_write(b, ADDR, 0x30, 2), 0);
	assert_int_equal(bus.regs[0x30], 2);
}

static void wire_hangs(void **state)
{
	struct i2c_bus *b = probe_bus();
	u8 got;

	bus.lost = true;
	assert_int_equal(i2c_write(b, ADDR, 0x30, 1), -EIO);
	bus.lost = false;
	bus.stuck_byte = bus.stuck_bus = true; /* a clock held low */
	assert_int_equal(i2c_read(b, ADDR, 0x20, &got, 1), -ETIMEDOUT);
	assert_true(rig_now < 50000000); /* ends soon */
	bus.stuck_byte = false;
	assert_int_equal(i2c_write(b, ADDR, 0x30, 1), -ETIMEDOUT);
	bus.stuck_bus = false;
	assert_int_equal(i2c_write(b, ADDR, 0x30, 3), 0);
	assert_int_equal(bus.regs[0x30], 3);
}

static void refused(void **state)
{
	assert_int_equal(rig_probe("/bad1"), -ENOENT);
	assert_int_equal(rig_probe("/bad2"), 0); /* slower than it could */
	assert_int_equal(rig_probe("/bad3"), -EINVAL);
	assert_int_equal(rig_probe("/bad4"), -EINVAL);
	rig_mapped = 0;
	rig_regs_size = 16;
	assert_int_equal(rig_probe("/i2c"), -ENXIO);
	assert_int_equal(rig_mapped, 0);
	rig_regs_size = 0;
	assert_int_equal(rig_probe("/i2c"), -ENXIO);
	rig_no_memory = true;
	assert_int_equal(rig_probe("/i2c"), -ENOMEM);
}

/* ---- the chip: refused first, as there is only one */

static void chip_refused(void **state)
{
	(void)probe_bus();
	assert_int_equal(rig_probe("/other/pmic@58"), -EPROBE_DEFER);
	assert_int_equal(rig_probe("/i2c/nowhere"), -EINVAL);
	bus.absent = true;
	assert_int_equal(rig_probe("/i2c/pmic@58"), -ENXIO);
	bus.absent = false;
	bus.regs[256 + DA9063_DEVICE_ID] = 0x60;
	assert_int_equal(rig_probe("/i2c/pmic@58"), -ENXIO);
	assert_int_equal(bus.page, DA9063_PAGES_0_1); /* as it was */
	bus.stuck_byte = true;
	assert_int_equal(rig_probe("/i2c/pmic@58"), -ETIMEDOUT);
	assert_null(reset_fn);
	assert_int_equal(real_ns, 0);
}

static void chip_resets(void **state)
{
	(void)probe_bus();
	bus.regs[DA9063_CONTROL_D] =
		0x2d; /* somebody's watchdog, and a light */
	assert_int_equal(rig_probe("/i2c/pmic@58"), 0);
	assert_int_equal(bus.regs[DA9063_CONTROL_D], 0x28);
	assert_non_null(strstr(rig_log, "the watchdog was on"));
	assert_int_equal(real_ns / NSEC_PER_SEC, 1709251198);
	assert_int_equal(rig_probe("/i2c/pmic@58"), -EINVAL); /* one */
	assert_non_null(reset_fn);
	bus.writes[0] = 0;
	bus.page = DA9063_PAGES_2_3; /* firmware's */
	reset_fn(RESET_POWEROFF);
	assert_string_equal(bus.writes, " 0=0 11=0 13=2");
	bus.writes[0] = 0;
	reset_fn(RESET_REBOOT);
	assert_string_equal(bus.writes, " 0=0 11=0 13=4 e=68");
	/* a bus that hangs does not hang the machine */
	bus.stuck_byte = bus.stuck_bus = true;
	reset_fn(RESET_REBOOT);
	assert_true(rig_now < 2000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(transfers, setup, end),
		cmocka_unit_test_setup_teardown(no_answer, setup, end),
		cmocka_unit_test_setup_teardown(wire_hangs, setup, end),
		cmocka_unit_test_setup_teardown(refused, setup, end),
		cmocka_unit_test_setup_teardown(chip_refused, setup, end),
		cmocka_unit_test_setup_teardown(chip_resets, setup, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
