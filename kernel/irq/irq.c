/* SPDX-License-Identifier: MIT */
/*
 * kernel/irq/irq.c - who handles which interrupt line, and how often it came.
 *
 * Each chip has an array of lines; a line that was ever bound has a struct
 * irq_line with its handlers and a counter per hart.  Lines are numbered in the
 * order of their first binding (the left column of /proc/interrupts).
 *
 * A line whose handlers all say "not mine" many times in a row is stuck or its
 * controller is broken: it is masked, and handlers are polled from a timer until
 * it is quiet.  So a storm costs time, but never the machine.
 *
 * INVARIANTS
 *   I1  Chips and struct irq_line are never freed.
 *   I2  A handler runs only between irq_bind() and the return of irq_unbind().
 *   I3  count[cpu] is written only by the hart with that index.
 *
 * ORDERING
 *   CHIP     a chip complete before the number of chips that counts it.
 *   IRQBIND  a handler complete before it is on the list that dispatch walks.
 *   IRQGONE  unlink a handler, then look for running ones; the dispatcher says
 *            that it runs, then looks at the list.
 *
 * Locking: irq_lock (RANK_DEV) for binding, outside of the chips' own locks
 * (RANK_IRQ); dispatch never takes it.
 * Not here: claiming (drivers/irq/), the sleep of a hart (kernel/relay/).
 */
#include <kernel/irq/irq.h>

#include <arch/riscv/csr.h>
#include <kernel/assert.h>
#include <kernel/dev/dt.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/spinlock.h>
#include <kernel/time/clock.h>
#include <kernel/time/timer.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/fmt.h>
#include <lib/list.h>

#define MAX_IRQCHIPS	  16u
#define MAX_INT_CELLS	  8u
#define STORM_LIMIT	  1000u /* unhandled in a row */
#define STORM_POLL_NS	  (10 * NSEC_PER_MSEC)
#define MAX_SHARED_ROUNDS 16u
#define HART_INIT_NS	  (100 * NSEC_PER_MSEC)
#define SHARED_POLL_NS	  NSEC_PER_MSEC

struct irq_action {
	struct irq_action *next; /* [a] */
	irq_handler_fn *fn;	 /* [I] */
	void *arg;		 /* [I] */
	const char *name;	 /* [I] */
};

struct irq_line {
	struct irqchip *chip; /* [I] */
	u32 line;	      /* [I] in chip */
	u32 number;	      /* [I] */
	int cpu; /* [irq_lock] that takes it; -1: the default service hart */
	struct irq_action *actions; /* [a] changed under irq_lock */
	u32 running;		    /* [a] dispatchers inside */
	u32 unhandled;		    /* [a] in a row; relaxed: only a measure */
	u32 storms;		    /* [a] relaxed: statistics */
	struct ktimer poll;	    /* while masked because of a storm */
	struct list_head node;	    /* [irq_lock] in lines */
	u64 count[MAX_HARTS];	    /* I3 */
};

struct irq_desc {
	struct irq_line *bound; /* [a] NULL: never bound; then as I1 */
	u32 nr_unbound;		/* [a] relaxed: statistics */
};

static struct spinlock irq_lock = SPINLOCK_INIT("irq", RANK_DEV);
static struct irqchip *chips[MAX_IRQCHIPS]; /* [irq_lock] to append */
static u32 nr_chips;			    /* [a] */
static u32 hart_chips[MAX_HARTS]; /* [a] own hart's: chips it has set up */
static struct list_head lines = LIST_HEAD_INIT(lines); /* [irq_lock] */
static u32 nr_lines;				       /* [irq_lock] */
static u64 nr_bad; /* [a] lines that no chip has */

/* ---- chips */

static void check_ops(const struct irqchip_ops *ops)
{
	KASSERT(ops->name && ops->enable && ops->disable);
	KASSERT(!ops->msi_alloc == !ops->msi_compose);
	KASSERT(!ops->msi_alloc == !ops->msi_free);
}

/* The other service harts set it up when the IPI brings them to their loop.  We wait
 * a little: a line that is bound before goes to the default hart for good. */
static void tell_service_harts(void)
{
	u64 mask = service_mask() & ~BIT(this_cpu());
	u64 deadline = clock_mono_ns() + HART_INIT_NS;

	irq_hart_init(this_cpu());
	for (unsigned int cpu = 0; cpu < nr_harts; cpu++) {
		if (mask & BIT(cpu))
			hart_ipi(cpu);
	}
	for (unsigned int cpu = 0; cpu < nr_harts; cpu++) {
		while ((mask & BIT(cpu)) && clock_mono_ns() < deadline &&
		       load_once(&hart_chips[cpu]) != load_once(&nr_chips))
			cpu_relax();
	}
}

int irqchip_register(struct irqchip *chip)
{
	check_ops(chip->ops);
	KASSERT(!chip->is_root || chip->ops->dispatch);
	chip->desc = kcalloc(chip->nr_lines, sizeof(*chip->desc));
	if (!chip->desc)
		return -ENOMEM;
	spin_lock(&irq_lock);
	if (nr_chips == MAX_IRQCHIPS) {
		spin_unlock(&irq_lock);
		kfree(chip->desc);
		chip->desc = NULL;
		return -ENOSPC;
	}
	chips[nr_chips] = chip;
	/* CHIP (release) - pairs with chip_count(). */
	store_release(&nr_chips, nr_chips + 1);
	spin_unlock(&irq_lock);
	tell_service_harts();
	return 0;
}

static u32 chip_count(void)
{
	/* CHIP (acquire) - pairs with irqchip_register(). */
	return load_acquire(&nr_chips);
}

struct irqchip *irqchip_by_phandle(u32 phandle)
{
	u32 n = chip_count();

	for (u32 i = 0; i < n; i++) {
		if (phandle && chips[i]->phandle == phandle)
			return chips[i];
	}
	return NULL;
}

bool irq_hart_init_needed(unsigned int cpu)
{
	/* relaxed: a chip that is missed now is seen at the next look */
	return hart_chips[cpu] != load_once(&nr_chips);
}

void irq_hart_init(unsigned int cpu)
{
	u32 n = chip_count();

	KASSERT(cpu == this_cpu());
	for (u32 i = hart_chips[cpu]; i < n; i++) {
		struct irqchip *chip = chips[i];

		if (chip->ops->hart_init)
			chip->ops->hart_init(chip, cpu);
		/* relaxed: who waits for it only binds afterwards, under locks */
		store_once(&hart_chips[cpu], i + 1);
	}
}

/* ---- dispatch */

static bool run_actions(struct irq_line *il)
{
	struct irq_action *a;
	bool handled = false;

	/* IRQBIND (acquire) - pairs with irq_bind(). */
	for (a = load_acquire(&il->actions); a; a = load_once(&a->next))
		handled |= a->fn(a->arg);
	return handled;
}

/* Handlers of a shared line run until none of them finds anything. */
static bool run_line(struct irq_line *il)
{
	const struct irq_action *first;
	bool handled;

	/* IRQGONE (full) - pairs with irq_unbind(). */
	atomic_inc(&il->running);
	handled = run_actions(il);
	first = load_once(&il->actions);
	if (handled && first && load_once(&first->next)) {
		u32 rounds = 1;

		while (run_actions(il) && ++rounds < MAX_SHARED_ROUNDS)
			;
		/* still busy: what came last may have made no edge */
		if (rounds == MAX_SHARED_ROUNDS)
			ktimer_arm(&il->poll, clock_mono_ns() + SHARED_POLL_NS);
	}
	/* IRQGONE (full) - pairs with irq_unbind(). */
	atomic_dec(&il->running);
	return handled;
}

static void storm_poll(struct ktimer *t)
{
	struct irq_line *il = t->arg;
	struct irqchip *chip = il->chip;

	(void)run_line(il);
	store_once(&il->unhandled, 0);
	spin_lock(&irq_lock);
	if (il->actions)
		(void)chip->ops->enable(chip, il->line, il->cpu);
	spin_unlock(&irq_lock);
}

static void storm_begin(struct irq_line *il)
{
	il->chip->ops->disable(il->chip, il->line);
	if (il->storms++ == 0)
		pr_warn("irq %u (%s line %u): %u interrupts that nobody wanted, polling it now and then",
			il->number, il->chip->ops->name, il->line, STORM_LIMIT);
	ktimer_arm(&il->poll, clock_mono_ns() + STORM_POLL_NS);
}

static void handle_unbound(struct irqchip *chip, u32 line)
{
	struct irq_desc *d;

	if (line >= chip->nr_lines) {
		atomic_add_relaxed(&nr_bad, 1ull);
		pr_warn_ratelimited("%s: interrupt %u, but it has %u lines",
				    chip->ops->name, line, chip->nr_lines);
		return;
	}
	d = &chip->desc[line];
	chip->ops->disable(chip, line);
	if (load_once(&d->nr_unbound) == 0)
		pr_warn("%s: line %u has no handler, masked", chip->ops->name,
			line);
	atomic_add_relaxed(&d->nr_unbound, 1u);
}

void irq_handle(struct irqchip *chip, u32 line)
{
	struct irq_line *il = NULL;

	if (line < chip->nr_lines) {
		/* IRQBIND (acquire) - pairs with line_get(). */
		il = load_acquire(&chip->desc[line].bound);
	}
	if (!il || !load_once(&il->actions)) {
		handle_unbound(chip, line);
		return;
	}
	il->count[this_cpu()]++;
	if (run_line(il)) {
		store_once(&il->unhandled, 0);
		return;
	}
	/* relaxed: several harts at worst count less */
	store_once(&il->unhandled, il->unhandled + 1);
	if (il->unhandled == STORM_LIMIT)
		storm_begin(il);
}

void irq_dispatch(void)
{
	u32 n = chip_count();

	for (u32 i = 0; i < n; i++) {
		if (chips[i]->is_root)
			chips[i]->ops->dispatch(chips[i]);
	}
}

bool irq_is_waiting(void)
{
	return csr_read(sip) & SIP_SEIP;
}

/* ---- binding */

/* The line's record, made at the first binding. */
static struct irq_line *line_get(struct irqchip *chip, u32 line,
				 struct irq_line *spare)
{
	struct irq_desc *d = &chip->desc[line];

	assert_held(&irq_lock);
	if (d->bound)
		return d->bound;
	*spare = (struct irq_line){ .chip = chip,
				    .line = line,
				    .number = ++nr_lines };
	ktimer_init(&spare->poll, storm_poll, spare);
	list_add_tail(&spare->node, &lines);
	/* IRQBIND (release) - pairs with irq_handle(). */
	store_release(&d->bound, spare);
	return spare;
}

int irq_bind_hart(struct irqchip *chip, u32 line, int cpu, irq_handler_fn *fn,
		  void *arg, const char *name)
{
	struct irq_line *spare, *il;
	struct irq_action *a, **link;
	int err = 0;

	KASSERT(fn && name);
	if (line >= chip->nr_lines)
		return -EINVAL;
	a = kzalloc(sizeof(*a));
	spare = kzalloc(sizeof(*spare));
	if (!a || !spare) {
		kfree(a);
		kfree(spare);
		return -ENOMEM;
	}
	*a = (struct irq_action){ .fn = fn, .arg = arg, .name = name };
	spin_lock(&irq_lock);
	il = line_get(chip, line, spare);
	for (link = &il->actions; *link; link = &(*link)->next)
		;
	/* IRQBIND (release) - pairs with run_actions(). */
	store_release(link, a);
	if (link == &il->actions) {
		il->cpu = cpu;
		err = chip->ops->enable(chip, line, cpu);
	}
	if (err)
		store_once(link, NULL);
	spin_unlock(&irq_lock);
	if (il != spare)
		kfree(spare);
	if (err)
		kfree(a);
	return err;
}

u32 irq_number(const struct irqchip *chip, u32 line)
{
	const struct irq_line *il;

	if (line >= chip->nr_lines)
		return 0;
	/* IRQBIND (acquire) - pairs with line_get(). */
	il = load_acquire(&chip->desc[line].bound);
	return il ? il->number : 0;
}

int irq_bind(struct irqchip *chip, u32 line, irq_handler_fn *fn, void *arg,
	     const char *name)
{
	return irq_bind_hart(chip, line, -1, fn, arg, name);
}

void irq_unbind(struct irqchip *chip, u32 line, irq_handler_fn *fn, void *arg)
{
	struct irq_line *il = chip->desc[line].bound;
	struct irq_action *a, **link;
	bool last;

	KASSERT(il);
	spin_lock(&irq_lock);
	for (link = &il->actions; (a = *link); link = &a->next) {
		if (a->fn == fn && a->arg == arg)
			break;
	}
	KASSERT(a);
	store_once(link, a->next);
	last = !il->actions;
	if (last)
		chip->ops->disable(chip, line);
	spin_unlock(&irq_lock);
	if (last)
		(void)ktimer_cancel(&il->poll);
	/* IRQGONE (full) - pairs with run_line(). */
	smp_mb();
	while (load_once(&il->running))
		cpu_relax();
	kfree(a);
}

/* ---- device tree */

static struct irqchip *resolve(u32 phandle, u32 *ncells)
{
	struct irqchip *chip = irqchip_by_phandle(phandle);
	int node = fdt_by_phandle(boot_fdt, phandle);

	if (fdt_prop_u32(boot_fdt, node, "#interrupt-cells", ncells) ||
	    *ncells > MAX_INT_CELLS)
		*ncells = 0;
	return chip;
}

static int xlate(struct irqchip *chip, int node, const char *prop, u32 first,
		 u32 ncells, u32 *line)
{
	u32 spec[MAX_INT_CELLS];

	for (u32 i = 0; i < ncells; i++) {
		if (fdt_prop_cell(boot_fdt, node, prop, first + i, &spec[i]))
			return -ENOENT;
	}
	if (!chip)
		return -EPROBE_DEFER;
	if (!chip->ops->xlate)
		return -EINVAL;
	return chip->ops->xlate(chip, spec, ncells, line);
}

static u32 interrupt_parent(int node)
{
	u32 phandle;

	for (; node >= 0; node = fdt_parent(boot_fdt, node)) {
		if (!fdt_prop_u32(boot_fdt, node, "interrupt-parent", &phandle))
			return phandle;
	}
	return 0;
}

static int from_extended(int node, unsigned int idx, struct irqchip **chip,
			 u32 *line)
{
	const char *prop = "interrupts-extended";
	u32 pos = 0, phandle, ncells;

	for (;; idx--) {
		if (fdt_prop_cell(boot_fdt, node, prop, pos, &phandle))
			return -ENOENT;
		*chip = resolve(phandle, &ncells);
		if (!ncells)
			return -EINVAL;
		if (!idx)
			return xlate(*chip, node, prop, pos + 1, ncells, line);
		pos += 1 + ncells;
	}
}

int irq_from_fdt(int fdt_node, unsigned int idx, struct irqchip **chip,
		 u32 *line)
{
	u32 ncells;

	if (fdt_prop(boot_fdt, fdt_node, "interrupts-extended", NULL))
		return from_extended(fdt_node, idx, chip, line);
	if (!fdt_prop(boot_fdt, fdt_node, "interrupts", NULL))
		return -ENOENT;
	*chip = resolve(interrupt_parent(fdt_node), &ncells);
	if (!ncells)
		return -EINVAL;
	return xlate(*chip, fdt_node, "interrupts", idx * ncells, ncells, line);
}

/* ---- /proc/interrupts */

static void show_line(const struct irq_line *il,
		      void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct irq_action *a = il->actions;
	char buf[96];

	scnprintf(buf, sizeof(buf), "%3u:", il->number);
	line(ctx, buf);
	for (unsigned int cpu = 0; cpu < nr_harts; cpu++) {
		scnprintf(buf, sizeof(buf), " %10llu",
			  (unsigned long long)load_once(&il->count[cpu]));
		line(ctx, buf);
	}
	scnprintf(buf, sizeof(buf), "  %-12s %5u ", il->chip->ops->name,
		  il->line);
	line(ctx, buf);
	for (; a; a = a->next) {
		line(ctx, a == il->actions ? "  " : ", ");
		line(ctx, a->name);
	}
	line(ctx, "\n");
}

void irq_show(void (*line)(void *ctx, const char *text), void *ctx)
{
	const struct irq_line *il;
	char buf[32];

	line(ctx, "    ");
	for (unsigned int cpu = 0; cpu < nr_harts; cpu++) {
		scnprintf(buf, sizeof(buf), "       CPU%-1u", cpu);
		line(ctx, buf);
	}
	line(ctx, "\n");
	spin_lock(&irq_lock);
	list_for_each_entry(il, &lines, node)
		show_line(il, line, ctx);
	spin_unlock(&irq_lock);
	scnprintf(buf, sizeof(buf), "ERR: %10llu\n",
		  (unsigned long long)load_once(&nr_bad));
	line(ctx, buf);
}
