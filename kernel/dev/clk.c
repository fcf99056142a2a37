/* SPDX-License-Identifier: MIT */
/* kernel/dev/clk.c - clock and reset controllers and their users; see clk.h. */
#include <kernel/dev/clk.h>

#include <kernel/assert.h>
#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <lib/errno.h>
#include <lib/fdt.h>

static struct list_head ctrls = LIST_HEAD_INIT(ctrls); /* [boot] */

void clk_ctrl_register(struct clk_ctrl *c)
{
	KASSERT(c->ops->has_clk && c->ops->rate && c->ops->enable &&
		c->ops->has_reset && c->ops->assert);
	list_add_tail(&c->node, &ctrls);
}

static struct clk_ctrl *ctrl_of(int fdt_node)
{
	struct clk_ctrl *c;

	list_for_each_entry(c, &ctrls, node) {
		if (c->fdt_node == fdt_node)
			return c;
	}
	return NULL;
}

/*
 * Entry @idx of a list <phandle id> or <phandle>, as @cells_name of each
 * provider says: its node, and the id.
 */
static int list_entry_at(int fdt_node, const char *prop, const char *cells_name,
			 u32 idx, int *provider, u32 *id)
{
	u32 at = 0, phandle, cells;

	for (;; idx--) {
		if (fdt_prop_cell(boot_fdt, fdt_node, prop, at, &phandle))
			return -ENOENT;
		*provider = fdt_by_phandle(boot_fdt, phandle);
		if (fdt_prop_u32(boot_fdt, *provider, cells_name, &cells) ||
		    cells > 1)
			return -EINVAL;
		if (!idx)
			break;
		at += 1 + cells;
	}
	*id = 0;
	if (cells && fdt_prop_cell(boot_fdt, fdt_node, prop, at + 1, id))
		return -EINVAL;
	return 0;
}

int clk_from_fdt(int fdt_node, u32 idx, struct clk *clk)
{
	u32 id, hz;
	int node, err;

	err = list_entry_at(fdt_node, "clocks", "#clock-cells", idx, &node,
			    &id);
	if (err)
		return err;
	if (fdt_compatible(boot_fdt, node, "fixed-clock")) {
		if (fdt_prop_u32(boot_fdt, node, "clock-frequency", &hz))
			return -EINVAL;
		*clk = (struct clk){ .fixed_hz = hz };
		return 0;
	}
	*clk = (struct clk){ .ctrl = ctrl_of(node), .id = id };
	if (!clk->ctrl)
		return -EPROBE_DEFER;
	return clk->ctrl->ops->has_clk(clk->ctrl, id) ? 0 : -EINVAL;
}

int reset_line_from_fdt(int fdt_node, u32 idx, struct reset_line *r)
{
	int node, err;
	u32 id;

	err = list_entry_at(fdt_node, "resets", "#reset-cells", idx, &node,
			    &id);
	if (err)
		return err;
	*r = (struct reset_line){ .ctrl = ctrl_of(node), .id = id };
	if (!r->ctrl)
		return -EPROBE_DEFER;
	return r->ctrl->ops->has_reset(r->ctrl, id) ? 0 : -EINVAL;
}

u64 clk_rate(const struct clk *clk)
{
	return clk->ctrl ? clk->ctrl->ops->rate(clk->ctrl, clk->id)
			 : clk->fixed_hz;
}

void clk_enable(const struct clk *clk)
{
	if (clk->ctrl)
		clk->ctrl->ops->enable(clk->ctrl, clk->id, true);
}

void clk_disable(const struct clk *clk)
{
	if (clk->ctrl)
		clk->ctrl->ops->enable(clk->ctrl, clk->id, false);
}

void reset_line_assert(const struct reset_line *r)
{
	r->ctrl->ops->assert(r->ctrl, r->id, true);
}

void reset_line_deassert(const struct reset_line *r)
{
	r->ctrl->ops->assert(r->ctrl, r->id, false);
}
