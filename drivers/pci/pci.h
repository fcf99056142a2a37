/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/pci.h - PCI and PCI Express: hosts below, devices above.
 *
 * A host bridge driver fills struct pci_host (how to reach configuration space,
 * which windows of addresses lead to the bus, who takes messages) and calls
 * pci_host_register(), which numbers the buses, sizes and places every BAR,
 * opens the bridges' windows and leaves all devices quiet: no decoding, no bus
 * mastering.  At INIT_DRIVER each device meets the PCI_DRIVER rows.
 *
 * What firmware had assigned is not kept.
 *
 * Context: threads.  Devices and buses stay for ever, so the list needs no lock
 * after boot; configuration accesses are serialised by the host if it must.
 */
#ifndef DRIVERS_PCI_PCI_H
#define DRIVERS_PCI_PCI_H

#include <drivers/pci/pci_regs.h>
#include <kernel/irq/irq.h>
#include <lib/list.h>
#include <lib/types.h>

#define PCI_NR_BARS	6u
#define PCI_MAX_WINDOWS 8u
#define PCI_DEVFN(s, f) ((u32)(s) << 3 | (u32)(f))
#define PCI_SLOT(devfn) ((devfn) >> 3)
#define PCI_FUNC(devfn) ((devfn)&7u)

struct pci_host;
struct pci_dev;
struct sys_dir; /* kernel/dev/sysfs.h */

/* Width is 1, 2 or 4 bytes, the register aligned to it.  What is not there
 * reads as all ones and swallows writes. */
struct pci_host_ops {
	u32 (*read)(struct pci_host *h, u32 bus, u32 devfn, u32 reg, u32 width);
	void (*write)(struct pci_host *h, u32 bus, u32 devfn, u32 reg,
		      u32 width, u32 v);
};

struct pci_window {
	paddr_t cpu_addr; /* [I] */
	u64 bus_addr;	  /* [I] */
	u64 size;	  /* [I] */
	bool prefetch;	  /* [I] */
	u64 used;	  /* [boot] bytes given out, from the start */
};

struct pci_host {
	const struct pci_host_ops *ops; /* [I] */
	int fdt_node;			/* [I] for interrupt-map; -1: no INTx */
	u32 domain;			/* [I] by pci_host_register() */
	u32 bus_first, bus_last;	/* [I] numbers that it may use */
	struct pci_window win[PCI_MAX_WINDOWS]; /* [I] memory only */
	u32 nr_win;				/* [I] */
	struct irqchip *msi;  /* [I] takes messages, or NULL */
	struct pci_bus *root; /* [I] by pci_host_register() */
	void *priv;	      /* [I] */
};

/* Kinds of address space below a bridge. */
enum pci_kind {
	PCI_KIND_MEM,  /* anything; below 4 GiB behind a bridge */
	PCI_KIND_PREF, /* prefetchable and 64 bits wide all the way up */
	PCI_NR_KINDS,
};

struct pci_res {
	u64 size;		     /* [I] 0: none */
	u64 align;		     /* [I] */
	u64 addr;		     /* [I] on the bus; valid if placed */
	paddr_t cpu_addr;	     /* [I] likewise */
	bool is64, prefetch, placed; /* [I] */
	struct pci_dev *dev;	     /* [I] */
	struct list_head node;	     /* [boot] in bus->res[] */
};

struct pci_bus {
	struct pci_host *host;	/* [I] */
	struct pci_dev *bridge; /* [I] NULL: root bus */
	u32 nr;			/* [I] */
	u32 depth;		/* [I] bridges above it */
	bool pref64;		/* [I] a 64-bit window reaches down here */
	struct list_head devs;	/* [I after boot] */
	struct list_head res[PCI_NR_KINDS]; /* [boot] by falling alignment */
};

enum pci_irq_kind {
	PCI_IRQ_NONE,
	PCI_IRQ_INTX,
	PCI_IRQ_MSI,
	PCI_IRQ_MSIX
};

struct pci_vec {
	struct irqchip *chip;
	u32 line;
	irq_handler_fn *fn; /* NULL: not bound */
	void *arg;
};

struct pci_dev {
	struct pci_bus *bus;		  /* [I] */
	struct pci_bus *child;		  /* [I] of a bridge, or NULL */
	u32 devfn;			  /* [I] */
	char name[16];			  /* [I] "0000:00:01.0" */
	u16 vendor, device;		  /* [I] */
	u16 subsys_vendor, subsys_device; /* [I] */
	u32 class;			  /* [I] 24 bits */
	u8 revision;			  /* [I] */
	u8 header_type;			  /* [I] */
	u8 pin;				  /* [I] 0: no INTx */
	struct pci_res bar[PCI_NR_BARS];  /* [I] */
	struct pci_res win[PCI_NR_KINDS]; /* [I] of a bridge */
	const struct pci_driver *driver;  /* [I after boot] */
	void *priv;			  /* driver's */
	struct sys_dir *sys; /* [I] its directory in /sys, or NULL */
	/* driver's thread: pci_irq_*() */
	enum pci_irq_kind irq_kind;
	u32 nr_vecs;
	struct pci_vec *vec;
	u8 __iomem *msix_table;
	struct list_head node;	   /* [I after boot] in bus->devs */
	struct list_head all_node; /* [I after boot] */
};

/* Hosts. */
int pci_host_register(struct pci_host *h);
/* Fill windows, bus range and msi from the device tree's generic properties. */
int pci_host_from_fdt(struct pci_host *h, int fdt_node);

/* Configuration space of a device. */
u32 pci_read(const struct pci_dev *d, u32 reg, u32 width);
void pci_write(const struct pci_dev *d, u32 reg, u32 width, u32 v);
#define pci_read8(d, reg)      ((u8)pci_read(d, reg, 1))
#define pci_read16(d, reg)     ((u16)pci_read(d, reg, 2))
#define pci_read32(d, reg)     pci_read(d, reg, 4)
#define pci_write8(d, reg, v)  pci_write(d, reg, 1, v)
#define pci_write16(d, reg, v) pci_write(d, reg, 2, v)
#define pci_write32(d, reg, v) pci_write(d, reg, 4, v)

/* Offset of a capability, 0 if there is none; @after: of the one before. */
u32 pci_find_cap(const struct pci_dev *d, u8 id, u32 after);
u32 pci_find_ext_cap(const struct pci_dev *d, u16 id);

/*
 * Decode memory; then, once the device is reset and knows no old addresses,
 * master the bus; neither.  -ENOSPC: a BAR has no place.
 */
int pci_enable(struct pci_dev *d);
void pci_set_master(struct pci_dev *d);
/* No bus mastering from here on: what the device still wants to write is lost. */
void pci_clear_master(struct pci_dev *d);
void pci_disable(struct pci_dev *d);

/* Map [@offset, @offset+@len) of a BAR, checked against its size; NULL. */
void __iomem *pci_iomap(struct pci_dev *d, u32 bar, u64 offset, u64 len);

/*
 * Interrupts: up to @max vectors of MSI-X, else one of MSI, else INTx.  The
 * number got, or -errno.  Bind each before use; pci_irq_free() unbinds all.
 */
int pci_irq_alloc(struct pci_dev *d, u32 max);
int pci_irq_bind(struct pci_dev *d, u32 vec, irq_handler_fn *fn, void *arg,
		 const char *name);
/* The same, to be taken by the hart with dense index @cpu if the interrupt is the
 * device's alone (messages). */
int pci_irq_bind_hart(struct pci_dev *d, u32 vec, int cpu, irq_handler_fn *fn,
		      void *arg, const char *name);
void pci_irq_free(struct pci_dev *d);

/* Drivers. */
#define PCI_ANY 0xffffu
struct pci_id {
	u16 vendor, device;    /* or PCI_ANY */
	u32 class, class_mask; /* mask 0: any */
};

struct pci_driver {
	const char *name;
	const struct pci_id *ids; /* up to one with vendor 0 */
	/* 0, -ENODEV (not ours after all), or another -errno: reported. */
	int (*probe)(struct pci_dev *d);
	u64 pad; /* rows of a section are 32 bytes */
};

#define PCI_DRIVER(ident)                                 \
	static const struct pci_driver __used_pci_##ident \
		__attribute__((section(".pcidrivers"), used, aligned(8)))

void pci_for_each(void (*fn)(struct pci_dev *d, void *ctx), void *ctx);

#endif /* DRIVERS_PCI_PCI_H */
