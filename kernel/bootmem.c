/* SPDX-License-Identifier: MIT */
/*
 * kernel/bootmem.c - what the boot loader left in memory: RAM, firmware, device
 * tree, initrd, command line.
 *
 * The tree is read in place first, through the early direct map, and copied once
 * memory can be had; boot_fdt is the copy.  The place of the tree and of the initrd
 * is whatever the loader chose.
 */
#include <arch/riscv/mmu.h>
#include <kernel/assert.h>
#include <kernel/bootmem.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/page.h>
#include <lib/fdt.h>
#include <lib/string.h>

#define FDT_MAX_SIZE (2ul << 20)
#define MIB2	     (2ul << 20)
#define MAX_RAM	     32u

extern char __image_start[], __image_end[];
extern const struct bootparam __bootparams_start[], __bootparams_end[];

const char *boot_cmdline = "";
const void *boot_fdt;
const void *boot_initrd;
size_t boot_initrd_size;
static char cmdline_copy[4096];
static char cmdline_words[4096]; /* cut into words; values point into it */

void bootmem_find_fdt(paddr_t pa)
{
	const void *fdt;
	size_t size;

	if (pa < phys_ram_base || !IS_ALIGNED(pa, 4))
		panic("boot: device tree at %#lx: not in memory that starts at %#lx",
		      pa, phys_ram_base);
	fdt = phys_to_virt(pa);
	size = fdt_size(fdt);
	if (!size || size > FDT_MAX_SIZE || fdt_check(fdt, size))
		panic("boot: no sound device tree at %#lx (first word %#x, size %zu)",
		      pa, *(const u32 *)fdt, size);
	boot_fdt = fdt;
}

/* Words of the command line that nobody here takes are init's, as on Linux. */
const char *boot_init_args[BOOT_INIT_WORDS + 2] = { "" };
const char *boot_init_env[BOOT_INIT_WORDS + 3] = { "HOME=/", "TERM=linux" };

static void add_word(const char **list, u32 most, const char *word)
{
	u32 n = 0;

	while (list[n])
		n++;
	if (n < most)
		list[n] = word;
}

static void give_to_init(char *word, char *eq)
{
	if (eq)
		*eq = '=';
	/* A dot: a parameter of a module that is not here. */
	if (eq && !memchr(word, '.', (size_t)(eq - word)))
		add_word(boot_init_env, BOOT_INIT_WORDS + 2, word);
	else if (!eq && !strchr(word, '.'))
		add_word(boot_init_args, BOOT_INIT_WORDS + 1, word);
}

/* True when somebody takes it. */
static bool run_param(const char *name, const char *value)
{
	bool taken = false;

	for (const struct bootparam *p = __bootparams_start;
	     p < __bootparams_end; p++) {
		if (strcmp(p->name, name))
			continue;
		p->fn(value);
		taken = true;
	}
	return taken;
}

void bootmem_parse_cmdline(void)
{
	int chosen = fdt_path_offset(boot_fdt, "/chosen");
	const char *args = fdt_prop_str(boot_fdt, chosen, "bootargs");
	char *p = cmdline_words;
	bool rest = false; /* behind "--": all of it is init's */

	strscpy(cmdline_copy, args ? args : "", sizeof(cmdline_copy));
	strscpy(cmdline_words, cmdline_copy, sizeof(cmdline_words));
	boot_cmdline = cmdline_copy;
	while (*p) {
		char *word, *eq;
		bool quoted = false;

		while (*p == ' ' || *p == '\t' || *p == '\n')
			p++;
		for (word = p; *p && (quoted || *p != ' '); p++) {
			if (*p == '"')
				quoted = !quoted;
		}
		if (*p)
			*p++ = '\0';
		if (!*word)
			continue;
		eq = strchr(word, '=');
		if (eq)
			*eq = '\0';
		if (rest || !run_param(word, eq ? eq + 1 : "")) {
			if (!strcmp(word, "--") && !eq)
				rest = true;
			else
				give_to_init(word, eq);
		}
	}
}

struct ram_list {
	u32 nr;
	struct mmu_range r[MAX_RAM];
};

static void cut(struct ram_list *l, paddr_t start, paddr_t end)
{
	for (u32 i = 0; i < l->nr; i++) {
		struct mmu_range *r = &l->r[i];

		if (end <= r->start || start >= r->end)
			continue;
		if (start > r->start && end < r->end && l->nr < MAX_RAM) {
			l->r[l->nr++] = (struct mmu_range){ end, r->end };
			r->end = start;
		} else if (start > r->start) {
			r->end = start;
		} else {
			r->start = min(end, r->end);
		}
	}
}

static void find_ram(struct ram_list *l)
{
	int node = -1;
	u64 base, size;

	while ((node = fdt_next_node(boot_fdt, node)) >= 0) {
		const char *type = fdt_prop_str(boot_fdt, node, "device_type");

		if (!type || strcmp(type, "memory") ||
		    !fdt_status_okay(boot_fdt, node))
			continue;
		for (u32 i = 0; l->nr < MAX_RAM &&
				!fdt_reg(boot_fdt, node, i, &base, &size);
		     i++) {
			base = max(base, phys_ram_base);
			size = min(size,
				   phys_ram_base + DIRECT_MAP_SIZE - base);
			if (size)
				l->r[l->nr++] =
					(struct mmu_range){ base, base + size };
		}
	}
	if (!l->nr)
		panic("boot: the device tree has no memory node");
}

static void reserve_nodes(struct ram_list *l)
{
	int parent = fdt_path_offset(boot_fdt, "/reserved-memory");
	u64 base, size;

	for (int n = fdt_first_child(boot_fdt, parent); n >= 0;
	     n = fdt_next_sibling(boot_fdt, n)) {
		for (u32 i = 0; !fdt_reg(boot_fdt, n, i, &base, &size); i++) {
			pmem_reserve(base, base + size);
			if (fdt_prop(boot_fdt, n, "no-map", NULL))
				cut(l, base, base + size);
		}
	}
	for (u32 i = 0; !fdt_memreserve(boot_fdt, i, &base, &size); i++)
		pmem_reserve(base, base + size);
}

static void find_initrd(void)
{
	int chosen = fdt_path_offset(boot_fdt, "/chosen");
	u64 start, end;

	if (fdt_prop_u64(boot_fdt, chosen, "linux,initrd-start", &start) ||
	    fdt_prop_u64(boot_fdt, chosen, "linux,initrd-end", &end))
		return;
	if (end <= start || start < phys_ram_base || end > phys_ram_end) {
		pr_err("boot: initrd at %#lx-%#lx is not in memory: ignored",
		       start, end);
		return;
	}
	pmem_reserve(start, end);
	boot_initrd = phys_to_virt(start);
	boot_initrd_size = end - start;
}

void bootmem_init(void)
{
	static struct ram_list l; /* boot only */
	u64 image_end = kernel_phys_base + (u64)(__image_end - __image_start);
	size_t fdt_len = fdt_size(boot_fdt);
	paddr_t fdt_pa = (u64)boot_fdt - DIRECT_MAP_BASE + phys_ram_base;
	u64 top = 0;
	void *copy;

	find_ram(&l);
	for (u32 i = 0; i < l.nr; i++)
		top = max(top, l.r[i].end);
	phys_ram_end = top;
	/* Firmware below the image: keep out even where the tree is silent. */
	cut(&l, ALIGN_DOWN(kernel_phys_base - 1, MIB2), kernel_phys_base);
	reserve_nodes(&l);
	for (u32 i = 0; i < l.nr; i++)
		pmem_add(l.r[i].start, l.r[i].end);
	pmem_reserve(kernel_phys_base, image_end);
	pmem_reserve(fdt_pa, fdt_pa + fdt_len);
	find_initrd();
	copy = pmem_boot_alloc(fdt_len, 8);
	memcpy(copy, boot_fdt, fdt_len);
	boot_fdt = copy;
	mmu_init(l.r, l.nr);
	for (u32 i = 0; i < l.nr; i++) {
		if (l.r[i].end > l.r[i].start)
			pr_info("mem: %#lx-%#lx, %lu MiB", l.r[i].start,
				l.r[i].end, (l.r[i].end - l.r[i].start) >> 20);
	}
}
