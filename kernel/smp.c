/* SPDX-License-Identifier: MIT */
/*
 * kernel/smp.c - finding the harts, giving them roles, starting them.
 *
 * A cpu node counts if it is okay *and* has an mmu-type: the S7 of the FU740 and
 * the E51 of the FU540 have no S-mode, and starting one hangs the machine.  Hart ids
 * are sparse and any of them may be the boot hart, which has dense index 0 until
 * the roles are known: then application harts are numbered first, for their
 * numbers are the CPUs that an affinity mask can name, and a program that pins
 * itself begins with CPU 0.
 *
 * Roles: `service=` is a count, or a list of hart ids when it has a comma or begins
 * with '='... see choose_roles().  Default one service hart: the least capable one
 * (capacity-dmips-mhz), among equals the boot hart.
 *
 * ORDERING
 *   BOOT    everything a hart needs is written before hart_ops->start() (device:
 *           SBI HSM orders it); its online flag is its answer.
 */
#include <arch/riscv/csr.h>
#include <arch/riscv/mmu.h>
#include <arch/riscv/upcalls.h>
#include <kernel/assert.h>
#include <kernel/hart.h>
#include <kernel/hotmem.h>
#include <kernel/init.h>
#include <kernel/irq/irq.h>
#include <kernel/log.h>
#include <kernel/mm/vmap.h>
#include <kernel/relay/relay.h>
#include <kernel/smp.h>
#include <kernel/time/clock.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/fdt.h>
#include <lib/string.h>

#define LOOP_STACK_SIZE 16384u
#define EXC_STACK_SIZE	8192u

struct hart boot_hart; /* until smp_find_harts() */
struct hart *harts[MAX_HARTS] = { &boot_hart };
unsigned int nr_harts = 1;
static const struct hart_ops *hart_ops;
static u64 service_bits, app_bits; /* [I after boot] dense */

/* head.S reads it with the MMU off. */
static struct boot_args {
	u64 satp;
	u64 virt_offset;
	u64 hart;
} boot_args[MAX_HARTS];

void hart_ops_set(const struct hart_ops *ops)
{
	KASSERT(ops->start && ops->ipi_mask && ops->rfence && ops->fence_i &&
		ops->null_call);
	hart_ops = ops;
}

u64 service_mask(void)
{
	return service_bits;
}

u64 app_mask(void)
{
	return app_bits;
}

int service_cpu_default(void)
{
	return (int)ctz64(service_bits);
}

int hart_by_hartid(u64 hartid)
{
	for (u32 i = 0; i < nr_harts; i++) {
		if (harts[i]->hartid == hartid)
			return (int)i;
	}
	return -1;
}

int hart_cpu_by_intc_phandle(u32 phandle)
{
	for (u32 i = 0; i < nr_harts; i++) {
		if (harts[i]->intc_phandle == phandle)
			return (int)i;
	}
	return -1;
}

void hart_ipi(unsigned int cpu)
{
	struct hart *h = this_hart();

	h->st.ipis_sent++;
	h->st.sbi_calls++;
	relay_observe(h, NULL, EV_IPI_SENT, cpu);
	hart_ops->ipi_mask(1, harts[cpu]->hartid);
}

/* Split a dense mask into (mask, base) pairs of hart ids. */
static void for_each_mask(u64 cpus, void (*fn)(u64 mask, u64 base))
{
	while (cpus) {
		u64 base = ~0ULL, mask = 0;

		for (u32 i = 0; i < nr_harts; i++) {
			if ((cpus & BIT(i)) && harts[i]->hartid < base)
				base = harts[i]->hartid;
		}
		for (u32 i = 0; i < nr_harts; i++) {
			u64 off = harts[i]->hartid - base;

			if (!(cpus & BIT(i)) || off >= 64)
				continue;
			mask |= BIT(off);
			cpus &= ~BIT(i);
		}
		this_hart()->st.sbi_calls++;
		fn(mask, base);
	}
}

void hart_rfence(u64 mask)
{
	u64 me = BIT(this_cpu());

	if (mask & me)
		tlb_flush_local();
	mask &= ~me;
	if (!mask)
		return;
	this_hart()->st.rfences++;
	for_each_mask(mask, hart_ops->rfence);
}

static u64 online_mask(void)
{
	u64 m = 0;

	for (u32 i = 0; i < nr_harts; i++)
		m |= harts[i]->online ? BIT(i) : 0;
	return m;
}

void hart_fence_i_all(void)
{
	u64 others = online_mask() & ~BIT(this_cpu());

	icache_flush_local();
	if (others)
		for_each_mask(others, hart_ops->fence_i);
}

void hart_fence_i_awake(u64 mask)
{
	mask &= ~BIT(this_cpu());
	for (u32 i = 0; i < nr_harts; i++) {
		/* ICACHE (full) - pairs with sleep() of kernel/relay/idle.c. */
		if ((mask & BIT(i)) &&
		    load_once(&harts[i]->state) == HART_SLEEP)
			mask &= ~BIT(i);
	}
	if (mask)
		for_each_mask(mask, hart_ops->fence_i);
}

void hart_null_call(void)
{
	hart_ops->null_call();
}

static void hart_fill(struct hart *h, u32 cpu, int node, u32 hartid)
{
	int intc = fdt_first_child(boot_fdt, node);

	h->cpu = cpu;
	h->hartid = hartid;
	h->fdt_node = node;
	for (; intc >= 0; intc = fdt_next_sibling(boot_fdt, intc)) {
		int len;

		if (fdt_prop(boot_fdt, intc, "interrupt-controller", &len))
			break;
	}
	if (intc >= 0)
		fdt_prop_u32(boot_fdt, intc, "phandle", &h->intc_phandle);
	fdt_prop_u32(boot_fdt, node, "capacity-dmips-mhz", &h->capacity);
	list_init(&h->runq);
	list_init(&h->ready);
	list_init(&h->backlog);
}

static bool usable(int node, u64 *hartid)
{
	const char *type = fdt_prop_str(boot_fdt, node, "device_type");
	const char *status = fdt_prop_str(boot_fdt, node, "status");
	int len;

	return type && !strcmp(type, "cpu") &&
	       (!status || !strcmp(status, "okay") || !strcmp(status, "ok")) &&
	       fdt_prop(boot_fdt, node, "mmu-type", &len) &&
	       !fdt_prop_u64(boot_fdt, node, "reg", hartid);
}

static u32 max_cpus = MAX_HARTS;
static void param_maxcpus(const char *v)
{
	u64 n;

	if (!kstrtou64(v, 10, &n) && n >= 1)
		max_cpus = (u32)min(n, (u64)MAX_HARTS);
}
BOOTPARAM(maxcpus, "maxcpus", param_maxcpus);

void smp_reserve(u64 boot_hartid)
{
	int cpus = fdt_path_offset(boot_fdt, "/cpus");
	u32 n = 1; /* the boot hart, which may not be among them */
	u64 id;

	for (int node = fdt_first_child(boot_fdt, cpus);
	     cpus >= 0 && node >= 0 && n < max_cpus;
	     node = fdt_next_sibling(boot_fdt, node))
		n += usable(node, &id) && id != boot_hartid;
	hotmem_reserve(n * (HOTMEM_SIZE(sizeof(struct hart)) +
			    HOTMEM_SIZE(sizeof(struct relay_hart))) +
		       relay_rings_size(n));
}

static __attribute__((noinline)) struct hart *move_boot_hart(u64 hartid)
{
	struct hart *h = hotmem_alloc(sizeof(*h));

	*h = boot_hart;
	h->hartid = (u32)hartid;
	list_init(&h->runq);
	list_init(&h->ready);
	list_init(&h->backlog);
	harts[0] = h;
	hart_become(h);
	return h;
}

void smp_find_harts(u64 boot_hartid)
{
	int cpus = fdt_path_offset(boot_fdt, "/cpus");
	struct hart *boot = move_boot_hart(boot_hartid);
	bool found_boot = false;
	int node;

	hotmem_trim();
	for (node = fdt_first_child(boot_fdt, cpus); cpus >= 0 && node >= 0;
	     node = fdt_next_sibling(boot_fdt, node)) {
		struct hart *h;
		u64 id;

		if (!usable(node, &id))
			continue;
		if (id == boot_hartid) {
			hart_fill(boot, 0, node, (u32)id);
			found_boot = true;
			continue;
		}
		if (nr_harts >= max_cpus)
			continue;
		h = hotmem_alloc(sizeof(*h));
		harts[nr_harts] = h;
		hart_fill(h, nr_harts++, node, (u32)id);
	}
	if (!found_boot)
		pr_warn("smp: boot hart %lu is not in the device tree",
			boot_hartid);
}

static u64 parse_list(const char *s)
{
	u64 mask = 0;

	while (*s) {
		u64 id = 0;
		int cpu;

		if (*s < '0' || *s > '9') {
			s++;
			continue;
		}
		while (*s >= '0' && *s <= '9')
			id = id * 10 + (u64)(*s++ - '0');
		cpu = hart_by_hartid(id);
		if (cpu >= 0)
			mask |= BIT(cpu);
		else
			pr_warn("relay: service=%s: no hart %lu",
				relay_service_arg, id);
	}
	return mask;
}

/* The @n least capable harts; among equals the lowest index: the boot hart. */
static u64 least_capable(u64 n)
{
	u64 mask = 0;

	while (n--) {
		u32 best = MAX_HARTS;

		for (u32 i = 0; i < nr_harts; i++) {
			if ((mask & BIT(i)) || !harts[i]->online)
				continue;
			if (best == MAX_HARTS ||
			    harts[i]->capacity < harts[best]->capacity)
				best = i;
		}
		if (best < MAX_HARTS)
			mask |= BIT(best);
	}
	return mask;
}

/* Harts that run user code first, each kind in the order that it had.  Nothing
 * keeps a dense index yet: the others wait for smp_release(), and what the boot
 * hart has found by its own it finds again: the frames that it kept are for who has
 * that index now. */
static void number_by_role(void)
{
	struct hart *old[MAX_HARTS];
	u32 n = 0;

	memcpy(old, harts, sizeof(old));
	for (u32 i = 0; i < nr_harts; i++)
		if (old[i]->role & ROLE_APP)
			harts[n++] = old[i];
	for (u32 i = 0; i < nr_harts; i++)
		if (!(old[i]->role & ROLE_APP))
			harts[n++] = old[i];
	service_bits = app_bits = 0;
	for (u32 i = 0; i < nr_harts; i++) {
		harts[i]->cpu = i;
		service_bits |= harts[i]->role & ROLE_SERVICE ? BIT(i) : 0;
		app_bits |= harts[i]->role & ROLE_APP ? BIT(i) : 0;
	}
	KASSERT(!this_hart()->plug && !this_hart()->lock_depth);
	this_hart()->pcp = NULL;
}

/*
 * service=N          a count
 * service=1,3        hart ids (any comma makes it a list: "3," is hart 3)
 * At least one application hart is left; a single hart has both roles.
 */
void smp_choose_roles(void)
{
	const char *arg = relay_service_arg;
	u64 all = online_mask(), n = 1;

	if (strchr(arg, ','))
		service_bits = parse_list(arg) & all;
	else if (*arg && (kstrtou64(arg, 10, &n) || !n))
		pr_warn("relay: service=%s is neither a count nor a list", arg);
	if (!n)
		n = 1;
	if (!service_bits) {
		u64 most = (u64)popcount64(all) - 1;

		service_bits = least_capable(max(min(n, most), 1ul));
	}
	if (service_bits == all && popcount64(all) > 1) {
		pr_warn("relay: no application hart left, taking one back");
		service_bits &= ~BIT(63 - clz64(all));
	}
	app_bits = service_bits == all ? all : all & ~service_bits;
	for (u32 i = 0; i < nr_harts; i++)
		harts[i]->role = (service_bits & BIT(i) ? ROLE_SERVICE : 0u) |
				 (app_bits & BIT(i) ? ROLE_APP : 0u);
	number_by_role();
}

static int hart_prepare(struct hart *h)
{
	u8 *stack = kstack_alloc(LOOP_STACK_SIZE);
	u8 *exc = kstack_alloc(EXC_STACK_SIZE);

	h->relay = hotmem_alloc(sizeof(struct relay_hart));
	if (!stack || !exc)
		return -ENOMEM;
	h->stack_top = (u64)stack + LOOP_STACK_SIZE;
	h->estack_top = (u64)exc + EXC_STACK_SIZE;
	ktimer_init(&relay_of(h)->slice, relay_slice_expired, h);
	list_init(&relay_of(h)->later);
	list_init(&relay_of(h)->paid);
	ktimer_init(&relay_of(h)->watch, relay_watch_expired, h);
	ktimer_init(&relay_of(h)->apps_watch, relay_watch_apps_expired, h);
	relay_of(h)->rng = h->hartid * 2654435761u + 1;
	timer_hart_init(h);
	return 0;
}

void smp_prepare(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		if (hart_prepare(harts[i]))
			panic("smp: no memory for hart %u", i);
	}
	harts[0]->online = true;
}

static void hart_go_online(struct hart *h)
{
	u64 enabled = SIP_SSIP | SIP_STIP;

	if (h->role & ROLE_SERVICE)
		enabled |= SIP_SEIP;
	/* Nothing is taken in the kernel; this says what wakes wfi and what
	 * interrupts user code. */
	h->sie = enabled;
	csr_write(sie, enabled);
	/* All counters for user mode: rdcycle, rdtime, rdinstret. */
	csr_write(scounteren, 7);
}

void hart_enter_role(void)
{
	hart_go_online(this_hart());
}

void kernel_secondary_main(void)
{
	struct hart *h = this_hart();

	h->state = HART_LOOP;
	csr_write(scounteren, 7);
	/* BOOT (release) - pairs with start_one(). */
	store_release(&h->online, true);
	/* BOOT (acquire) - pairs with smp_release(); roles and rings are final. */
	while (!load_acquire(&h->go))
		cpu_relax();
	irq_hart_init(h->cpu);
	hart_go_online(h);
	hart_loop();
}

static void start_one(struct hart *h)
{
	struct boot_args *a = &boot_args[h->cpu];
	u64 start = clock_mono_ns();
	int r;

	a->satp = SATP_MODE_SV39 | virt_to_phys(mmu_kernel_root) >> 12;
	a->virt_offset = KERNEL_BASE - kernel_phys_base;
	a->hart = (u64)h;
	h->state = HART_STARTING;
	/* BOOT (release) - for a hart that comes to late_start in head.S. */
	store_release(&boot_starting_args, virt_to_phys(a));
	r = hart_ops->start(h->hartid, virt_to_phys((void *)secondary_start),
			    virt_to_phys(a));
	if (r) {
		pr_err("smp: hart %u does not start: error %d", h->hartid, r);
		h->state = HART_DEAD;
		return;
	}
	/* BOOT (acquire) - pairs with kernel_secondary_main(). */
	while (!load_acquire(&h->online)) {
		if (clock_mono_ns() - start > NSEC_PER_SEC) {
			pr_err("smp: hart %u did not come up within a second",
			       h->hartid);
			h->state = HART_DEAD;
			return;
		}
	}
}

/* Dense indices stay dense: harts that did not come up are forgotten. */
static void forget_dead(void)
{
	u32 n = 0;

	for (u32 i = 0; i < nr_harts; i++) {
		if (!harts[i]->online)
			continue;
		harts[n] = harts[i];
		harts[n]->cpu = n;
		n++;
	}
	for (u32 i = n; i < nr_harts; i++)
		harts[i] = NULL;
	nr_harts = n;
}

void smp_start(void)
{
	for (u32 i = 1; i < nr_harts; i++)
		start_one(harts[i]);
	forget_dead();
	smp_choose_roles();
	for (u32 i = 0; i < nr_harts; i++)
		relay_stats_init(harts[i]);
	for (u32 i = 0; i < nr_harts; i++)
		relay_account_init(harts[i]);
	relay_rings_init();
	relay_params_init();
	hart_enter_role();
}

void smp_release(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		/* BOOT (release) - pairs with kernel_secondary_main(). */
		store_release(&harts[i]->go, true);
	}
}
