/* SPDX-License-Identifier: MIT */
/*
 * syscall/rw.h - preadv2(2), pwritev2(2) and splice(2) of files that are known.
 * Context: coroutine.
 */
#ifndef SYSCALL_RW_H
#define SYSCALL_RW_H

#include <kernel/file/iov.h>

struct file;

#define RWF_HIPRI    0x01
#define RWF_DSYNC    0x02
#define RWF_SYNC     0x04
#define RWF_NOWAIT   0x08
#define RWF_APPEND   0x10
#define RWF_NOAPPEND 0x20
#define RWF_KNOWN    0x3f

/* At @pos, or at the file's own position if it is -1.  @flags: RWF_*. */
s64 rw_transfer(struct file *f, struct iov_iter *it, s64 pos, int flags,
		bool write);
/* Of [pos, pos + len), how many bytes can be read without a device. */
u64 rw_cached(struct file *f, u64 pos, u64 len);

/* splice(2) with the positions given, -1: the file's own (copy.c). */
s64 splice_files(struct file *in, s64 in_pos, struct file *out, s64 out_pos,
		 u64 len, u32 flags);
s64 tee_files(struct file *in, struct file *out, u64 len, u32 flags);

#endif /* SYSCALL_RW_H */
