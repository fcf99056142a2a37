/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet_conf.c - /proc/sys/net/ipv4/conf and ipv6/conf: a directory for each
 * interface of the reader's network, for "all" and "default"; and ipv4/ip_forward.
 *
 * What can be changed: kernel/ns/netconf.h.  The others have one value, which they take
 * again.  An inode holds no interface, only its number: it is looked for when it is used.
 */
#include <syscall/procnet.h>

#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <net/link/link.h>
#include <net/route/conf.h>

static const struct item {
	const char *name;
	bool six, fixed;
	u8 what;   /* enum net_conf */
	u32 value; /* the largest, or the only one */
} items[] = {
	{ "forwarding", false, false, CONF4_FORWARDING, INT32_MAX },
	{ "tag", false, false, CONF4_TAG, INT32_MAX },
	{ "accept_local", false, true, 0, 0 },
	{ "accept_redirects", false, true, 0, 0 },
	{ "accept_source_route", false, true, 0, 0 },
	{ "arp_accept", false, true, 0, 0 },
	{ "arp_announce", false, true, 0, 0 },
	{ "arp_filter", false, true, 0, 0 },
	{ "arp_ignore", false, true, 0, 0 },
	{ "log_martians", false, true, 0, 0 },
	{ "mc_forwarding", false, true, 0, 0 },
	{ "proxy_arp", false, true, 0, 0 },
	{ "rp_filter", false, true, 0, 0 },
	{ "send_redirects", false, true, 0, 0 },
	{ "forwarding", true, false, CONF6_FORWARDING, INT32_MAX },
	{ "disable_ipv6", true, false, CONF6_DISABLE, INT32_MAX },
	{ "accept_ra", true, false, CONF6_ACCEPT_RA, INT32_MAX },
	{ "accept_ra_defrtr", true, false, CONF6_RA_DEFRTR, INT32_MAX },
	{ "accept_ra_mtu", true, false, CONF6_RA_MTU, INT32_MAX },
	{ "accept_ra_pinfo", true, false, CONF6_RA_PINFO, INT32_MAX },
	{ "autoconf", true, false, CONF6_AUTOCONF, INT32_MAX },
	{ "accept_dad", true, true, 0, 1 },
	{ "accept_ra_rt_info_max_plen", true, true, 0, 0 },
	{ "accept_ra_rtr_pref", true, true, 0, 0 },
	{ "accept_redirects", true, true, 0, 0 },
	{ "accept_source_route", true, true, 0, 0 },
	{ "addr_gen_mode", true, true, 0, 0 },
	{ "dad_transmits", true, true, 0, 1 },
	{ "hop_limit", true, true, 0, 64 },
	{ "keep_addr_on_down", true, true, 0, 0 },
	{ "mc_forwarding", true, true, 0, 0 },
	{ "proxy_ndp", true, true, 0, 0 },
	{ "router_solicitations", true, true, 0, 3 },
	{ "use_tempaddr", true, true, 0, 0 },
};
#define IP_FORWARD 0u /* items[]: the same as ipv4/conf/all/forwarding */

/* What an inode stands for, in its private word. */
#define WHO_ALL	    0
#define WHO_DEFAULT INT32_MAX
#define DIR	    0xffu
#define TOKEN(who, six, item) \
	((void *)((uintptr_t)(u32)(who) << 16 | (uintptr_t)(six) << 8 | (item)))

static s32 who_of(const void *token)
{
	return (s32)((uintptr_t)token >> 16);
}
static bool six_of(const void *token)
{
	return (uintptr_t)token >> 8 & 1;
}
static const struct item *item_of(const void *token)
{
	return &items[(uintptr_t)token & 0xff];
}

/* The interface, with a reference, or NULL: none is meant, or it has gone. */
static struct net_device *dev_of(const void *token)
{
	s32 who = who_of(token);

	return who == WHO_ALL || who == WHO_DEFAULT
		       ? NULL
		       : link_by_index(current_net_ns(), who);
}

static int show_item(struct text *t, void *token)
{
	const struct net_sysctl *c = &current_net_ns()->ctl;
	const struct item *i = item_of(token);
	struct net_device *dev = dev_of(token);
	s32 who = who_of(token);
	u32 v = i->value;

	if (!dev && who != WHO_ALL && who != WHO_DEFAULT)
		return -ENOENT;
	if (!i->fixed)
		v = dev		     ? net_conf(dev, i->what)
		    : who == WHO_ALL ? load_once(&c->conf_all[i->what])
				     : load_once(&c->conf_default[i->what]);
	text_printf(t, "%u\n", v);
	netdev_put(dev);
	return 0;
}

static int set_item(struct net_ns *net, const void *token, u32 v)
{
	const struct item *i = item_of(token);
	struct net_device *dev;
	int err = 0;

	mutex_lock(&rtnl_mutex);
	dev = dev_of(token);
	if (who_of(token) == WHO_ALL)
		net_conf_set_all(net, i->what, v);
	else if (who_of(token) == WHO_DEFAULT)
		net_conf_set_default(net, i->what, v);
	else if (dev)
		net_conf_set(dev, i->what, v);
	else
		err = -ENOENT;
	netdev_put(dev);
	mutex_unlock(&rtnl_mutex);
	return err;
}

static s64 write_item(void *token, char *buf, size_t n)
{
	const struct item *i = item_of(token);
	struct net_ns *net = current_net_ns();
	char *s = buf, *e;
	u64 v;
	int err;

	if (!net_capable(net, CAP_NET_ADMIN))
		return -EPERM;
	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	for (e = s; *e && *e != ' ' && *e != '\t' && *e != '\n'; e++)
		;
	*e = '\0';
	if (kstrtou64(s, 10, &v) || v > i->value)
		return -EINVAL;
	if (i->fixed)
		return v == i->value ? (s64)n : -EINVAL;
	err = set_item(net, token, (u32)v);
	return err ? err : (s64)n;
}

static int conf_open(struct inode *inode, struct file *f)
{
	int err = text_open(f, show_item, write_item, inode->priv, NULL);

	if (!err)
		text_sized(f, false);
	return err;
}

/* --- the directories */

static const struct inode_ops item_iops = { .open = conf_open };
static const struct file_ops no_fops;

static bool is_name(const char *a, const char *name, size_t len)
{
	return strlen(a) == len && !memcmp(a, name, len);
}

/* A number that nothing else in /proc has. */
static u64 ino_of(const void *token)
{
	return 1ull << 50 | (uintptr_t)token;
}

static int dir_lookup(struct inode *dir, const char *name, size_t len,
		      struct inode **out)
{
	bool six = six_of(dir->priv);
	struct inode *n;
	u32 i = 0;

	*out = NULL;
	while (i < ARRAY_SIZE(items) &&
	       (items[i].six != six || !is_name(items[i].name, name, len)))
		i++;
	if (i == ARRAY_SIZE(items))
		return 0;
	n = inode_new(dir->sb);
	if (!n)
		return -ENOMEM;
	n->priv = TOKEN(who_of(dir->priv), six, i);
	n->ino = ino_of(n->priv);
	n->mode = S_IFREG | 0644;
	n->ops = &item_iops;
	n->fops = &no_fops;
	*out = n;
	return 0;
}

static int dir_readdir(struct file *f, struct dir_ctx *ctx)
{
	void *token = f->inode->priv;

	if (!dir_emit_dots(f, ctx))
		return 0;
	while (ctx->pos - 2 < ARRAY_SIZE(items)) {
		u32 i = (u32)ctx->pos - 2;
		void *of = TOKEN(who_of(token), six_of(token), i);

		if (items[i].six == six_of(token) &&
		    !ctx->emit(ctx, items[i].name, strlen(items[i].name),
			       ino_of(of), DT_REG, ctx->pos + 1))
			return 0;
		ctx->pos++;
	}
	return 0;
}

static const struct inode_ops dir_iops = {
	.lookup = dir_lookup,
	.no_dcache = true,
};
static const struct file_ops dir_fops = {
	.readdir = dir_readdir,
	.llseek = generic_file_llseek,
};

static int lookup_who(struct inode *dir, s32 who, bool six, struct inode **out)
{
	struct inode *n = inode_new(dir->sb);

	if (!n)
		return -ENOMEM;
	n->priv = TOKEN(who, six, DIR);
	n->ino = ino_of(n->priv);
	n->mode = S_IFDIR | 0555;
	n->nlink = 2;
	n->ops = &dir_iops;
	n->fops = &dir_fops;
	*out = n;
	return 0;
}

static int lookup_name(struct inode *dir, const char *name, size_t len,
		       bool six, struct inode **out)
{
	char text[NETDEV_NAME] = "";
	struct net_device *dev;
	s32 who;

	*out = NULL;
	if (is_name("all", name, len))
		return lookup_who(dir, WHO_ALL, six, out);
	if (is_name("default", name, len))
		return lookup_who(dir, WHO_DEFAULT, six, out);
	if (len >= sizeof(text))
		return 0;
	memcpy(text, name, len);
	dev = link_by_name(current_net_ns(), text);
	if (!dev)
		return 0;
	who = dev->index;
	netdev_put(dev);
	return lookup_who(dir, who, six, out);
}

static int lookup4(struct inode *dir, const char *name, size_t len,
		   struct inode **out)
{
	return lookup_name(dir, name, len, false, out);
}

static int lookup6(struct inode *dir, const char *name, size_t len,
		   struct inode **out)
{
	return lookup_name(dir, name, len, true, out);
}

/* Behind the first offset: all, default, and an interface at its number. */
struct next {
	s32 least, index; /* index: 0: none yet */
	char name[NETDEV_NAME];
};

static void find_next(struct net_device *dev, void *arg)
{
	struct next *n = arg;

	if (dev->index < n->least || (n->index && dev->index >= n->index))
		return;
	n->index = dev->index;
	memcpy(n->name, dev->name, sizeof(n->name));
}

static bool next_of(s32 least, struct next *n)
{
	*n = (struct next){ .least = least };
	mutex_lock(&rtnl_mutex);
	link_for_each(current_net_ns(), find_next, n);
	mutex_unlock(&rtnl_mutex);
	return n->index;
}

static int readdir_of(struct dir_ctx *ctx, u64 first, bool six)
{
	struct next n;

	if (ctx->pos == first &&
	    !ctx->emit(ctx, "all", 3, ino_of(TOKEN(WHO_ALL, six, DIR)), DT_DIR,
		       first + 1))
		return 0;
	ctx->pos = max(ctx->pos, first + 1);
	if (ctx->pos == first + 1 &&
	    !ctx->emit(ctx, "default", 7, ino_of(TOKEN(WHO_DEFAULT, six, DIR)),
		       DT_DIR, first + 2))
		return 0;
	ctx->pos = max(ctx->pos, first + 2);
	while (next_of((s32)(ctx->pos - first - 1), &n)) {
		u64 after = first + 2 + (u64)n.index;

		if (!ctx->emit(ctx, n.name, strlen(n.name),
			       ino_of(TOKEN(n.index, six, DIR)), DT_DIR, after))
			return 0;
		ctx->pos = after;
	}
	return 0;
}

static int readdir4(struct file *f __unused, struct dir_ctx *ctx, u64 first)
{
	return readdir_of(ctx, first, false);
}

static int readdir6(struct file *f __unused, struct dir_ctx *ctx, u64 first)
{
	return readdir_of(ctx, first, true);
}

int procnet_conf(struct pnode *net)
{
	struct pnode *v4 = procnet_sysctl_dir(net, "ipv4/conf");
	struct pnode *v6 = procnet_sysctl_dir(net, "ipv6/conf");

	if (!v4 || !v6)
		return -ENOMEM;
	v4->lookup = lookup4;
	v4->readdir = readdir4;
	v6->lookup = lookup6;
	v6->readdir = readdir6;
	pseudo_file(procnet_sysctl_dir(net, "ipv4"), "ip_forward", 0644,
		    show_item, write_item, TOKEN(WHO_ALL, false, IP_FORWARD));
	return 0;
}
