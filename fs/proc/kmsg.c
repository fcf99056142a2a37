/* SPDX-License-Identifier: MIT */
/*
 * fs/proc/kmsg.c - /proc/kmsg: the kernel's log as a stream, whose end syslog(2) and
 * all who have the file open share.  What one has read the others do not get.
 */
#include <fs/proc/proc.h>
#include <kernel/file/file.h>
#include <kernel/file/poll.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>

static bool is_empty(void)
{
	return load_once(&log_reader_seq) >= log_next_seq();
}

/* Whole records; one that does not fit at all stays. */
static s64 take_records(struct iov_iter *to, char *line)
{
	u64 seq = load_once(&log_reader_seq);
	size_t done = 0;
	int n;

	while (iov_iter_count(to) && (n = log_format(&seq, line)) >= 0) {
		if ((size_t)n > iov_iter_count(to))
			return done ? (s64)done : -EINVAL;
		if (copy_to_iter(line, (size_t)n, to) != (size_t)n)
			return done ? (s64)done : -EFAULT;
		done += (size_t)n;
		store_once(&log_reader_seq, seq);
	}
	return (s64)done;
}

static s64 kmsg_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	char *line;
	s64 n = 0;

	if (is_empty() && (load_once(&f->flags) & O_NONBLOCK))
		return -EAGAIN;
	line = kmalloc(LOG_LINE_MAX);
	if (!line)
		return -ENOMEM;
	while (!n) { /* another reader may have been faster */
		n = wait_event_interruptible(&log_wq, !is_empty());
		if (!n)
			n = take_records(to, line);
	}
	kfree(line);
	return n;
}

static u32 kmsg_poll(struct file *f, struct poll_table *pt)
{
	poll_wait(pt, f, &log_wq);
	return is_empty() ? 0 : POLLIN | POLLRDNORM;
}

static const struct file_ops kmsg_fops = {
	.read = kmsg_read,
	.poll = kmsg_poll,
	.llseek = endless_llseek,
};

static int kmsg_open(struct inode *i __unused, struct file *f)
{
	if (!capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	f->ops = &kmsg_fops;
	return 0;
}

static int kmsg_init(void)
{
	struct pnode *n =
		pseudo_file(proc_root, "kmsg", 0400, NULL, NULL, NULL);

	if (!n)
		return -ENOMEM;
	n->open = kmsg_open;
	return 0;
}
INITCALL(INIT_LATE, kmsg_init);
