/* SPDX-License-Identifier: MIT */
/*
 * drivers/pci/sysfs.c - devices in /sys/bus/pci and /proc/bus/pci: for lspci.
 *
 * A function's directory lies inside of that of the bridge above it.  `config` is
 * its configuration space as it is; the first 64 bytes for everybody, the rest and
 * writing for CAP_SYS_ADMIN, because reading may have side effects in some devices.
 *
 * Context: threads.
 */
#include <drivers/pci/pci_core.h>

#include <kernel/dev/sysfs.h>
#include <kernel/dev/uevent.h>
#include <kernel/init.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define PUBLIC_CONFIG 64u
/* Flags of a line of `resource`: Linux's, because lspci knows them. */
#define RES_MEM	     0x00000200u
#define RES_PREFETCH 0x00002000u
#define RES_ALIGN    0x00040000u
#define RES_WINDOW   0x00200000u
#define RES_MEM64    0x00100000u
#define RES_BAR_64   0x4u
#define RES_BAR_PREF 0x8u
#define NR_FUNC_RES  7u /* six BARs and the ROM */

static s64 show_vendor(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "0x%04x\n",
			 ((struct pci_dev *)obj)->vendor);
}

static s64 show_device(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	return scnprintf(buf, size, "0x%04x\n",
			 ((struct pci_dev *)obj)->device);
}

static s64 show_subsys_vendor(void *obj, const struct sys_attr *a __unused,
			      char *buf, size_t size)
{
	return scnprintf(buf, size, "0x%04x\n",
			 ((struct pci_dev *)obj)->subsys_vendor);
}

static s64 show_subsys_device(void *obj, const struct sys_attr *a __unused,
			      char *buf, size_t size)
{
	return scnprintf(buf, size, "0x%04x\n",
			 ((struct pci_dev *)obj)->subsys_device);
}

static s64 show_class(void *obj, const struct sys_attr *a __unused, char *buf,
		      size_t size)
{
	return scnprintf(buf, size, "0x%06x\n", ((struct pci_dev *)obj)->class);
}

static s64 show_revision(void *obj, const struct sys_attr *a __unused,
			 char *buf, size_t size)
{
	return scnprintf(buf, size, "0x%02x\n",
			 ((struct pci_dev *)obj)->revision);
}

static u32 irq_of(const struct pci_dev *d)
{
	if (d->irq_kind == PCI_IRQ_NONE || !d->nr_vecs)
		return 0;
	return irq_number(d->vec[0].chip, d->vec[0].line);
}

static s64 show_irq(void *obj, const struct sys_attr *a __unused, char *buf,
		    size_t size)
{
	return scnprintf(buf, size, "%u\n", irq_of(obj));
}

static s64 show_enable(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	u16 cmd = pci_read16((struct pci_dev *)obj, PCI_COMMAND);

	return scnprintf(buf, size, "%d\n", (cmd & PCI_COMMAND_MEM) != 0);
}

static s64 show_numa(void *obj __unused, const struct sys_attr *a __unused,
		     char *buf, size_t size)
{
	return scnprintf(buf, size, "-1\n");
}

static int modalias(const struct pci_dev *d, char *buf, size_t size)
{
	return scnprintf(buf, size,
			 "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n",
			 d->vendor, d->device, d->subsys_vendor,
			 d->subsys_device, d->class >> 16, d->class >> 8 & 0xff,
			 d->class & 0xff);
}

static s64 show_modalias(void *obj, const struct sys_attr *a __unused,
			 char *buf, size_t size)
{
	return modalias(obj, buf, size);
}

static s64 show_uevent(void *obj, const struct sys_attr *a __unused, char *buf,
		       size_t size)
{
	const struct pci_dev *d = obj;
	int n = 0;

	if (d->driver)
		n = scnprintf(buf, size, "DRIVER=%s\n", d->driver->name);
	n += scnprintf(buf + n, size - (size_t)n,
		       "PCI_CLASS=%X\nPCI_ID=%04X:%04X\n"
		       "PCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=",
		       d->class, d->vendor, d->device, d->subsys_vendor,
		       d->subsys_device, d->name);
	return n + modalias(d, buf + n, size - (size_t)n);
}

static s64 store_uevent(void *obj, const struct sys_attr *a, const char *buf,
			size_t n)
{
	return uevent_store(((struct pci_dev *)obj)->sys, "pci", a, obj, buf,
			    n);
}

/* ---- addresses */

static u32 res_flags(const struct pci_res *r, bool window)
{
	u32 flags = RES_MEM | (window ? RES_WINDOW : RES_ALIGN);

	if (r->is64)
		flags |= RES_MEM64 | RES_BAR_64;
	if (r->prefetch)
		flags |= RES_PREFETCH | RES_BAR_PREF;
	return flags;
}

static int res_line(const struct pci_res *r, bool window, char *buf,
		    size_t size)
{
	if (!r || !r->placed)
		return scnprintf(buf, size, "0x%016x 0x%016x 0x%016x\n", 0, 0,
				 0);
	return scnprintf(buf, size, "0x%016llx 0x%016llx 0x%016x\n",
			 (unsigned long long)r->cpu_addr,
			 (unsigned long long)(r->cpu_addr + r->size - 1),
			 res_flags(r, window));
}

/* BARs and ROM; of a bridge also its windows: port I/O, memory, prefetchable. */
static s64 show_resource(void *obj, const struct sys_attr *a __unused,
			 char *buf, size_t size)
{
	const struct pci_dev *d = obj;
	int n = 0;

	for (u32 i = 0; i < NR_FUNC_RES; i++)
		n += res_line(i < PCI_NR_BARS ? &d->bar[i] : NULL, false,
			      buf + n, size - (size_t)n);
	if (!d->child)
		return n;
	n += res_line(NULL, true, buf + n, size - (size_t)n);
	for (u32 kind = 0; kind < PCI_NR_KINDS; kind++)
		n += res_line(&d->win[kind], true, buf + n, size - (size_t)n);
	return n;
}

/* ---- configuration space */

static u32 config_size(const struct pci_dev *d)
{
	return pci_find_cap(d, PCI_CAP_ID_EXP, 0) ? PCI_EXT_CFG_SIZE
						  : PCI_CFG_SIZE;
}

/* The widest aligned access that fits into @n bytes from @off on. */
static u32 width_at(u64 off, size_t n)
{
	if (off % 4 == 0 && n >= 4)
		return 4;
	return off % 2 == 0 && n >= 2 ? 2 : 1;
}

static s64 read_config(void *obj, const struct sys_attr *a __unused, void *buf,
		       size_t n, u64 off)
{
	const struct pci_dev *d = obj;
	u64 end = capable(CAP_SYS_ADMIN) ? config_size(d) : PUBLIC_CONFIG;
	u8 *p = buf;

	if (off >= end)
		return 0;
	n = min(n, (size_t)(end - off));
	for (size_t done = 0; done < n;) {
		u32 width = width_at(off + done, n - done);
		u32 v = pci_read(d, (u32)(off + done), width);

		for (u32 i = 0; i < width; i++)
			p[done++] = (u8)(v >> (8 * i));
	}
	return (s64)n;
}

static s64 write_config(void *obj, const struct sys_attr *a __unused,
			const void *buf, size_t n, u64 off)
{
	const struct pci_dev *d = obj;
	u64 end = config_size(d);
	const u8 *p = buf;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (off >= end)
		return -EFBIG;
	n = min(n, (size_t)(end - off));
	for (size_t done = 0; done < n;) {
		u32 width = width_at(off + done, n - done), v = 0;
		u32 reg = (u32)(off + done);

		for (u32 i = 0; i < width; i++)
			v |= (u32)p[done++] << (8 * i);
		pci_write(d, reg, width, v);
	}
	return (s64)n;
}

#define ATTR(nm, fn)                                      \
	{                                                 \
		.name = (nm), .mode = 0444, .show = (fn), \
	}

static const struct sys_attr dev_attrs[] = {
	ATTR("vendor", show_vendor),
	ATTR("device", show_device),
	ATTR("subsystem_vendor", show_subsys_vendor),
	ATTR("subsystem_device", show_subsys_device),
	ATTR("class", show_class),
	ATTR("revision", show_revision),
	ATTR("irq", show_irq),
	ATTR("enable", show_enable),
	ATTR("numa_node", show_numa),
	ATTR("modalias", show_modalias),
	{ .name = "uevent",
	  .mode = 0644,
	  .show = show_uevent,
	  .store = store_uevent },
	ATTR("resource", show_resource),
	{ .name = "config",
	  .mode = 0644,
	  .read = read_config,
	  .write = write_config },
};

/* ---- /proc/bus/pci */

static u64 proc_bar(const struct pci_dev *d, u32 i)
{
	const struct pci_res *r = &d->bar[i];

	if (!r->placed)
		return 0;
	return r->cpu_addr | (r->is64 ? RES_BAR_64 : 0) |
	       (r->prefetch ? RES_BAR_PREF : 0);
}

static int proc_line(const struct pci_dev *d, char *buf, size_t size)
{
	int n = scnprintf(buf, size, "%02x%02x\t%04x%04x\t%x", d->bus->nr,
			  d->devfn, d->vendor, d->device, irq_of(d));

	for (u32 i = 0; i < NR_FUNC_RES; i++)
		n += scnprintf(buf + n, size - (size_t)n, "\t%16llx",
			       i < PCI_NR_BARS
				       ? (unsigned long long)proc_bar(d, i)
				       : 0ull);
	for (u32 i = 0; i < NR_FUNC_RES; i++)
		n += scnprintf(buf + n, size - (size_t)n, "\t%16llx",
			       i < PCI_NR_BARS
				       ? (unsigned long long)d->bar[i].size
				       : 0ull);
	return n + scnprintf(buf + n, size - (size_t)n, "\t%s\n",
			     d->driver ? d->driver->name : "");
}

/* The part of the whole text that [off, off + n) asks for. */
struct proc_part {
	u8 *buf;
	size_t n, done;
	u64 off, pos;
};

static void proc_add(struct pci_dev *d, void *ctx)
{
	struct proc_part *p = ctx;
	char line[384];
	u64 len = (u64)proc_line(d, line, sizeof(line));
	u64 skip = p->off + p->done > p->pos ? p->off + p->done - p->pos : 0;
	size_t n;

	p->pos += len;
	if (skip >= len)
		return;
	n = min(p->n - p->done, (size_t)(len - skip));
	memcpy(p->buf + p->done, line + skip, n);
	p->done += n;
}

static s64 read_devices(void *obj __unused, const struct sys_attr *a __unused,
			void *buf, size_t n, u64 off)
{
	struct proc_part p = { .buf = buf, .n = n, .off = off };

	pci_for_each(proc_add, &p);
	return (s64)p.done;
}

static const struct sys_attr proc_attrs[] = {
	{ .name = "devices", .mode = 0444, .read = read_devices },
};

/* ---- the directories */

static void add_dev(struct pci_dev *d, struct sys_dir *parent)
{
	d->sys = sys_mkdir(parent, d->name, d);
	(void)sys_add(d->sys, dev_attrs, ARRAY_SIZE(dev_attrs));
	(void)sys_join("bus/pci", d->sys);
}

static void add_bus(struct pci_bus *bus, struct sys_dir *dir)
{
	struct pci_dev *d;

	list_for_each_entry(d, &bus->devs, node) {
		add_dev(d, dir);
		if (d->child)
			add_bus(d->child, d->sys);
	}
}

void pci_sys_add_host(struct pci_host *h)
{
	char path[32];

	scnprintf(path, sizeof(path), "devices/pci%04x:%02x",
		  h->domain & 0xffff, h->bus_first & 0xff);
	add_bus(h->root, sys_path(path));
}

static int pci_sys_init(void)
{
	(void)sys_path("bus/pci/slots"); /* none that we know, but nvme looks */
	return sys_add(sys_proc_path("bus/pci"), proc_attrs,
		       ARRAY_SIZE(proc_attrs));
}

INITCALL(INIT_DRIVER, pci_sys_init);
