/* SPDX-License-Identifier: MIT */
/*
 * drivers/gpio/sifive.c - the GPIO block of SiFive's FU540 and FU740 [FU740-C000
 * manual, chapter 19].
 *
 * A line keeps what firmware made of it until somebody asks for it.  How many
 * lines there are is the number of its interrupts.
 *
 * A line is watched once: its interrupt goes off as it comes, because it is the level
 * that interrupts.  The interrupts themselves stay bound.
 *
 * INVARIANTS
 *   I1  A bit of HIGH_IE or LOW_IE is set only while watch[line].fn is.
 *
 * Locking: chip->lock (RANK_DEV) around each read-modify-write.
 */
#include <drivers/gpio/sifive_regs.h>

#include <arch/riscv/mmio.h>
#include <kernel/dev/dt.h>
#include <kernel/dev/gpio.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/spinlock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

struct watch {
	struct sifive_gpio *chip; /* [I] NULL: not bound yet */
	gpio_watch_fn *fn;	  /* [lock] NULL: nobody */
	void *arg;		  /* [lock] */
};

struct sifive_gpio {
	struct gpio_chip chip;
	u8 __iomem *regs; /* [I] */
	struct spinlock lock;
	struct watch watch[SIFIVE_GPIO_MAX_LINES];
};

static struct sifive_gpio *gpio_of(struct gpio_chip *c)
{
	return container_of(c, struct sifive_gpio, chip);
}

static void change(struct sifive_gpio *g, u32 reg, u32 line, bool on)
{
	u32 v = mmio_read32(g->regs + reg);

	assert_held(&g->lock);
	if (on)
		v |= (u32)BIT(line);
	else
		v &= ~(u32)BIT(line);
	mmio_write32(v, g->regs + reg);
}

static void sifive_gpio_output(struct gpio_chip *c, u32 line, bool high)
{
	struct sifive_gpio *g = gpio_of(c);

	spin_lock(&g->lock);
	change(g, SIFIVE_GPIO_OUT_XOR, line, false);
	change(g, SIFIVE_GPIO_OUTPUT, line, high);
	change(g, SIFIVE_GPIO_OUTPUT_EN, line, true);
	spin_unlock(&g->lock);
}

static void sifive_gpio_input(struct gpio_chip *c, u32 line)
{
	struct sifive_gpio *g = gpio_of(c);

	spin_lock(&g->lock);
	change(g, SIFIVE_GPIO_OUTPUT_EN, line, false);
	change(g, SIFIVE_GPIO_INPUT_EN, line, true);
	spin_unlock(&g->lock);
}

static bool sifive_gpio_get(struct gpio_chip *c, u32 line)
{
	return mmio_read32(gpio_of(c)->regs + SIFIVE_GPIO_INPUT) & BIT(line);
}

/* ---- watching */

static bool line_irq(void *arg)
{
	struct watch *w = arg;
	struct sifive_gpio *g = w->chip;
	u32 line = (u32)(w - g->watch);
	gpio_watch_fn *fn;
	void *fn_arg;

	spin_lock(&g->lock);
	change(g, SIFIVE_GPIO_HIGH_IE, line, false); /* I1 */
	change(g, SIFIVE_GPIO_LOW_IE, line, false);
	fn = w->fn;
	fn_arg = w->arg;
	w->fn = NULL;
	spin_unlock(&g->lock);
	if (fn)
		fn(fn_arg);
	return fn;
}

/* The line's interrupt of the chip's node, once. */
static int bind_line(struct sifive_gpio *g, u32 line)
{
	struct irqchip *parent;
	u32 irq;
	int err;

	if (g->watch[line].chip)
		return 0;
	err = irq_from_fdt(g->chip.fdt_node, line, &parent, &irq);
	if (err)
		return -ENXIO;
	g->watch[line].chip = g;
	err = irq_bind(parent, irq, line_irq, &g->watch[line], "gpio");
	if (err)
		g->watch[line].chip = NULL;
	return err;
}

static int sifive_gpio_watch(struct gpio_chip *c, u32 line, bool high,
			     gpio_watch_fn *fn, void *arg)
{
	struct sifive_gpio *g = gpio_of(c);
	struct watch *w = &g->watch[line];
	int err;

	/* before the interrupt is bound: firmware's may be enabled */
	spin_lock(&g->lock);
	err = w->fn ? -EBUSY : 0;
	if (!err) {
		change(g, SIFIVE_GPIO_HIGH_IE, line, false);
		change(g, SIFIVE_GPIO_LOW_IE, line, false);
	}
	spin_unlock(&g->lock);
	if (!err)
		err = bind_line(g, line);
	if (err)
		return err;
	spin_lock(&g->lock);
	w->fn = fn;
	w->arg = arg;
	/* what was, is over; what is, sets it again */
	mmio_write32((u32)BIT(line), g->regs + (high ? SIFIVE_GPIO_HIGH_IP
						     : SIFIVE_GPIO_LOW_IP));
	change(g, high ? SIFIVE_GPIO_HIGH_IE : SIFIVE_GPIO_LOW_IE, line, true);
	spin_unlock(&g->lock);
	return 0;
}

static const struct gpio_chip_ops sifive_gpio_ops = {
	.output = sifive_gpio_output,
	.input = sifive_gpio_input,
	.get = sifive_gpio_get,
	.watch = sifive_gpio_watch,
};

static u32 count_lines(int node)
{
	u32 n = 0, v;

	while (n < SIFIVE_GPIO_MAX_LINES &&
	       !fdt_prop_cell(boot_fdt, node, "interrupts", n, &v))
		n++;
	return n ? n : SIFIVE_GPIO_MAX_LINES;
}

static int sifive_gpio_probe(int node)
{
	struct sifive_gpio *g = kzalloc(sizeof(*g));
	u64 size;

	if (!g)
		return -ENOMEM;
	g->regs = dt_ioremap(node, 0, &size);
	if (!g->regs || size < SIFIVE_GPIO_REGS_SIZE) {
		if (g->regs)
			iounmap(g->regs);
		kfree(g);
		return -ENXIO;
	}
	spin_init(&g->lock, "gpio", RANK_DEV);
	g->chip.ops = &sifive_gpio_ops;
	g->chip.fdt_node = node;
	g->chip.nr_lines = count_lines(node);
	gpio_chip_register(&g->chip);
	return 0;
}

static const char *const sifive_gpio_compatible[] = {
	"sifive,gpio0", "sifive,fu740-c000-gpio", "sifive,fu540-c000-gpio", NULL
};

DT_DRIVER(sifive_gpio) = {
	.name = "sifive-gpio",
	.compatible = sifive_gpio_compatible,
	.probe = sifive_gpio_probe,
	.stage = DT_BUS,
};
