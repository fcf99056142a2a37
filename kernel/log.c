/* SPDX-License-Identifier: MIT */
/*
 * kernel/log.c - the log ring and the way to the console; see log.h.
 *
 * A record's text lies in one piece in a ring of bytes; what would not fit before the
 * end begins anew at the start.  Places in the ring are counted and never turn back:
 * the record is there as long as less than LOG_BYTES came after its first byte.
 *
 * The lock (RANK_LOG) covers the ring and the order on the console.
 *
 * ORDERING
 *   WAKE  of kernel/sched/wait.c
 */
#include <arch/riscv/csr.h>
#include <kernel/dev/console.h>
#include <kernel/file/poll.h>
#include <kernel/init.h>
#include <kernel/log.h>
#include <kernel/sched/wait.h>
#include <kernel/spinlock.h>
#include <kernel/time/clock.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define LOG_RECORDS 1024u /* a power of two */
#define LOG_PRINTF  192u  /* of the kernel's own: one line */

struct log_record {
	u64 time_ns;
	u64 begin; /* place of its first byte */
	u16 len;
	u8 prio; /* level, and above it who wrote it: 0: the kernel */
};

static struct spinlock log_lock = SPINLOCK_INIT("log", RANK_LOG);
static struct log_record ring[LOG_RECORDS]; /* [log_lock] by number */
static char bytes[LOG_BYTES];		    /* [log_lock] */
static u64 end;				    /* [log_lock] behind the last */
static u64 first_seq = 1, next_seq = 1;	    /* [log_lock, a] */
int log_console_level = LOG_DEBUG;	    /* relaxed */
u64 log_cleared_seq, log_reader_seq;	    /* [a] */
struct waitq log_wq = WAITQ_INIT(log_wq);
u32 log_told; /* [a] */

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

static struct log_record *record(u64 seq)
{
	return &ring[seq % LOG_RECORDS];
}

static const char *text_of(const struct log_record *r)
{
	return &bytes[r->begin % LOG_BYTES];
}

static struct log_record *put_locked(u32 prio, const char *text, size_t len,
				     u64 now)
{
	size_t left = LOG_BYTES - end % LOG_BYTES;
	struct log_record *r = record(next_seq);

	if (left < len)
		end += left;
	while (first_seq < next_seq &&
	       (next_seq - first_seq >= LOG_RECORDS ||
		end + len - record(first_seq)->begin > LOG_BYTES))
		store_once(&first_seq, first_seq + 1);
	*r = (struct log_record){
		.time_ns = now, .begin = end, .len = (u16)len, .prio = (u8)prio
	};
	memcpy(&bytes[end % LOG_BYTES], text, len);
	end += len;
	store_once(&next_seq, next_seq + 1);
	return r;
}

/* One line with its time: how many of the @n bytes at @text are of it; @out has room for
 * LOG_LINE_MAX bytes, of which *@at are used. */
static size_t put_line(char *out, size_t *at, u64 ns, const char *text,
		       size_t n)
{
	const char *nl = memchr(text, '\n', n);
	size_t len = nl ? (size_t)(nl - text) : n;

	*at += (size_t)scnprintf(out + *at, LOG_LINE_MAX - *at,
				 "[%5lu.%06lu] %.*s\n", ns / NSEC_PER_SEC,
				 ns % NSEC_PER_SEC / NSEC_PER_USEC, (int)len,
				 text);
	return min(len + 1, n);
}

static void show_locked(const struct log_record *r)
{
	static char line[LOG_LINE_MAX]; /* [log_lock] */
	const char *text = text_of(r);
	size_t left = r->len, at, n;

	do {
		at = 0;
		n = put_line(line, &at, r->time_ns, text, left);
		console_write(line, at);
		text += n;
		left -= n;
	} while (left);
}

void log_text(u32 prio, const char *text)
{
	size_t len = min(strlen(text), (size_t)LOG_TEXT_MAX);
	u64 now = clock_mono_ns();
	struct log_record *r;

	spin_lock(&log_lock);
	r = put_locked(prio, text, len, now);
	if ((int)(prio & LOG_LEVEL_MASK) < log_console_level)
		show_locked(r);
	spin_unlock(&log_lock);
	/* WAKE (full) - pairs with wait_prepare(): the record, then the queue. */
	smp_mb();
	if (likely(list_empty(&log_wq.list)))
		return;
	store_once(&log_told, 1);
	csr_set(sip, SIP_SSIP);
}

void log_wake(void)
{
	store_once(&log_told, 0);
	wake_up_all_key(&log_wq, POLLIN | POLLRDNORM);
}

void log_printf(enum log_level level, const char *fmt, ...)
{
	char text[LOG_PRINTF];
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
	return load_once(&first_seq);
}

u64 log_next_seq(void)
{
	return load_once(&next_seq);
}

/* The record *@seq, locked; NULL, and not locked: there is none yet. */
static const struct log_record *find_and_lock(u64 *seq)
{
	spin_lock(&log_lock);
	*seq = max(*seq, first_seq);
	if (*seq < next_seq)
		return record((*seq)++);
	spin_unlock(&log_lock);
	return NULL;
}

int log_format(u64 *seq, char *buf)
{
	const struct log_record *r = find_and_lock(seq);
	size_t at = 0, left, n;
	const char *text;

	if (!r)
		return -EAGAIN;
	text = text_of(r);
	left = r->len;
	do {
		at += (size_t)scnprintf(buf + at, LOG_LINE_MAX - at, "<%u>",
					(u32)r->prio);
		n = put_line(buf, &at, r->time_ns, text, left);
		text += n;
		left -= n;
	} while (left);
	spin_unlock(&log_lock);
	return (int)at;
}

int log_read(u64 *seq, char *buf, u32 *prio, u64 *time_ns)
{
	const struct log_record *r = find_and_lock(seq);
	int n;

	if (!r)
		return -EAGAIN;
	n = r->len;
	memcpy(buf, text_of(r), r->len);
	buf[n] = '\0';
	*prio = r->prio;
	*time_ns = r->time_ns;
	spin_unlock(&log_lock);
	return n;
}
