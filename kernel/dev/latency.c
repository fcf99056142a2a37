/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/latency.c - /dev/cpu_dma_latency: how late a hart may wake up.
 *
 * Who has it open and has written a number of microseconds holds a request; the least of
 * all counts, and can be read by everybody who has it open.  There is one way to sleep,
 * `wfi`, and no bound of how late a hart wakes from it: but while somebody asks for less
 * than a hart may poll for (`poll_us=`), a hart that waits for another one does poll for
 * that long, whatever it has learned of how long it waits (kernel/relay/idle.c).
 *
 * Locking: latency_lock (RANK_DEV).
 */
#include <kernel/dev/dev.h>

#include <kernel/file/iov.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/relay/relay.h>
#include <kernel/spinlock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

#define ANY_US	 2000000000 /* no request */
#define TEXT_MAX 12u	    /* "-0x80000000\n" */

struct request {
	struct list_head node; /* [latency_lock] */
	s32 us;		       /* [latency_lock] */
};

static struct spinlock latency_lock = SPINLOCK_INIT("cpu_latency", RANK_DEV);
static struct list_head requests = LIST_HEAD_INIT(requests);

static s32 least_locked(void)
{
	const struct request *r;
	s32 us = ANY_US;

	list_for_each_entry(r, &requests, node)
		us = min(us, r->us);
	return us;
}

static void changed_locked(void)
{
	store_once(&relay_hasty, least_locked() < (s64)relay_poll_us);
}

static int latency_open(struct chrdev *cd __unused, struct file *f)
{
	struct request *r = kzalloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->us = ANY_US;
	f->priv = r;
	spin_lock(&latency_lock);
	list_add(&r->node, &requests);
	spin_unlock(&latency_lock);
	return 0;
}

static void latency_release(struct file *f)
{
	struct request *r = f->priv;

	spin_lock(&latency_lock);
	list_del(&r->node);
	changed_locked();
	spin_unlock(&latency_lock);
	kfree(r);
}

static s64 latency_read(struct file *f __unused, struct iov_iter *to, u64 *pos)
{
	size_t n;
	s32 us;

	if (*pos >= sizeof(us) || !iov_iter_count(to))
		return 0;
	spin_lock(&latency_lock);
	us = least_locked();
	spin_unlock(&latency_lock);
	n = min(sizeof(us) - (size_t)*pos, iov_iter_count(to));
	n = copy_to_iter((const u8 *)&us + *pos, n, to);
	*pos += n;
	return n ? (s64)n : -EFAULT;
}

/* A number of 16 as text, as Linux takes it. */
static int from_text(const char *s, s32 *us)
{
	bool minus = *s == '-';
	u64 v;
	int err = kstrtou64(s + minus, 16, &v);

	if (err)
		return err;
	if (v > 0x7fffffffu + (u64)minus)
		return -ERANGE;
	*us = (s32)(minus ? -(s64)v : (s64)v);
	return 0;
}

static s64 latency_write(struct file *f, struct iov_iter *from,
			 u64 *pos __unused)
{
	struct request *r = f->priv;
	size_t n = iov_iter_count(from), len = min(n, (size_t)TEXT_MAX);
	char text[TEXT_MAX + 1] = { 0 };
	s32 us;
	int err;

	if (copy_from_iter(text, len, from) != len)
		return -EFAULT;
	if (n == sizeof(us)) {
		memcpy(&us, text, sizeof(us));
	} else {
		if (len && text[len - 1] == '\n')
			text[len - 1] = '\0';
		err = from_text(text, &us);
		if (err)
			return err;
	}
	spin_lock(&latency_lock);
	r->us = us == -1 ? ANY_US : us;
	changed_locked();
	spin_unlock(&latency_lock);
	return (s64)n;
}

/* Where it is it stays. */
static s64 latency_llseek(struct file *f, s64 off __unused, int whence __unused)
{
	return (s64)f->pos;
}

static const struct file_ops latency_fops = {
	.read = latency_read,
	.write = latency_write,
	.llseek = latency_llseek,
	.release = latency_release,
};

static struct chrdev latency_dev = {
	.name = "cpu_dma_latency",
	.dev = MKDEV(10, 258),
	.mode = 0600,
	.fops = &latency_fops,
	.open = latency_open,
	.sys_class = "misc",
};

static int latency_init(void)
{
	return chrdev_register(&latency_dev);
}
INITCALL(INIT_DRIVER, latency_init);
