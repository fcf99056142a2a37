/* SPDX-License-Identifier: MIT */
/*
 * kernel/panic.c - the report: message, registers, backtrace, harts, rings.
 *
 * The first hart to panic prints; the others stop at their next trap or spin (an
 * IPI wakes sleepers).  Nothing here takes a lock or allocates.  The symbol table
 * is linked in (scripts/gen-symtab.py).
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/errata.h>
#include <arch/riscv/mmu.h>
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/dev/console.h>
#include <kernel/hart.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/vmap.h>
#include <kernel/panic.h>
#include <kernel/pmu/sample.h>
#include <kernel/relay/relay.h>
#include <kernel/reset.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct ksym {
	u32 off;
	u32 name;
};
struct ksymtab {
	u32 nr;
	u32 pad;
	struct ksym sym[];
};
extern const struct ksymtab kernel_symtab;
extern char __text_start[], __text_end[], __image_start[];

static u32 panicking; /* [a] cpu + 1 of the first */
s64 panic_timeout;

static void param_panic(const char *v)
{
	u64 n;

	if (*v == '-')
		panic_timeout = -1;
	else if (!kstrtou64(v, 10, &n))
		panic_timeout = (s64)n;
}
BOOTPARAM(panic, "panic", param_panic);

bool symbol_nth(u32 n, const char **name, u64 *addr)
{
	const struct ksymtab *t = &kernel_symtab;

	if (n >= t->nr)
		return false;
	*name = (const char *)&t->sym[t->nr] + t->sym[n].name;
	*addr = KERNEL_BASE + t->sym[n].off;
	return true;
}

bool symbol_find(u64 addr, const char **name, u64 *off)
{
	const struct ksymtab *t = &kernel_symtab;
	u32 lo = 0, hi = t->nr;
	u64 at = 0;

	if (!t->nr || addr < (u64)__image_start || addr >= (u64)__text_end)
		return false;
	while (hi - lo > 1) {
		u32 mid = lo + (hi - lo) / 2;

		if (KERNEL_BASE + t->sym[mid].off <= addr)
			lo = mid;
		else
			hi = mid;
	}
	symbol_nth(lo, name, &at);
	*off = addr - at;
	return true;
}

u64 symbol_address(const char *name)
{
	const char *n;
	u64 addr;

	for (u32 i = 0; symbol_nth(i, &n, &addr); i++) {
		if (!strcmp(n, name))
			return addr;
	}
	return 0;
}

static void print_frame(u32 nr, u64 pc)
{
	const char *name;
	u64 off;

	if (symbol_find(pc, &name, &off))
		log_raw(" #%u %016lx %s+%#lx\n", nr, pc, name, off);
	else
		log_raw(" #%u %016lx\n", nr, pc);
}

/* A frame pointer is believed only if what it points to is mapped. */
static bool readable(u64 fp)
{
	return IS_ALIGNED(fp, 8) && fp >= DIRECT_MAP_BASE + 16 &&
	       (is_direct_map((void *)(fp - 16)) || kernel_pte(fp - 16)) &&
	       (is_direct_map((void *)(fp - 1)) || kernel_pte(fp - 1));
}

static void backtrace(u64 pc, u64 fp)
{
	print_frame(0, pc);
	for (u32 n = 1; n < 32 && readable(fp); n++) {
		u64 ra = ((u64 *)fp)[-1], next = ((u64 *)fp)[-2];

		if (ra < (u64)__text_start || ra >= (u64)__text_end)
			break;
		print_frame(n, ra);
		if (next <= fp)
			break;
		fp = next;
	}
}

static const char *const reg_names[32] = {
	"pc", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
	"a1", "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
	"s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static void print_registers(const struct trapframe *tf)
{
	const u64 *r = (const u64 *)tf;

	for (u32 i = 0; i < 32; i += 4)
		log_raw(" %3s %016lx %3s %016lx %3s %016lx %3s %016lx\n",
			reg_names[i], r[i], reg_names[i + 1], r[i + 1],
			reg_names[i + 2], r[i + 2], reg_names[i + 3], r[i + 3]);
	log_raw(" status %lx cause %lx tval %lx\n", tf->status, tf->cause,
		tf->badaddr);
}

static void __noreturn stop_hart(void)
{
	this_hart()->state = HART_DEAD;
	csr_write(sie, 0);
	for (;;)
		__asm__ volatile("wfi");
}

void panic_check(void)
{
	if (unlikely(load_once(&panicking)) &&
	    panicking != this_hart()->cpu + 1)
		stop_hart();
}

static void __noreturn after_panic(void)
{
	if (panic_timeout > 0) {
		log_raw("rebooting in %ld seconds\n", (long)panic_timeout);
		for (s64 i = 0; i < panic_timeout; i++)
			udelay(1000000);
	}
	if (panic_timeout)
		machine_reset(RESET_REBOOT);
	log_raw("---[ end of panic ]---\n");
	stop_hart();
}

static void __noreturn report(const struct trapframe *tf, const char *msg)
{
	struct hart *h = this_hart();
	u32 first = atomic_cmpxchg(&panicking, 0, h->cpu + 1);

	if (first && first != h->cpu + 1)
		stop_hart();
	if (h->panic_depth++) {
		if (h->panic_depth < 3)
			log_raw("panic while reporting a panic: %s\n", msg);
		stop_hart();
	}
	log_raw("panic: %s\n", msg);
	log_raw("hart %u (hartid %u), thread %s/%d\n", h->cpu, h->hartid,
		h->cur ? h->cur->name : "-", h->cur ? h->cur->tid : 0);
	if (tf) {
		print_registers(tf);
		backtrace(tf->pc, tf->s0);
	} else {
		backtrace((u64)__builtin_return_address(0),
			  (u64)__builtin_frame_address(0));
	}
	if (h->cur && h->cur->proc) {
		log_raw("user registers of %s/%d:\n", h->cur->name,
			h->cur->tid);
		print_registers(&h->cur->tf);
	}
	relay_panic_dump();
	after_panic();
}

void panic(const char *fmt, ...)
{
	char msg[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	report(NULL, msg);
}

void fatal(const char *fmt, ...)
{
	char msg[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	log_raw("fatal: %s\n", msg);
	if (panic_timeout < 0) {
		/* As Linux reboots: QEMU's -no-reboot then ends it. */
		log_raw("rebooting\n");
		machine_reset(RESET_REBOOT);
	}
	after_panic();
}

void arch_panic(const char *msg)
{
	panic("%s", msg);
}

void kernel_trap(struct trapframe *tf)
{
	char msg[96];
	u64 va;

	panic_check();
	if ((tf->cause & CAUSE_INTERRUPT) && perf_kernel_interrupt(tf))
		return;
	tf->badaddr = errata_fetch_address(tf->cause, tf->badaddr);
	va = tf->badaddr;
	/* A stale "not mapped" of a range that vmap has mapped since. */
	if ((tf->cause == CAUSE_LOAD_PAGE || tf->cause == CAUSE_STORE_PAGE) &&
	    va - VMAP_BASE < VMAP_SIZE && kernel_pte(va) &&
	    load_once(&this_hart()->stale_tlb_va) != va) {
		store_once(&this_hart()->stale_tlb_va, va);
		tlb_flush_local();
		return;
	}
	if (kstack_is_guard(va))
		snprintf(msg, sizeof(msg), "kernel stack overflow at %#lx", va);
	else
		snprintf(msg, sizeof(msg),
			 "exception %lu in the kernel at %#lx", tf->cause, va);
	report(tf, msg);
}
