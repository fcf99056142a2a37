/* SPDX-License-Identifier: MIT */
/*
 * syscall/syslog.c - syslog(2): the kernel's log, and what of it the console shows.
 */
#include <syscall/syscall.h>

#include <arch/riscv/mmu.h>
#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <kernel/mm/user.h>
#include <kernel/sched/wait.h>

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

static int saved_level = -1; /* console level before CONSOLE_OFF */

/* Bytes of all records from @seq on; @line: for LOG_LINE_MAX bytes. */
static size_t size_from(u64 seq, char *line)
{
	size_t sum = 0;
	int n;

	while ((n = log_format(&seq, line)) >= 0) {
		sum += (size_t)n;
		cond_resched();
	}
	return sum;
}

/* Whole records from *@seq on, as many as fit: bytes or -EFAULT. */
static s64 copy_records(u64 *seq, uaddr_t ubuf, size_t size, char *line)
{
	u64 next = *seq;
	size_t done = 0;
	int n;

	while ((n = log_format(&next, line)) >= 0) {
		if (done + (size_t)n > size)
			break;
		if (copy_to_user(ubuf + done, line, (size_t)n))
			return -EFAULT;
		done += (size_t)n;
		*seq = next;
		cond_resched();
	}
	return (s64)done;
}

/* The last records that fit. */
static s64 read_all(uaddr_t ubuf, size_t size, char *line)
{
	u64 seq = max(load_once(&log_cleared_seq), log_first_seq());
	size_t have = size_from(seq, line);

	while (have > size) {
		int len = log_format(&seq, line);

		if (len < 0)
			break;
		have -= (size_t)len;
	}
	return copy_records(&seq, ubuf, size, line);
}

static s64 read_some(uaddr_t ubuf, size_t size, char *line)
{
	u64 seq = load_once(&log_reader_seq);
	s64 n = wait_event_interruptible(&log_wq, seq < log_next_seq());

	if (n)
		return n;
	n = copy_records(&seq, ubuf, size, line);
	if (n > 0)
		store_once(&log_reader_seq, seq);
	return n;
}

static s64 read_log(u32 what, uaddr_t ubuf, int len)
{
	char *line;
	s64 n;

	if (!ubuf || len < 0)
		return -EINVAL;
	if (!len)
		return 0;
	if (ubuf > USER_TOP - (u32)len)
		return -EFAULT; /* whether or not a line would fit */
	line = kmalloc(LOG_LINE_MAX);
	if (!line)
		return -ENOMEM;
	if (what == SYSLOG_READ)
		n = read_some(ubuf, (size_t)len, line);
	else
		n = read_all(ubuf, (size_t)len, line);
	if (n >= 0 && what == SYSLOG_READ_CLEAR)
		store_once(&log_cleared_seq, log_next_seq());
	kfree(line);
	return n;
}

static s64 unread(void)
{
	char *line = kmalloc(LOG_LINE_MAX);
	s64 n;

	if (!line)
		return -ENOMEM;
	n = (s64)size_from(load_once(&log_reader_seq), line);
	kfree(line);
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
		return read_log(what, ubuf, len);
	case SYSLOG_CLEAR:
		store_once(&log_cleared_seq, log_next_seq());
		return 0;
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
	case SYSLOG_CONSOLE_LEVEL:
		return console_level(what, len);
	case SYSLOG_SIZE_UNREAD:
		return unread();
	case SYSLOG_SIZE_BUFFER:
		return LOG_BYTES;
	default:
		return -EINVAL;
	}
}
