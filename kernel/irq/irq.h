/* SPDX-License-Identifier: MIT */
/*
 * kernel/irq/irq.h - external interrupts.
 *
 * An interrupt is a (chip, line) pair named by a small number from irq_map().
 * Its handler is bound once at probe.  External interrupts are routed to service
 * harts only.  The hart's loop calls irq_dispatch() with the chip's claim loop;
 * handlers run in loop context: no coroutine, must not sleep, may wake threads.
 *
 * Locking: irq_lock (RANK_DEV) for binding, around enable() and disable(); the
 * chips have their own (RANK_IRQ).  dispatch takes no irq_lock.
 */
#ifndef KERNEL_IRQ_IRQ_H
#define KERNEL_IRQ_IRQ_H

#include <lib/types.h>

struct irqchip;

struct irqchip_ops {
	const char *name; /* "SiFive PLIC" in /proc/interrupts */
	/* Let @line through to the hart with dense index @cpu (or, -1, the
	 * default service hart) / stop it.  Context: any. */
	int (*enable)(struct irqchip *chip, u32 line, int cpu);
	void (*disable)(struct irqchip *chip, u32 line);
	/* Interrupt specifier of the device tree (cells in host order) -> line.
	 * May note the trigger type.  -EINVAL if malformed. */
	int (*xlate)(struct irqchip *chip, const u32 *spec, u32 ncells,
		     u32 *line);
	/* Called by irq_dispatch() on the hart that got the external interrupt:
	 * claim and irq_handle() until none is left. */
	void (*dispatch)(struct irqchip *chip);
	/* Per-hart set-up, on each service hart before it takes interrupts.
	 * Idempotent.  Optional. */
	void (*hart_init)(struct irqchip *chip, unsigned int cpu);
	/* Message-signalled interrupts.  NULL: none. */
	int (*msi_alloc)(struct irqchip *chip, u32 nr, u32 *first_line);
	void (*msi_free)(struct irqchip *chip, u32 first_line, u32 nr);
	/* Address and data that raise @line. */
	void (*msi_compose)(struct irqchip *chip, u32 line, u64 *addr,
			    u32 *data);
};

struct irqchip {
	const struct irqchip_ops *ops; /* [I] */
	int fdt_node;		       /* [I] offset, -1 if none */
	u32 phandle;		       /* [I] */
	u32 nr_lines;		       /* [I] lines are 0 .. nr_lines-1 */
	bool is_root;		       /* [I] gets irq_dispatch() */
	void *priv;		       /* [I] */
	struct irq_desc *desc;	       /* [I] nr_lines of them, by irq core */
};

/*
 * True when the device had something for us.  A shared line is offered to all
 * its handlers until a whole round returns false: a controller that samples
 * edges would otherwise lose what a second device raised meanwhile.
 */
typedef bool irq_handler_fn(void *arg);

/* Register a chip (INIT_BUS or earlier).  hart_init() runs on this hart now and
 * on the other service harts soon. */
int irqchip_register(struct irqchip *chip);
struct irqchip *irqchip_by_phandle(u32 phandle);

/* From interrupts-extended / interrupts of @fdt_node, entry @idx. */
int irq_from_fdt(int fdt_node, unsigned int idx, struct irqchip **chip,
		 u32 *line);
/*
 * Bind and enable.  @name lives for ever and shows in /proc/interrupts.  Several
 * handlers may share a line (INTx).  0 or -errno.
 */
int irq_bind(struct irqchip *chip, u32 line, irq_handler_fn *fn, void *arg,
	     const char *name);
/* The line's number in /proc/interrupts; 0: never bound. */
u32 irq_number(const struct irqchip *chip, u32 line);
/* The same, on the service hart @cpu (-1: the default one).  Of a shared line the
 * first handler decides. */
int irq_bind_hart(struct irqchip *chip, u32 line, int cpu, irq_handler_fn *fn,
		  void *arg, const char *name);
void irq_unbind(struct irqchip *chip, u32 line, irq_handler_fn *fn, void *arg);

/* For chips: run the handlers of a claimed line.  A line nobody bound is
 * counted, disabled and reported once. */
void irq_handle(struct irqchip *chip, u32 line);

/*
 * For the hart loop (kernel/relay).  irq_hart_init() sets up what each chip has
 * per hart; chips may be registered after a hart came up, so a service hart that
 * takes an IPI calls it again while irq_hart_init_needed() says so.
 */
void irq_dispatch(void);
/* An external interrupt of this hart has come and is not taken yet. */
bool irq_is_waiting(void);
void irq_hart_init(unsigned int cpu);
bool irq_hart_init_needed(unsigned int cpu);

/* /proc/interrupts: the heading and all rows, in pieces of text. */
void irq_show(void (*line)(void *ctx, const char *text), void *ctx);

#endif /* KERNEL_IRQ_IRQ_H */
