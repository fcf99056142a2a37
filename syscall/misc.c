/* SPDX-License-Identifier: MIT */
/*
 * syscall/misc.c - names and memory figures of the system.
 */
#include <syscall/syscall.h>

#include <kernel/hart.h>
#include <kernel/mm/page.h>
#include <kernel/mm/user.h>
#include <kernel/ns/time.h>
#include <kernel/time/loadavg.h>
#include <kernel/time/posix.h>
#include <kernel/utsname.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define UNAME26	    0x0020000u /* personality(2) */
#define MINOR_OF_26 60	       /* of 3.0; a 6.x is the same */

/* "6.12.0-x" becomes "2.6.72-x", for programs that know no other. */
static void release_26(struct utsname *u)
{
	const char *rest = u->release;
	char name[sizeof(u->release)];
	u32 dots = 0, minor = 0;

	for (; *rest && dots < 3; rest++) {
		bool digit = *rest >= '0' && *rest <= '9';

		if (!digit && *rest != '.')
			break;
		if (dots == 1 && digit)
			minor = minor * 10 + (u32)(*rest - '0');
		dots += *rest == '.';
	}
	memset(name, 0, sizeof(name));
	(void)scnprintf(name, sizeof(name), "2.6.%u%s", MINOR_OF_26 + minor,
			rest);
	memcpy(u->release, name, sizeof(name));
}

SYSCALL1(160, uname, uaddr_t, ubuf)
{
	struct utsname u __attribute__((aligned(8))); /* copied by words */

	utsname_get(&u);
	if (current->personality & UNAME26)
		release_26(&u);
	return copy_to_user(ubuf, &u, sizeof(u));
}

static int set_name(enum uts_name which, uaddr_t uname, int len)
{
	char name[UTS_LEN];

	if (!utsname_may_set())
		return -EPERM;
	if (len < 0 || len > UTS_LEN)
		return -EINVAL;
	if (copy_from_user(name, uname, (size_t)len))
		return -EFAULT;
	return utsname_set(which, name, (size_t)len);
}

SYSCALL2(161, sethostname, uaddr_t, uname, int, len)
{
	return set_name(UTS_NODENAME, uname, len);
}

SYSCALL2(162, setdomainname, uaddr_t, uname, int, len)
{
	return set_name(UTS_DOMAINNAME, uname, len);
}

/* linux/sysinfo.h */
struct sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 mem_unit;
};
STATIC_ASSERT(sizeof(struct sysinfo) == 112, "Linux's struct sysinfo");

#define LOAD_SHIFT 16

SYSCALL1(179, sysinfo, uaddr_t, uinfo)
{
	struct sysinfo si = { .mem_unit = 1 };
	struct pmem_info mem;
	u64 avg[3];

	pmem_info(&mem);
	loadavg_get(avg);
	si.uptime = ((s64)clock_mono_ns() + time_ns_offset(CLOCK_BOOTTIME)) /
		    (s64)NSEC_PER_SEC;
	for (u32 i = 0; i < ARRAY_SIZE(si.loads); i++)
		si.loads[i] = avg[i] << (LOAD_SHIFT - LOAD_FSHIFT);
	si.totalram = mem.total * PAGE_SIZE;
	si.freeram = mem.free * PAGE_SIZE;
	si.sharedram = mem.shmem * PAGE_SIZE;
	si.bufferram = mem.buffers * PAGE_SIZE;
	si.procs = (u16)thread_count();
	return copy_to_user(uinfo, &si, sizeof(si));
}
