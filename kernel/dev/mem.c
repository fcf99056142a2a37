/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/mem.c - /dev/null zero full random urandom.
 *
 * Not here: the generator (kernel/random.c), /dev/kmsg (kmsg.c).
 */
#include <kernel/dev/dev.h>

#include <kernel/file/iov.h>
#include <kernel/file/poll.h>
#include <kernel/init.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/mm/vm.h>
#include <kernel/random.h>
#include <kernel/task/process.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define MEM_MAJOR 1

/* Between chances for other work in a long run of zeroes. */
#define ZERO_CHUNK (256u * 1024)

/* --- null, zero, full */

static s64 null_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	(void)f;
	(void)to;
	(void)pos;
	return 0;
}

static s64 null_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	size_t n = iov_iter_count(from);

	(void)f;
	(void)pos;
	iov_iter_advance(from, n);
	return (s64)n;
}

static s64 full_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	(void)f;
	(void)from;
	(void)pos;
	return -ENOSPC;
}

static s64 zero_long(struct iov_iter *to)
{
	s64 done = 0;

	while (iov_iter_count(to) > 0) {
		size_t n = min_t(size_t, ZERO_CHUNK, iov_iter_count(to));
		size_t moved = zero_iter(n, to);

		done += (s64)moved;
		if (moved < n)
			return done ? done : -EFAULT;
		if (signal_pending_current())
			break;
		cond_resched();
	}
	return done;
}

static s64 zero_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	size_t n = iov_iter_count(to), moved;

	(void)f;
	(void)pos;
	if (unlikely(n > ZERO_CHUNK))
		return zero_long(to);
	moved = zero_iter(n, to);
	return likely(moved || !n) ? (s64)moved : -EFAULT;
}

/* Any position is as good as any other, and none is kept. */
static s64 null_llseek(struct file *f, s64 off, int whence)
{
	(void)f;
	(void)off;
	(void)whence;
	return 0;
}

static const struct file_ops null_fops = {
	.read = null_read,
	.write = null_write,
	.llseek = null_llseek,
};

static const struct file_ops zero_fops = {
	.read = zero_read,
	.write = null_write,
	.llseek = null_llseek,
	.mmap = mm_mmap_zero,
};

static const struct file_ops full_fops = {
	.read = zero_read,
	.write = full_write,
	.llseek = null_llseek,
};

/* --- random, urandom */

#define RNDGETENTCNT   0x80045200u
#define RNDADDTOENTCNT 0x40045201u
#define RNDADDENTROPY  0x40085203u
#define RNDZAPENTCNT   0x5204u
#define RNDCLEARPOOL   0x5206u
#define RNDRESEEDCRNG  0x5207u
#define ENTROPY_BITS   256u

static s64 urandom_read(struct file *f, struct iov_iter *to, u64 *pos)
{
	(void)f;
	(void)pos;
	return random_read(to);
}

static s64 urandom_write(struct file *f, struct iov_iter *from, u64 *pos)
{
	u8 buf[256];
	s64 done = 0;

	(void)f;
	(void)pos;
	while (iov_iter_count(from) > 0) {
		size_t len = min_t(size_t, sizeof(buf), iov_iter_count(from));
		size_t n = copy_from_iter(buf, len, from);

		random_add(buf, n);
		done += (s64)n;
		if (n < len)
			return done ? done : -EFAULT;
		if (signal_pending_current())
			break;
		cond_resched();
	}
	return done;
}

/* struct rand_pool_info: bits, size, then the bytes. */
static s64 add_entropy(struct file *f, uaddr_t arg)
{
	u32 bits, size;
	struct iovec_user iov;
	struct iov_iter from;
	s64 n;

	if (get_user_u32(&bits, arg) || get_user_u32(&size, arg + 4))
		return -EFAULT;
	if ((s32)bits < 0 || (s32)size < 0)
		return -EINVAL;
	iov = (struct iovec_user){ .base = arg + 8, .len = size };
	iov_iter_user(&from, &iov, 1, size);
	n = urandom_write(f, &from, NULL);
	return n < 0 ? n : 0;
}

static s64 urandom_ioctl(struct file *f, unsigned int cmd, u64 arg)
{
	u32 v;

	switch (cmd) {
	case RNDGETENTCNT:
		return put_user_u32(ENTROPY_BITS, arg);
	case RNDADDTOENTCNT:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		if (get_user_u32(&v, arg))
			return -EFAULT;
		return (s32)v < 0 ? -EINVAL : 0;
	case RNDADDENTROPY:
		return capable(CAP_SYS_ADMIN) ? add_entropy(f, arg) : -EPERM;
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
		return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	case RNDRESEEDCRNG:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		random_add(&cmd, sizeof(cmd)); /* every hart takes a new key */
		return 0;
	default:
		return -EINVAL;
	}
}

/* There is always something to read. */
static u32 random_poll(struct file *f __unused, struct poll_table *pt __unused)
{
	return POLLIN | POLLRDNORM;
}

static const struct file_ops random_fops = {
	.read = urandom_read,
	.write = urandom_write,
	.poll = random_poll,
	.ioctl = urandom_ioctl,
	.llseek = null_llseek,
};

/* As random, but that it cannot be waited for. */
static const struct file_ops urandom_fops = {
	.read = urandom_read,
	.write = urandom_write,
	.ioctl = urandom_ioctl,
	.llseek = null_llseek,
};

/* --- the devices */

#define MEM_DEV(nm, minor, md, ops)                                         \
	{                                                                   \
		.name = (nm), .dev = MKDEV(MEM_MAJOR, minor), .mode = (md), \
		.fops = (ops), .sys_class = "mem"                           \
	}

static struct chrdev devices[] = {
	MEM_DEV("null", 3, 0666, &null_fops),
	MEM_DEV("zero", 5, 0666, &zero_fops),
	MEM_DEV("full", 7, 0666, &full_fops),
	MEM_DEV("random", 8, 0666, &random_fops),
	MEM_DEV("urandom", 9, 0666, &urandom_fops),
};

static int mem_init(void)
{
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(devices) && !err; i++)
		err = chrdev_register(&devices[i]);
	return err;
}
INITCALL(INIT_DRIVER, mem_init);
