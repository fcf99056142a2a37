/* SPDX-License-Identifier: MIT */
/*
 * kernel/utsname.h - what uname(2) says, and in which UTS namespace.
 */
#ifndef KERNEL_UTSNAME_H
#define KERNEL_UTSNAME_H

#include <kernel/ns/ns.h>
#include <kernel/sched/wait.h>

#define UTS_LEN 64

struct utsname {
	char sysname[UTS_LEN + 1];
	char nodename[UTS_LEN + 1]; /* of a namespace, like domainname */
	char release[UTS_LEN + 1];
	char version[UTS_LEN + 1];
	char machine[UTS_LEN + 1];
	char domainname[UTS_LEN + 1];
};

enum uts_name {
	UTS_NODENAME,
	UTS_DOMAINNAME,
	NR_UTS_NAMES,
};

struct uts_ns {
	struct ns_common ns;
	/* Two names are its own, [uts_lock]; copied as a whole, by words. */
	struct utsname u __attribute__((aligned(8)));
};
extern const struct ns_ops uts_ns_ops;
extern struct uts_ns init_uts_ns;

/* What is the same everywhere; its two names are empty. */
extern const struct utsname utsname;

/* A namespace with the names of @old, or ERR_PTR. */
struct uts_ns *uts_ns_new(struct uts_ns *old, struct user_ns *owner);
/* A consistent copy, of current's namespace. */
void utsname_get(struct utsname *out);
/* One name of it; UTS_LEN + 1 bytes. */
void utsname_name(enum uts_name which, char *out);
/* 0 or -EPERM; @len at most UTS_LEN. */
int utsname_set(enum uts_name which, const char *name, size_t len);
bool utsname_may_set(void);

/* Woken when a name of any namespace was set; and how often that was, [a]. */
extern struct waitq utsname_wq;
extern u32 utsname_events[NR_UTS_NAMES];

#endif /* KERNEL_UTSNAME_H */
