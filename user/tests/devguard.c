/* SPDX-License-Identifier: MIT */
/*
 * user/tests/devguard.c - programs of control groups that guard devices: bpf(2).
 */
#include "cgroup.h"

#include <sys/sysmacros.h>

#define ATTACH_DEVICE 6
enum {
	LOAD = 5,
	ATTACH = 8,
	DETACH = 9,
	NEXT_ID = 11,
	BY_ID = 13,
	QUERY = 16
};
enum {
	MULTI = 2,
	REPLACE = 4
};

struct insn {
	uint8_t code, regs;
	int16_t off;
	int32_t imm;
};

struct load {
	uint32_t type, nr;
	uint64_t insns, license;
	uint32_t log_level, log_size;
	uint64_t log;
	uint32_t version, flags;
	char name[16];
};

struct attach {
	uint32_t target, prog, type, flags, replace;
};

struct query {
	uint32_t target, type, flags, attach_flags;
	uint64_t ids;
	uint32_t nr, pad;
};

static int bpf(int cmd, void *attr, unsigned size)
{
	return (int)syscall(280, cmd, attr, size);
}

/* 1:5, whose rights are @access (1 make, 2 read, 4 write), is refused; else allowed. */
static int load(int access)
{
	struct insn p[] = {
		{ 0x61, 0x12, 4, 0 },	{ 0x55, 2, 7, 1 },
		{ 0x61, 0x12, 8, 0 },	{ 0x55, 2, 5, 5 },
		{ 0x61, 0x12, 0, 0 },	{ 0x74, 2, 0, 16 },
		{ 0x45, 2, 1, access }, { 0x05, 0, 1, 0 },
		{ 0x05, 0, 2, 0 },	{ 0xb7, 0, 0, 1 },
		{ 0x95, 0, 0, 0 },	{ 0xb7, 0, 0, 0 },
		{ 0x95, 0, 0, 0 },
	};
	struct load a = { .type = 15,
			  .nr = sizeof(p) / sizeof(p[0]),
			  .insns = (uintptr_t)p,
			  .license = (uintptr_t) "MIT",
			  .name = "guard" };

	return bpf(LOAD, &a, sizeof(a));
}

static int refused(struct insn *p, int nr)
{
	struct load a = { .type = 15,
			  .nr = (uint32_t)nr,
			  .insns = (uintptr_t)p,
			  .license = (uintptr_t) "MIT" };

	return bpf(LOAD, &a, sizeof(a)) < 0 ? errno : 0;
}

static int attach(int cmd, int group, int prog, int flags, int old)
{
	struct attach a = { (uint32_t)group, (uint32_t)prog, ATTACH_DEVICE,
			    (uint32_t)flags, (uint32_t)old };

	return bpf(cmd, &a, sizeof(a));
}

struct probe {
	const char *group, *name;
	int flags; /* of open(); -1: mknod() */
};

static int probes(void *arg)
{
	struct probe *p = arg;

	if (put(at(p->group, "cgroup.procs"), "0"))
		return 255;
	if (p->flags < 0)
		return mknod(p->name, S_IFCHR | 0600, makedev(1, 5)) ? errno
								     : 0;
	return open(p->name, p->flags) < 0 ? errno : 0;
}

/* What a process of @group gets. */
static int try(const char *group, const char *name, int flags)
{
	struct probe p = { group, name, flags };

	return ut_wait(ut_fork(probes, &p));
}

static int group_fd(const char *name)
{
	int fd;

	group(name);
	CHECK_OK(fd = open(at("", name), O_RDONLY | O_DIRECTORY));
	return fd;
}

TEST(devguard, device_refused)
{
	int a, b, w;

	enter_top();
	w = load(4);
	if (w < 0)
		ut_skip("no such programs");
	a = group_fd("a");
	b = group_fd("a/b");
	CHECK_OK(attach(ATTACH, a, w, MULTI, 0));
	CHECK_EQ(try("a", "/dev/zero", O_RDWR), EPERM);
	CHECK_EQ(try("a/b", "/dev/zero", O_WRONLY), EPERM);
	CHECK_EQ(try("a/b", "/dev/zero", O_RDONLY), 0);
	CHECK_EQ(try("a", "/dev/null", O_RDWR), 0);
	CHECK_EQ(try("", "/dev/zero", O_RDWR), 0);
	/* Further down there can be more. */
	CHECK_OK(attach(ATTACH, b, load(1), MULTI, 0));
	CHECK_EQ(try("a/b", "made", -1), EPERM);
	CHECK_EQ(try("a", "made", -1), 0);
	CHECK_EQ(try("a/b", "/dev/zero", O_WRONLY), EPERM);
	CHECK_OK(attach(DETACH, a, w, 0, 0));
	CHECK_EQ(try("a/b", "/dev/zero", O_WRONLY), 0);
	close(a);
	close(b);
	drop("a/b");
	drop("a");
	leave();
}

TEST(devguard, lists)
{
	uint32_t ids[4] = { 0 }, by[3] = { 0 };
	struct query q = { .type = ATTACH_DEVICE,
			   .ids = (uintptr_t)ids,
			   .nr = 4 };
	int a, one, two;

	enter_top();
	one = load(2);
	if (one < 0)
		ut_skip("no such programs");
	CHECK_OK(two = load(4));
	a = group_fd("a");
	CHECK_ERR(attach(DETACH, a, one, 0, 0), ENOENT);
	CHECK_ERR(attach(ATTACH, a, one, REPLACE, two), EINVAL);
	CHECK_OK(attach(ATTACH, a, one, MULTI, 0));
	CHECK_ERR(attach(ATTACH, a, one, MULTI, 0), EINVAL);
	CHECK_ERR(attach(ATTACH, a, two, 0, 0), EPERM);
	CHECK_ERR(attach(ATTACH, a, one, MULTI | REPLACE, two), EINVAL);
	CHECK_ERR(attach(ATTACH, a, load(1), MULTI | REPLACE, two), ENOENT);
	CHECK_OK(attach(ATTACH, a, two, MULTI, 0));
	q.target = (uint32_t)a;
	CHECK_OK(bpf(QUERY, &q, sizeof(q)));
	CHECK_EQ(q.nr, 2);
	CHECK_EQ(q.attach_flags, MULTI);
	by[0] = ids[0];
	CHECK_OK(bpf(BY_ID, by, 4));
	by[0] = ids[0] - 1;
	CHECK_OK(bpf(NEXT_ID, by, sizeof(by)));
	CHECK_EQ(by[1], ids[0]);
	q.nr = 1;
	CHECK_ERR(bpf(QUERY, &q, sizeof(q)), ENOSPC);
	CHECK_OK(attach(DETACH, a, one, 0, 0));
	CHECK_ERR(attach(DETACH, a, one, 0, 0), ENOENT);
	/* Of one alone it need not be said. */
	CHECK_OK(attach(DETACH, a, two, 0, 0));
	CHECK_OK(attach(ATTACH, a, one, 0, 0));
	CHECK_OK(attach(ATTACH, a, two, 0, 0));
	CHECK_EQ(try("a", "/dev/zero", O_RDONLY), 0);
	CHECK_EQ(try("a", "/dev/zero", O_WRONLY), EPERM);
	CHECK_OK(attach(DETACH, a, -1, 0, 0));
	CHECK_EQ(try("a", "/dev/zero", O_WRONLY), 0);
	CHECK_ERR(attach(ATTACH, one, one, 0, 0), EBADF);
	CHECK_ERR(attach(ATTACH, a, a, 0, 0), EINVAL);
	CHECK_ERR(attach(ATTACH, a, -1, 0, 0), EBADF);
	close(a);
	drop("a");
	leave();
}

/* About packets, not devices. */
static int skb(struct insn *p, int nr)
{
	struct load a = { .type = 8,
			  .nr = (uint32_t)nr,
			  .insns = (uintptr_t)p,
			  .license = (uintptr_t) "MIT" };

	return bpf(LOAD, &a, sizeof(a));
}

static int loads(void *arg)
{
	(void)arg;
	CHECK_OK(setresuid(1000, 1000, 1000));
	return load(1) < 0 ? errno : 0;
}

TEST(devguard, programs_refused)
{
	struct insn one[] = { { 0xb7, 0, 0, 1 }, { 0x95, 0, 0, 0 } };
	struct insn exit_only[] = { { 0x95, 0, 0, 0 } };
	struct insn bad[] = { { 0xb7, 0, 0, 1 },
			      { 0xff, 0, 0, 0 },
			      { 0x95, 0, 0, 0 } };
	struct insn behind[] = { { 0x61, 0x10, 12, 0 }, { 0x95, 0, 0, 0 } };
	struct insn loop[] = { { 0xb7, 0, 0, 1 },
			       { 0x05, 0, -1, 0 },
			       { 0x95, 0, 0, 0 } };
	struct insn falls[] = { { 0xb7, 0, 0, 1 } };
	uint8_t big[200] = { [199] = 1 };

	if (load(1) < 0)
		ut_skip("no such programs");
	CHECK_OK(skb(one, 2));
	CHECK_ERR(attach(ATTACH, -1, skb(one, 2), 0, 0), EINVAL);
	CHECK_EQ(refused(exit_only, 1), EACCES);
	CHECK_EQ(refused(bad, 3), EINVAL);
	CHECK_EQ(refused(behind, 2), EACCES);
	CHECK_EQ(refused(loop, 3), EINVAL);
	CHECK_EQ(refused(falls, 1), EINVAL);
	CHECK_EQ(refused(falls, 0), E2BIG);
	CHECK_EQ(refused(NULL, 1), EFAULT);
	CHECK_ERR(bpf(LOAD, big, sizeof(big)), E2BIG);
	CHECK_ERR(bpf(9999, big, 8), EINVAL);
	CHECK_EQ(ut_wait(ut_fork(loads, NULL)), EPERM);
}
