/* SPDX-License-Identifier: MIT */
/*
 * kernel/main.c - from the first C code to the first user program.
 *
 * kernel_main() runs on the boot hart's own stack and ends in the loop; what may
 * sleep (initcalls, mounting, exec) runs in the init thread's coroutine.
 */
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/bootmem.h>
#include <kernel/file/file.h>
#include <kernel/firmware.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/pagecache.h>
#include <kernel/mm/vmap.h>
#include <kernel/panic.h>
#include <kernel/relay/relay.h>
#include <kernel/smp.h>
#include <kernel/task/process.h>
#include <kernel/task/task.h>
#include <kernel/time/clock.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/string.h>

extern const struct initcall __initcalls_start[], __initcalls_end[];

static const char *init_arg; /* init= */

static void param_init(const char *v)
{
	init_arg = v;
}
BOOTPARAM(init, "init", param_init);

void *arch_boot_alloc(size_t bytes, size_t align)
{
	return pmem_boot_alloc(bytes, align);
}

void *arch_table_alloc(void)
{
	return get_free_page(GFP_ZERO);
}

void arch_table_free(void *table)
{
	free_page_addr(table);
}

static void run_initcalls(void)
{
	for (u64 level = 0; level < NR_INIT_LEVELS; level++) {
		for (const struct initcall *c = __initcalls_start;
		     c < __initcalls_end; c++) {
			int r;

			if (c->level != level)
				continue;
			r = c->fn();
			if (r)
				pr_err("init: %s failed: error %d", c->name, r);
		}
	}
}

static bool try_init(const char *path)
{
	int r;

	boot_init_args[0] = path;
	r = kernel_execve(path, boot_init_args, boot_init_env);

	if (r)
		pr_debug("init: %s: error %d", path, r);
	else
		pr_info("init: running %s", path);
	return !r;
}

/* Descriptors 0, 1 and 2. */
static void open_console(void)
{
	struct file *f = fs_open_console();

	if (!f || IS_ERR(f)) {
		pr_warn("init: no console to open");
		return;
	}
	if (fd_open(f, 0) != 0 || fd_dup(0, 1, false) != 1 ||
	    fd_dup(0, 2, false) != 2)
		pr_warn("init: no descriptors for the console");
}

static void init_main(void)
{
	static const char *const fallback[] = { "/sbin/init", "/etc/init",
						"/bin/init", "/bin/sh" };
	char path[128] = "";
	int r;

	r = root_mount_all(path, sizeof(path));
	if (r)
		fatal("no root file system (error %d): root= names none that can be mounted",
		      r);
	open_console();
	if (*path) {
		if (try_init(path))
			return;
		fatal("init %s cannot be run", path);
	}
	if (init_arg) {
		if (try_init(init_arg))
			return;
		fatal("init %s cannot be run", init_arg);
	}
	for (u32 i = 0; i < ARRAY_SIZE(fallback); i++) {
		if (try_init(fallback[i]))
			return;
	}
	fatal("no init found: tried /sbin/init, /etc/init, /bin/init and /bin/sh; pass init=");
}

/* The first kernel thread: all that may sleep but needs no process. */
static void boot_thread(void *arg __unused)
{
	struct thread *t;

	pagecache_init();
	run_initcalls();
	t = init_thread_create(init_main);
	if (!t)
		panic("no memory for the init thread");
	kthread_start(t);
}

void kernel_main(u64 hartid, paddr_t fdt)
{
	firmware_early_init();
	bootmem_find_fdt(fdt);
	clock_init();
	bootmem_parse_cmdline();
	pr_notice("antler: boot hart %lu, device tree at %#lx, image at %#lx",
		  hartid, fdt, kernel_phys_base);
	pr_info("antler: command line: %s", boot_cmdline);
	bootmem_init();
	smp_reserve(hartid);
	pmem_init();
	kmalloc_init();
	vmap_init();
	smp_find_harts(hartid);
	firmware_init();
	smp_prepare();
	sched_init();
	smp_start();
	if (!kthread_create("boot", boot_thread, NULL))
		panic("no memory for the boot thread");
	irq_hart_init(this_cpu());
	smp_release();
	hart_loop();
}
