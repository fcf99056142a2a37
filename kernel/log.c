/* SPDX-License-Identifier: MIT */
/*
 * kernel/log.c - the log ring and the way to the console; see log.h.
 *
 * Records have a fixed size; the oldest is overwritten.  Formatting is done outside
 * the lock; the lock (RANK_LOG) covers the ring and the order on the console.
 */
#include <kernel/dev/console.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/spinlock.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define LOG_RECORDS 512u
#define LOG_TEXT    116u

struct log_record {
	u64 time_ns;
	u8 prio; /* level, and above it who wrote it: 0: the kernel */
	char text[LOG_TEXT];
};

static struct spinlock log_lock = SPINLOCK_INIT("log", RANK_LOG);
static struct log_record ring[LOG_RECORDS]; /* [log_lock] */
static u64 next_seq = 1;		    /* [log_lock] */
int log_console_level = LOG_DEBUG;	    /* relaxed */
u64 log_cleared_seq, log_reader_seq;	    /* [a] */

static void param_quiet(const char *v __unused)
{
	log_console_level = LOG_WARN;
}
BOOTPARAM(quiet, "quiet", param_quiet);

static void param_loglevel(const char *v)
{
	u64 n;

	if (!kstrtou64(v, 10, &n))
		log_console_level = (int)min(n, 8ul);
}
BOOTPARAM(loglevel, "loglevel", param_loglevel);

void log_text(u32 prio, const char *text)
{
	u64 now = clock_mono_ns();
	char line[LOG_TEXT + 24];
	struct log_record *r;
	int n;

	spin_lock(&log_lock);
	r = &ring[next_seq++ % LOG_RECORDS];
	r->time_ns = now;
	r->prio = (u8)prio;
	strscpy(r->text, text, sizeof(r->text));
	if ((int)(prio & LOG_LEVEL_MASK) < log_console_level) {
		n = snprintf(line, sizeof(line), "[%5lu.%06lu] %s\n",
			     now / NSEC_PER_SEC,
			     now % NSEC_PER_SEC / NSEC_PER_USEC, r->text);
		console_write(line, (size_t)n);
	}
	spin_unlock(&log_lock);
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	char text[LOG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_text(level, text);
}

void log_raw(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_write_panic(line, min((size_t)n, sizeof(line) - 1));
}

bool log_may(struct log_ratelimit *rl)
{
	u64 now = clock_mono_ns();

	if (now - rl->window_start_ns > 5 * NSEC_PER_SEC) {
		rl->window_start_ns = now;
		rl->nr = 0;
	}
	return rl->nr++ < 10;
}

u64 log_first_seq(void)
{
	u64 n = load_once(&next_seq);

	return n > LOG_RECORDS ? n - LOG_RECORDS : 1;
}

u64 log_next_seq(void)
{
	return load_once(&next_seq);
}

size_t log_format(u64 *seq, char *buf, size_t size)
{
	char text[LOG_LINE_MAX - 32]; /* without the prefix */
	u32 prio;
	u64 ns;

	if (log_read(seq, text, sizeof(text), &prio, &ns) < 0)
		return 0;
	return (size_t)snprintf(buf, size, "<%u>[%5lu.%06lu] %s\n", prio,
				ns / NSEC_PER_SEC,
				ns % NSEC_PER_SEC / NSEC_PER_USEC, text);
}

int log_read(u64 *seq, char *buf, size_t size, u32 *prio, u64 *time_ns)
{
	struct log_record *r;
	int n;

	spin_lock(&log_lock);
	*seq = max(*seq, log_first_seq());
	if (*seq >= next_seq) {
		spin_unlock(&log_lock);
		return -EAGAIN;
	}
	r = &ring[*seq % LOG_RECORDS];
	n = (int)strscpy(buf, r->text, size);
	if (n < 0)
		n = (int)size - 1;
	if (prio)
		*prio = r->prio;
	if (time_ns)
		*time_ns = r->time_ns;
	(*seq)++;
	spin_unlock(&log_lock);
	return n;
}
