/* SPDX-License-Identifier: MIT */
/* tests/host/fake/dtrig.c - see dtrig.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/dtrig.h>

#include <kernel/dev/dt.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/vmap.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fdt.h>

u64 rig_now, rig_regs_size;
char rig_log[8192];
u8 rig_regs[4096] __attribute__((aligned(4096)));
u32 rig_mapped;
bool rig_no_memory;
const void *boot_fdt;

/* What drivers registered stays for ever: later tests find it, by its node. */
static void *allocs[256];
static u32 nr_allocs;

void rig_start(const char *dts)
{
	char path[] = "/tmp/dtrigXXXXXX", cmd[128], out[64];
	int fd = mkstemp(path);
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, dts, strlen(dts)), strlen(dts));
	close(fd);
	snprintf(out, sizeof(out), "%s.dtb", path);
	snprintf(cmd, sizeof(cmd), "dtc -q -I dts -O dtb %s -o %s", path, out);
	assert_int_equal(system(cmd), 0);
	boot_fdt = read_file(out, &len);
	assert_int_equal(fdt_check(boot_fdt, len), 0);
	unlink(path);
	unlink(out);
	memset(rig_regs, 0, sizeof(rig_regs));
	rig_regs_size = sizeof(rig_regs);
	rig_now = 0;
	rig_log[0] = 0;
	rig_mapped = 0;
	rig_no_memory = false;
}

void rig_end(void)
{
	free((void *)boot_fdt);
}

int rig_probe(const char *path)
{
	int node = fdt_path_offset(boot_fdt, path);
	const char *compatible = fdt_prop_str(boot_fdt, node, "compatible");

	assert_non_null(compatible);
	for (const struct dt_driver *p = __start_dtdrivers;
	     p < __stop_dtdrivers; p++) {
		for (u32 i = 0; p->compatible[i]; i++) {
			if (!strcmp(p->compatible[i], compatible))
				return p->probe(node);
		}
	}
	fail_msg("no driver for %s", compatible);
	return -ENODEV;
}

void __iomem *dt_ioremap(int fdt_node, unsigned int idx, u64 *size)
{
	(void)fdt_node;
	(void)idx;
	if (!rig_regs_size)
		return NULL;
	if (size)
		*size = rig_regs_size;
	rig_mapped++;
	return rig_regs;
}

void iounmap(volatile void __iomem *va)
{
	assert_ptr_equal(va, rig_regs);
	assert_true(rig_mapped);
	rig_mapped--;
}

void *kzalloc(size_t size)
{
	if (rig_no_memory)
		return NULL;
	assert_true(nr_allocs < 256);
	return allocs[nr_allocs++] = calloc(1, size);
}

void kfree(const void *p)
{
	assert_true(nr_allocs && p == allocs[nr_allocs - 1]);
	free(allocs[--nr_allocs]);
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	size_t len = strlen(rig_log);
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(rig_log + len, sizeof(rig_log) - len, fmt, ap);
	va_end(ap);
}

void mutex_init(struct mutex *m)
{
	m->locked = 0;
}

void mutex_lock(struct mutex *m)
{
	assert_int_equal(m->locked, 0);
	m->locked = 1;
}

void mutex_unlock(struct mutex *m)
{
	assert_int_equal(m->locked, 1);
	m->locked = 0;
}

u64 clock_mono_ns(void)
{
	return rig_now;
}

void udelay(u32 us)
{
	rig_now += us * 1000ull;
}
