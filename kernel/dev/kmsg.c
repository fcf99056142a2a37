/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/kmsg.c - /dev/kmsg: one record of the kernel's log per read, one message of a
 * program's per write.  file->version is the number of the next record.
 */
#include <kernel/dev/dev.h>

#include <kernel/file/iov.h>
#include <kernel/file/poll.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/sched/wait.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define KMSG_LINE     1024u /* a message that is written is shorter */
#define KMSG_RECORD   2048u
#define KMSG_FACILITY 1u /* LOG_USER, of messages written */

struct kmsg_buf {
	char text[LOG_LINE_MAX];
	char line[KMSG_RECORD];
};

static int kmsg_open(struct chrdev *cd __unused, struct file *f)
{
	f->version = log_first_seq();
	return 0;
}

static bool is_plain(char c)
{
	return (u8)c >= ' ' && (u8)c < 127 && c != '\\';
}

/* "6,12,345678,-;text\n", what is not plain as \x0a; its length. */
static size_t compose(char *out, u64 seq, u32 prio, u64 ns, const char *text,
		      size_t n)
{
	size_t at = (size_t)scnprintf(out, KMSG_RECORD, "%u,%llu,%llu,-;", prio,
				      (unsigned long long)seq,
				      (unsigned long long)(ns / NSEC_PER_USEC));

	for (size_t i = 0; i < n && at < KMSG_RECORD - 6; i++) {
		if (is_plain(text[i]))
			out[at++] = text[i];
		else
			at += (size_t)scnprintf(out + at, 6, "\\x%02x",
						(u8)text[i]);
	}
	out[at++] = '\n';
	return at;
}

/* The next record into @buf->line: its length, -EAGAIN, or -EPIPE once when it was
 * overwritten. */
static int kmsg_record(struct file *f, struct kmsg_buf *buf)
{
	u64 ns, seq = f->version;
	u32 prio;
	int n = log_read(&f->version, buf->text, &prio, &ns);

	if (n < 0)
		return n;
	if (f->version - 1 != seq) {
		f->version--;
		return -EPIPE;
	}
	return (int)compose(buf->line, seq, prio, ns, buf->text, (size_t)n);
}

static int kmsg_wait(struct file *f)
{
	if (f->version < log_next_seq())
		return 0;
	if (load_once(&f->flags) & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible(&log_wq, f->version < log_next_seq());
}

static s64 kmsg_deliver(struct file *f, struct iov_iter *to,
			struct kmsg_buf *buf)
{
	int n = kmsg_wait(f);

	if (!n)
		n = kmsg_record(f, buf);
	if (n < 0)
		return n;
	if (iov_iter_count(to) < (size_t)n)
		return -EINVAL; /* and it is lost, as on Linux */
	return copy_to_iter(buf->line, (size_t)n, to) == (size_t)n ? n
								   : -EFAULT;
}

static s64 kmsg_read(struct file *f, struct iov_iter *to, u64 *pos __unused)
{
	struct kmsg_buf *buf = kmalloc(sizeof(*buf));
	s64 ret;

	if (!buf)
		return -ENOMEM;
	ret = kmsg_deliver(f, to, buf);
	kfree(buf);
	return ret;
}

/* "<14>text": the priority, if the text begins with one; nobody is the kernel. */
static u32 kmsg_prio(const char **text)
{
	const char *end;
	u64 prio;

	if (**text != '<')
		return KMSG_FACILITY << 3 | LOG_WARN;
	prio = parse_u64(*text + 1, &end, 10);
	if (end == *text + 1 || *end != '>' || prio > 255)
		return KMSG_FACILITY << 3 | LOG_WARN;
	*text = end + 1;
	return (u32)(prio > LOG_LEVEL_MASK ? prio : KMSG_FACILITY << 3 | prio);
}

static s64 kmsg_write(struct file *f __unused, struct iov_iter *from,
		      u64 *pos __unused)
{
	size_t len = iov_iter_count(from);
	char *buf;
	const char *text;
	u32 prio;

	if (len >= KMSG_LINE)
		return -EINVAL;
	buf = kmalloc(KMSG_LINE);
	if (!buf)
		return -ENOMEM;
	if (copy_from_iter(buf, len, from) < len) {
		kfree(buf);
		return -EFAULT;
	}
	buf[len] = '\0';
	if (len && buf[len - 1] == '\n')
		buf[len - 1] = '\0';
	text = buf;
	prio = kmsg_prio(&text);
	log_text(prio, text);
	kfree(buf);
	return (s64)len;
}

static s64 kmsg_llseek(struct file *f, s64 off, int whence)
{
	if (off)
		return -ESPIPE;
	switch (whence) {
	case 0: /* SEEK_SET: the oldest record kept */
		f->version = log_first_seq();
		return 0;
	case 3: /* SEEK_DATA: what syslog(2) has not cleared */
		f->version = max(load_once(&log_cleared_seq), log_first_seq());
		return 0;
	case 2: /* SEEK_END: only what comes from now on */
		f->version = log_next_seq();
		return 0;
	default:
		return -EINVAL;
	}
}

static u32 kmsg_poll(struct file *f, struct poll_table *pt)
{
	poll_wait(pt, f, &log_wq);
	if (f->version >= log_next_seq())
		return 0;
	if (f->version < log_first_seq())
		return POLLIN | POLLRDNORM | POLLERR | POLLPRI;
	return POLLIN | POLLRDNORM;
}

static const struct file_ops kmsg_fops = {
	.read = kmsg_read,
	.write = kmsg_write,
	.llseek = kmsg_llseek,
	.poll = kmsg_poll,
};

static struct chrdev kmsg_dev = {
	.name = "kmsg",
	.dev = MKDEV(1, 11),
	.mode = 0644,
	.fops = &kmsg_fops,
	.open = kmsg_open,
	.sys_class = "mem",
};

static int kmsg_init(void)
{
	return chrdev_register(&kmsg_dev);
}
INITCALL(INIT_DRIVER, kmsg_init);
