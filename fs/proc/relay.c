/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/relay.c - /proc/relay: what the relay counts, and its knobs.
 *
 * status, syscalls, legs, trace, floor are read; a write of "0" to status or
 * syscalls clears all counters, to legs those; "1" or "0" to trace switches
 * tracing; policy takes a line such as "relay=local".
 *
 * While observe is open, legs and the times in status are kept; while trace_raw is
 * open, events are recorded, and a read of it takes what there is
 * (kernel/relay/trace.h).  Both are for root: they make every call slower.
 */
#include <fs/proc/proc.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/pmu/pmu.h>
#include <kernel/relay/relay.h>
#include <kernel/relay/trace.h>
#include <lib/errno.h>
#include <lib/string.h>

static void emit(void *ctx, const char *line)
{
	text_puts(ctx, line);
}

static int show(struct text *t, void *arg)
{
	void (*fn)(relay_emit_fn *, void *) = arg;

	fn(emit, t);
	return 0;
}

static s64 write_reset(void *arg __unused, char *buf, size_t n)
{
	if (buf[0] != '0')
		return -EINVAL;
	relay_reset_stats();
	return (s64)n;
}

static s64 write_legs(void *arg __unused, char *buf, size_t n)
{
	if (buf[0] != '0')
		return -EINVAL;
	relay_legs_reset();
	return (s64)n;
}

static s64 write_trace(void *arg __unused, char *buf, size_t n)
{
	int r;

	if (buf[0] != '0' && buf[0] != '1')
		return -EINVAL;
	r = relay_trace_enable(buf[0] == '1');
	return r ? r : (s64)n;
}

static s64 write_policy(void *arg __unused, char *buf, size_t n)
{
	int r;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	r = relay_write_policy(buf);
	return r ? r : (s64)n;
}

static void observe_release(struct file *f __unused)
{
	relay_observe_put(WATCH_LEGS);
}

/* At the end at once: that it is open is what counts. */
static s64 observe_read(struct file *f __unused, struct iov_iter *to __unused,
			u64 *pos __unused)
{
	return 0;
}

static const struct file_ops observe_fops = {
	.read = observe_read,
	.release = observe_release,
};

static int observe_open(struct inode *inode __unused, struct file *f)
{
	int r = relay_observe_get(WATCH_LEGS);

	if (!r)
		f->ops = &observe_fops;
	return r;
}

/* An open trace_raw: how far each hart's ring has been read. */
struct trace_reader {
	struct mutex lock;
	u64 pos[MAX_HARTS]; /* [lock] */
};

/* One block, in @buf; returns its bytes, 0: nothing new. */
static size_t trace_block(struct trace_reader *tr, u32 cpu, char *buf,
			  size_t room)
{
	struct trace_block *b = (struct trace_block *)buf;
	u64 lost = 0;
	u32 n;

	if (room < sizeof(*b) + sizeof(struct trace_record))
		return 0;
	n = (u32)((room - sizeof(*b)) / sizeof(struct trace_record));
	n = relay_trace_copy(cpu, &tr->pos[cpu], &lost,
			     (struct trace_record *)(b + 1), n);
	if (!n && !lost)
		return 0;
	*b = (struct trace_block){ .magic = TRACE_BLOCK_MAGIC,
				   .hart = (u16)cpu,
				   .role = (u8)harts[cpu]->role,
				   .version = 1,
				   .nr = n,
				   .lost = (u32)min(lost, 0xfffffffful) };
	return sizeof(*b) + n * sizeof(struct trace_record);
}

/* Blocks of a page, of one hart after the other until all are exhausted. */
static s64 trace_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct trace_reader *tr = f->priv;
	char *buf = get_free_page(0);
	size_t n, done = 0;
	bool fault = false;

	if (!buf)
		return -ENOMEM;
	mutex_lock(&tr->lock);
	for (u32 cpu = 0; cpu < nr_harts && !fault;) {
		size_t room = min(iov_iter_count(to), (size_t)PAGE_SIZE);

		n = trace_block(tr, cpu, buf, room);
		fault = n && copy_to_iter(buf, n, to) != n;
		done += fault ? 0 : n;
		/* A block that filled its page: there is more. */
		if (n + sizeof(struct trace_record) <= room || !n)
			cpu++;
	}
	mutex_unlock(&tr->lock);
	free_page_addr(buf);
	return fault && !done ? -EFAULT : (s64)done;
}

static void trace_release(struct file *f)
{
	relay_observe_put(WATCH_TRACE);
	kfree(f->priv);
}

static const struct file_ops trace_fops = {
	.read = trace_read,
	.release = trace_release,
};

static int trace_open(struct inode *inode __unused, struct file *f)
{
	struct trace_reader *tr = kzalloc(sizeof(*tr));
	int r = tr ? relay_observe_get(WATCH_TRACE) : -ENOMEM;

	if (r) {
		kfree(tr);
		return r;
	}
	mutex_init(&tr->lock);
	for (u32 i = 0; i < nr_harts; i++)
		tr->pos[i] = relay_trace_end(i);
	f->priv = tr;
	f->ops = &trace_fops;
	return 0;
}

static void special(struct pnode *d, const char *name,
		    int (*open)(struct inode *inode, struct file *f))
{
	struct pnode *n = pseudo_file(d, name, 0400, NULL, NULL, NULL);

	if (n)
		n->open = open;
}

int proc_relay_init(struct pnode *root)
{
	struct pnode *d = pseudo_dir(root, "relay");

	if (!d)
		return -ENOMEM;
	pseudo_file(d, "status", 0644, show, write_reset, relay_show_status);
	pseudo_file(d, "syscalls", 0644, show, write_reset,
		    relay_show_syscalls);
	pseudo_file(d, "legs", 0644, show, write_legs, relay_show_legs);
	special(d, "observe", observe_open);
	special(d, "trace_raw", trace_open);
	pseudo_file(d, "trace", 0644, show, write_trace, relay_show_trace);
	pseudo_file(d, "floor", 0444, show, NULL, relay_show_floor);
	pseudo_file(d, "policy", 0644, show, write_policy, relay_show_policy);
	pseudo_file(d, "counters", 0444, show, NULL, pmu_show);
	return 0;
}
