/* SPDX-License-Identifier: MIT */
/*
 * fs/ext4/options.c - mount options: read, and shown as Linux shows them.
 *
 * The order of the table is the order in /proc/mounts.  What cannot be had is not
 * in it and so refused: data=journal, quotas, DAX, external journals, encryption.
 *
 * Locking: the mount's, by the caller.
 */
#include <fs/ext4/options.h>

#include <fs/ext4/ext4.h>
#include <lib/bitmap.h>
#include <lib/fmt.h>

#define COMMIT_SECONDS 5u
#define COMMIT_MAX     (0x7fffffffu / 250) /* as many ticks of Linux */
#define MAX_BATCH_US   15000u
#define READAHEAD      32u
#define ITABLE_MULT    10u

/* in the super block: s_default_mount_opts */
#define DEFM_DEBUG	0x001u
#define DEFM_BSDGROUPS	0x002u
#define DEFM_UID16	0x010u
#define DEFM_DATA	0x060u
#define DEFM_WRITEBACK	0x060u
#define DEFM_NOBARRIER	0x100u
#define DEFM_VALIDITY	0x200u
#define DEFM_DISCARD	0x400u
#define DEFM_NODELALLOC 0x800u

/* What another mount -o remount says of these is passed over. */
#define STAYS ((u32)(EXT4_OPT_JCSUM | EXT4_OPT_DATA_GIVEN))

enum kind {
	SET,	 /* flags; no value */
	CLEAR,	 /* likewise */
	IS,	 /* this name and value: flags */
	MAYBE,	 /* CLEAR; or by a number: 0 sets */
	ITABLE,	 /* EXT4_OPT_ITABLE; or with a number */
	NUMBER,	 /* a field */
	NOTHING, /* no value, no effect */
	ANY,	 /* any value, no effect */
};

struct option {
	const char *name;
	enum kind kind;
	u32 flags;
	u32 others; /* IS: these are cleared */
	u32 field;  /* NUMBER: its offset, ... */
	bool (*ok)(u32 n);
	bool hidden; /* another name for one that is shown */
};

static bool ok_commit(u32 n)
{
	return n <= COMMIT_MAX;
}

static bool ok_readahead(u32 n)
{
	return !n || (is_pow2(n) && n <= 1u << 30);
}

static bool ok_ioprio(u32 n)
{
	return n <= 7;
}

static bool ok_sb(u32 n)
{
	return n == 1;
}

static bool ok_id(u32 n)
{
	return n != ~0u;
}

static bool ok_scan(u32 n)
{
	return n <= 1;
}

#define FIELD(f) offsetof(struct ext4_options, f)
#define ON(n, f)                                        \
	{                                               \
		.name = (n), .kind = SET, .flags = (f), \
	}
#define OFF(n, f)                                         \
	{                                                 \
		.name = (n), .kind = CLEAR, .flags = (f), \
	}
#define ALIAS(n, k, f)                                                  \
	{                                                               \
		.name = (n), .kind = (k), .flags = (f), .hidden = true, \
	}
#define VALUE(n, f, o)                                               \
	{                                                            \
		.name = (n), .kind = IS, .flags = (f), .others = (o) \
	}
#define NUM(n, f, check)                                                       \
	{                                                                      \
		.name = (n), .kind = NUMBER, .field = FIELD(f), .ok = (check), \
		.hidden = true                                                 \
	}

static const struct option options[] = {
	OFF("bsddf", EXT4_OPT_MINIXDF),
	ON("minixdf", EXT4_OPT_MINIXDF),
	ON("grpid", EXT4_OPT_GRPID),
	OFF("nogrpid", EXT4_OPT_GRPID),
	ON("block_validity", EXT4_OPT_VALIDITY),
	OFF("noblock_validity", EXT4_OPT_VALIDITY),
	ON("dioread_nolock", EXT4_OPT_DIOREAD),
	OFF("nodioread_nolock", EXT4_OPT_DIOREAD),
	ON("discard", EXT4_OPT_DISCARD),
	OFF("nodiscard", EXT4_OPT_DISCARD),
	ON("delalloc", EXT4_OPT_DELALLOC),
	OFF("nodelalloc", EXT4_OPT_DELALLOC),
	ON("warn_on_error", EXT4_OPT_WARN),
	OFF("nowarn_on_error", EXT4_OPT_WARN),
	OFF("nojournal_checksum", EXT4_OPT_JCSUM),
	ON("journal_checksum", EXT4_OPT_JCSUM),
	ON("journal_async_commit", EXT4_OPT_JASYNC | EXT4_OPT_JCSUM),
	ON("norecovery", EXT4_OPT_NOLOAD),
	ON("abort", EXT4_OPT_ABORT),
	{ .name = "barrier", .kind = MAYBE, .flags = EXT4_OPT_NOBARRIER },
	ON("nobarrier", EXT4_OPT_NOBARRIER),
	ON("noauto_da_alloc", EXT4_OPT_NO_AUTO_DA),
	{ .name = "auto_da_alloc",
	  .kind = MAYBE,
	  .flags = EXT4_OPT_NO_AUTO_DA },
	OFF("noinit_itable", EXT4_OPT_ITABLE),
	ON("user_xattr", EXT4_OPT_XATTR),
	ON("acl", EXT4_OPT_ACL),
	ON("nouid32", EXT4_OPT_UID16),
	ON("debug", EXT4_OPT_DEBUG),
	OFF("noquota", EXT4_OPT_QUOTA), /* there are none */
	ON("no_prefetch_block_bitmaps", EXT4_OPT_NOPREFETCH),
	ON("nombcache", EXT4_OPT_NOMBCACHE),
	/* the same by other names */
	ALIAS("bsdgroups", SET, EXT4_OPT_GRPID),
	ALIAS("sysvgroups", CLEAR, EXT4_OPT_GRPID),
	ALIAS("noload", SET, EXT4_OPT_NOLOAD),
	ALIAS("dioread_lock", CLEAR, EXT4_OPT_DIOREAD),
	ALIAS("no_mbcache", SET, EXT4_OPT_NOMBCACHE),
	/* values */
	VALUE("errors=continue", EXT4_OPT_ERRORS_CONT, EXT4_OPTS_ERRORS),
	VALUE("errors=remount-ro", 0, EXT4_OPTS_ERRORS),
	VALUE("errors=panic", EXT4_OPT_ERRORS_PANIC, EXT4_OPTS_ERRORS),
	VALUE("data=ordered", EXT4_OPT_DATA_GIVEN, EXT4_OPT_WRITEBACK),
	VALUE("data=writeback", EXT4_OPT_DATA_GIVEN | EXT4_OPT_WRITEBACK, 0),
	VALUE("dax=never", EXT4_OPT_DAX_NEVER, EXT4_OPT_DAX_INODE),
	VALUE("dax=inode", EXT4_OPT_DAX_INODE, EXT4_OPT_DAX_NEVER),
	VALUE("data_err=abort", EXT4_OPT_DATA_ABORT, 0),
	VALUE("data_err=ignore", 0, EXT4_OPT_DATA_ABORT),
	NUM("resuid", resuid, ok_id),
	NUM("resgid", resgid, ok_id),
	NUM("commit", commit_s, ok_commit),
	NUM("min_batch_time", min_batch_us, NULL),
	NUM("max_batch_time", max_batch_us, NULL),
	NUM("stripe", stripe, NULL),
	NUM("inode_readahead_blks", readahead, ok_readahead),
	NUM("max_dir_size_kb", max_dir_kb, NULL),
	NUM("debug_want_extra_isize", extra_isize, NULL),
	NUM("sb", sb, ok_sb),
	NUM("journal_ioprio", ignored, ok_ioprio),
	NUM("mb_optimize_scan", scan, ok_scan),
	NUM("journal", ignored, NULL),
	{ .name = "init_itable",
	  .kind = ITABLE,
	  .field = FIELD(itable_mult),
	  .hidden = true },
	/* what Linux takes without effect, too; and flags of the mount */
	{ .name = "check", .kind = ANY },
	VALUE("usrjquota=", 0, 0),
	VALUE("grpjquota=", 0, 0),
#define IGNORED(n)                            \
	{                                     \
		.name = (n), .kind = NOTHING, \
	}
	IGNORED("oldalloc"),
	IGNORED("orlov"),
	IGNORED("bh"),
	IGNORED("nobh"),
	IGNORED("nocheck"),
	IGNORED("reservation"),
	IGNORED("noreservation"),
	IGNORED("mblk_io_submit"),
	IGNORED("nomblk_io_submit"),
	IGNORED("prefetch_block_bitmaps"),
	IGNORED("i_version"),
	IGNORED("inlinecrypt"),
	IGNORED("lazytime"),
	IGNORED("nolazytime"),
	IGNORED("mand"),
	IGNORED("nomand"),
	IGNORED("rw"),
	IGNORED("ro"),
};

/* --- reading */

static bool number(const char *s, u32 *out)
{
	u64 n;

	if (!s || kstrtou64(s, 0, &n) || n > ~0u)
		return false;
	*out = (u32)n;
	return true;
}

static int take_number(struct ext4_options *to, const struct option *o,
		       const char *value)
{
	u32 n;

	if (!number(value, &n) || (o->ok && !o->ok(n)))
		return -EINVAL;
	if (o->field == FIELD(commit_s) && !n)
		n = COMMIT_SECONDS;
	*(u32 *)(void *)((u8 *)to + o->field) = n;
	return 0;
}

static int take_maybe(struct ext4_options *to, const struct option *o,
		      const char *value)
{
	u32 n = 1;

	if (value && !number(value, &n))
		return -EINVAL;
	if (o->kind == ITABLE) {
		to->flags |= EXT4_OPT_ITABLE;
		to->itable_mult = value ? n : ITABLE_MULT;
	} else if (n) {
		to->flags &= ~o->flags;
	} else {
		to->flags |= o->flags;
	}
	return 0;
}

static int take(struct ext4_options *to, const struct option *o,
		const char *value)
{
	switch (o->kind) {
	case IS:
		to->flags = (to->flags & ~o->others) | o->flags;
		return 0;
	case MAYBE:
	case ITABLE:
		return take_maybe(to, o, value);
	case NUMBER:
		return take_number(to, o, value);
	case ANY:
		return value ? 0 : -EINVAL;
	default:
		break;
	}
	if (value)
		return -EINVAL;
	if (o->kind == SET)
		to->flags |= o->flags;
	else if (o->kind == CLEAR)
		to->flags &= ~o->flags;
	return 0;
}

/* @opt is one option; -ENOENT when nothing has its name. */
static int take_one(struct ext4_options *to, const char *opt)
{
	const char *value = strchr(opt, '=');
	size_t len = value ? (size_t)(value - opt) : strlen(opt), i;
	int err = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];

		if (strncmp(o->name, opt, len) != 0)
			continue;
		if (o->kind == IS ? !strcmp(o->name, opt) : !o->name[len])
			return take(to, o, value ? value + 1 : NULL);
		if (o->name[len] == '=')
			err = -EINVAL;
	}
	return err;
}

int ext4_check_option(const char *opt)
{
	struct ext4_options scratch = { 0 };

	return take_one(&scratch, opt);
}

static int refused(struct ext4_sb *sbi, const char *why)
{
	pr_err("ext4: %s: %s", sbi->bdev->name, why);
	return -EINVAL;
}

/* What does not go together, or cannot be changed. */
static int consistent(struct ext4_sb *sbi, const struct ext4_options *to,
		      bool remount)
{
	u32 change = to->flags ^ sbi->opt.flags;

	if ((to->flags & EXT4_OPT_JASYNC) && !(to->flags & EXT4_OPT_WRITEBACK))
		return refused(sbi,
			       "journal_async_commit wants data=writeback");
	if (!remount)
		return 0;
	if (change & EXT4_OPT_WRITEBACK)
		return refused(sbi, "cannot change data mode on remount");
	if (change & EXT4_OPT_NOMBCACHE)
		return refused(sbi, "cannot change nombcache on remount");
	if (change & EXT4_OPTS_DAX)
		return refused(sbi, "cannot change dax on remount");
	return 0;
}

int ext4_options_parse(struct ext4_sb *sbi, const char *data, bool remount)
{
	struct ext4_options to = sbi->opt;
	int err = 0;
	char opt[128];

	while (data && *data && !err) {
		const char *comma = strchr(data, ',');
		size_t len = comma ? (size_t)(comma - data) : strlen(data);

		if (len) {
			strscpy(opt, data, min(len + 1, sizeof(opt)));
			err = len < sizeof(opt) ? take_one(&to, opt) : -EINVAL;
			if (err)
				pr_err("ext4: %s: unknown or wrong option '%s'",
				       sbi->bdev->name, opt);
		}
		data += len + (comma != NULL);
	}
	if (remount)
		to.flags = (to.flags & ~STAYS) | (sbi->opt.flags & STAYS);
	if (!err)
		err = consistent(sbi, &to, remount);
	if (err)
		return -EINVAL;
	if (to.flags & EXT4_OPT_NOLOAD)
		to.flags &= ~(u32)EXT4_OPT_JCSUM;
	sbi->opt = to;
	return 0;
}

/* --- what they are without */

static u32 default_flags(struct ext4_sb *sbi, const struct ext4_super *es)
{
	u32 d = es->default_mount_opts;
	u32 f = EXT4_OPT_VALIDITY | EXT4_OPT_DIOREAD | EXT4_OPT_ITABLE |
		EXT4_OPT_XATTR | EXT4_OPT_ACL;

	if (!strcmp(sbi->vfs->type->name, "ext4") && !(d & DEFM_NODELALLOC))
		f |= EXT4_OPT_DELALLOC;
	if (es->feature_ro_compat & EXT4_RO_COMPAT_METADATA_CSUM)
		f |= EXT4_OPT_JCSUM;
	if (d & DEFM_DEBUG)
		f |= EXT4_OPT_DEBUG;
	if (d & DEFM_BSDGROUPS)
		f |= EXT4_OPT_GRPID;
	if (d & DEFM_UID16)
		f |= EXT4_OPT_UID16;
	if ((d & DEFM_DATA) == DEFM_WRITEBACK)
		f |= EXT4_OPT_WRITEBACK;
	if (d & DEFM_NOBARRIER)
		f |= EXT4_OPT_NOBARRIER;
	if (d & DEFM_DISCARD)
		f |= EXT4_OPT_DISCARD;
	if (es->errors == EXT4_ERRORS_PANIC)
		f |= EXT4_OPT_ERRORS_PANIC;
	else if (es->errors != EXT4_ERRORS_RO)
		f |= EXT4_OPT_ERRORS_CONT;
	return f;
}

void ext4_options_default(struct ext4_sb *sbi, const struct ext4_super *es)
{
	sbi->opt = (struct ext4_options){
		.flags = default_flags(sbi, es),
		.commit_s = COMMIT_SECONDS,
		.resuid = es->def_resuid,
		.resgid = es->def_resgid,
		.max_batch_us = MAX_BATCH_US,
		.readahead = READAHEAD,
		.itable_mult = ITABLE_MULT,
		.scan = 1,
		.sb = 1,
	};
	sbi->opt_default = sbi->opt;
}

/* --- showing */

struct out {
	char *buf;
	size_t n, at;
	char sep;
};

__printf(2, 3) static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	if (o->at + 2 > o->n)
		return;
	o->buf[o->at++] = o->sep;
	va_start(ap, fmt);
	n = (size_t)vsnprintf(o->buf + o->at, o->n - o->at, fmt, ap);
	o->at += min(n, o->n - o->at - 1);
	va_end(ap);
}

static void put_flags(struct out *out, u32 flags, u32 differ)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *o = &options[i];
		bool set = o->kind == SET;

		if (o->hidden || !(o->flags & differ) || o->kind == IS)
			continue;
		if (set ? (flags & o->flags) == o->flags : !(flags & o->flags))
			put(out, "%s", o->name);
	}
}

static void put_number(struct out *o, const char *name, u32 n, bool show)
{
	if (show)
		put(o, "%s=%u", name, n);
}

size_t ext4_options_str(struct ext4_sb *sbi, char *buf, size_t n, bool all)
{
	const struct ext4_options *v = &sbi->opt, *d = &sbi->opt_default;
	struct out o = { buf, n, 0, all ? '\n' : ',' };
	u32 differ = all ? ~0u : v->flags ^ d->flags;

	*buf = '\0';
	if (v->flags & EXT4_OPT_NOLOAD && !all)
		differ &= ~(u32)EXT4_OPT_JCSUM;

	put_flags(&o, v->flags, differ);
	put_number(&o, "resuid", v->resuid, all || v->resuid || d->resuid);
	put_number(&o, "resgid", v->resgid, all || v->resgid || d->resgid);
	if (differ & EXT4_OPTS_ERRORS)
		put(&o, "errors=%s",
		    v->flags & EXT4_OPT_ERRORS_CONT    ? "continue"
		    : v->flags & EXT4_OPT_ERRORS_PANIC ? "panic"
						       : "remount-ro");
	put_number(&o, "commit", v->commit_s,
		   all || v->commit_s != d->commit_s);
	put_number(&o, "min_batch_time", v->min_batch_us,
		   all || v->min_batch_us != d->min_batch_us);
	put_number(&o, "max_batch_time", v->max_batch_us,
		   all || v->max_batch_us != d->max_batch_us);
	put_number(&o, "stripe", v->stripe, all || v->stripe);
	if ((sbi->journal && all) || (v->flags & EXT4_OPT_DATA_GIVEN) ||
	    (differ & EXT4_OPT_WRITEBACK))
		put(&o, "data=%s",
		    v->flags & EXT4_OPT_WRITEBACK ? "writeback" : "ordered");
	put_number(&o, "inode_readahead_blks", v->readahead,
		   all || v->readahead != d->readahead);
	put_number(&o, "init_itable", v->itable_mult,
		   all || ((v->flags & EXT4_OPT_ITABLE) &&
			   v->itable_mult != d->itable_mult));
	put_number(&o, "max_dir_size_kb", v->max_dir_kb, all || v->max_dir_kb);
	if (v->flags & EXT4_OPT_DATA_ABORT)
		put(&o, "data_err=abort");
	if (v->flags & EXT4_OPTS_DAX)
		put(&o, "dax=%s",
		    v->flags & EXT4_OPT_DAX_NEVER ? "never" : "inode");
	put_number(&o, "mb_optimize_scan", v->scan, !v->scan);
	return o.at;
}

void ext4_show_options(struct super_block *sb, char *buf, size_t n)
{
	(void)ext4_options_str(EXT4_SB(sb), buf, n, false);
}
