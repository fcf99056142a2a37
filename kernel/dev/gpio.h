/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/gpio.h - lines of general-purpose I/O: chips below, users above.
 *
 * A user names a line by a property of its device-tree node and drives or reads
 * its level.  "High" is the level on the wire; what it means (an active-low line)
 * is the user's to know, with gpio.active_low as the tree says it.
 *
 * Context: registration and gpio_from_fdt() at boot; the rest any, no sleeping.
 * Ownership: chips live for ever; nobody arbitrates between users of one line.
 */
#ifndef KERNEL_DEV_GPIO_H
#define KERNEL_DEV_GPIO_H

#include <lib/list.h>
#include <lib/types.h>

struct gpio_chip;

/* In the loop of a hart, with the chip's lock free. */
typedef void gpio_watch_fn(void *arg);

struct gpio_chip_ops {
	/* Make @line an output that is @high from its first moment on. */
	void (*output)(struct gpio_chip *c, u32 line, bool high);
	void (*input)(struct gpio_chip *c, u32 line);
	bool (*get)(struct gpio_chip *c, u32 line);
	/* See gpio_watch().  NULL: lines do not interrupt. */
	int (*watch)(struct gpio_chip *c, u32 line, bool high,
		     gpio_watch_fn *fn, void *arg);
};

struct gpio_chip {
	const struct gpio_chip_ops *ops; /* [I] */
	int fdt_node;			 /* [I] */
	u32 nr_lines;			 /* [I] */
	struct list_head node;		 /* [boot] */
};

struct gpio {
	struct gpio_chip *chip; /* [I] NULL: there is none */
	u32 line;		/* [I] */
	bool active_low;	/* [I] */
};

void gpio_chip_register(struct gpio_chip *c);

/*
 * Entry @idx of property @prop: 0, -ENOENT (no such property or entry), -EINVAL,
 * or -EPROBE_DEFER (its chip has not been probed yet).
 */
int gpio_from_fdt(int fdt_node, const char *prop, u32 idx, struct gpio *g);
/* Line @line of the chip at @fdt_node, for what no property says. */
int gpio_from_chip_node(int fdt_node, u32 line, struct gpio *g);

void gpio_output(const struct gpio *g, bool high);
void gpio_input(const struct gpio *g);
bool gpio_get(const struct gpio *g); /* high? */
/*
 * Call @fn once, when the level is @high: perhaps at once, and perhaps although it
 * has changed again.  -EBUSY: somebody watches the line already; -ENXIO: it does not
 * interrupt.
 */
int gpio_watch(const struct gpio *g, bool high, gpio_watch_fn *fn, void *arg);

#endif /* KERNEL_DEV_GPIO_H */
