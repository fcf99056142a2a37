/* SPDX-License-Identifier: MIT */
/*
 * kernel/file/owner.h - who is told what happens to a file: F_SETOWN.
 *
 * The signal is sent in the name of the process that named the owner, not of who made
 * something happen: as whom that was is kept, with the Landlock domain, and each
 * receiver is checked against it.  A process may always tell itself.
 *
 * Locking: owner_lock, inside of whatever callers hold up to rank BLK.  All members but
 * domain may be read alone with load_once().
 */
#ifndef KERNEL_FILE_OWNER_H
#define KERNEL_FILE_OWNER_H

#include <lib/types.h>

enum {
	OWNER_TID,
	OWNER_PID,
	OWNER_PGRP
};

struct domain;
struct siginfo;

struct file_owner {
	s32 pid;	       /* [owner_lock] or -group; 0: nobody */
	u8 type;	       /* [owner_lock] OWNER_* */
	u32 uid, euid;	       /* [owner_lock] of who named it */
	s32 by;		       /* [owner_lock] pid of who did */
	struct domain *domain; /* [owner_lock] whose domain; owned, or NULL */
};

/* Current names @pid; of a group it is negative.  0: nobody is told. */
void owner_set(struct file_owner *o, int type, s32 pid);
/* Current's process, unless somebody was named. */
void owner_default(struct file_owner *o);
/* @to, which may be zeros, becomes as @from is. */
void owner_update(struct file_owner *to, struct file_owner *from);
/* Nobody; what it held, the domain, is given back. */
void owner_clear(struct file_owner *o);
/* Tell: 0 or -errno.  No locks held; any context. */
int owner_signal(struct file_owner *o, int sig, const struct siginfo *si);

#endif /* KERNEL_FILE_OWNER_H */
