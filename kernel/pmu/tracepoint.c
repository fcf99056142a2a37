/* SPDX-License-Identifier: MIT */
/*
 * kernel/pmu/tracepoint.c - raw_syscalls:sys_enter and sys_exit, for `perf trace`,
 * and the same for each call by itself.
 *
 * Only as samples: there is no trace buffer of text.
 */
#include <kernel/pmu/tracepoint.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/pmu/hooks.h>
#include <kernel/pmu/sample.h>
#include <kernel/task/process.h>
#include <kernel/upcalls.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

struct sys_enter {
	struct trace_common c;
	s64 id;
	u64 args[6];
};

struct sys_exit {
	struct trace_common c;
	s64 id, ret;
};

void pmu_syscall_slow(struct thread *t, bool enter)
{
	struct sys_enter in = { { TP_SYS_ENTER, 0, 0, t->tid },
				(s64)t->tf.a7,
				{ t->tf.orig_a0, t->tf.a1, t->tf.a2, t->tf.a3,
				  t->tf.a4, t->tf.a5 } };
	struct sys_exit out = { { TP_SYS_EXIT, 0, 0, t->tid },
				(s64)t->tf.a7,
				(s64)t->tf.a0 };

	if (enter) {
		sample_trace(t, TP_SYS_ENTER, &in, sizeof(in));
		in.c.type = (u16)(TP_ENTER_CALL + t->tf.a7);
		sample_trace(t, in.c.type, &in, sizeof(in));
	} else {
		sample_trace(t, TP_SYS_EXIT, &out, sizeof(out));
		out.c.type = (u16)(TP_EXIT_CALL + t->tf.a7);
		sample_trace(t, out.c.type, &out, sizeof(out));
	}
}

static bool is_call(u64 nr)
{
	return nr < NR_SYSCALLS && syscall_name(nr);
}

bool tracepoint_exists(u64 id)
{
	return (id >= TP_SYS_ENTER && id < NR_TRACEPOINTS) ||
	       (id >= TP_ENTER_CALL && is_call(id - TP_ENTER_CALL)) ||
	       (id >= TP_EXIT_CALL && is_call(id - TP_EXIT_CALL));
}

#define COMMON                                                              \
	"format:\n"                                                         \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\t"         \
	"signed:0;\n"                                                       \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\t"         \
	"signed:0;\n"                                                       \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\t" \
	"signed:0;\n"                                                       \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

const char tracepoint_common[] = COMMON;

static const char enter_format[] =
	"name: sys_enter\nID: 1\n" COMMON
	"\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n\n"
	"print fmt: \"NR %ld (%lx, %lx, %lx, %lx, %lx, %lx)\", REC->id, "
	"REC->args[0], REC->args[1], REC->args[2], REC->args[3], "
	"REC->args[4], REC->args[5]\n";
static const char exit_format[] =
	"name: sys_exit\nID: 2\n" COMMON
	"\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;\n\n"
	"print fmt: \"NR %ld = %ld\", REC->id, REC->ret\n";

static s64 show_text(void *obj __unused, const struct sys_attr *a, char *buf,
		     size_t size)
{
	return scnprintf(buf, size, "%s", (const char *)a->arg);
}

static const struct sys_attr enter_attrs[] = {
	{ "id", 0444, .show = show_text, .arg = (u64) "1\n" },
	{ "format", 0444, .show = show_text, .arg = (u64)enter_format },
};
static const struct sys_attr exit_attrs[] = {
	{ "id", 0444, .show = show_text, .arg = (u64) "2\n" },
	{ "format", 0444, .show = show_text, .arg = (u64)exit_format },
};

/* perf.data has the formats of this group too, and an empty one confuses perf: a line of
 * a trace buffer, which nobody writes. */
static const char print_format[] =
	"name: print\nID: 900\n" COMMON
	"\tfield:unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:char buf[];\toffset:16;\tsize:0;\tsigned:0;\n\n"
	"print fmt: \"%ps: %s\", (void *)REC->ip, REC->buf\n";
static const struct sys_attr print_attrs[] = {
	{ "id", 0444, .show = show_text, .arg = (u64) "900\n" },
	{ "format", 0444, .show = show_text, .arg = (u64)print_format },
};

/*
 * perf(1) names a call's arguments by the format of a tracepoint of that call: with
 * plain words here.
 */
static s64 show_call_id(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	return scnprintf(buf, size, "%lu\n", TP_ENTER_CALL + (u64)obj);
}

static s64 show_exit_id(void *obj, const struct sys_attr *a __unused, char *buf,
			size_t size)
{
	return scnprintf(buf, size, "%lu\n", TP_EXIT_CALL + (u64)obj);
}

static s64 show_exit_format(void *obj, const struct sys_attr *a __unused,
			    char *buf, size_t size)
{
	return scnprintf(buf, size,
			 "name: sys_exit_%s\nID: %lu\n" COMMON
			 "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\t"
			 "signed:1;\n"
			 "\tfield:long ret;\toffset:16;\tsize:8;\tsigned:1;\n"
			 "\nprint fmt: \"0x%%lx\", REC->ret\n",
			 syscall_name((u64)obj), TP_EXIT_CALL + (u64)obj);
}

static s64 show_call_format(void *obj, const struct sys_attr *a __unused,
			    char *buf, size_t size)
{
	s64 n = scnprintf(buf, size,
			  "name: sys_enter_%s\nID: %lu\n" COMMON
			  "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\t"
			  "signed:1;\n",
			  syscall_name((u64)obj), TP_ENTER_CALL + (u64)obj);

	for (u32 i = 0; i < 6; i++)
		n += scnprintf(buf + n, size - (size_t)n,
			       "\tfield:unsigned long arg%u;\toffset:%u;\t"
			       "size:8;\tsigned:0;\n",
			       i, 16 + 8 * i);
	return n + scnprintf(buf + n, size - (size_t)n,
			     "\nprint fmt: \"%%lx\", REC->arg0\n");
}

s64 tracepoint_format(u32 id, char *buf, size_t size)
{
	if (id >= TP_EXIT_CALL)
		return show_exit_format((void *)(u64)(id - TP_EXIT_CALL), NULL,
					buf, size);
	if (id >= TP_ENTER_CALL)
		return show_call_format((void *)(u64)(id - TP_ENTER_CALL), NULL,
					buf, size);
	if (id > TP_SYS_EXIT)
		return sched_format(id, buf, size);
	return scnprintf(buf, size, "%s",
			 id == TP_SYS_ENTER ? enter_format : exit_format);
}

static const struct sys_attr call_attrs[] = {
	{ "id", 0444, .show = show_call_id },
	{ "format", 0444, .show = show_call_format },
};
static const struct sys_attr exit_call_attrs[] = {
	{ "id", 0444, .show = show_exit_id },
	{ "format", 0444, .show = show_exit_format },
};

static int call_formats_init(void)
{
	struct sys_dir *d = sys_path("kernel/tracing/events/syscalls");
	char name[64];

	for (u64 nr = 0; nr < NR_SYSCALLS; nr++) {
		if (!syscall_name(nr))
			continue;
		scnprintf(name, sizeof(name), "sys_enter_%s", syscall_name(nr));
		(void)sys_add(sys_mkdir(d, name, (void *)nr), call_attrs,
			      ARRAY_SIZE(call_attrs));
		scnprintf(name, sizeof(name), "sys_exit_%s", syscall_name(nr));
		(void)sys_add(sys_mkdir(d, name, (void *)nr), exit_call_attrs,
			      ARRAY_SIZE(exit_call_attrs));
	}
	return 0;
}
INITCALL(INIT_LATE, call_formats_init);

/* Of Linux's trace pages, which perf.data describes although nobody has any. */
static const char header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";
static const char header_event[] = "# compressed entry header\n"
				   "\ttype_len    :    5 bits\n"
				   "\ttime_delta  :   27 bits\n"
				   "\tarray       :   32 bits\n\n"
				   "\tpadding     : type == 29\n"
				   "\ttime_extend : type == 30\n"
				   "\ttime_stamp : type == 31\n"
				   "\tdata max type_len  == 28\n";
static const struct sys_attr events_attrs[] = {
	{ "header_page", 0444, .show = show_text, .arg = (u64)header_page },
	{ "header_event", 0444, .show = show_text, .arg = (u64)header_event },
};
static const struct sys_attr tracing_attrs[] = {
	{ "printk_formats", 0444, .show = show_text, .arg = (u64) "" },
	{ "saved_cmdlines", 0444, .show = show_text, .arg = (u64) "" },
};

static int tracepoint_init(void)
{
	struct sys_dir *d = sys_path("kernel/tracing/events/raw_syscalls");
	int err = sys_add(sys_subdir(d, "sys_enter"), enter_attrs,
			  ARRAY_SIZE(enter_attrs));

	(void)sys_add(sys_path("kernel/tracing/events/ftrace/print"),
		      print_attrs, ARRAY_SIZE(print_attrs));
	(void)sys_add(sys_path("kernel/tracing"), tracing_attrs,
		      ARRAY_SIZE(tracing_attrs));
	(void)sys_add(sys_path("kernel/tracing/events"), events_attrs,
		      ARRAY_SIZE(events_attrs));
	return err ? err
		   : sys_add(sys_subdir(d, "sys_exit"), exit_attrs,
			     ARRAY_SIZE(exit_attrs));
}
INITCALL(INIT_VFS, tracepoint_init);
