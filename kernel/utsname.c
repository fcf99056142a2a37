/* SPDX-License-Identifier: MIT */
/* kernel/utsname.c - names of the system; see utsname.h. */
#include <kernel/utsname.h>

#include <kernel/assert.h>
#include <kernel/spinlock.h>
#include <lib/string.h>

static struct spinlock uts_lock = SPINLOCK_INIT("uts", RANK_FILE);

/* Programs ask for a Linux new enough for them: the version whose ABI this is. */
struct utsname utsname = {
	.sysname = "Linux",
	.nodename = "antler",
	.release = "6.12.0-antler",
	.version = "#1 SMP",
	.machine = "riscv64",
	.domainname = "(none)",
};

void utsname_get(struct utsname *out)
{
	spin_lock(&uts_lock);
	*out = utsname;
	spin_unlock(&uts_lock);
}

void utsname_set(char *which, const char *name, size_t len)
{
	KASSERT(len <= UTS_LEN);
	spin_lock(&uts_lock);
	memcpy(which, name, len);
	memset(which + len, 0, UTS_LEN + 1 - len);
	spin_unlock(&uts_lock);
}
