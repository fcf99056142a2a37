/* SPDX-License-Identifier: MIT */
/*
 * kernel/utsname.h - what uname(2) says.
 */
#ifndef KERNEL_UTSNAME_H
#define KERNEL_UTSNAME_H

#include <lib/types.h>

#define UTS_LEN 64

struct utsname {
	char sysname[UTS_LEN + 1];
	char nodename[UTS_LEN + 1]; /* changes under uts_lock */
	char release[UTS_LEN + 1];
	char version[UTS_LEN + 1];
	char machine[UTS_LEN + 1];
	char domainname[UTS_LEN + 1]; /* changes under uts_lock */
};

extern struct utsname utsname;

/* A consistent copy. */
void utsname_get(struct utsname *out);
/* @which is utsname.nodename or utsname.domainname; at most UTS_LEN bytes. */
void utsname_set(char *which, const char *name, size_t len);

#endif /* KERNEL_UTSNAME_H */
