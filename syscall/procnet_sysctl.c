/* SPDX-License-Identifier: MIT */
/*
 * syscall/procnet_sysctl.c - files of /proc/sys/net that have one value: what is true of this
 * network, whoever asks.
 *
 * They take that value again and refuse others.  Settings that can be changed: procnet.c.
 */
#include <syscall/procnet.h>

#include <kernel/task/process.h>
#include <lib/errno.h>
#include <lib/string.h>

static const struct fixed {
	const char *dir, *name, *value;
} fixed[] = {
	{ "core", "rmem_default", "212992" },
	{ "core", "rmem_max", "212992" },
	{ "core", "wmem_default", "212992" },
	{ "core", "wmem_max", "212992" },
	{ "core", "optmem_max", "131072" },
	{ "core", "netdev_max_backlog", "1000" },
	{ "core", "default_qdisc", "noqueue" },
	{ "core", "busy_poll", "0" },
	{ "core", "busy_read", "0" },
	{ "core", "bpf_jit_enable", "0" },
	{ "ipv4", "icmp_echo_ignore_all", "0" },
	{ "ipv4", "icmp_echo_ignore_broadcasts", "1" },
	{ "ipv4", "igmp_max_memberships", "20" },
	{ "ipv4", "ip_default_ttl", "64" },
	{ "ipv4", "ip_local_reserved_ports", "" },
	{ "ipv4", "ip_nonlocal_bind", "0" },
	{ "ipv4", "tcp_allowed_congestion_control", "cubic" },
	{ "ipv4", "tcp_available_congestion_control", "cubic" },
	{ "ipv4", "tcp_congestion_control", "cubic" },
	{ "ipv4", "tcp_ecn", "2" },
	{ "ipv4", "tcp_fastopen", "1" },
	{ "ipv4", "tcp_fin_timeout", "60" },
	{ "ipv4", "tcp_keepalive_intvl", "75" },
	{ "ipv4", "tcp_keepalive_probes", "9" },
	{ "ipv4", "tcp_keepalive_time", "7200" },
	{ "ipv4", "tcp_max_syn_backlog", "4096" },
	{ "ipv4", "tcp_retries1", "3" },
	{ "ipv4", "tcp_retries2", "15" },
	{ "ipv4", "tcp_rmem", "4608\t212992\t425984" },
	{ "ipv4", "tcp_sack", "1" },
	{ "ipv4", "tcp_syn_retries", "6" },
	{ "ipv4", "tcp_synack_retries", "5" },
	{ "ipv4", "tcp_timestamps", "1" },
	{ "ipv4", "tcp_tw_reuse", "2" },
	{ "ipv4", "tcp_window_scaling", "1" },
	{ "ipv4", "tcp_wmem", "4608\t212992\t425984" },
	{ "ipv4", "udp_rmem_min", "4608" },
	{ "ipv4", "udp_wmem_min", "4608" },
	{ "ipv6", "bindv6only", "0" },
	{ "ipv6", "ip_nonlocal_bind", "0" },
};

static int show_fixed(struct text *t, void *arg)
{
	const struct fixed *f = arg;

	text_printf(t, "%s\n", f->value);
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The same words? */
static bool is_same(const char *a, const char *b)
{
	for (;;) {
		while (is_blank(*a))
			a++;
		while (is_blank(*b))
			b++;
		if (!*a || !*b)
			return !*a && !*b;
		while (*a && !is_blank(*a)) {
			if (*a++ != *b++)
				return false;
		}
		if (*b && !is_blank(*b))
			return false;
	}
}

static s64 write_fixed(void *arg, char *buf, size_t n)
{
	const struct fixed *f = arg;

	if (!net_capable(current_net_ns(), CAP_NET_ADMIN))
		return -EPERM;
	return is_same(buf, f->value) ? (s64)n : -EINVAL;
}

struct pnode *procnet_sysctl_dir(struct pnode *d, const char *path)
{
	static char names[256]; /* [init] nodes borrow them */
	static u32 used;

	while (d && *path) {
		const char *slash = strchr(path, '/');
		u32 n = slash ? (u32)(slash - path) : (u32)strlen(path);
		char *name = names + used;
		struct pnode *next;

		if (used + n + 1 > sizeof(names))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		next = pseudo_find(d, name);
		if (!next) {
			next = pseudo_dir(d, name);
			used += n + 1;
		}
		d = next;
		path += slash ? n + 1 : n;
	}
	return d;
}

int procnet_sysctl(struct pnode *net)
{
	for (u32 i = 0; i < ARRAY_SIZE(fixed); i++) {
		struct pnode *d = procnet_sysctl_dir(net, fixed[i].dir);

		if (!d)
			return -ENOMEM;
		pseudo_file(d, fixed[i].name, 0644, show_fixed, write_fixed,
			    (void *)(uintptr_t)&fixed[i]);
	}
	return 0;
}
