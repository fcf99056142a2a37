/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/spi.h - serial peripheral interface: controllers below, drivers of
 * what is connected above.
 *
 * Whoever talks to a chip holds bus->lock for the whole conversation, selects the
 * chip, transfers, and deselects it.  Transfers are full duplex, in mode 0, and are
 * done when they return.
 *
 * Context: threads.
 */
#ifndef KERNEL_DEV_SPI_H
#define KERNEL_DEV_SPI_H

#include <kernel/sched/wait.h>
#include <lib/list.h>
#include <lib/types.h>

struct spi_bus;

enum spi_select {
	SPI_DESELECTED,
	SPI_SELECTED,
	SPI_HELD_OFF, /* clocks run, but the chip's select stays inactive */
};

/* All with bus->lock held. */
struct spi_bus_ops {
	/* At most @hz from now on; the rate that it is, 0: that low it cannot. */
	u32 (*set_speed)(struct spi_bus *b, u32 hz);
	void (*select)(struct spi_bus *b, u32 chip, enum spi_select how);
	/*
	 * @len bytes out of @tx (NULL: ones) and into @rx (NULL: nowhere).  0 or
	 * -ETIMEDOUT.  Polls for as long as it takes: a few hundred bytes at a
	 * time.
	 */
	int (*transfer)(struct spi_bus *b, const u8 *tx, u8 *rx, size_t len);
};

struct spi_bus {
	const struct spi_bus_ops *ops; /* [I] all of them */
	int fdt_node;		       /* [I] */
	struct mutex lock;
	struct list_head node; /* [boot] */
};

void spi_bus_register(struct spi_bus *b);
/* The bus whose child @fdt_node is; NULL: not probed (yet). */
struct spi_bus *spi_bus_of(int fdt_node);

#endif /* KERNEL_DEV_SPI_H */
