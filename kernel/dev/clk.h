/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/clk.h - clocks and resets of a chip: the controller below, drivers
 * above.
 *
 * A driver asks for the clock or the reset at an index of its node's `clocks` or
 * `resets` and switches it, or reads the clock's rate.  Rates are never changed.
 *
 * Context: *_from_fdt() at boot; the rest any, no sleeping.
 * Ownership: controllers live for ever; nobody arbitrates between users.
 */
#ifndef KERNEL_DEV_CLK_H
#define KERNEL_DEV_CLK_H

#include <lib/list.h>
#include <lib/types.h>

struct clk_ctrl;

struct clk_ctrl_ops {
	bool (*has_clk)(const struct clk_ctrl *c, u32 id);
	/* Hz, 0: unknown. */
	u64 (*rate)(struct clk_ctrl *c, u32 id);
	/* Returns when it is so; a clock without a gate is always on. */
	void (*enable)(struct clk_ctrl *c, u32 id, bool on);
	bool (*has_reset)(const struct clk_ctrl *c, u32 id);
	void (*assert)(struct clk_ctrl *c, u32 id, bool asserted);
};

struct clk_ctrl {
	const struct clk_ctrl_ops *ops; /* [I] all of them */
	int fdt_node;			/* [I] */
	struct list_head node;		/* [boot] */
};

struct clk {
	struct clk_ctrl *ctrl; /* [I] NULL: a fixed one */
	u32 id;		       /* [I] */
	u64 fixed_hz;	       /* [I] */
};

struct reset_line {
	struct clk_ctrl *ctrl; /* [I] */
	u32 id;		       /* [I] */
};

void clk_ctrl_register(struct clk_ctrl *c);

/* 0, -ENOENT (no such entry), -EINVAL or -EPROBE_DEFER. */
int clk_from_fdt(int fdt_node, u32 idx, struct clk *clk);
int reset_line_from_fdt(int fdt_node, u32 idx, struct reset_line *r);

u64 clk_rate(const struct clk *clk); /* Hz, 0: unknown */
void clk_enable(const struct clk *clk);
void clk_disable(const struct clk *clk);
void reset_line_assert(const struct reset_line *r);
void reset_line_deassert(const struct reset_line *r);

#endif /* KERNEL_DEV_CLK_H */
