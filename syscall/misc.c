/* SPDX-License-Identifier: MIT */
/*
 * syscall/misc.c - names, memory figures and messages of the system.
 */
#include <syscall/syscall.h>

#include <kernel/hart.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
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
	struct utsname u;

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

/* --- syslog(2) */

enum {
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER,
};

#define LOG_BYTES (512u * 128u) /* what the ring holds, about */

static int saved_level = -1; /* console level before CONSOLE_OFF */

/* Bytes of all records from @seq on. */
static size_t size_from(u64 seq)
{
	char line[LOG_LINE_MAX];
	size_t n, sum = 0;

	while ((n = log_format(&seq, line, sizeof(line))) != 0)
		sum += n;
	return sum;
}

/* Whole records from *@seq on, as many as fit: bytes or -EFAULT. */
static s64 copy_records(u64 *seq, uaddr_t ubuf, size_t size)
{
	char line[LOG_LINE_MAX];
	size_t n, done = 0;
	u64 next = *seq;

	while ((n = log_format(&next, line, sizeof(line))) != 0) {
		if (done + n > size)
			break;
		if (copy_to_user(ubuf + done, line, n))
			return -EFAULT;
		done += n;
		*seq = next;
		cond_resched();
	}
	return (s64)done;
}

/* The last records that fit. */
static s64 read_all(uaddr_t ubuf, size_t size, bool clear)
{
	u64 seq = max(load_once(&log_cleared_seq), log_first_seq());
	size_t have = size_from(seq);
	char line[LOG_LINE_MAX];
	s64 n;

	while (have > size) {
		size_t len = log_format(&seq, line, sizeof(line));

		if (!len)
			break;
		have -= len;
	}
	n = copy_records(&seq, ubuf, size);
	if (n >= 0 && clear)
		store_once(&log_cleared_seq, log_next_seq());
	return n;
}

static s64 read_some(uaddr_t ubuf, size_t size)
{
	u64 seq = load_once(&log_reader_seq);
	s64 n;

	while (seq >= log_next_seq()) {
		int err = sleep_until_ns(clock_mono_ns() + LOG_LOOK_NS, true);

		if (err)
			return err;
	}
	n = copy_records(&seq, ubuf, size);
	if (n > 0)
		store_once(&log_reader_seq, seq);
	return n;
}

static s64 console_level(u32 what, int level)
{
	switch (what) {
	case SYSLOG_CONSOLE_OFF:
		if (saved_level < 0)
			saved_level = log_console_level;
		log_console_level = 1;
		return 0;
	case SYSLOG_CONSOLE_ON:
		if (saved_level >= 0)
			log_console_level = saved_level;
		saved_level = -1;
		return 0;
	default:
		if (level < 1 || level > 8)
			return -EINVAL;
		log_console_level = level;
		saved_level = -1;
		return 0;
	}
}

SYSCALL3(116, syslog, u32, what, uaddr_t, ubuf, int, len)
{
	if (what != SYSLOG_READ_ALL && what != SYSLOG_SIZE_BUFFER &&
	    !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (what) {
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN:
		return 0;
	case SYSLOG_READ:
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		if (!ubuf || len < 0)
			return -EINVAL;
		if (!len)
			return 0;
		if (ubuf > USER_TOP - (u32)len)
			return -EFAULT; /* whether or not a line would fit */
		if (what == SYSLOG_READ)
			return read_some(ubuf, (size_t)len);
		return read_all(ubuf, (size_t)len, what == SYSLOG_READ_CLEAR);
	case SYSLOG_CLEAR:
		store_once(&log_cleared_seq, log_next_seq());
		return 0;
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
	case SYSLOG_CONSOLE_LEVEL:
		return console_level(what, len);
	case SYSLOG_SIZE_UNREAD:
		return (s64)size_from(load_once(&log_reader_seq));
	case SYSLOG_SIZE_BUFFER:
		return LOG_BYTES;
	default:
		return -EINVAL;
	}
}
