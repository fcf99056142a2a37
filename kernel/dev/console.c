/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/console.c - hand kernel messages to the consoles there are.
 *
 * Until a driver registers one that replaces it, that is the early console of
 * the firmware.  Consoles only ever come; writers walk the list without a lock,
 * so that a panic with any lock held can still print.
 *
 * ORDERING
 *   CONSOLE  a console complete before it is on the list.
 *
 * Locking: console_lock (RANK_DEV) to register.  Each console serialises its own
 * writers.
 */
#include <kernel/dev/console.h>

#include <kernel/spinlock.h>
#include <lib/atomic.h>

static struct spinlock console_lock = SPINLOCK_INIT("console", RANK_DEV);
static struct list_head consoles =
	LIST_HEAD_INIT(consoles);	      /* [a] next links */
static bool early_replaced;		      /* [a] */
static const struct early_console_ops *early; /* [a] */

void console_register(struct console *c)
{
	spin_lock(&console_lock);
	c->node.prev = consoles.prev;
	c->node.next = &consoles;
	/* CONSOLE (release) - pairs with first_console(). */
	store_release(&consoles.prev->next, &c->node);
	consoles.prev = &c->node;
	if (c->replaces_early)
		store_once(&early_replaced, true);
	spin_unlock(&console_lock);
}

static struct list_head *first_console(void)
{
	/* CONSOLE (acquire) - pairs with console_register(). */
	return load_acquire(&consoles.next);
}

static void early_write(const char *s, size_t n)
{
	const struct early_console_ops *ops = load_once(&early);

	if (!ops)
		return;
	if (ops->write) {
		ops->write(s, n);
		return;
	}
	while (n--) {
		if (*s == '\n')
			ops->putc('\r');
		ops->putc(*s++);
	}
}

static void write_all(const char *s, size_t n, bool in_panic)
{
	struct list_head *l;

	if (!load_once(&early_replaced))
		early_write(s, n);
	for (l = first_console(); l != &consoles; l = load_once(&l->next)) {
		struct console *c = list_entry(l, struct console, node);

		if (in_panic && c->write_panic)
			c->write_panic(c, s, n);
		else
			c->write(c, s, n);
	}
}

void console_write(const char *s, size_t n)
{
	write_all(s, n, false);
}

void console_write_panic(const char *s, size_t n)
{
	write_all(s, n, true);
}

void early_console_set(const struct early_console_ops *ops)
{
	store_once(&early, ops);
}

const struct early_console_ops *early_console(void)
{
	return load_once(&early);
}
