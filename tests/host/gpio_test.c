/* SPDX-License-Identifier: MIT */
/* sources: tests/host/fake/locks.c */
/* sources: tests/host/fake/dtrig.c drivers/gpio/sifive.c kernel/dev/gpio.c */
/* sources: lib/fdt.c lib/fdt_reg.c */
/*
 * tests/host/gpio_test.c - lines of the SiFive GPIO block: an output has its level
 * before it drives, other lines keep theirs, and who watches a line hears of it once.
 */
#include <tests/host/cmocka.h>

#include <tests/host/fake/dtrig.h>

#include <drivers/gpio/sifive_regs.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/gpio.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <lib/errno.h>
#include <lib/fdt.h>

#define TREE                                                             \
	"/dts-v1/;\n"                                                    \
	"/ {\n"                                                          \
	"	g: gpio { compatible = \"sifive,gpio0\";\n"                    \
	"		interrupts = <23>, <24>, <25>, <26>; #gpio-cells = <2>; };\n" \
	"	slot { gpios = <&g 3 1>, <&g 2 0>, <&g 9 0>; };\n"             \
	"};\n"

static u32 levels, bound; /* a bit for each line */
static irq_handler_fn *handler[4];
static void *handler_arg[4];
static u32 nr_calls, nr_glitches;
static int irq_err;

static u32 *reg(u32 r)
{
	return (u32 *)(rig_regs + r);
}

/* Pending bits are set by levels as long as they last. */
static void look(void)
{
	*reg(SIFIVE_GPIO_INPUT) = levels & *reg(SIFIVE_GPIO_INPUT_EN);
	*reg(SIFIVE_GPIO_HIGH_IP) |= levels;
	*reg(SIFIVE_GPIO_LOW_IP) |= ~levels & 0xf;
}

void host_mmio_read(volatile void *a, u32 bytes)
{
	(void)a;
	assert_int_equal(bytes, 4);
	look();
}

void host_mmio_write(volatile void *a, u32 bytes)
{
	u32 r = (u32)((volatile u8 *)a - rig_regs);

	assert_int_equal(bytes, 4);
	if (r == SIFIVE_GPIO_HIGH_IP || r == SIFIVE_GPIO_LOW_IP)
		*reg(r) = 0; /* the tests' lines are all written at once */
	if (r == SIFIVE_GPIO_OUTPUT && (*reg(SIFIVE_GPIO_OUTPUT_EN) & BIT(1)))
		nr_glitches += !(*reg(r) & BIT(1));
	look();
}

int irq_from_fdt(int fdt_node, unsigned int idx, struct irqchip **chip,
		 u32 *line)
{
	assert_int_equal(fdt_node, fdt_path_offset(boot_fdt, "/gpio"));
	*chip = NULL;
	*line = idx;
	return irq_err;
}

int irq_bind(struct irqchip *chip, u32 line, irq_handler_fn *fn, void *arg,
	     const char *name)
{
	(void)chip;
	(void)name;
	assert_false(bound & BIT(line));
	/* nobody has enabled what nobody waits for */
	assert_false((*reg(SIFIVE_GPIO_HIGH_IE) | *reg(SIFIVE_GPIO_LOW_IE)) &
		     BIT(line));
	bound |= (u32)BIT(line);
	handler[line] = fn;
	handler_arg[line] = arg;
	return 0;
}

/* Interrupts as long as there are any. */
static u32 deliver(void)
{
	u32 nr = 0;

	for (u32 line = 0; line < 4; line++) {
		for (;;) {
			u32 up;

			look();
			up = (*reg(SIFIVE_GPIO_HIGH_IE) &
			      *reg(SIFIVE_GPIO_HIGH_IP)) |
			     (*reg(SIFIVE_GPIO_LOW_IE) &
			      *reg(SIFIVE_GPIO_LOW_IP));
			if (!(up & BIT(line)))
				break;
			assert_true(bound & BIT(line));
			assert_true(handler[line](handler_arg[line]));
			assert_true(++nr < 10); /* a storm */
		}
	}
	return nr;
}

static void called(void *arg)
{
	assert_ptr_equal(arg, &nr_calls);
	nr_calls++;
}

static int begin(void **state)
{
	(void)state;
	rig_start(TREE);
	levels = bound = nr_calls = nr_glitches = 0;
	irq_err = 0;
	return rig_probe("/gpio");
}

static int end(void **state)
{
	(void)state;
	rig_end();
	return 0;
}

static struct gpio slot_line(u32 idx)
{
	struct gpio g;

	assert_int_equal(gpio_from_fdt(fdt_path_offset(boot_fdt, "/slot"),
				       "gpios", idx, &g),
			 0);
	return g;
}

static void levels_before_driving(void **state)
{
	struct gpio g, none;

	*reg(SIFIVE_GPIO_OUTPUT) = 0xa0;
	*reg(SIFIVE_GPIO_OUTPUT_EN) = 0xa0;
	*reg(SIFIVE_GPIO_OUT_XOR) = 0xff;
	assert_int_equal(gpio_from_chip_node(fdt_path_offset(boot_fdt, "/gpio"),
					     1, &g),
			 0);
	gpio_output(&g, true);
	assert_int_equal(*reg(SIFIVE_GPIO_OUTPUT), 0xa2);
	assert_int_equal(*reg(SIFIVE_GPIO_OUTPUT_EN), 0xa2);
	assert_int_equal(*reg(SIFIVE_GPIO_OUT_XOR), 0xfd);
	assert_int_equal(nr_glitches, 0);
	gpio_input(&g);
	assert_int_equal(*reg(SIFIVE_GPIO_OUTPUT_EN), 0xa0);
	assert_int_equal(gpio_from_fdt(fdt_path_offset(boot_fdt, "/slot"),
				       "gpios", 2, &none),
			 -EINVAL); /* four lines, as there are interrupts */
	assert_int_equal(gpio_from_fdt(fdt_path_offset(boot_fdt, "/slot"),
				       "gpios", 3, &none),
			 -ENOENT);
}

static void watched_once(void **state)
{
	struct gpio g = slot_line(0);

	assert_true(g.active_low);
	levels = BIT(3) | BIT(2);
	gpio_input(&g);
	/* firmware's, of a line that nobody bound */
	*reg(SIFIVE_GPIO_HIGH_IE) = BIT(3);
	assert_int_equal(gpio_watch(&g, false, called, &nr_calls), 0);
	assert_int_equal(gpio_watch(&g, true, called, &nr_calls), -EBUSY);
	assert_int_equal(deliver(), 0);
	levels &= ~(u32)BIT(3);
	assert_int_equal(deliver(), 1);
	assert_int_equal(nr_calls, 1);
	assert_int_equal(*reg(SIFIVE_GPIO_LOW_IE), 0);
	/* again, for the other level; the line is bound already */
	assert_int_equal(gpio_watch(&g, true, called, &nr_calls), 0);
	assert_int_equal(deliver(), 0);
	levels |= BIT(3);
	assert_int_equal(deliver(), 1);
	assert_int_equal(nr_calls, 2);
}

/* The level is there already, and was in between: both are told. */
static void watched_late(void **state)
{
	struct gpio g = slot_line(1);

	levels = 0;
	assert_int_equal(gpio_watch(&g, false, called, &nr_calls), 0);
	assert_int_equal(deliver(), 1);
	levels = BIT(2);
	assert_int_equal(gpio_watch(&g, false, called, &nr_calls), 0);
	assert_int_equal(deliver(), 0);
	levels = 0;
	look();
	levels = BIT(2); /* a bounce */
	assert_int_equal(deliver(), 1);
	assert_int_equal(nr_calls, 2);
}

static void no_interrupt(void **state)
{
	struct gpio g;

	/* a line that no test before has bound: chips stay for ever */
	assert_int_equal(gpio_from_chip_node(fdt_path_offset(boot_fdt, "/gpio"),
					     0, &g),
			 0);
	irq_err = -ENOENT;
	assert_int_equal(gpio_watch(&g, false, called, &nr_calls), -ENXIO);
	assert_int_equal(*reg(SIFIVE_GPIO_LOW_IE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(levels_before_driving, begin,
						end),
		cmocka_unit_test_setup_teardown(watched_once, begin, end),
		cmocka_unit_test_setup_teardown(watched_late, begin, end),
		cmocka_unit_test_setup_teardown(no_interrupt, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
