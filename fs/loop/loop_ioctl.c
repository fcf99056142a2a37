/* SPDX-License-Identifier: MIT */
/*
 * fs/loop/loop_ioctl.c - ioctl(2) of /dev/loopN and /dev/loop-control.
 *
 * Numbers and structures are Linux's <linux/loop.h>.  A device that is not bound
 * answers ENXIO to all that is about its file.  There is no encryption.
 */
#include <fs/loop/loop.h>

#include <kernel/init.h>
#include <kernel/mm/user.h>
#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

#define LOOP_SET_FD	    0x4c00u
#define LOOP_CLR_FD	    0x4c01u
#define LOOP_SET_STATUS	    0x4c02u
#define LOOP_GET_STATUS	    0x4c03u
#define LOOP_SET_STATUS64   0x4c04u
#define LOOP_GET_STATUS64   0x4c05u
#define LOOP_CHANGE_FD	    0x4c06u
#define LOOP_SET_CAPACITY   0x4c07u
#define LOOP_SET_DIRECT_IO  0x4c08u
#define LOOP_SET_BLOCK_SIZE 0x4c09u
#define LOOP_CONFIGURE	    0x4c0au
#define LOOP_CTL_ADD	    0x4c80u
#define LOOP_CTL_REMOVE	    0x4c81u
#define LOOP_CTL_GET_FREE   0x4c82u

#define LOOP_CONTROL_DEV MKDEV(10, 237)
#define KEY_BYTES	 32u
#define GID_DISK	 6u
/* What LOOP_SET_STATUS may set, and may clear. */
#define SETTABLE  (LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN)
#define CLEARABLE LO_FLAGS_AUTOCLEAR
#define KNOWN	  (SETTABLE | LO_FLAGS_READ_ONLY | LO_FLAGS_DIRECT_IO)

struct loop_info64 {
	u64 device, inode, rdevice, offset, sizelimit;
	u32 number, encrypt_type, encrypt_key_size, flags;
	char file_name[LO_NAME_SIZE], crypt_name[LO_NAME_SIZE];
	u8 encrypt_key[KEY_BYTES];
	u64 init[2];
};
STATIC_ASSERT(sizeof(struct loop_info64) == 232, "as in the ABI");

struct loop_info {
	s32 number;
	u32 device;
	u64 inode;
	u32 rdevice;
	s32 offset, encrypt_type, encrypt_key_size, flags;
	char name[LO_NAME_SIZE];
	u8 encrypt_key[KEY_BYTES];
	u64 init[2];
	char reserved[4];
};
STATIC_ASSERT(sizeof(struct loop_info) == 160, "as in the ABI");

struct loop_config {
	u32 fd, block_size;
	struct loop_info64 info;
	u64 reserved[8];
};
STATIC_ASSERT(sizeof(struct loop_config) == 304, "as in the ABI");

/* --- status */

static int check_info(const struct loop_info64 *i)
{
	if (i->encrypt_key_size > KEY_BYTES || i->encrypt_type)
		return -EINVAL;
	if ((s64)i->offset < 0 || (s64)i->sizelimit < 0)
		return -EOVERFLOW;
	return 0;
}

static s64 set_status(struct loop *lo, const struct loop_info64 *i)
{
	bool scan = !(lo->flags & LO_FLAGS_PARTSCAN) &&
		    (i->flags & LO_FLAGS_PARTSCAN);
	int err = loop_bound(lo) ? check_info(i) : -ENXIO;

	if (err)
		return err;
	loop_set_range(lo, i->offset, i->sizelimit);
	memcpy(lo->name, i->file_name, sizeof(lo->name));
	lo->name[LO_NAME_SIZE - 1] = '\0';
	lo->flags = (lo->flags & ~CLEARABLE) | (i->flags & SETTABLE);
	if (scan)
		loop_set_partscan(lo);
	return 0;
}

static s64 get_status(struct loop *lo, struct loop_info64 *i)
{
	struct kstat st;
	int err = loop_bound(lo) ? vfs_fstat(lo->file, &st) : -ENXIO;

	if (err)
		return err;
	*i = (struct loop_info64){ .device = st.dev,
				   .inode = st.ino,
				   .offset = lo->offset,
				   .sizelimit = lo->sizelimit,
				   .number = lo->nr,
				   .flags = lo->flags };
	if (S_ISBLK(st.mode))
		i->rdevice = st.rdev;
	memcpy(i->file_name, lo->name, sizeof(i->file_name));
	return 0;
}

static s64 set_status64(struct loop *lo, uaddr_t arg)
{
	struct loop_info64 i;

	if (copy_from_user(&i, arg, sizeof(i)))
		return -EFAULT;
	return set_status(lo, &i);
}

static s64 get_status64(struct loop *lo, uaddr_t arg)
{
	struct loop_info64 i;
	s64 err = arg ? get_status(lo, &i) : -EINVAL;

	if (err)
		return err;
	return copy_to_user(arg, &i, sizeof(i)) ? -EFAULT : 0;
}

static s64 set_status_old(struct loop *lo, uaddr_t arg)
{
	struct loop_info64 i = { 0 };
	struct loop_info old;

	if (copy_from_user(&old, arg, sizeof(old)))
		return -EFAULT;
	i.offset = (u64)old.offset;
	i.encrypt_type = (u32)old.encrypt_type;
	i.encrypt_key_size = (u32)old.encrypt_key_size;
	i.flags = (u32)old.flags;
	memcpy(i.file_name, old.name, sizeof(i.file_name));
	return set_status(lo, &i);
}

static s64 get_status_old(struct loop *lo, uaddr_t arg)
{
	struct loop_info old = { 0 };
	struct loop_info64 i;
	s64 err = arg ? get_status(lo, &i) : -EINVAL;

	if (err)
		return err;
	old.number = (s32)i.number;
	old.device = (u32)i.device;
	old.inode = i.inode;
	old.rdevice = (u32)i.rdevice;
	old.offset = (s32)i.offset;
	old.flags = (s32)i.flags;
	memcpy(old.name, i.file_name, sizeof(old.name));
	if (old.device != i.device || old.rdevice != i.rdevice ||
	    (u64)old.offset != i.offset)
		return -EOVERFLOW;
	return copy_to_user(arg, &old, sizeof(old)) ? -EFAULT : 0;
}

/* --- binding */

static bool block_size_ok(u64 v)
{
	return v >= SECTOR_SIZE && v <= PAGE_SIZE && !(v & (v - 1));
}

static s64 bind_fd(struct loop *lo, u32 fd, const struct loop_setup *s,
		   bool can_write)
{
	struct file *f = fd_get((int)fd);
	s64 err;

	if (!f)
		return -EBADF;
	err = loop_bind(lo, f, s, can_write);
	file_put(f);
	return err;
}

static s64 configure(struct loop *lo, uaddr_t arg, bool can_write)
{
	struct loop_config c;
	struct loop_setup s;
	int err;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	err = check_info(&c.info);
	if (err)
		return err;
	if ((c.info.flags & ~KNOWN) ||
	    (c.block_size && !block_size_ok(c.block_size)))
		return -EINVAL;
	s = (struct loop_setup){ .offset = c.info.offset,
				 .sizelimit = c.info.sizelimit,
				 .flags = c.info.flags,
				 .block_size = c.block_size };
	memcpy(s.name, c.info.file_name, sizeof(s.name));
	return bind_fd(lo, c.fd, &s,
		       can_write && !(s.flags & LO_FLAGS_READ_ONLY));
}

static s64 change_fd(struct loop *lo, u32 fd)
{
	struct file *f = loop_bound(lo) ? fd_get((int)fd) : NULL;
	s64 err;

	if (!f)
		return loop_bound(lo) ? -EBADF : -ENXIO;
	err = loop_change_file(lo, f);
	file_put(f);
	return err;
}

/* --- the rest of what is about a bound device */

static s64 adjust(struct loop *lo, unsigned int cmd, u64 arg)
{
	if (!loop_bound(lo))
		return -ENXIO;
	switch (cmd) {
	case LOOP_SET_CAPACITY:
		blkdev_resize(&lo->bd, loop_file_sectors(lo->file, lo->offset,
							 lo->sizelimit));
		return 0;
	case LOOP_SET_DIRECT_IO:
		return loop_set_direct(lo, arg);
	default:
		if (arg && !block_size_ok(arg))
			return -EINVAL;
		loop_set_block_size(lo, arg ? (u32)arg : SECTOR_SIZE);
		return 0;
	}
}

/* Changing needs the device open for writing, but to bind and to let go. */
static s64 locked_ioctl(struct loop *lo, unsigned int cmd, u64 arg,
			bool can_write)
{
	static const struct loop_setup plain;
	bool may = can_write || capable(CAP_SYS_ADMIN);

	switch (cmd) {
	case LOOP_SET_FD:
		return bind_fd(lo, (u32)arg, &plain, can_write);
	case LOOP_CONFIGURE:
		return configure(lo, arg, can_write);
	case LOOP_CHANGE_FD:
		return change_fd(lo, (u32)arg);
	case LOOP_CLR_FD:
		return loop_let_go(lo);
	case LOOP_GET_STATUS:
		return get_status_old(lo, arg);
	case LOOP_GET_STATUS64:
		return get_status64(lo, arg);
	case LOOP_SET_STATUS:
		return may ? set_status_old(lo, arg) : -EPERM;
	case LOOP_SET_STATUS64:
		return may ? set_status64(lo, arg) : -EPERM;
	case LOOP_SET_CAPACITY:
	case LOOP_SET_DIRECT_IO:
	case LOOP_SET_BLOCK_SIZE:
		return may ? adjust(lo, cmd, arg) : -EPERM;
	default:
		return -EINVAL; /* as Linux, not ENOTTY */
	}
}

s64 loop_ioctl(struct blkdev *bd, unsigned int cmd, u64 arg, bool can_write)
{
	struct loop *lo = loop_of(bd);
	s64 r;

	mutex_lock(&lo->mutex);
	r = locked_ioctl(lo, cmd, arg, can_write);
	mutex_unlock(&lo->mutex);
	return r;
}

/* --- /dev/loop-control */

static s64 control_ioctl(struct file *f __unused, unsigned int cmd, u64 arg)
{
	switch (cmd) {
	case LOOP_CTL_ADD:
		return loop_add((int)arg);
	case LOOP_CTL_REMOVE:
		return loop_remove((int)arg);
	case LOOP_CTL_GET_FREE:
		return loop_get_free();
	default:
		return -ENOSYS; /* as Linux */
	}
}

static const struct file_ops control_fops = {
	.ioctl = control_ioctl,
};

static struct chrdev control = {
	.name = "loop-control",
	.dev = LOOP_CONTROL_DEV,
	.mode = 0660,
	.gid = GID_DISK,
	.fops = &control_fops,
	.sys_class = "misc",
};

static int loop_control_init(void)
{
	return chrdev_register(&control);
}
INITCALL(INIT_DRIVER, loop_control_init);
