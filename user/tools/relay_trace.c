/* SPDX-License-Identifier: MIT */
/*
 * user/tools/relay_trace.c - record what the relay does as a Chrome trace; see
 * usage[] and docs/observe.md.
 *
 * Reads /proc/relay/trace_raw (kernel/relay/trace.h) into memory while the command
 * runs, then writes JSON: harts are the threads of one process, a thread's name is
 * asked for while it lives.
 *
 * Of the events only the beginnings of slices are recorded; a slice ends where the
 * next one of its hart begins.  A call is known by its thread: it has one at a time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: relay-trace [-o FILE] [-t SECONDS] [-n RECORDS] [-- COMMAND...]\n"
	"Record posts, handlers, polling, sleeps, interrupts of all harts while\n"
	"COMMAND runs, or for SECONDS (1), and write them as a Chrome trace that\n"
	"https://ui.perfetto.dev opens.\n"
	"  -o FILE     where to (trace.json; - for standard output)\n"
	"  -t SECONDS  end after that long, the command too\n"
	"  -n RECORDS  keep at most that many (400000), the first ones\n"
	"Says how many records were lost because the reader was too slow.\n";

/* As in kernel/relay/trace.h and observe.h. */
struct record {
	uint64_t time;
	uint32_t tid;
	int16_t nr;
	uint8_t what, arg;
};
struct block {
	uint32_t magic;
	uint16_t hart;
	uint8_t role, version;
	uint32_t nr, lost;
};
#define BLOCK_MAGIC 0x62547241u
enum {
	EV_POSTED,
	EV_SEEN,
	EV_SUSPEND,
	EV_RESUME,
	EV_DONE,
	EV_RESUMED,
	EV_SLEEP,
	EV_WOKEN,
	EV_USER,
	EV_TRAP,
	EV_POLL,
	EV_YIELD,
	EV_EXIT,
	EV_WAKE,
	EV_IPI_SENT,
	EV_IPI,
	EV_TIMER,
	EV_EXTERNAL,
};

#define MAX_HARTS 16
#define NR_EXECVE 221

static struct event {
	struct record r;
	uint8_t hart;
} * events;
static size_t nr_events, max_events = 400000;
static uint64_t lost[MAX_HARTS], dropped;
static uint8_t role[MAX_HARTS];
static volatile sig_atomic_t stop;

/* --- threads: names, and the call that each is in */

static struct thread {
	uint32_t tid;
	char name[20];
	int asks;      /* for its name, before it is taken as final */
	size_t asked;  /* events when it was asked last */
	int nr;	       /* of the call under way, -1: none or another request */
	int kind;      /* of request */
	uint64_t flow; /* number of the arrow to the service hart; 0: none */
	uint64_t back; /* of the one back */
	uint64_t posted; /* when, and from where */
	int posted_on;
	uint64_t done;
	int done_on;
} * threads;
static size_t nr_threads;

static struct thread *thread_of(uint32_t tid)
{
	struct thread *t;
	size_t i;

	for (i = nr_threads; i-- > 0;)
		if (threads[i].tid == tid)
			return &threads[i];
	if (nr_threads % 64 == 0)
		threads =
			realloc(threads, (nr_threads + 64) * sizeof(*threads));
	if (!threads)
		abort();
	t = &threads[nr_threads++];
	memset(t, 0, sizeof(*t));
	t->tid = tid;
	t->nr = -1;
	if (!tid)
		snprintf(t->name, sizeof(t->name), "kernel");
	return t;
}

/* Called while it may still be there. */
static void ask_name(uint32_t tid)
{
	struct thread *t = thread_of(tid);
	char path[40], *p;
	ssize_t n;
	int fd;

	/* It changes with execve(), some time after that is posted. */
	if (!tid || t->asks == 4 || (t->asks && t->asked == nr_events))
		return;
	t->asks++;
	t->asked = nr_events;
	snprintf(path, sizeof(path), "/proc/%u/comm", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, t->name, sizeof(t->name) - 1);
	close(fd);
	t->name[n > 0 ? n : 0] = 0;
	for (p = t->name; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			*p = *p == '\n' ? 0 : '?';
}

/* --- recording */

static bool take(int fd)
{
	static char buf[256 * 1024] __attribute__((aligned(8)));
	ssize_t n = read(fd, buf, sizeof(buf)), at = 0;
	uint32_t i;

	if (n < 0) {
		perror("relay-trace: /proc/relay/trace_raw");
		exit(1);
	}
	while (at + (ssize_t)sizeof(struct block) <= n) {
		struct block *b = (struct block *)(buf + at);
		struct record *r = (struct record *)(b + 1);

		if (b->magic != BLOCK_MAGIC || b->version != 1 ||
		    b->hart >= MAX_HARTS) {
			fprintf(stderr, "relay-trace: not a trace\n");
			exit(1);
		}
		role[b->hart] = b->role;
		lost[b->hart] += b->lost;
		for (i = 0; i < b->nr; i++) {
			if (nr_events == max_events) {
				dropped += b->nr - i;
				stop = 1;
				break;
			}
			events[nr_events].hart = (uint8_t)b->hart;
			events[nr_events++].r = r[i];
		}
		at += (ssize_t)(sizeof(*b) + b->nr * sizeof(*r));
	}
	return n > 32 * 1024;
}

static void name_new(void)
{
	static size_t named;

	for (; named < nr_events; named++)
		if (events[named].r.what == EV_POSTED &&
		    events[named].r.nr == NR_EXECVE)
			thread_of(events[named].r.tid)->asks = 0;
		else
			ask_name(events[named].r.tid);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void on_signal(int sig)
{
	stop = sig;
}

/* Returns the command's exit status. */
static int record(char **command, double seconds)
{
	int fd = open("/proc/relay/trace_raw", O_RDONLY | O_CLOEXEC),
	    status = 0;
	double end = now() + seconds;
	pid_t pid = 0;

	if (fd < 0) {
		perror("relay-trace: /proc/relay/trace_raw");
		exit(1);
	}
	if (*command) {
		pid = fork();
		if (pid == 0) {
			execvp(*command, command);
			perror(*command);
			_exit(127);
		}
	}
	while (!stop && (seconds < 0 || now() < end)) {
		struct timespec ms = { 0, 5000000 };

		if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
			pid = 0;
			break;
		}
		if (!take(fd))
			nanosleep(&ms, NULL);
		name_new();
	}
	while (!stop && take(fd))
		;
	name_new();
	close(fd);
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, &status, 0);
		status = 0;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --- names of calls, from the kernel itself */

static char *call_names[600];

static void read_names(void)
{
	FILE *f = fopen("/proc/relay/syscalls", "r");
	char line[256], name[64];
	unsigned int nr;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%u %63s", &nr, name) == 2 && nr < 600 &&
		    strcmp(name, "unimplemented"))
			call_names[nr] = strdup(name);
	if (f)
		fclose(f);
}

static void call_name(const struct thread *t, char *buf, size_t n)
{
	static const char *const kinds[] = { "call", "fault", "trap", "work" };

	if (t->nr >= 0 && t->nr < 600 && call_names[t->nr])
		snprintf(buf, n, "%s", call_names[t->nr]);
	else if (t->nr >= 0)
		snprintf(buf, n, "call %d", t->nr);
	else
		snprintf(buf, n, "%s", kinds[t->kind & 3]);
}

/* --- writing */

static FILE *out;
static bool comma;
static uint64_t zero;
static uint64_t last_ts;

static void begin(const char *ph, int hart, uint64_t ts, const char *cat,
		  const char *name)
{
	fprintf(out,
		"%s\n{\"ph\":\"%s\",\"pid\":1,\"tid\":%d,\"ts\":%.3f,"
		"\"cat\":\"%s\",\"name\":\"%s\"",
		comma ? "," : "", ph, hart, (ts - zero) / 1e3, cat, name);
	comma = true;
}

/* What a hart is doing, since when. */
static struct slice {
	uint64_t since;
	char cat[8], name[64];
	uint32_t tid;
} now_in[MAX_HARTS];

static void slice_end(int hart, uint64_t ts)
{
	struct slice *s = &now_in[hart];

	if (s->cat[0] && ts > s->since) {
		begin("X", hart, s->since, s->cat, s->name);
		fprintf(out, ",\"dur\":%.3f,\"args\":{\"tid\":%u}}",
			(ts - s->since) / 1e3, s->tid);
	}
	s->cat[0] = 0;
}

static void slice(int hart, uint64_t ts, const char *cat, const char *name,
		  uint32_t tid)
{
	struct slice *s = &now_in[hart];

	slice_end(hart, ts);
	s->since = ts;
	s->tid = tid;
	snprintf(s->cat, sizeof(s->cat), "%s", cat);
	snprintf(s->name, sizeof(s->name), "%s", name);
}

static void instant(int hart, uint64_t ts, const char *name, int arg)
{
	begin("i", hart, ts, "irq", name);
	if (arg >= 0)
		fprintf(out, ",\"args\":{\"hart\":%d}", arg);
	fprintf(out, ",\"s\":\"t\"}");
}

/* Both ends at once, so that there is never only one. */
static void arrow(const char *name, int from, uint64_t at, int to, uint64_t ts)
{
	static uint64_t id;

	if (from == to)
		return;
	id++;
	begin("s", from, at, "relay", name);
	fprintf(out, ",\"id\":%lu}", (unsigned long)id);
	begin("f", to, ts, "relay", name);
	fprintf(out, ",\"id\":%lu,\"bp\":\"e\"}", (unsigned long)id);
}

static void user_slice(int hart, const struct record *r, const struct thread *t)
{
	char name[48];

	if (!strcmp(now_in[hart].cat, "user") && now_in[hart].tid == r->tid)
		return;
	snprintf(name, sizeof(name), "%s/%u", t->name[0] ? t->name : "thread",
		 r->tid);
	slice(hart, r->time, "user", name, r->tid);
}

static void handler_slice(int hart, const struct record *r,
			  const struct thread *t)
{
	char name[32], full[64];

	call_name(t, name, sizeof(name));
	snprintf(full, sizeof(full), "%s (%s/%u)", name, t->name, r->tid);
	slice(hart, r->time, "handler", full, r->tid);
}

static void event(const struct event *e)
{
	const struct record *r = &e->r;
	struct thread *t = thread_of(r->tid); /* 0: the kernel's own */
	int hart = e->hart;

	switch (r->what) {
	case EV_POSTED:
		slice(hart, r->time, "relay", "post", r->tid);
		t->nr = r->arg ? -1 : r->nr;
		t->kind = r->arg;
		t->posted = r->time;
		t->posted_on = hart;
		break;
	case EV_SEEN:
		if (t->posted)
			arrow("request", t->posted_on, t->posted, hart,
			      r->time);
		t->posted = 0;
		handler_slice(hart, r, t);
		break;
	case EV_RESUME:
		handler_slice(hart, r, t);
		break;
	case EV_DONE:
		t->done = r->time;
		t->done_on = hart;
		slice(hart, r->time, "relay", "complete", r->tid);
		break;
	case EV_SUSPEND:
	case EV_YIELD:
	case EV_EXIT:
	case EV_WOKEN:
	case EV_TRAP:
		slice_end(hart, r->time);
		break;
	case EV_RESUMED:
		if (t->done)
			arrow("completion", t->done_on, t->done, hart, r->time);
		t->done = 0;
		if (r->arg)
			user_slice(hart, r, t);
		else
			slice(hart, r->time, "relay", "queue", r->tid);
		break;
	case EV_USER:
		user_slice(hart, r, t);
		break;
	case EV_POLL:
		slice(hart, r->time, "poll", "poll", 0);
		break;
	case EV_SLEEP:
		slice(hart, r->time, "sleep", "sleep", 0);
		break;
	case EV_IPI_SENT:
		instant(hart, r->time, "send IPI", r->arg);
		break;
	case EV_IPI:
		instant(hart, r->time, "IPI", -1);
		break;
	case EV_TIMER:
		instant(hart, r->time, "timer", -1);
		break;
	case EV_EXTERNAL:
		instant(hart, r->time, "external", -1);
		break;
	default:
		break;
	}
	last_ts = r->time;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->r.time != y->r.time)
		return x->r.time < y->r.time ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void write_trace(const char *path)
{
	static const char *const roles[] = { "", "app", "service", "both" };
	uint64_t all_lost = 0;
	size_t i;
	int h;

	out = strcmp(path, "-") ? fopen(path, "w") : stdout;
	if (!out) {
		perror(path);
		exit(1);
	}
	qsort(events, nr_events, sizeof(*events), by_time);
	zero = nr_events ? events[0].r.time : 0;
	fprintf(out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
	for (h = 0; h < MAX_HARTS; h++) {
		if (!role[h])
			continue;
		fprintf(out,
			"%s\n{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":"
			"\"thread_name\",\"args\":{\"name\":\"hart %d (%s)\"}}",
			comma ? "," : "", h, h, roles[role[h] & 3]);
		comma = true;
		all_lost += lost[h];
	}
	for (i = 0; i < nr_events; i++)
		event(&events[i]);
	/* What goes on still does so a nanosecond after the last event. */
	for (h = 0; h < MAX_HARTS; h++)
		slice_end(h, last_ts + 1);
	fprintf(out,
		"\n],\"otherData\":{\"records\":\"%zu\",\"lost\":\"%lu\","
		"\"dropped\":\"%lu\"}}\n",
		nr_events, (unsigned long)all_lost, (unsigned long)dropped);
	if (fflush(out) || ferror(out)) {
		perror(path);
		exit(1);
	}
	fprintf(stderr, "relay-trace: %zu records, %lu lost, %lu beyond -n\n",
		nr_events, (unsigned long)all_lost, (unsigned long)dropped);
}

int main(int argc, char **argv)
{
	const char *path = "trace.json";
	double seconds = -1;
	int opt, status;

	while ((opt = getopt(argc, argv, "+o:t:n:h")) != -1) {
		switch (opt) {
		case 'o':
			path = optarg;
			break;
		case 't':
			seconds = atof(optarg);
			break;
		case 'n':
			max_events = strtoul(optarg, NULL, 10);
			break;
		default:
			fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 2;
		}
	}
	if (seconds < 0 && optind == argc)
		seconds = 1;
	events = calloc(max_events, sizeof(*events));
	if (!events) {
		perror("relay-trace");
		return 1;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	status = record(argv + optind, seconds);
	read_names();
	write_trace(path);
	return status;
}
