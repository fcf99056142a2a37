/* SPDX-License-Identifier: MIT */
/*
 * kernel/relay/params.c - which calls run where, and the knobs.
 *
 * Boot arguments: relay= fault= service= poll_us= slice_us= favour= block=, and for tests
 * relay_ring= (messages, a power of two), relay_index_start=, relay_delay=.
 * /proc/relay/policy takes relay, fault, poll_us and favour at run time, and
 * /proc/<pid>/relay the first two for one process.
 */
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/pmu/hooks.h>
#include <kernel/relay/relay.h>
#include <kernel/spinlock.h>
#include <kernel/task/process.h>
#include <kernel/time/clock.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

u8 relay_policy __read_mostly = POLICY_REMOTE;
u8 relay_fault_policy __read_mostly = POLICY_REMOTE;
u64 relay_poll_us = 100;
u64 relay_poll_cap __read_mostly;
u64 relay_slice_ns = 10 * NSEC_PER_MSEC;
u32 relay_ring_shift = 7;
u32 relay_ring_start;
u32 relay_delay_max __read_mostly;
static bool relay_favour; /* [a] as asked for; relay_hart.favour has copies */
const char *relay_service_arg = "";
const char *relay_block_arg = "";

/*
 * Hybrid: short calls that look at nothing but the caller's own thread or
 * process, never wait, and cost less than the passing of a cache line.
 */
static const u16 hybrid_local[] = {
	96,  /* set_tid_address */
	98,  /* futex */
	101, /* nanosleep */
	113, /* clock_gettime */
	124, /* sched_yield */
	132, /* sigaltstack */
	134, /* rt_sigaction */
	135, /* rt_sigprocmask */
	139, /* rt_sigreturn */
	153, /* times */
	155, /* getpgid */
	156, /* getsid */
	160, /* uname */
	165, /* getrusage */
	169, /* gettimeofday */
	172, /* getpid */
	173, /* getppid */
	174, /* getuid */
	175, /* geteuid */
	176, /* getgid */
	177, /* getegid */
	178, /* gettid */
};

/* Calls after which the caller's address space is another one, or none. */
static const u16 leaves_mm[] = {
	93,  /* exit */
	94,  /* exit_group */
	221, /* execve */
	281, /* execveat */
};

/* Calls that tell CPU time, or are a thread's last: the time up to them counts. */
static const u16 timed[] = {
	93,  /* exit */
	94,  /* exit_group */
	107, /* timer_create */
	113, /* clock_gettime */
	153, /* times */
	165, /* getrusage */
	221, /* execve */
	260, /* wait4 */
	281, /* execveat */
};

/* Calls whose third argument is how many bytes they move. */
static const u16 sized[] = {
	63,  /* read */
	64,  /* write */
	67,  /* pread64 */
	68,  /* pwrite64 */
	206, /* sendto */
	207, /* recvfrom */
};

static bool listed(const u16 *list, size_t n, u64 nr)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == nr)
			return true;
	}
	return false;
}

u16 relay_traits_of(u64 nr)
{
	u16 traits = 0;

	if (listed(hybrid_local, ARRAY_SIZE(hybrid_local), nr))
		traits |= CALL_LOCAL_IN_HYBRID;
	if (listed(leaves_mm, ARRAY_SIZE(leaves_mm), nr))
		traits |= CALL_LEAVES_MM;
	if (listed(timed, ARRAY_SIZE(timed), nr))
		traits |= CALL_TIMED;
	if (listed(sized, ARRAY_SIZE(sized), nr))
		traits |= CALL_SIZED;
	return traits;
}

static int rows_init(void)
{
	for (u32 i = 0; i < nr_harts; i++) {
		u16 here = harts[i]->role & ROLE_SERVICE ? CALL_HERE : 0;

		for (u64 nr = 0; nr <= NR_SYSCALLS; nr++) {
			struct call_row *c = call_row_of(harts[i], nr);

			c->fn = syscall_handler(nr);
			c->traits = relay_traits_of(nr) | here;
		}
	}
	return 0;
}
INITCALL(INIT_LATE, rows_init);

bool relay_trap_is_local(const struct thread *t)
{
	u8 p = t->fault_policy ? t->fault_policy : relay_fault_policy;

	if (this_hart()->role & ROLE_SERVICE)
		return true;
	if (t->req_kind == REQ_FAULT)
		return p == POLICY_LOCAL;
	return relay_where(this_hart(), t, 0) == POLICY_LOCAL;
}

static const char *const policy_names[NR_POLICIES] = {
	[POLICY_DEFAULT] = "default",
	[POLICY_REMOTE] = "remote",
	[POLICY_LOCAL] = "local",
	[POLICY_HYBRID] = "hybrid",
};

const char *relay_policy_name(u8 policy)
{
	return policy < NR_POLICIES ? policy_names[policy] : "?";
}

int relay_policy_parse(const char *s)
{
	for (int i = 0; i < NR_POLICIES; i++) {
		if (!strcmp(s, policy_names[i]))
			return i;
	}
	return -EINVAL;
}

static void set_policy(u8 policy)
{
	store_once(&relay_policy, policy);
	for (u32 i = 0; i < nr_harts; i++)
		store_once(&harts[i]->policy, policy);
	pmu_policy_changed();
}

static void set_poll_us(u64 us)
{
	relay_poll_us = us;
	relay_poll_cap = us * clock_cycles_per_us();
}

static void set_favour(bool on)
{
	relay_favour = on;
	for (u32 i = 0; i < nr_harts; i++)
		store_once(&relay_of(harts[i])->favour, on);
}

void relay_params_init(void)
{
	relay_watch_init();
	set_favour(relay_favour);
	set_policy(relay_policy);
	set_poll_us(relay_poll_us);
	for (u32 i = 0; i < nr_harts; i++)
		harts[i]->poll_budget = relay_poll_cap;
}

static void param_relay(const char *v)
{
	int p = relay_policy_parse(v);

	if (p > POLICY_DEFAULT)
		relay_policy = (u8)p;
	else
		pr_warn("relay: unknown policy \"%s\": remote, local or hybrid",
			v);
}
BOOTPARAM(relay, "relay", param_relay);

static void param_fault(const char *v)
{
	int p = relay_policy_parse(v);

	if (p == POLICY_REMOTE || p == POLICY_LOCAL)
		relay_fault_policy = (u8)p;
	else
		pr_warn("relay: unknown fault policy \"%s\": remote or local",
			v);
}
BOOTPARAM(fault, "fault", param_fault);

static void param_service(const char *v)
{
	relay_service_arg = v;
}
BOOTPARAM(service, "service", param_service);

static void param_block(const char *v)
{
	relay_block_arg = v;
}
BOOTPARAM(block, "block", param_block);

static u64 number(const char *name, const char *v, u64 lo, u64 hi, u64 dflt)
{
	u64 n;

	if (!kstrtou64(v, 0, &n) && n >= lo && n <= hi)
		return n;
	pr_warn("relay: %s=%s is not a number from %lu to %lu", name, v,
		(unsigned long)lo, (unsigned long)hi);
	return dflt;
}

static void param_poll_us(const char *v)
{
	relay_poll_us = number("poll_us", v, 0, 1000000, relay_poll_us);
}
BOOTPARAM(poll_us, "poll_us", param_poll_us);

static void param_slice_us(const char *v)
{
	relay_slice_ns =
		NSEC_PER_USEC * number("slice_us", v, 100, 10000000, 10000);
}
BOOTPARAM(slice_us, "slice_us", param_slice_us);

static bool is_on(const char *v)
{
	return !strcmp(v, "1") || !strcmp(v, "on");
}

static void param_favour(const char *v)
{
	relay_favour = is_on(v);
}
BOOTPARAM(favour, "favour", param_favour);

static void param_ring(const char *v)
{
	u64 n = number("relay_ring", v, 1, 4096, 128);

	relay_ring_shift = log2_floor(n);
}
BOOTPARAM(relay_ring, "relay_ring", param_ring);

static void param_start(const char *v)
{
	relay_ring_start =
		(u32)number("relay_index_start", v, 0, 0xffffffff, 0);
}
BOOTPARAM(relay_index_start, "relay_index_start", param_start);

static void param_delay(const char *v)
{
	relay_delay_max = (u32)number("relay_delay", v, 0, 1u << 24, 0);
}
BOOTPARAM(relay_delay, "relay_delay", param_delay);

/* "name=value" of a line, value cut at white space; NULL if malformed. */
static const char *split(const char *line, char *name, size_t n, char *val)
{
	const char *eq = strchr(line, '=');
	size_t i = 0;

	if (!eq || (size_t)(eq - line) >= n)
		return NULL;
	memcpy(name, line, (size_t)(eq - line));
	name[eq - line] = '\0';
	for (eq++; *eq && *eq != '\n' && *eq != ' '; eq++) {
		if (i + 1 >= n)
			return NULL;
		val[i++] = *eq;
	}
	val[i] = '\0';
	return val;
}

int relay_write_policy(const char *line)
{
	char name[16], val[16];
	u64 us;
	int p;

	if (!split(line, name, sizeof(name), val))
		return -EINVAL;
	if (!strcmp(name, "poll_us")) {
		if (kstrtou64(val, 10, &us) || us > 1000000)
			return -EINVAL;
		set_poll_us(us);
		return 0;
	}
	if (!strcmp(name, "delay")) {
		if (kstrtou64(val, 10, &us) || us > 1u << 24)
			return -EINVAL;
		store_once(&relay_delay_max, (u32)us);
		relay_watch();
		return 0;
	}
	if (!strcmp(name, "stall_ms")) {
		/* For tests: whoever runs this call answers nobody. */
		if (kstrtou64(val, 10, &us) || us > 10000)
			return -EINVAL;
		udelay((u32)us * 1000);
		return 0;
	}
	if (!strcmp(name, "stall_app_ms")) {
		/* For tests: the caller's hart does nothing for so long. */
		if (kstrtou64(val, 10, &us) || us > 10000)
			return -EINVAL;
		return relay_watch_stall_app((u32)us * 1000);
	}
	if (!strcmp(name, "trace")) {
		return relay_trace_enable(is_on(val));
	}
	if (!strcmp(name, "legs"))
		return relay_legs_enable(is_on(val));
	if (!strcmp(name, "favour")) {
		set_favour(is_on(val));
		return 0;
	}
	p = relay_policy_parse(val);
	if (p <= POLICY_DEFAULT)
		return -EINVAL;
	if (!strcmp(name, "relay"))
		set_policy((u8)p);
	else if (!strcmp(name, "fault") && p != POLICY_HYBRID)
		store_once(&relay_fault_policy, (u8)p);
	else
		return -EINVAL;
	return 0;
}

void relay_show_policy(relay_emit_fn *emit, void *ctx)
{
	char b[96];

	snprintf(b, sizeof(b), "relay=%s\nfault=%s\npoll_us=%lu\n",
		 relay_policy_name(relay_policy),
		 relay_policy_name(relay_fault_policy),
		 (unsigned long)relay_poll_us);
	emit(ctx, b);
	snprintf(b, sizeof(b),
		 "slice_us=%lu\nring=%u\ndelay=%u\ntrace=%u\n"
		 "legs=%u\nfavour=%u\n",
		 (unsigned long)(relay_slice_ns / NSEC_PER_USEC),
		 1u << relay_ring_shift, relay_delay_max,
		 (relay_watched & WATCH_TRACE) != 0,
		 (relay_watched & WATCH_LEGS) != 0, load_once(&relay_favour));
	emit(ctx, b);
}

int relay_show_process(struct process *p, char *buf, size_t n)
{
	return snprintf(buf, n, "relay=%s\nfault=%s\n",
			relay_policy_name(p->relay_policy),
			relay_policy_name(p->fault_policy));
}

int relay_write_process(struct process *p, const char *line)
{
	char name[16], val[16];
	struct thread *t;
	bool fault;
	int pol;

	if (!split(line, name, sizeof(name), val))
		return -EINVAL;
	pol = relay_policy_parse(val);
	fault = !strcmp(name, "fault");
	if (pol < 0 || (fault && pol == POLICY_HYBRID) ||
	    (!fault && strcmp(name, "relay")))
		return -EINVAL;
	spin_lock(&task_lock);
	if (fault)
		p->fault_policy = (u8)pol;
	else
		p->relay_policy = (u8)pol;
	/* relaxed: each thread sees it at one of its next traps */
	list_for_each_entry(t, &p->threads, proc_node)
		store_once(fault ? &t->fault_policy : &t->policy, (u8)pol);
	spin_unlock(&task_lock);
	pmu_policy_changed();
	return 0;
}
