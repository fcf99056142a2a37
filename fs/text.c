/* SPDX-License-Identifier: MIT */
/*
 * fs/text.c - text built in memory and read as a file; see pseudo.h.
 */
#include <fs/pseudo.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define TEXT_MAX  (2ul << 20) /* one kmalloc */
#define WRITE_MAX 4096u

struct text_file {
	struct mutex lock;
	struct text text;	 /* [lock] */
	bool made;		 /* [lock] */
	pseudo_show_fn *show;	 /* [I] */
	pseudo_write_fn *write;	 /* [I] */
	void *arg;		 /* [I] */
	void (*arg_put)(void *); /* [I] */
	struct waitq *wq;	 /* [I] text_watch() */
	const u32 *event;	 /* [I] */
	bool until_read;	 /* [I] text_watch_read() */
	bool sized, syncs;	 /* [I] text_sized() */
	text_ioctl_fn *ioctl;	 /* [I] text_ioctl() */
};

static bool room(struct text *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 1024;
	char *b;

	if (t->failed)
		return false;
	if (t->len + n + 1 <= t->cap)
		return true;
	while (cap < t->len + n + 1)
		cap *= 2;
	b = cap > TEXT_MAX ? NULL : krealloc(t->buf, cap);
	if (!b) {
		t->failed = true;
		return false;
	}
	t->buf = b;
	t->cap = cap;
	return true;
}

void text_write(struct text *t, const void *p, size_t n)
{
	if (!room(t, n))
		return;
	memcpy(t->buf + t->len, p, n);
	t->len += n;
}

void text_puts(struct text *t, const char *s)
{
	text_write(t, s, strlen(s));
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!room(t, 128))
		return;
	for (;;) {
		va_start(ap, fmt);
		n = vsnprintf(t->buf + t->len, t->cap - t->len, fmt, ap);
		va_end(ap);
		if ((size_t)n < t->cap - t->len)
			break;
		if (!room(t, (size_t)n))
			return;
	}
	t->len += (size_t)n;
}

void text_free(struct text *t)
{
	kfree(t->buf);
	*t = (struct text){ 0 };
}

static int make(struct text_file *tf, struct file *f)
{
	int r;

	if (tf->until_read)
		f->version = load_once(tf->event);
	tf->text.len = 0;
	tf->text.failed = false;
	tf->text.sb = f->inode ? f->inode->sb : NULL;
	r = tf->show ? tf->show(&tf->text, tf->arg) : -EIO;
	if (!r && tf->text.failed)
		r = -ENOMEM;
	tf->made = !r;
	return r;
}

static s64 text_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	struct text_file *tf = f->priv;
	size_t n, done;
	s64 r = 0;

	if (!iov_iter_count(to))
		return 0;
	mutex_lock(&tf->lock);
	if (*pos == 0 || !tf->made)
		r = make(tf, f);
	if (!r && *pos < tf->text.len) {
		n = min(tf->text.len - (size_t)*pos, iov_iter_count(to));
		done = copy_to_iter(tf->text.buf + *pos, n, to);
		*pos += done;
		r = done ? (s64)done : -EFAULT;
	}
	mutex_unlock(&tf->lock);
	return r;
}

static s64 text_file_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	struct text_file *tf = f->priv;
	size_t n = iov_iter_count(from);
	char *buf;
	s64 r;

	if (!tf->write)
		return -EINVAL;
	if (!n)
		return 0;
	n = min(n, (size_t)WRITE_MAX - 1);
	buf = kmalloc(WRITE_MAX);
	if (!buf)
		return -ENOMEM;
	if (copy_from_iter(buf, n, from) != n) {
		kfree(buf);
		return -EFAULT;
	}
	buf[n] = '\0';
	r = tf->write(tf->arg, buf, n);
	kfree(buf);
	if (r > 0)
		*pos += (u64)r;
	return r;
}

static s64 text_llseek(struct file *f, s64 off, int whence)
{
	const struct text_file *tf = f->priv;

	return tf->sized ? generic_file_llseek(f, off, whence)
			 : endless_llseek(f, off, whence);
}

static int text_fsync(struct file *f, bool datasync)
{
	const struct text_file *tf = f->priv;

	(void)datasync;
	return tf->syncs ? 0 : -EINVAL;
}

static void text_release(struct file *f)
{
	struct text_file *tf = f->priv;

	text_free(&tf->text);
	if (tf->arg_put)
		tf->arg_put(tf->arg);
	kfree(tf);
}

static u32 text_poll(struct file *f, struct poll_table *pt)
{
	struct text_file *tf = f->priv;
	u32 ev = POLLIN | POLLRDNORM, now;

	poll_wait(pt, f, tf->wq);
	now = load_once(tf->event);
	if (now != (u32)f->version) {
		if (!tf->until_read)
			f->version = now;
		ev |= POLLPRI | POLLERR;
	}
	return ev;
}

static const struct file_ops text_watched_fops = {
	.read = text_read,
	.write = text_file_write,
	.llseek = text_llseek,
	.fsync = text_fsync,
	.poll = text_poll,
	.release = text_release,
};

void text_watch(struct file *f, struct waitq *wq, const u32 *event)
{
	struct text_file *tf = f->priv;

	tf->wq = wq;
	tf->event = event;
	f->version = load_once(event);
	f->ops = &text_watched_fops;
}

void text_watch_read(struct file *f, struct waitq *wq, const u32 *event)
{
	struct text_file *tf = f->priv;

	text_watch(f, wq, event);
	tf->until_read = true;
	f->version--; /* it was not read yet */
}

static struct waitq never_wq = WAITQ_INIT(never_wq);
static const u32 no_event;

void text_ready(struct file *f, bool untold)
{
	if (untold)
		text_watch_read(f, &never_wq, &no_event);
	else
		text_watch(f, &never_wq, &no_event);
}

static const struct file_ops text_fops = {
	.read = text_read,
	.write = text_file_write,
	.llseek = text_llseek,
	.fsync = text_fsync,
	.release = text_release,
};

int text_open(struct file *f, pseudo_show_fn *show, pseudo_write_fn *write,
	      void *arg, void (*arg_put)(void *))
{
	struct text_file *tf = kzalloc(sizeof(*tf));

	if (!tf)
		return -ENOMEM;
	mutex_init(&tf->lock);
	tf->show = show;
	tf->write = write;
	tf->arg = arg;
	tf->arg_put = arg_put;
	f->priv = tf;
	f->ops = &text_fops;
	return 0;
}

void text_sized(struct file *f, bool syncs)
{
	struct text_file *tf = f->priv;

	tf->sized = true;
	tf->syncs = syncs;
}

static s64 do_text_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	struct text_file *tf = f->priv;

	return tf->ioctl(tf->arg, cmd, arg);
}

static const struct file_ops text_ioctl_fops = {
	.read = text_read,
	.write = text_file_write,
	.llseek = text_llseek,
	.fsync = text_fsync,
	.ioctl = do_text_ioctl,
	.release = text_release,
};

void text_ioctl(struct file *f, text_ioctl_fn *fn)
{
	struct text_file *tf = f->priv;

	tf->ioctl = fn;
	f->ops = &text_ioctl_fops;
}
