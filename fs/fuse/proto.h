/* SPDX-License-Identifier: MIT */
/*
 * fs/fuse/proto.h - what goes over /dev/fuse: version 7.41 of the protocol.
 *
 * A request is a header and what its number says, a reply likewise.  Names and
 * layouts are the protocol's; all numbers are the machine's own.
 */
#ifndef FS_FUSE_PROTO_H
#define FS_FUSE_PROTO_H

#include <lib/types.h>

#define FUSE_VERSION	  7u
#define FUSE_MINOR	  41u
#define FUSE_MINOR_OLDEST 12u /* of a daemon that we can talk to */
#define FUSE_ROOT_ID	  1u
#define FUSE_NAME_MAX	  1024u
#define FUSE_MIN_BUFFER	  8192u
#define FUSE_INT_BIT	  1u /* of a unique number: the request that interrupts it */

enum fuse_op {
	FUSE_LOOKUP = 1,
	FUSE_FORGET = 2, /* no reply */
	FUSE_GETATTR = 3,
	FUSE_SETATTR = 4,
	FUSE_READLINK = 5,
	FUSE_SYMLINK = 6,
	FUSE_MKNOD = 8,
	FUSE_MKDIR = 9,
	FUSE_UNLINK = 10,
	FUSE_RMDIR = 11,
	FUSE_RENAME = 12,
	FUSE_LINK = 13,
	FUSE_OPEN = 14,
	FUSE_READ = 15,
	FUSE_WRITE = 16,
	FUSE_STATFS = 17,
	FUSE_RELEASE = 18,
	FUSE_FSYNC = 20,
	FUSE_SETXATTR = 21,
	FUSE_GETXATTR = 22,
	FUSE_LISTXATTR = 23,
	FUSE_REMOVEXATTR = 24,
	FUSE_FLUSH = 25,
	FUSE_INIT = 26,
	FUSE_OPENDIR = 27,
	FUSE_READDIR = 28,
	FUSE_RELEASEDIR = 29,
	FUSE_FSYNCDIR = 30,
	FUSE_GETLK = 31,
	FUSE_SETLK = 32,
	FUSE_SETLKW = 33,
	FUSE_ACCESS = 34,
	FUSE_CREATE = 35,
	FUSE_INTERRUPT = 36,
	FUSE_DESTROY = 38,
	FUSE_IOCTL = 39,
	FUSE_POLL = 40,
	FUSE_NOTIFY_REPLY = 41,
	FUSE_BATCH_FORGET = 42, /* no reply */
	FUSE_FALLOCATE = 43,
	FUSE_READDIRPLUS = 44,
	FUSE_RENAME2 = 45,
	FUSE_LSEEK = 46,
	FUSE_COPY_FILE_RANGE = 47,
	FUSE_TMPFILE = 51,
};

enum fuse_notify {
	FUSE_NOTIFY_POLL = 1,
	FUSE_NOTIFY_INVAL_INODE = 2,
	FUSE_NOTIFY_INVAL_ENTRY = 3,
	FUSE_NOTIFY_STORE = 4,
	FUSE_NOTIFY_RETRIEVE = 5,
	FUSE_NOTIFY_DELETE = 6,
};

struct fuse_in_header {
	u32 len, opcode;
	u64 unique, nodeid;
	u32 uid, gid, pid;
	u16 total_extlen, padding;
};

struct fuse_out_header {
	u32 len;
	s32 error;
	u64 unique;
};

/* FUSE_INIT: flags that we offer, and do what they say when the daemon takes them */
#define FUSE_ASYNC_READ		  BIT(0)
#define FUSE_POSIX_LOCKS	  BIT(1)
#define FUSE_BIG_WRITES		  BIT(5)
#define FUSE_DONT_MASK		  BIT(6)
#define FUSE_FLOCK_LOCKS	  BIT(10)
#define FUSE_HAS_IOCTL_DIR	  BIT(11)
#define FUSE_AUTO_INVAL_DATA	  BIT(12)
#define FUSE_DO_READDIRPLUS	  BIT(13)
#define FUSE_READDIRPLUS_AUTO	  BIT(14)
#define FUSE_NO_OPEN_SUPPORT	  BIT(17)
#define FUSE_PARALLEL_DIROPS	  BIT(18)
#define FUSE_HANDLE_KILLPRIV	  BIT(19)
#define FUSE_ABORT_ERROR	  BIT(21)
#define FUSE_MAX_PAGES		  BIT(22)
#define FUSE_NO_OPENDIR_SUPPORT	  BIT(24)
#define FUSE_EXPLICIT_INVAL_DATA  BIT(25)
#define FUSE_INIT_EXT		  BIT(30)
#define FUSE_DIRECT_IO_ALLOW_MMAP BIT(36)

struct fuse_init_in {
	u32 major, minor, max_readahead, flags, flags2;
	u32 unused[11];
};

struct fuse_init_out {
	u32 major, minor, max_readahead, flags;
	u16 max_background, congestion_threshold;
	u32 max_write, time_gran;
	u16 max_pages, map_alignment;
	u32 flags2, max_stack_depth;
	u32 unused[6];
};

struct fuse_attr {
	u64 ino, size, blocks, atime, mtime, ctime;
	u32 atimensec, mtimensec, ctimensec;
	u32 mode, nlink, uid, gid, rdev, blksize, flags;
};

struct fuse_entry_out {
	u64 nodeid, generation, entry_valid, attr_valid;
	u32 entry_valid_nsec, attr_valid_nsec;
	struct fuse_attr attr;
};

struct fuse_forget_one {
	u64 nodeid, nlookup;
};

struct fuse_batch_forget_in {
	u32 count, pad;
};

#define FUSE_GETATTR_FH BIT(0)
struct fuse_getattr_in {
	u32 flags, pad;
	u64 fh;
};

struct fuse_attr_out {
	u64 attr_valid;
	u32 attr_valid_nsec, pad;
	struct fuse_attr attr;
};

#define FATTR_MODE	BIT(0)
#define FATTR_UID	BIT(1)
#define FATTR_GID	BIT(2)
#define FATTR_SIZE	BIT(3)
#define FATTR_ATIME	BIT(4)
#define FATTR_MTIME	BIT(5)
#define FATTR_FH	BIT(6)
#define FATTR_ATIME_NOW BIT(7)
#define FATTR_MTIME_NOW BIT(8)
#define FATTR_LOCKOWNER BIT(9)
struct fuse_setattr_in {
	u32 valid, padding;
	u64 fh, size, lock_owner, atime, mtime, ctime;
	u32 atimensec, mtimensec, ctimensec;
	u32 mode, unused4, uid, gid, unused5;
};

struct fuse_mknod_in {
	u32 mode, rdev, umask, padding;
};

struct fuse_mkdir_in {
	u32 mode, umask;
};

struct fuse_rename_in {
	u64 newdir;
};

struct fuse_rename2_in {
	u64 newdir;
	u32 flags, padding;
};

struct fuse_link_in {
	u64 oldnodeid;
};

struct fuse_open_in {
	u32 flags, open_flags;
};

struct fuse_create_in {
	u32 flags, mode, umask, open_flags;
};

#define FOPEN_DIRECT_IO	  BIT(0)
#define FOPEN_KEEP_CACHE  BIT(1)
#define FOPEN_NONSEEKABLE BIT(2)
#define FOPEN_CACHE_DIR	  BIT(3)
#define FOPEN_STREAM	  BIT(4)
#define FOPEN_NOFLUSH	  BIT(5)
struct fuse_open_out {
	u64 fh;
	u32 open_flags;
	s32 backing_id;
};

#define FUSE_RELEASE_FLUSH	  BIT(0)
#define FUSE_RELEASE_FLOCK_UNLOCK BIT(1)
struct fuse_release_in {
	u64 fh;
	u32 flags, release_flags;
	u64 lock_owner;
};

struct fuse_flush_in {
	u64 fh;
	u32 unused, padding;
	u64 lock_owner;
};

#define FUSE_READ_LOCKOWNER BIT(1)
struct fuse_read_in {
	u64 fh, offset;
	u32 size, read_flags;
	u64 lock_owner;
	u32 flags, padding;
};

#define FUSE_WRITE_CACHE     BIT(0)
#define FUSE_WRITE_LOCKOWNER BIT(1)
struct fuse_write_in {
	u64 fh, offset;
	u32 size, write_flags;
	u64 lock_owner;
	u32 flags, padding;
};

struct fuse_write_out {
	u32 size, padding;
};

struct fuse_statfs_out {
	u64 blocks, bfree, bavail, files, ffree;
	u32 bsize, namelen, frsize, padding;
	u32 spare[6];
};

#define FUSE_FSYNC_DATA BIT(0)
struct fuse_fsync_in {
	u64 fh;
	u32 fsync_flags, padding;
};

struct fuse_setxattr_in {
	u32 size, flags;
};

struct fuse_getxattr_in {
	u32 size, padding;
};

struct fuse_getxattr_out {
	u32 size, padding;
};

struct fuse_file_lock {
	u64 start, end;
	u32 type, pid;
};

#define FUSE_LK_FLOCK BIT(0)
struct fuse_lk_in {
	u64 fh, owner;
	struct fuse_file_lock lk;
	u32 lk_flags, padding;
};

struct fuse_lk_out {
	struct fuse_file_lock lk;
};

struct fuse_access_in {
	u32 mask, padding;
};

struct fuse_interrupt_in {
	u64 unique;
};

#define FUSE_IOCTL_RETRY BIT(2)
#define FUSE_IOCTL_DIR	 BIT(4)
struct fuse_ioctl_in {
	u64 fh;
	u32 flags, cmd;
	u64 arg;
	u32 in_size, out_size;
};

struct fuse_ioctl_out {
	s32 result;
	u32 flags, in_iovs, out_iovs;
};

#define FUSE_POLL_SCHEDULE_NOTIFY BIT(0)
struct fuse_poll_in {
	u64 fh, kh;
	u32 flags, events;
};

struct fuse_poll_out {
	u32 revents, padding;
};

struct fuse_fallocate_in {
	u64 fh, offset, length;
	u32 mode, padding;
};

struct fuse_lseek_in {
	u64 fh, offset;
	u32 whence, padding;
};

struct fuse_lseek_out {
	u64 offset;
};

struct fuse_copy_file_range_in {
	u64 fh_in, off_in, nodeid_out, fh_out, off_out, len, flags;
};

struct fuse_dirent {
	u64 ino, off;
	u32 namelen, type;
	char name[];
};

struct fuse_direntplus {
	struct fuse_entry_out entry;
	struct fuse_dirent dirent;
};

/* --- what the daemon tells without being asked */
struct fuse_notify_poll_out {
	u64 kh;
};

struct fuse_notify_inode_out {
	u64 ino;
	s64 off, len;
};

#define FUSE_EXPIRE_ONLY BIT(0)
struct fuse_notify_entry_out {
	u64 parent;
	u32 namelen, flags;
};

struct fuse_notify_delete_out {
	u64 parent, child;
	u32 namelen, padding;
};

struct fuse_notify_store_out {
	u64 nodeid, offset;
	u32 size, padding;
};

struct fuse_notify_retrieve_out {
	u64 notify_unique, nodeid, offset;
	u32 size, padding;
};

struct fuse_notify_retrieve_in {
	u64 pad1, offset;
	u32 size, pad2;
	u64 pad3, pad4;
};

STATIC_ASSERT(sizeof(struct fuse_in_header) == 40, "wire");
STATIC_ASSERT(sizeof(struct fuse_out_header) == 16, "wire");
STATIC_ASSERT(sizeof(struct fuse_init_in) == 64, "wire");
STATIC_ASSERT(sizeof(struct fuse_init_out) == 64, "wire");
STATIC_ASSERT(sizeof(struct fuse_attr) == 88, "wire");
STATIC_ASSERT(sizeof(struct fuse_entry_out) == 128, "wire");
STATIC_ASSERT(sizeof(struct fuse_setattr_in) == 88, "wire");
STATIC_ASSERT(sizeof(struct fuse_write_in) == 40, "wire");
STATIC_ASSERT(sizeof(struct fuse_statfs_out) == 80, "wire");
STATIC_ASSERT(sizeof(struct fuse_lk_in) == 48, "wire");

#endif /* FS_FUSE_PROTO_H */
