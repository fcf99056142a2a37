/* SPDX-License-Identifier: MIT */
/*
 * user/tools/hartstat.c - what the harts do, live; see usage[] and docs/observe.md.
 *
 * Everything but the hardware counters is the difference of two readings of
 * /proc/relay/status, by the names in its first line.  /proc/relay/observe is held
 * open meanwhile, so that time is told apart and legs are kept.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_HARTS 16
#define MAX_WORDS 64
#define NR_PERF	  6

static const char usage[] =
	"usage: hartstat [-r] [-s] [--csv|--json] [INTERVAL [COUNT]]\n"
	"Show what each hart did in the last INTERVAL seconds (1), COUNT times\n"
	"(once without INTERVAL, for ever without COUNT).\n"
	"  -r, --roles     a line for each role, not for each hart\n"
	"  -s, --syscalls  the legs of each system call in the interval\n"
	"      --csv       comma-separated, exact numbers, one header line\n"
	"      --json      an array with an object for each interval\n"
	"Columns: user hand relay poll idle: % of the time in user mode, in\n"
	"handlers, in the relay's loop, looking at empty rings, asleep; ?: not\n"
	"watched.  req/s: requests run here, post/s: posted from here.  batch:\n"
	"messages taken in a row.  queue: mean time of a request in the ring, us.\n"
	"wake/s: sleeps ended by an IPI; ipi>, ipi<: sent and taken a second;\n"
	"timer, ext: timer and device interrupts a second.  cycles, instr, ipc,\n"
	"l1i, l1d, itlb, dtlb: hardware counters and misses a second, '-' where the\n"
	"machine or the kernel has none.\n";

enum format {
	TABLE,
	CSV,
	JSON
};

static enum format format;
static bool by_role, calls;
static volatile sig_atomic_t stop;

/* --- /proc/relay/status */

enum field {
	F_REQUESTS,
	F_POSTED,
	F_WAKEUPS,
	F_IPI_SENT,
	F_IPI_RECV,
	F_TIMER,
	F_EXTERNAL,
	F_BATCHES,
	F_MESSAGES,
	F_POLL,
	F_IDLE,
	F_WALL,
	F_USER,
	F_HANDLER,
	F_RELAY,
	F_UNSEEN,
	F_QUEUED,
	F_QUEUE_NS,
	F_PERF, /* the first of NR_PERF */
	NR_FIELDS = F_PERF + NR_PERF,
};

static const char *const field_names[F_PERF] = {
	"requests",  "posted",	 "wakeups",  "ipi_sent",   "ipi_recv",
	"timer",     "external", "batches",  "messages",   "poll_us",
	"idle_us",   "wall_us",	 "user_us",  "handler_us", "relay_us",
	"unseen_us", "queued",	 "queue_ns",
};

struct sample {
	char role[12];
	uint64_t v[NR_FIELDS];
};

static int perf_fd[MAX_HARTS][NR_PERF];
static bool perf_has[NR_PERF];

static int split(char *line, char **words)
{
	char *save, *w;
	int n = 0;

	for (w = strtok_r(line, " \n", &save); w && n < MAX_WORDS;
	     w = strtok_r(NULL, " \n", &save))
		words[n++] = w;
	return n;
}

static int column(char **head, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(head[i], name))
			return i;
	return -1;
}

static void read_perf(int cpu, uint64_t *v)
{
	int i;

	for (i = 0; i < NR_PERF; i++)
		if (perf_fd[cpu][i] < 0 ||
		    read(perf_fd[cpu][i], &v[i], sizeof(v[i])) != sizeof(v[i]))
			v[i] = 0;
}

/* Returns how many harts. */
static int read_status(struct sample *s)
{
	FILE *f = fopen("/proc/relay/status", "r");
	char head_line[1024], line[1024], *head[MAX_WORDS], *w[MAX_WORDS];
	int col[F_PERF], role, n = 0, words, i;

	if (!f || !fgets(head_line, sizeof(head_line), f)) {
		perror("hartstat: /proc/relay/status");
		exit(1);
	}
	words = split(head_line, head);
	role = column(head, words, "role");
	for (i = 0; i < F_PERF; i++)
		col[i] = column(head, words, field_names[i]);
	while (n < MAX_HARTS && fgets(line, sizeof(line), f)) {
		int got = split(line, w);

		memset(&s[n], 0, sizeof(s[n]));
		if (role >= 0 && role < got)
			snprintf(s[n].role, sizeof(s[n].role), "%s", w[role]);
		for (i = 0; i < F_PERF; i++)
			if (col[i] >= 0 && col[i] < got)
				s[n].v[i] = strtoull(w[col[i]], NULL, 10);
		read_perf(n, &s[n].v[F_PERF]);
		n++;
	}
	fclose(f);
	return n;
}

/* --- hardware counters */

#define MISS(cache)                                                       \
	(PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_READ << 8 | \
	 PERF_COUNT_HW_CACHE_RESULT_MISS << 16)

static void open_perf(int nr_harts)
{
	static const struct {
		uint32_t type;
		uint64_t config;
	} ev[NR_PERF] = {
		{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
		{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
		{ PERF_TYPE_HW_CACHE, MISS(L1I) },
		{ PERF_TYPE_HW_CACHE, MISS(L1D) },
		{ PERF_TYPE_HW_CACHE, MISS(ITLB) },
		{ PERF_TYPE_HW_CACHE, MISS(DTLB) },
	};
	int cpu, i;

	for (cpu = 0; cpu < nr_harts; cpu++) {
		for (i = 0; i < NR_PERF; i++) {
			struct perf_event_attr a = {
				.type = ev[i].type,
				.size = sizeof(a),
				.config = ev[i].config,
			};

			perf_fd[cpu][i] = syscall(SYS_perf_event_open, &a, -1,
						  cpu, -1, 0);
			if (perf_fd[cpu][i] >= 0)
				perf_has[i] = true;
		}
	}
}

/* --- columns */

/* Of the differences @d over @sec seconds; negative: there is none. */
static double percent(const uint64_t *d, enum field f)
{
	return d[F_WALL] ? 100.0 * d[f] / d[F_WALL] : 0;
}

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / b : -1;
}

struct show {
	const char *title; /* of the table */
	const char *name;  /* of CSV and JSON */
	int width, decimals;
	enum {
		PERCENT,
		RATE,
		BATCH,
		QUEUE,
		PERF,
		IPC
	} kind;
	int field;
};

static const struct show shows[] = {
	{ "user", "user_pct", 5, 1, PERCENT, F_USER },
	{ "hand", "handler_pct", 5, 1, PERCENT, F_HANDLER },
	{ "relay", "relay_pct", 5, 1, PERCENT, F_RELAY },
	{ "poll", "poll_pct", 5, 1, PERCENT, F_POLL },
	{ "idle", "idle_pct", 5, 1, PERCENT, F_IDLE },
	{ "?", "unseen_pct", 5, 1, PERCENT, F_UNSEEN },
	{ "req/s", "requests_s", 7, 0, RATE, F_REQUESTS },
	{ "post/s", "posted_s", 7, 0, RATE, F_POSTED },
	{ "batch", "batch", 5, 1, BATCH, 0 },
	{ "queue", "queue_us", 6, 1, QUEUE, 0 },
	{ "wake/s", "wakeups_s", 6, 0, RATE, F_WAKEUPS },
	{ "ipi>", "ipi_sent_s", 6, 0, RATE, F_IPI_SENT },
	{ "ipi<", "ipi_taken_s", 6, 0, RATE, F_IPI_RECV },
	{ "timer", "timer_s", 5, 0, RATE, F_TIMER },
	{ "ext", "external_s", 5, 0, RATE, F_EXTERNAL },
	{ "cycles", "cycles_s", 6, 0, PERF, 0 },
	{ "instr", "instructions_s", 6, 0, PERF, 1 },
	{ "ipc", "ipc", 4, 2, IPC, 0 },
	{ "l1i", "l1i_misses_s", 6, 0, PERF, 2 },
	{ "l1d", "l1d_misses_s", 6, 0, PERF, 3 },
	{ "itlb", "itlb_misses_s", 6, 0, PERF, 4 },
	{ "dtlb", "dtlb_misses_s", 6, 0, PERF, 5 },
};
#define NR_SHOWS (int)(sizeof(shows) / sizeof(shows[0]))

static double value(const struct show *c, const uint64_t *d, double sec)
{
	switch (c->kind) {
	case PERCENT:
		return percent(d, c->field);
	case RATE:
		return d[c->field] / sec;
	case BATCH:
		return ratio(d[F_MESSAGES], d[F_BATCHES]);
	case QUEUE:
		return d[F_QUEUED] ? d[F_QUEUE_NS] / 1e3 / d[F_QUEUED] : -1;
	case PERF:
		return perf_has[c->field] ? d[F_PERF + c->field] / sec : -1;
	case IPC:
		return perf_has[0] && perf_has[1]
			       ? ratio(d[F_PERF + 1], d[F_PERF])
			       : -1;
	}
	return -1;
}

/* A number in a column: 12345678 as 12.3M. */
static void cell(double v, int width, int decimals)
{
	if (v < 0)
		printf(" %*s", width, "-");
	else if (decimals)
		printf(" %*.*f", width, decimals, v);
	else if (v < 99999.5)
		printf(" %*.0f", width, v);
	else if (v < 99.95e6)
		printf(" %*.1f%c", width - 1, v / (v < 1e6 ? 1e3 : 1e6),
		       v < 1e6 ? 'k' : 'M');
	else
		printf(" %*.1fG", width - 1, v / 1e9);
}

static void table_head(void)
{
	int i;

	printf("%-4s %-7s", by_role ? "" : "hart", "role");
	for (i = 0; i < NR_SHOWS; i++)
		printf(" %*s", shows[i].width, shows[i].title);
	printf("\n");
}

static void csv_head(void)
{
	int i;

	printf("time_s,%s,role", by_role ? "harts" : "hart");
	for (i = 0; i < NR_SHOWS; i++)
		printf(",%s", shows[i].name);
	printf("\n");
}

/* @id: the hart's number, or how many harts have that role. */
static void show_line(int id, const char *role, const uint64_t *d, double sec,
		      double at, bool first)
{
	int i;

	if (format == TABLE)
		printf("%-4d %-7s", id, role);
	else if (format == CSV)
		printf("%.3f,%d,%s", at, id, role);
	else
		printf("%s\n    {\"%s\": %d, \"role\": \"%s\"",
		       first ? "" : ",", by_role ? "harts" : "hart", id, role);
	for (i = 0; i < NR_SHOWS; i++) {
		double v = value(&shows[i], d, sec);

		if (format == TABLE)
			cell(v, shows[i].width, shows[i].decimals);
		else if (format == CSV)
			v < 0 ? printf(",") : printf(",%.3f", v);
		else if (v < 0)
			printf(", \"%s\": null", shows[i].name);
		else
			printf(", \"%s\": %.3f", shows[i].name, v);
	}
	printf(format == JSON ? "}" : "\n");
}

static void difference(const struct sample *was, const struct sample *is,
		       uint64_t *d)
{
	int i;

	for (i = 0; i < NR_FIELDS; i++)
		d[i] += is->v[i] > was->v[i] ? is->v[i] - was->v[i] : 0;
}

static void show_harts(const struct sample *was, const struct sample *is, int n,
		       double sec, double at)
{
	static const char *const roles[] = { "service", "app", "both" };
	uint64_t d[NR_FIELDS];
	bool first = true;
	unsigned int r;
	int i, harts;

	for (i = 0; i < n && !by_role; i++) {
		memset(d, 0, sizeof(d));
		difference(&was[i], &is[i], d);
		show_line(i, is[i].role, d, sec, at, i == 0);
	}
	for (r = 0; r < 3 && by_role; r++) {
		memset(d, 0, sizeof(d));
		for (i = harts = 0; i < n; i++) {
			if (strcmp(is[i].role, roles[r]))
				continue;
			difference(&was[i], &is[i], d);
			harts++;
		}
		if (!harts)
			continue;
		show_line(harts, roles[r], d, sec, at, first);
		first = false;
	}
}

/* --- legs */

static void legs_reset(void)
{
	int fd = open("/proc/relay/legs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1) {
		perror("hartstat: /proc/relay/legs");
		exit(1);
	}
	close(fd);
}

static void legs_line(char **head, char **w, int n, double at, bool first)
{
	int i;

	if (format == TABLE) {
		printf("%-18s %8s", w[1], w[2]);
		for (i = 3; i < n; i++)
			printf(" %8s", w[i]);
		printf("\n");
	} else if (format == CSV) {
		printf("%.3f", at);
		for (i = 0; i < n; i++)
			printf(",%s", w[i]);
		printf("\n");
	} else {
		printf("%s\n    {", first ? "" : ",");
		for (i = 0; i < n; i++)
			printf(i == 1 ? ", \"%s\": \"%s\"" : "%s\"%s\": %s",
			       i == 1 ? head[i]
			       : i    ? ", "
				      : "",
			       i == 1 ? w[i] : head[i], w[i]);
		printf("}");
	}
}

static void show_calls(double at, bool with_head)
{
	FILE *f = fopen("/proc/relay/legs", "r");
	char line[1024], head_line[1024] = "", *head[MAX_WORDS], *w[MAX_WORDS];
	bool first = true;
	int n, i;

	if (!f) {
		perror("hartstat: /proc/relay/legs");
		exit(1);
	}
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		if (!head_line[0]) {
			memcpy(head_line, line, sizeof(line));
			n = split(head_line, head);
			if (format == CSV && with_head) {
				printf("time_s");
				for (i = 0; i < n; i++)
					printf(",%s", head[i]);
				printf("\n");
			} else if (format == TABLE) {
				legs_line(head, head, n, at, true);
			}
			continue;
		}
		n = split(line, w);
		legs_line(head, w, n, at, first);
		first = false;
	}
	fclose(f);
}

/* --- main */

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

static void wait_until(double when)
{
	while (!stop && now() < when) {
		double left = when - now();
		struct timespec t = { (time_t)left,
				      (long)((left - (time_t)left) * 1e9) };

		if (left > 0)
			nanosleep(&t, NULL);
	}
}

static void one(const struct sample *was, const struct sample *is, int n,
		double sec, double at, long nr)
{
	if (format == JSON) {
		printf("%s\n  {\"time_s\": %.3f, \"interval_s\": %.3f, \"%s\": [",
		       nr ? "," : "", at, sec, calls ? "calls" : "harts");
		calls ? show_calls(at, false) : show_harts(was, is, n, sec, at);
		printf("]}");
	} else if (calls) {
		show_calls(at, nr == 0);
	} else {
		if (format == TABLE && nr % 20 == 0)
			table_head();
		if (format == CSV && nr == 0)
			csv_head();
		show_harts(was, is, n, sec, at);
	}
	if (format == TABLE && (calls || n > 2))
		printf("\n");
	fflush(stdout);
}

static void run(double interval, long count)
{
	static struct sample s[2][MAX_HARTS];
	int n = read_status(s[0]), cur = 0;
	double start = now(), then = start, t;
	long nr;

	if (calls)
		legs_reset();
	for (nr = 0; (count < 0 || nr < count) && !stop; nr++) {
		wait_until(start + interval * (nr + 1));
		if (stop)
			break;
		cur = !cur;
		t = now();
		n = read_status(s[cur]);
		one(s[!cur], s[cur], n, t - then, t, nr);
		then = t;
		if (calls)
			legs_reset();
	}
}

static void options(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "roles", 0, NULL, 'r' }, { "syscalls", 0, NULL, 's' },
		{ "csv", 0, NULL, 'c' },   { "json", 0, NULL, 'j' },
		{ "help", 0, NULL, 'h' },  { NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "rsh", opts, NULL)) != -1) {
		switch (opt) {
		case 'r':
			by_role = true;
			break;
		case 's':
			calls = true;
			break;
		case 'c':
			format = CSV;
			break;
		case 'j':
			format = JSON;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	static struct sample s[MAX_HARTS];
	double interval = 1;
	long count = 1;

	options(argc, argv);
	if (optind < argc) {
		interval = atof(argv[optind++]);
		count = -1;
	}
	if (optind < argc)
		count = atol(argv[optind++]);
	if (optind < argc || interval < 0.01 || count == 0) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, on_signal);
	/* Held until the end, however that comes. */
	if (open("/proc/relay/observe", O_RDONLY | O_CLOEXEC) < 0)
		fprintf(stderr, "hartstat: /proc/relay/observe: %s\n",
			strerror(errno));
	memset(perf_fd, -1, sizeof(perf_fd));
	open_perf(read_status(s));
	if (format == JSON)
		printf("[");
	run(interval, count);
	if (format == JSON)
		printf("\n]\n");
	return 0;
}
