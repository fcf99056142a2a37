/* SPDX-License-Identifier: MIT */
/*
 * kernel/log.h - kernel messages.
 *
 * One line per message, lower case, subsystem first, no trailing newline:
 * pr_info("nvme0: %u queues", n).  A message goes to the log ring
 * (/dev/kmsg, syslog(2), dmesg) and, when its level is below the console level
 * (`loglevel=`, `quiet`), to the console.  Nothing that a user can trigger at
 * will may be printed without the _ratelimited form.
 *
 * Context: any, also with spinlocks held.  Locking: log_lock (rank RANK_LOG).
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <lib/types.h>

struct waitq;

enum log_level {
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARN,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG,
};

/* A priority of syslog(3) is a level and, above it, a facility. */
#define LOG_LEVEL_MASK 7u

void log_printf(enum log_level level, const char *fmt, ...) __printf(2, 3);
/* The same for a program that gives its own priority. */
void log_text(u32 prio, const char *text);

/* Straight to the consoles, no lock, no level: panic only. */
void log_raw(const char *fmt, ...) __printf(1, 2);

#define pr_err(...)    log_printf(LOG_ERR, __VA_ARGS__)
#define pr_warn(...)   log_printf(LOG_WARN, __VA_ARGS__)
#define pr_notice(...) log_printf(LOG_NOTICE, __VA_ARGS__)
#define pr_info(...)   log_printf(LOG_INFO, __VA_ARGS__)
#define pr_debug(...)  log_printf(LOG_DEBUG, __VA_ARGS__)

/* At most ten lines in five seconds from one place. */
struct log_ratelimit {
	u64 window_start_ns; /* relaxed: a lost update costs a line */
	u32 nr;
};
bool log_may(struct log_ratelimit *rl);
#define pr_ratelimited(level, ...)                      \
	do {                                            \
		static struct log_ratelimit pr_rl;      \
		if (log_may(&pr_rl))                    \
			log_printf(level, __VA_ARGS__); \
	} while (0)
#define pr_warn_ratelimited(...) pr_ratelimited(LOG_WARN, __VA_ARGS__)
#define pr_info_ratelimited(...) pr_ratelimited(LOG_INFO, __VA_ARGS__)

/*
 * The ring: records of up to LOG_TEXT_MAX bytes, of which the oldest make room for the
 * newest.  *@seq is the number of the record that is wanted; an older one than is kept
 * is the oldest.  All copy it without the lock's being held before, go on to the next
 * number, and return its length, or -EAGAIN when there is none.  They want room for
 * LOG_LINE_MAX bytes.
 *
 * log_read(): the text as it was given, with a NUL.  log_format(): as
 * "<6>[    1.234567] text\n", each line of it, without a NUL.
 */
#define LOG_BYTES    65536u /* of text, all together */
#define LOG_TEXT_MAX 976u   /* of a record; what is longer is cut */
#define LOG_LINE_MAX 1536u
int log_read(u64 *seq, char *buf, u32 *prio, u64 *time_ns);
int log_format(u64 *seq, char *buf);
u64 log_first_seq(void);
u64 log_next_seq(void);
extern u64 log_cleared_seq; /* [a] syslog(2) and SEEK_DATA begin here */
extern u64 log_reader_seq;  /* [a] syslog(2)'s READ and /proc/kmsg go on here */

/* Readers wait here for another record.  A message may come under any lock: it only
 * marks its hart (SSIP), whose loop wakes them. */
extern struct waitq log_wq;
extern u32 log_told; /* [a] */
void log_wake(void); /* by a hart's loop, when log_told is set */

extern int log_console_level; /* messages below it reach the console */

#endif /* KERNEL_LOG_H */
