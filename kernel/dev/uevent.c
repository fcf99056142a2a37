/* SPDX-License-Identifier: MIT */
/*
 * kernel/dev/uevent.c - the text of what is said of devices; see uevent.h.
 *
 * Source: Linux's Documentation/ABI/testing/sysfs-uevent.
 */
#include <kernel/dev/uevent.h>

#include <kernel/dev/sysfs.h>
#include <kernel/init.h>
#include <kernel/mm/page.h>
#include <lib/atomic.h>
#include <lib/ctype.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

#define UUID_LEN  36u
#define LINES_MAX 384u

void (*uevent_sink)(const char *msg, size_t n);

static u64 seqnum; /* [a] of the last one */

static const char *const actions[] = {
	"add", "remove", "change", "move", "online", "offline", "bind", "unbind"
};

struct msg {
	char *buf; /* PAGE_SIZE */
	size_t len;
};

/* Bytes before the first @c, or all. */
static size_t until(const char *s, char c)
{
	size_t n = 0;

	while (s[n] && s[n] != c)
		n++;
	return n;
}

/* One line; what does not fit is left out whole. */
static void put(struct msg *m, const char *key, const char *val, size_t n)
{
	size_t k = strlen(key);

	if (m->len + k + n + 2 > PAGE_SIZE)
		return;
	memcpy(m->buf + m->len, key, k);
	memcpy(m->buf + m->len + k, val, n);
	m->len += k + n;
	m->buf[m->len++] = '\0';
}

static void put_lines(struct msg *m, const char *lines)
{
	while (*lines) {
		size_t n = until(lines, '\n');

		put(m, "", lines, n);
		lines += n + (lines[n] == '\n');
	}
}

/* " KEY=value ..." of who asked, as SYNTH_ARG_KEY=value. */
static void put_args(struct msg *m, const char *args)
{
	while (*args) {
		size_t n = until(args, ' ');

		if (n)
			put(m, "SYNTH_ARG_", args, n);
		args += n + (args[n] == ' ');
	}
}

static void send(struct sys_dir *d, const char *action, const char *subsystem,
		 const char *uuid, const char *args, const char *lines)
{
	u64 seq = atomic_add_return(&seqnum, 1ul);
	struct msg m = { .buf = get_free_page(0) };
	char path[256], num[24];

	if (m.buf && load_once(&uevent_sink) &&
	    sys_dir_path(d, path, sizeof(path)) > 0) {
		m.len = (size_t)scnprintf(m.buf, PAGE_SIZE, "%s@%s", action,
					  path) +
			1;
		put(&m, "ACTION=", action, strlen(action));
		put(&m, "DEVPATH=", path, strlen(path));
		put(&m, "SUBSYSTEM=", subsystem, strlen(subsystem));
		if (uuid)
			put(&m, "SYNTH_UUID=", uuid, strlen(uuid));
		put_args(&m, args);
		put_lines(&m, lines);
		scnprintf(num, sizeof(num), "%lu", seq);
		put(&m, "SEQNUM=", num, strlen(num));
		uevent_sink(m.buf, m.len);
	}
	if (m.buf)
		free_page_addr(m.buf);
}

void uevent_send(struct sys_dir *d, const char *action, const char *subsystem,
		 const struct sys_attr *a, void *obj)
{
	char lines[LINES_MAX];

	if (d && a->show(obj, a, lines, sizeof(lines)) >= 0)
		send(d, action, subsystem, NULL, "", lines);
}

static bool is_uuid(const char *s, size_t n)
{
	if (n != UUID_LEN)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit(s[i]))
			return false;
	}
	return true;
}

/* Words of letters and digits, "KEY=value". */
static bool args_ok(const char *s)
{
	while (*s) {
		size_t n = until(s, ' '), k = 0;

		while (k < n && isalnum(s[k]))
			k++;
		if (!k || k == n || s[k] != '=')
			return false;
		while (++k < n)
			if (!isalnum(s[k]))
				return false;
		s += n + (s[n] == ' ');
	}
	return true;
}

static const char *find_action(const char *s, size_t n)
{
	for (u32 i = 0; i < ARRAY_SIZE(actions); i++)
		if (strlen(actions[i]) == n && !memcmp(actions[i], s, n))
			return actions[i];
	return NULL;
}

s64 uevent_store(struct sys_dir *d, const char *subsystem,
		 const struct sys_attr *attr, void *obj, const char *buf,
		 size_t n)
{
	size_t len = until(buf, '\n'), a, u;
	char line[LINES_MAX], lines[LINES_MAX], uuid[UUID_LEN + 1] = "0";
	const char *action, *rest;

	if (len >= sizeof(line))
		return -EINVAL;
	memcpy(line, buf, len);
	line[len] = '\0';
	a = until(line, ' ');
	action = find_action(line, a);
	rest = line + a + (line[a] == ' ');
	if (!action)
		return -EINVAL;
	if (*rest) {
		u = until(rest, ' ');
		if (!is_uuid(rest, u))
			return -EINVAL;
		memcpy(uuid, rest, u);
		uuid[u] = '\0';
		rest += u + (rest[u] == ' ');
		if (!args_ok(rest))
			return -EINVAL;
	}
	if (d && attr->show(obj, attr, lines, sizeof(lines)) >= 0)
		send(d, action, subsystem, uuid, rest, lines);
	return (s64)n;
}

static s64 show_seqnum(void *obj __unused, const struct sys_attr *a __unused,
		       char *buf, size_t size)
{
	return scnprintf(buf, size, "%lu\n", load_once(&seqnum));
}

static const struct sys_attr seqnum_attr = { .name = "uevent_seqnum",
					     .mode = 0444,
					     .show = show_seqnum };

static int uevent_init(void)
{
	(void)sys_add(sys_path("kernel"), &seqnum_attr, 1);
	return 0;
}
INITCALL(INIT_VFS, uevent_init);
