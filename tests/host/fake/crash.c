/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/crash.c - see crash.h: what may be left.
 */
#include <stdlib.h>

#include <tests/host/cmocka.h>

#include <tests/host/fake/crash_int.h>

#include <lib/errno.h>

static struct sync_note {
	u32 begun, ended;
} * syncs;
static u32 nr_syncs, room_syncs;

void crash_note_sync(u32 begun, u32 ended)
{
	if (nr_syncs == room_syncs) {
		room_syncs = room_syncs ? 2 * room_syncs : 64;
		syncs = realloc(syncs, room_syncs * sizeof(*syncs));
	}
	syncs[nr_syncs++] = (struct sync_note){ begun, ended };
}

void crash_forget_syncs(void)
{
	free(syncs);
	syncs = NULL;
	nr_syncs = room_syncs = 0;
}

/* What ended before this event is durable at @event. */
static u32 synced_until(u32 event)
{
	u32 i, last = 0;

	for (i = 0; i < nr_syncs; i++) {
		if (syncs[i].ended <= event && syncs[i].begun > last)
			last = syncs[i].begun;
	}
	return last;
}

/* --- text */

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char line[1200];

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (t->nr == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->line = realloc(t->line, t->room * sizeof(*t->line));
	}
	t->line[t->nr++] = strdup(line);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted and in one piece; @t is empty again. */
char *text_join(struct text *t)
{
	size_t n = 1, i;
	char *all, *at;

	if (t->nr)
		qsort(t->line, t->nr, sizeof(*t->line), by_text);
	for (i = 0; i < t->nr; i++)
		n += strlen(t->line[i]);
	all = at = malloc(n);
	*at = '\0';
	for (i = 0; i < t->nr; i++) {
		strcpy(at, t->line[i]);
		at += strlen(at);
		free(t->line[i]);
	}
	free(t->line);
	memset(t, 0, sizeof(*t));
	return all;
}

/* --- the volume */

struct walk {
	struct rig *rig;
	struct text *text;
	char path[1024];
	/* For each file found, or NULL. */
	void (*file)(struct walk *w, struct inode *i);
	const struct worker *worker;
	u32 event, synced;
	bool contents; /* sizes and sums too */
};

static void walk_dir(struct walk *w, struct inode *dir);

static u32 sum_of(struct inode *i)
{
	static u8 buf[65536];
	u64 pos = 0;
	u32 sum = 1;
	s64 n, k;

	while ((n = rig_read(i, pos, buf, sizeof(buf))) > 0) {
		for (k = 0; k < n; k++)
			sum = sum * 16777619u ^ buf[k];
		pos += (u64)n;
		/* Holes at the end of large sparse files. */
		if (pos > (1u << 20))
			break;
	}
	assert_true(n >= 0);
	return sum;
}

static void describe(struct walk *w, struct inode *i)
{
	char target[1100] = "", value[64] = "";
	s64 n;

	if (S_ISLNK(i->mode))
		assert_true(i->ops->readlink(i, target, sizeof(target)) > 0);
	n = i->ops->getxattr(i, "user.crash", value, sizeof(value) - 1);
	value[n > 0 ? n : 0] = '\0';
	text_add(w->text, "%s ino %llu.%u mode %o nlink %u%s%s%s%s\n", w->path,
		 (unsigned long long)i->ino, i->generation, i->mode, i->nlink,
		 *target ? " -> " : "", target, *value ? " x=" : "", value);
	if (w->contents && S_ISREG(i->mode))
		text_add(w->text, "%s size %llu sum %x\n", w->path,
			 (unsigned long long)i->i_size, sum_of(i));
}

static void found(void *arg, const char *name, size_t len, u64 ino,
		  unsigned int dtype)
{
	struct text *names = arg;

	text_add(names, "%.*s", (int)len, name);
}

static void walk_one(struct walk *w, struct inode *dir, const char *name)
{
	size_t at = strlen(w->path);
	struct inode *i = rig_child(dir, name);

	assert_false(IS_ERR(i));
	snprintf(w->path + at, sizeof(w->path) - at, "/%s", name);
	describe(w, i);
	if (S_ISDIR(i->mode))
		walk_dir(w, i);
	else if (S_ISREG(i->mode) && w->file)
		w->file(w, i);
	w->path[at] = '\0';
	inode_put(i);
}

static void walk_dir(struct walk *w, struct inode *dir)
{
	struct text names = { 0 };
	u32 k;

	assert_int_equal(rig_list(dir, found, &names), 0);
	for (k = 0; k < names.nr; k++) {
		if (strcmp(names.line[k], "lost+found") != 0)
			walk_one(w, dir, names.line[k]);
		free(names.line[k]);
	}
	free(names.line);
}

char *volume_text(struct rig *r)
{
	struct text text = { 0 };
	struct walk w = { .rig = r, .text = &text, .contents = true };
	struct inode *root = rig_lookup(r, "");

	walk_dir(&w, root);
	inode_put(root);
	return text_join(&text);
}

/* --- contents */

/* Sector @nr of the file as it was; zeroes behind its end. */
static void sector_of(const struct version *v, u64 nr, u8 out[512])
{
	u64 from = nr * 512, n = 0;

	memset(out, 0, 512);
	if (from < v->size)
		n = min(v->size - from, 512ul);
	if (n && v->data)
		memcpy(out, v->data + from, n);
}

static bool is_zero(const u8 *p, u64 n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

/* May sector @nr, of which the file has @n bytes, be @got? */
static bool sector_ok(const struct object *o, u32 base, u32 last, u64 nr,
		      const u8 *got, u64 n)
{
	u8 want[512];
	u32 k;

	/* Not there at all, where nothing was confirmed: but the last bytes
	 * are what made the file as long as it is. */
	if (o->version[base].size <= nr * 512 && n == 512 && is_zero(got, n))
		return true;
	for (k = base; k <= last; k++) {
		sector_of(&o->version[k], nr, want);
		if (!memcmp(got, want, n))
			return true;
	}
	return false;
}

/* What is known of a file, before the test fails for it. */
static void tell_versions(const struct object *o, u32 event, u32 synced)
{
	print_error("ino %llu at event %u, all synced until %u:\n",
		    (unsigned long long)o->ino, event, synced);
	for (u32 k = 0; k < o->nr_versions; k++)
		print_error("  version %u: size %llu, begun %u, ended %u, "
			    "confirmed %d\n",
			    k, (unsigned long long)o->version[k].size,
			    o->version[k].begun, o->version[k].ended,
			    (int)o->version[k].synced);
}

static void check_size(const struct walk *w, const struct object *o, u32 base,
		       u32 last, u64 size)
{
	u64 lo = ~0ull, hi = 0;
	u32 k;

	for (k = base; k <= last; k++) {
		lo = min(lo, o->version[k].size);
		hi = max(hi, o->version[k].size);
	}
	if (size >= lo && size <= hi)
		return;
	tell_versions(o, w->event, w->synced);
	fail_msg("%s: size %llu is not in [%llu, %llu]", w->path,
		 (unsigned long long)size, (unsigned long long)lo,
		 (unsigned long long)hi);
}

/* Versions that may show: from the last confirmed one to the last begun. */
static void version_range(const struct object *o, u32 event, u32 synced,
			  u32 *base, u32 *last)
{
	u32 k;

	*base = *last = 0;
	for (k = 0; k < o->nr_versions; k++) {
		const struct version *v = &o->version[k];

		if (v->begun <= event)
			*last = k;
		if (v->synced <= event || v->ended <= synced)
			*base = k;
	}
}

static const struct object *object_of(const struct worker *w, struct inode *i)
{
	const struct object *o;

	for (o = w->objects; o; o = o->next) {
		if (o->ino == i->ino && o->generation == i->generation)
			return o;
	}
	return NULL;
}

static void check_file(struct walk *w, struct inode *i)
{
	const struct object *o = object_of(w->worker, i);
	u32 base, last;
	u8 got[512];
	u64 nr;

	assert_non_null(o);
	version_range(o, w->event, w->synced, &base, &last);
	check_size(w, o, base, last, i->i_size);
	for (nr = 0; nr * 512 < i->i_size; nr++) {
		u64 n = min(i->i_size - nr * 512, 512ul);

		assert_int_equal(rig_read(i, nr * 512, got, n), n);
		if (!sector_ok(o, base, last, nr, got, n))
			fail_msg("%s: sector %llu is nothing that it ever was "
				 "(versions %u to %u, size %llu)",
				 w->path, (unsigned long long)nr, base, last,
				 (unsigned long long)i->i_size);
	}
}

static void grow_file(struct walk *w, struct inode *i)
{
	u64 size = i->i_size, n = 1 + random_below(&world_seed, 2000);
	u8 got[2000];

	if (random_below(&world_seed, 4))
		return;
	(void)mapping_invalidate(&i->mapping, 0, ~0ull);
	assert_int_equal(rig_truncate(i, size + n), 0);
	assert_int_equal(rig_read(i, size, got, n), n);
	if (!is_zero(got, n))
		fail_msg("%s: not zeroes behind the end at %llu", w->path,
			 (unsigned long long)size);
}

/* --- names */

/* The steps after which the names may show. */
static void step_range(const struct worker *w, u32 event, u32 synced, u32 *lo,
		       u32 *hi)
{
	u32 k;

	*lo = *hi = 0;
	for (k = 0; k < w->nr_steps; k++) {
		const struct step *s = &w->step[k];

		if (s->begun <= event)
			*hi = k;
		if (s->ended <= synced)
			*lo = max(*lo, k);
		if (s->confirmed_at <= event)
			*lo = max(*lo, s->confirms);
	}
}

void worker_grow_files(const struct worker *w, struct rig *r)
{
	struct text text = { 0 };
	struct walk walk = { .rig = r, .text = &text, .file = grow_file };
	struct inode *root = rig_lookup(r, "");

	walk_one(&walk, root, w->name);
	inode_put(root);
	free(text_join(&text));
}

void worker_check(const struct worker *w, struct rig *r, u32 event)
{
	struct text text = { 0 };
	struct walk walk = { .rig = r,
			     .text = &text,
			     .file = check_file,
			     .worker = w,
			     .event = event,
			     .synced = synced_until(event) };
	struct inode *root = rig_lookup(r, "");
	u32 lo, hi, k;
	char *names;

	walk_one(&walk, root, w->name);
	inode_put(root);
	names = text_join(&text);
	step_range(w, event, walk.synced, &lo, &hi);
	for (k = lo; k <= hi; k++) {
		if (!strcmp(w->step[k].names, names))
			break;
	}
	if (k > hi)
		fail_msg("names after no step of %u to %u:\n%s--- after %u:\n%s"
			 "--- after %u:\n%s",
			 lo, hi, names, lo, w->step[lo].names, hi,
			 w->step[hi].names);
	free(names);
}
