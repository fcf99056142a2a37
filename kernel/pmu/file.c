/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/file.c - the descriptor of an event: read, poll, ioctl, mmap, close.
 *
 * Nothing here touches user memory with perf_mutex held: an area of ours is mapped
 * with the address space locked and then takes the mutex.
 */
#include <kernel/pmu/event.h>

#include <kernel/assert.h>
#include <kernel/file/file.h>
#include <kernel/file/iov.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/pmu/filter.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/rdpmc.h>
#include <kernel/pmu/ring.h>
#include <kernel/pmu/sample.h>
#include <kernel/pmu/tracepoint.h>
#include <kernel/relay/relay.h>
#include <kernel/time/clock.h>
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAX_READ_WORDS 1024u

struct perf_event *perf_event_of(struct file *f)
{
	return f->ops == &perf_fops ? f->priv : NULL;
}

/* --- read */

static u32 member_words(u64 format)
{
	return 1 + !!(format & PERF_FORMAT_ID) + !!(format & PERF_FORMAT_LOST);
}

static u32 read_words(const struct perf_event *e)
{
	u64 fmt = e->attr.read_format;
	const struct perf_event *s;
	u32 n = 1;

	if (fmt & PERF_FORMAT_GROUP) {
		list_for_each_entry(s, &e->siblings, sib_node)
			n++;
	}
	return n * member_words(fmt) + !!(fmt & PERF_FORMAT_ENABLED) +
	       !!(fmt & PERF_FORMAT_RUNNING) + !!(fmt & PERF_FORMAT_GROUP);
}

static u64 *put_member(u64 *w, const struct perf_event *e, u64 fmt, u64 count)
{
	*w++ = count;
	if (fmt & PERF_FORMAT_ID)
		*w++ = e->id;
	if (fmt & PERF_FORMAT_LOST)
		*w++ = load_once(&e->lost);
	return w;
}

static u64 *put_times(u64 *w, u64 fmt, const struct perf_value *v)
{
	if (fmt & PERF_FORMAT_ENABLED)
		*w++ = v->enabled;
	if (fmt & PERF_FORMAT_RUNNING)
		*w++ = v->running;
	return w;
}

/* @count in a time of @run, if it was counted in one of @of: part of that. */
static u64 part(u64 count, u64 run, u64 of)
{
	u32 shift = of >> 32 ? 32u - (u32)clz64(of) : 0;

	if (run >= of)
		return count;
	run >>= shift;
	of >>= shift;
	return count / of * run + count % of * run / of;
}

/* How long all of the group had counters. */
static u64 group_running(struct perf_event *e, u64 run)
{
	struct perf_event *s;

	list_for_each_entry(s, &e->siblings, sib_node) {
		if (s->kind == KIND_SLOT && s->slot >= FIRST_DYNAMIC)
			run = min(run, perf_value(s).running);
	}
	return run;
}

/*
 * One time stands for all of a group.  What was counted for longer (cycles, which
 * always are; a slot that another group has too) is shown as its part of that.
 */
static u32 fill_group(struct perf_event *e, u64 fmt, u64 *w)
{
	struct perf_value v = perf_value(e);
	u64 *from = w, was = v.running;
	struct perf_event *s;

	v.running = group_running(e, v.running);
	*w++ = 1;
	w = put_times(w, fmt, &v);
	w = put_member(w, e, fmt, part(v.count, v.running, was));
	list_for_each_entry(s, &e->siblings, sib_node) {
		struct perf_value u = perf_value(s);

		from[0]++;
		w = put_member(w, s, fmt, part(u.count, v.running, u.running));
	}
	return (u32)(w - from);
}

static u32 fill(struct perf_event *e, u64 *w)
{
	u64 fmt = e->attr.read_format, *from = w;
	struct perf_value v = perf_value(e);

	if (fmt & PERF_FORMAT_GROUP)
		return fill_group(e, fmt, w);
	*w++ = v.count;
	w = put_times(w, fmt, &v);
	if (fmt & PERF_FORMAT_ID)
		*w++ = e->id;
	if (fmt & PERF_FORMAT_LOST)
		*w++ = load_once(&e->lost);
	return (u32)(w - from);
}

/* Of a pinned event: for how long (in cycles) it, or its group, had no counter. */
static u64 time_missed(const struct perf_event *e)
{
	const struct perf_event *s;
	struct perf_value v = perf_raw_own(e);
	u64 missed = v.enabled - v.running;

	if (!(e->attr.flags & ATTR_PINNED))
		return 0;
	list_for_each_entry(s, &e->siblings, sib_node) {
		v = perf_raw_own(s);
		missed = max(missed, v.enabled - v.running);
	}
	return missed;
}

/* Pinned, and there was no counter: its count says nothing, and is the end of the file. */
static bool has_failed(const struct perf_event *e)
{
	/* Short of it: while counters were given out anew. */
	return e->on && (e->attr.flags & ATTR_PINNED) &&
	       (time_missed(e) - e->missed) * 2 >
		       perf_raw_own(e).enabled - e->missed_of;
}

static s64 perf_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct perf_event *e = f->priv;
	u64 *w;
	u32 n;

	mutex_lock(&perf_mutex);
	perf_refresh_counts(e);
	if (has_failed(e)) {
		mutex_unlock(&perf_mutex);
		return 0;
	}
	n = read_words(e);
	if (n > MAX_READ_WORDS || iov_iter_count(to) < n * sizeof(u64)) {
		mutex_unlock(&perf_mutex);
		return -ENOSPC;
	}
	w = kmalloc(n * sizeof(u64));
	if (w)
		n = fill(e, w);
	mutex_unlock(&perf_mutex);
	if (!w)
		return -ENOMEM;
	n = copy_to_iter(w, n * sizeof(u64), to) == n * sizeof(u64)
		    ? n * (u32)sizeof(u64)
		    : 0;
	kfree(w);
	return n ? (s64)n : -EFAULT;
}

static u32 perf_poll(struct file *f, struct poll_table *pt)
{
	struct perf_event *e = f->priv;
	struct perf_rb *rb;
	u32 ev = atomic_xchg(&e->poll_events, 0);

	poll_wait(pt, f, &e->wq);
	rb = load_once(&e->rb);
	if (!rb)
		return POLLHUP;
	if (ev || perf_rb_readable(rb))
		ev |= POLLIN | POLLRDNORM;
	if (load_once(&e->exited) && list_empty(&e->children))
		ev |= POLLHUP;
	return ev;
}

/* --- ioctl */

static void for_group(struct perf_event *e, bool group,
		      void (*fn)(struct perf_event *e, u64 arg), u64 arg)
{
	struct perf_event *s;

	if (!group) {
		fn(e, arg);
		return;
	}
	e = e->leader;
	fn(e, arg);
	list_for_each_entry(s, &e->siblings, sib_node)
		fn(s, arg);
}

/* What has been in vain is begun anew: samples that were spent, a counter not had. */
static void do_enable(struct perf_event *e, u64 on)
{
	if (load_once(&e->limit) < 0) {
		perf_enable(e, false);
		store_once(&e->limit, 0);
	}
	if (on) {
		e->missed = time_missed(e);
		e->missed_of = perf_raw_own(e).enabled;
	}
	perf_arm(e, on);
}

static void do_reset(struct perf_event *e, u64 arg __unused)
{
	perf_refresh_counts(e);
	perf_reset(e);
}

static s64 set_period(struct perf_event *e, u64 n)
{
	struct perf_event *k;

	if (!e->samples || !n || n >> 63)
		return -EINVAL;
	if (e->attr.flags & ATTR_FREQ) {
		if (n > load_once(&perf_max_rate))
			return -EINVAL;
		store_once(&e->interval, NSEC_PER_SEC / n);
		list_for_each_entry(k, &e->children, child_node)
			store_once(&k->interval, e->interval);
	} else {
		store_once(&e->period, n);
		list_for_each_entry(k, &e->children, child_node)
			store_once(&k->period, n);
	}
	sample_rate(e);
	return 0;
}

static s64 do_refresh(struct perf_event *e, u64 n)
{
	if (!e->samples || (e->attr.flags & ATTR_INHERIT))
		return -EINVAL;
	if (load_once(&e->limit) < 0)
		perf_enable(e, false);
	/* Linux counts them in an int. */
	store_once(&e->limit, max(e->limit, (s64)0) + (s64)(s32)n);
	perf_arm(e, true);
	return 0;
}

/* Samples of @e go to the buffer of @to (NULL: to its own, which it has not). */
static s64 set_output(struct perf_event *e, struct perf_event *to)
{
	struct perf_rb *new = NULL;

	if (to == e)
		return -EINVAL;
	if (to) {
		if (to->cpu != e->cpu || (to->cpu < 0 && to->ctx != e->ctx))
			return -EINVAL;
		if (((to->attr.flags ^ e->attr.flags) & ATTR_WRITE_BACKWARD) ||
		    perf_clock_of(to) != perf_clock_of(e))
			return -EINVAL;
		new = to->rb;
	}
	if (load_once(&e->areas))
		return -EINVAL; /* somebody reads there */
	if (to && (!new || !load_once(&new->maps)))
		return -EINVAL; /* nothing to write to */
	perf_rb_attach(e, new ? perf_rb_get(new) : NULL);
	return 0;
}

static s64 set_output_fd(struct perf_event *e, int fd)
{
	struct file *f = NULL;
	struct perf_event *to = NULL;
	s64 r;

	if (fd != -1) {
		f = fd_get(fd);
		if (!f)
			return -EBADF;
		to = perf_event_of(f);
		if (!to) {
			file_put(f);
			return -EBADF;
		}
	}
	mutex_lock(&perf_mutex);
	r = set_output(e, to);
	mutex_unlock(&perf_mutex);
	if (f)
		file_put(f);
	return r;
}

static s64 locked_ioctl(struct perf_event *e, unsigned int cmd, u64 arg)
{
	bool group = arg & PERF_IOC_FLAG_GROUP;

	switch (cmd) {
	case PERF_IOC_ENABLE:
	case PERF_IOC_DISABLE:
		for_group(e, group, do_enable, cmd == PERF_IOC_ENABLE);
		return 0;
	case PERF_IOC_RESET:
		for_group(e, group, do_reset, 0);
		return 0;
	case PERF_IOC_REFRESH:
		return do_refresh(e, arg);
	case PERF_IOC_PERIOD:
		return set_period(e, arg);
	case PERF_IOC_PAUSE_OUTPUT:
		if (!e->rb || !e->rb->nr_pages)
			return -EINVAL;
		store_once(&e->rb->paused, arg != 0);
		return 0;
	default:
		return -ENOTTY;
	}
}

/* The filter that the text at @ustr is; @s and @format have room for a page each. */
static struct perf_filter *filter_of(const struct perf_event *e, uaddr_t ustr,
				     char *s, char *format)
{
	s64 n;

	if (!s || !format)
		return ERR_PTR(-ENOMEM);
	n = strncpy_from_user(s, ustr, PAGE_SIZE);
	if (n < 0)
		return ERR_PTR(n == -ENAMETOOLONG ? -EINVAL : (int)n);
	if (e->kind != KIND_TRACE)
		return ERR_PTR(-EINVAL);
	(void)tracepoint_format(e->sw, format, PAGE_SIZE);
	return perf_filter_parse(format, s);
}

static s64 set_filter(struct perf_event *e, uaddr_t ustr)
{
	char *s = get_free_page(0), *format = get_free_page(0);
	struct perf_filter *f = filter_of(e, ustr, s, format);

	if (s)
		free_page_addr(s);
	if (format)
		free_page_addr(format);
	if (IS_ERR(f))
		return PTR_ERR(f);
	mutex_lock(&perf_mutex);
	if (e->filter) { /* once and for all */
		perf_filter_free(f);
		f = ERR_PTR(-EEXIST);
	} else {
		/* PMUSET (release) - pairs with hit_set(): by the address. */
		store_release(&e->filter, f);
	}
	mutex_unlock(&perf_mutex);
	return IS_ERR(f) ? PTR_ERR(f) : 0;
}

/* Breakpoints alone could be changed; nobody has any. */
static s64 modify_attrs(struct perf_event *e, uaddr_t uattr)
{
	struct perf_attr a;
	int err = perf_read_attr(uattr, &a);

	if (!err)
		err = perf_check_attr(&a);
	if (err)
		return err;
	return a.type == e->attr.type ? -EOPNOTSUPP : -EINVAL;
}

/* There are no programs to set: @fd is bad, or not one. */
static s64 set_bpf(int fd)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	file_put(f);
	return -EINVAL;
}

#define BPF_PROGS_MAX 64u

/* Which are set: none. */
static s64 query_bpf(const struct perf_event *e, uaddr_t uquery)
{
	u32 n;

	if (e->kind != KIND_TRACE)
		return -EINVAL;
	if (get_user_u32(&n, uquery))
		return -EFAULT;
	if (n > BPF_PROGS_MAX)
		return -E2BIG;
	return put_user_u32(0, uquery + sizeof(n));
}

static s64 perf_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct perf_event *e = f->priv;
	u64 period;
	s64 r;

	if (cmd == PERF_IOC_ID)
		return put_user_u64(e->id, arg);
	if (cmd == PERF_IOC_SET_OUTPUT)
		return set_output_fd(e, (int)arg);
	if (cmd == PERF_IOC_SET_FILTER)
		return set_filter(e, arg);
	if (cmd == PERF_IOC_MODIFY_ATTRS)
		return modify_attrs(e, arg);
	if (cmd == PERF_IOC_SET_BPF)
		return set_bpf((int)arg);
	if (cmd == PERF_IOC_QUERY_BPF)
		return query_bpf(e, arg);
	if (cmd == PERF_IOC_PERIOD) {
		if (get_user_u64(&period, arg))
			return -EFAULT;
		arg = period;
	}
	mutex_lock(&perf_mutex);
	r = locked_ioctl(e, cmd, arg);
	mutex_unlock(&perf_mutex);
	return r;
}

static int perf_fmmap(struct file *f, struct vma *v)
{
	int r;

	mutex_lock(&perf_mutex);
	r = perf_rb_mmap(f->priv, v);
	if (!r && rdpmc_can(f->priv)) {
		perf_update_want(((struct perf_event *)f->priv)->ctx);
		perf_set_changed(f->priv);
	}
	mutex_unlock(&perf_mutex);
	return r;
}

/* --- close */

static void drop_children(struct perf_event *e)
{
	struct perf_event *k, *next;
	struct perf_set *old;
	struct list_head gone = LIST_HEAD_INIT(gone);

	list_for_each_entry_safe(k, next, &e->children, child_node) {
		struct pmu_ctx *c = k->ctx;

		list_del(&k->node);
		bool grouped = k->leader != k || !list_empty(&k->siblings);

		perf_leave_group(k);
		store_once(&k->on, false);
		k->ctx = NULL;
		perf_update_want(c);
		if (perf_is_listed(c->set, k)) {
			old = perf_update_set(c);
			pmu_sync_harts();
			kfree(old);
		} else if (grouped) {
			pmu_sync_harts(); /* a sample may be reading it */
		}
		list_del(&k->child_node);
		perf_event_free(k);
	}
}

static void perf_release(struct file *f)
{
	struct perf_event *e = f->priv;
	bool last, group;

	if (!e)
		return;

	mutex_lock(&perf_mutex);
	group = e->leader != e || !list_empty(&e->siblings);
	perf_disowned(e);
	drop_children(e);
	perf_leave_group(e);
	perf_event_detach(e, true);
	if (perf_traces(e))
		atomic_dec(&pmu_tracing);
	last = atomic_dec_and_test(&pmu_active);
	if (last)
		sample_nobody_left();
	if (last || group || e->samples || perf_traces(e))
		pmu_sync_harts();
	perf_event_free(e);
	mutex_unlock(&perf_mutex);
}

/* @f's event has no place and counts for nothing yet. */
void perf_open_failed(struct file *f)
{
	struct perf_event *e = f->priv;

	f->priv = NULL;
	mutex_lock(&perf_mutex);
	perf_event_free(e);
	mutex_unlock(&perf_mutex);
	file_put(f);
}

const struct file_ops perf_fops = {
	.read = perf_read,
	.poll = perf_poll,
	.ioctl = perf_ioctl,
	.mmap = perf_fmmap,
	.own_sigio = true,
	.setfl = perf_setfl,
	.release = perf_release,
	.anon_name = "anon_inode:[perf_event]",
};
