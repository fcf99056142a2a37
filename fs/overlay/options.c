/* SPDX-License-Identifier: MIT */
/*
 * fs/overlay/options.c - mount options: read, checked, shown, as Linux 6.12 does.
 *
 * Options are separated by ',', which a '\' before it makes part of a value; layers
 * of lowerdir= by ':', likewise.  Refused (EINVAL): layers for data only, metacopy=on,
 * index=on, nfs_export=on, verity=on.
 */
#include <fs/overlay/overlay.h>

#include <kernel/log.h>
#include <kernel/mm/kmalloc.h>
#include <lib/errno.h>
#include <lib/fmt.h>
#include <lib/string.h>

static const char *const redirect_names[] = { "off", "follow", "nofollow",
					      "on" };
static const char *const xino_names[] = { "off", "auto", "on" };
static const char *const uuid_names[] = { "auto", "off", "null", "on" };

void ovl_config_free(struct ovl_config *c)
{
	for (u32 i = 0; i < c->nr_lower; i++)
		kfree(c->lower[i]);
	kfree(c->lower);
	kfree(c->lowerdirs);
	kfree(c->upper);
	kfree(c->work);
}

static int choose(const char *const *names, u32 nr, const char *v)
{
	for (u32 i = 0; v && i < nr; i++)
		if (!strcmp(names[i], v))
			return (int)i;
	return -EINVAL;
}

void ovl_unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		if (*s == '\\' && s[1])
			s++;
		*to = *s;
	}
	*to = '\0';
}

/* Takes @path. */
static int add_lower(struct ovl_config *c, char *path)
{
	char **more;

	if (!path)
		return -ENOMEM;
	more = c->nr_lower < OVL_MAX_LAYERS
		       ? krealloc(c->lower, (c->nr_lower + 1) * sizeof(*more))
		       : NULL;
	if (!more || !*path) {
		int err = more				 ? -EINVAL
			  : c->nr_lower < OVL_MAX_LAYERS ? -ENOMEM
							 : -EINVAL;

		if (more)
			c->lower = more;
		kfree(path);
		return err;
	}
	c->lower = more;
	c->lower[c->nr_lower++] = path;
	return 0;
}

static void drop_lowers(struct ovl_config *c)
{
	while (c->nr_lower)
		kfree(c->lower[--c->nr_lower]);
	kfree(c->lowerdirs);
	c->lowerdirs = NULL;
}

/* The end of the layer at @s: its ':' or NUL. */
static const char *layer_end(const char *s)
{
	for (; *s && *s != ':'; s++)
		if (*s == '\\' && s[1])
			s++;
	return s;
}

static int set_lowerdir(struct ovl_config *c, const char *value)
{
	const char *at = value, *end;
	int err = 0;
	char *path;

	if (c->lower_plus)
		return -EINVAL; /* one or the other */
	drop_lowers(c);
	c->lowerdirs = kstrdup(value);
	if (!c->lowerdirs)
		return -ENOMEM;
	for (; !err; at = end + 1) {
		end = layer_end(at);
		path = kmalloc((size_t)(end - at) + 1);
		if (path) {
			memcpy(path, at, (size_t)(end - at));
			path[end - at] = '\0';
			ovl_unescape(path);
		}
		err = add_lower(c, path);
		if (!*end)
			break;
	}
	return err;
}

static int set_path(char **to, const char *value)
{
	char *copy = kstrdup(value);

	if (!copy || !*copy) {
		kfree(copy);
		return copy ? -EINVAL : -ENOMEM;
	}
	kfree(*to);
	*to = copy;
	return 0;
}

static int set_enum(u32 *to, const char *const *names, u32 nr, const char *v)
{
	int n = choose(names, nr, v);

	if (n < 0)
		return n;
	*to = (u32)n;
	return 0;
}

/* What can be off only. */
static int must_be_off(const char *v)
{
	return v && !strcmp(v, "off") ? 0 : -EINVAL;
}

static int set_dir(struct ovl_config *c, const char *key, const char *v)
{
	if (!strcmp(key, "lowerdir+")) {
		if (!v || c->lowerdirs)
			return -EINVAL;
		c->lower_plus = true;
		return add_lower(c, kstrdup(v));
	}
	if (!strcmp(key, "datadir+"))
		return -EINVAL;
	if (!v)
		return -EINVAL;
	if (!strcmp(key, "lowerdir"))
		return set_lowerdir(c, v);
	return set_path(!strcmp(key, "upperdir") ? &c->upper : &c->work, v);
}

static int set_mode(struct ovl_config *c, const char *key, const char *v)
{
	u32 n = 0;
	int err;

	if (!strcmp(key, "redirect_dir")) {
		err = set_enum(&n, redirect_names, ARRAY_SIZE(redirect_names),
			       v);
		if (!err) {
			/* Debian's, like most, always follows. */
			c->redirect =
				n == OVL_REDIRECT_OFF ? OVL_REDIRECT_FOLLOW : n;
			c->redirect_set = true;
		}
	} else if (!strcmp(key, "xino")) {
		err = set_enum(&n, xino_names, ARRAY_SIZE(xino_names), v);
		c->xino = err ? c->xino : n;
	} else {
		err = set_enum(&n, uuid_names, ARRAY_SIZE(uuid_names), v);
		c->uuid = err ? c->uuid : n;
	}
	return err;
}

/* What a copy-up syncs: its data ("auto"), or nothing. */
static int set_sync(struct ovl_config *c, const char *v)
{
	if (!v || (strcmp(v, "volatile") != 0 && strcmp(v, "auto") != 0))
		return -EINVAL;
	c->volatile_ = !strcmp(v, "volatile");
	return 0;
}

static bool one_of(const char *key, const char *const *names, u32 nr)
{
	return choose(names, nr, key) >= 0;
}

static int set_option(void *to, const char *key, const char *v)
{
	static const char *const dirs[] = { "lowerdir", "lowerdir+", "datadir+",
					    "upperdir", "workdir" };
	static const char *const modes[] = { "redirect_dir", "xino", "uuid" };
	static const char *const offs[] = { "index", "nfs_export", "metacopy",
					    "verity" };
	struct ovl_config *c = to;
	bool *flag;

	if (one_of(key, dirs, ARRAY_SIZE(dirs)))
		return set_dir(c, key, v);
	if (one_of(key, modes, ARRAY_SIZE(modes)))
		return set_mode(c, key, v);
	if (one_of(key, offs, ARRAY_SIZE(offs)))
		return must_be_off(v);
	if (!strcmp(key, "fsync"))
		return set_sync(c, v);
	if (!strcmp(key, "default_permissions"))
		flag = &c->default_permissions;
	else if (!strcmp(key, "volatile"))
		flag = &c->volatile_;
	else if (!strcmp(key, "userxattr"))
		flag = &c->userxattr;
	else
		return -ENOENT;
	if (v)
		return -EINVAL;
	*flag = true;
	return 0;
}

/* The option at *@at, cut off; escapes stay. */
static char *next_option(char **at)
{
	char *s = *at, *end;

	if (!s)
		return NULL;
	*at = NULL;
	for (end = s; *end; end++) {
		if (*end == '\\' && end[1]) {
			end++;
		} else if (*end == ',') {
			*end = '\0';
			*at = end + 1;
			break;
		}
	}
	return s;
}

static int conflicts(struct ovl_config *c)
{
	if (c->work && !c->upper) { /* useless, says Linux, and goes on */
		kfree(c->work);
		c->work = NULL;
	}
	if (!c->upper)
		c->volatile_ = false;
	/* none is ever made */
	if (!c->upper && c->redirect == OVL_REDIRECT_FOLLOW)
		c->redirect = OVL_REDIRECT_ON;
	if (c->userxattr) {
		if (c->redirect_set && c->redirect != OVL_REDIRECT_NOFOLLOW)
			return -EINVAL;
		c->redirect = OVL_REDIRECT_NOFOLLOW;
	}
	if (!c->nr_lower || (c->upper && !c->work) ||
	    (!c->upper && c->nr_lower < 2)) {
		pr_warn_ratelimited(
			"overlay: needs a lowerdir, two without an upperdir, and "
			"a workdir with one");
		return -EINVAL;
	}
	return 0;
}

int ovl_parse(struct ovl_config *c, const char *data)
{
	char *copy = kstrdup(data), *at = copy, *opt, *v;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	c->redirect = OVL_REDIRECT_FOLLOW;
	while (!err && (opt = next_option(&at))) {
		if (!*opt)
			continue;
		v = str_cut(opt, '=');
		err = set_option(c, opt, v);
		if (err == -ENOENT)
			err = -EINVAL;
	}
	kfree(copy);
	return err ? err : conflicts(c);
}

/* fs_type->check_option */
int ovl_check_option(const char *opt)
{
	struct ovl_config scratch = { 0 };
	int err = fs_option(opt, set_option, &scratch);

	ovl_config_free(&scratch);
	return err;
}

/* --- shown */

struct shown {
	char *buf;
	size_t n, len;
};

__printf(2, 3) static void say(struct shown *s, const char *fmt, ...)
{
	va_list ap;

	if (s->len + 1 >= s->n)
		return;
	va_start(ap, fmt);
	vsnprintf(s->buf + s->len, s->n - s->len, fmt, ap);
	va_end(ap);
	s->len += strlen(s->buf + s->len);
}

/* What would end the option, or the line, is written in octal. */
static void say_path(struct shown *s, const char *key, const char *path)
{
	say(s, ",%s=", key);
	for (; *path; path++) {
		if (strchr(", \t\n\\", *path))
			say(s, "\\%03o", (unsigned int)(u8)*path);
		else
			say(s, "%c", *path);
	}
}

static void say_flags(struct shown *s, const struct ovl_fs *ofs)
{
	const struct ovl_config *c = &ofs->config;

	if (c->default_permissions)
		say(s, ",default_permissions");
	if (c->redirect != OVL_REDIRECT_FOLLOW)
		say(s, ",redirect_dir=%s", redirect_names[c->redirect]);
	if (c->uuid != OVL_UUID_AUTO)
		say(s, ",uuid=%s", uuid_names[c->uuid]);
	if (c->xino != OVL_XINO_OFF && !ofs->same_fs)
		say(s, ",xino=%s", xino_names[c->xino]);
	if (c->volatile_)
		say(s, ",fsync=volatile");
	if (c->userxattr)
		say(s, ",userxattr");
}

void ovl_show_options(struct super_block *sb, char *buf, size_t n)
{
	const struct ovl_fs *ofs = ovl_fs(sb);
	const struct ovl_config *c = &ofs->config;
	struct shown s = { buf, n, 0 };

	buf[0] = '\0';
	if (c->lowerdirs)
		say_path(&s, "lowerdir", c->lowerdirs);
	for (u32 i = 0; !c->lowerdirs && i < c->nr_lower; i++)
		say_path(&s, "lowerdir+", c->lower[i]);
	if (c->upper) {
		say_path(&s, "upperdir", c->upper);
		say_path(&s, "workdir", c->work);
	}
	say_flags(&s, ofs);
}
