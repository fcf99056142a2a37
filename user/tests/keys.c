/* SPDX-License-Identifier: MIT */
/*
 * user/tests/keys.c - add_key(2), request_key(2), keyctl(2).
 */
#include "utest.h"

#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>

#define THREAD	KEY_SPEC_THREAD_KEYRING
#define PROCESS KEY_SPEC_PROCESS_KEYRING
#define SESSION KEY_SPEC_SESSION_KEYRING

static long add(const char *type, const char *desc, const void *p, size_t n,
		long ring)
{
	return syscall(SYS_add_key, type, desc, p, n, ring);
}

static long request(const char *type, const char *desc, const char *info,
		    long ring)
{
	return syscall(SYS_request_key, type, desc, info, ring);
}

static long ctl(int op, unsigned long a, unsigned long b, unsigned long c,
		unsigned long d)
{
	return syscall(SYS_keyctl, op, a, b, c, d);
}

#define P(x) ((unsigned long)(x))

static long find(long ring, const char *desc)
{
	return ctl(KEYCTL_SEARCH, P(ring), P("user"), P(desc), 0);
}

static long id_of(long ring)
{
	return ctl(KEYCTL_GET_KEYRING_ID, (unsigned long)ring, 0, 0, 0);
}

TEST(keys, refuses)
{
	char big[40];
	long k;

	NEED(k = add("user", "a", "x", 1, PROCESS));
	CHECK_ERR(add("user", "a", "x", 0, PROCESS), EINVAL);
	CHECK_ERR(add("user", "", "x", 1, PROCESS), EINVAL);
	CHECK_ERR(add("user", NULL, "x", 1, PROCESS), EINVAL);
	CHECK_ERR(add("user", "a", NULL, 1, PROCESS), EFAULT);
	CHECK_ERR(add("user", "a", "x", 1 << 20, PROCESS), EINVAL);
	CHECK_ERR(add("user", "a", (void *)8, 1, PROCESS), EFAULT);
	CHECK_ERR(add("nosuch", "a", "x", 1, PROCESS), ENODEV);
	CHECK_ERR(add(".user", "a", "x", 1, PROCESS), EPERM);
	CHECK_ERR(add("", "a", "x", 1, PROCESS), EINVAL);
	memset(big, 'x', sizeof(big));
	big[39] = 0;
	CHECK_ERR(add(big, "a", "x", 1, PROCESS), EINVAL);
	CHECK_ERR(add("keyring", ".a", NULL, 0, PROCESS), EPERM);
	CHECK_ERR(add("keyring", "a", "x", 1, PROCESS), EINVAL);
	CHECK_ERR(add("logon", "a", "x", 1, PROCESS), EINVAL);
	CHECK_ERR(add("user", "a", "x", 1, KEY_SPEC_GROUP_KEYRING), EINVAL);
	CHECK_ERR(add("user", "a", "x", 1, k), ENOTDIR);
	CHECK_ERR(add("user", "a", "x", 1, 0), EINVAL);
	CHECK_ERR(add("user", "a", "x", 1, 0x7ffffffe), ENOKEY);
	CHECK_ERR(ctl(99, 0, 0, 0, 0), EOPNOTSUPP);
	CHECK_ERR(ctl(KEYCTL_READ, THREAD, 0, 0, 0), ENOKEY);
	CHECK_ERR(ctl(KEYCTL_CLEAR, P(k), 0, 0, 0), ENOTDIR);
	CHECK_ERR(ctl(KEYCTL_SETPERM, P(k), ~0ul, 0, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_SET_REQKEY_KEYRING, 6, 0, 0, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_MOVE, P(k), P(PROCESS), P(THREAD), 2), EINVAL);
	CHECK_ERR(ctl(KEYCTL_INSTANTIATE, P(k), P("x"), 1, 0), EPERM);
	CHECK_ERR(ctl(KEYCTL_REJECT, P(k), 1, 0, 0), EINVAL);
}

TEST(keys, payloads)
{
	char buf[64];
	long k, l;

	NEED(k = add("user", "a", "hello", 5, PROCESS));
	CHECK_EQ(ctl(KEYCTL_READ, P(k), 0, 0, 0), 5);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(ctl(KEYCTL_READ, P(k), P(buf), 3, 0), 5);
	CHECK_EQ(buf[0], 0); /* not in parts */
	CHECK_EQ(ctl(KEYCTL_READ, P(k), P(buf), sizeof(buf), 0), 5);
	CHECK_EQ(memcmp(buf, "hello", 5), 0);
	CHECK_EQ(add("user", "a", "again", 5, PROCESS), k);
	CHECK_OK(ctl(KEYCTL_UPDATE, P(k), P("bye"), 3, 0));
	CHECK_EQ(ctl(KEYCTL_READ, P(k), P(buf), sizeof(buf), 0), 3);
	CHECK_EQ(memcmp(buf, "bye", 3), 0);
	CHECK_EQ(ctl(KEYCTL_DESCRIBE, P(k), P(buf), sizeof(buf), 0),
		 strlen("user;0;0;3f010000;a") + 1);
	CHECK_EQ(strcmp(buf, "user;0;0;3f010000;a"), 0);
	CHECK_OK(l = add("logon", "svc:a", "secret", 6, PROCESS));
	CHECK_ERR(ctl(KEYCTL_READ, P(l), P(buf), sizeof(buf), 0), EOPNOTSUPP);
	l = add("big_key", "b", buf, 64, PROCESS);
	CHECK(l > 0 || errno == ENODEV); /* Linux: as it was configured */
	if (l > 0)
		CHECK_EQ(ctl(KEYCTL_READ, P(l), 0, 0, 0), 64);
	CHECK_EQ(ctl(KEYCTL_GET_SECURITY, P(k), P(buf), 64, 0), 1);
	CHECK_OK(l = add("user", "unseen", "a", 1, PROCESS));
	CHECK_OK(ctl(KEYCTL_SETPERM, P(l), 0x3e3e3e3e, 0, 0));
	CHECK_ERR(ctl(KEYCTL_DESCRIBE, P(l), P(buf), 64, 0), EACCES);
	CHECK_ERR(ctl(KEYCTL_GET_SECURITY, P(l), P(buf), 64, 0), ENOKEY);
	CHECK_ERR(ctl(KEYCTL_JOIN_SESSION_KEYRING, P(""), 0, 0, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_REJECT, P(k), 1, ENOKEY, 0), EPERM);
	CHECK_ERR(ctl(KEYCTL_REJECT, P(k), 1, 512, 0), EINVAL);
}

TEST(keys, rings)
{
	int32_t ids[4];
	long a, b, k, p;

	NEED(a = add("keyring", "a", NULL, 0, PROCESS));
	CHECK_OK(b = add("keyring", "b", NULL, 0, a));
	CHECK_ERR(ctl(KEYCTL_LINK, P(a), P(b), 0, 0), EDEADLK);
	CHECK_ERR(ctl(KEYCTL_LINK, P(a), P(a), 0, 0), EDEADLK);
	CHECK_OK(k = add("user", "k", "x", 1, b));
	CHECK_EQ(ctl(KEYCTL_SEARCH, P(PROCESS), P("user"), P("k"), 0), k);
	CHECK_ERR(ctl(KEYCTL_SEARCH, P(PROCESS), P("user"), P("n"), 0), ENOKEY);
	CHECK_EQ(request("user", "k", NULL, 0), k);
	CHECK_EQ(ctl(KEYCTL_SEARCH, P(a), P("user"), P("k"), P(PROCESS)), k);
	CHECK_OK(p = id_of(PROCESS));
	CHECK_EQ(ctl(KEYCTL_READ, P(p), P(ids), sizeof(ids), 0), 8);
	CHECK_OK(ctl(KEYCTL_UNLINK, P(k), P(p), 0, 0));
	CHECK_ERR(ctl(KEYCTL_UNLINK, P(k), P(p), 0, 0), ENOENT);
	CHECK_EQ(ctl(KEYCTL_READ, P(p), P(ids), sizeof(ids), 0), 4);
	CHECK_EQ(ids[0], a);
	CHECK_OK(ctl(KEYCTL_MOVE, P(k), P(b), P(a), 0));
	CHECK_ERR(ctl(KEYCTL_MOVE, P(k), P(b), P(a), 0), ENOENT);
	CHECK_OK(add("user", "k", "y", 1, b));
	CHECK_ERR(ctl(KEYCTL_MOVE, P(k), P(a), P(b), 1), EEXIST);
	CHECK_OK(ctl(KEYCTL_CLEAR, P(a), 0, 0, 0));
	for (int n = 0; n < 100 && (id_of(b) > 0 || errno != ENOKEY); n++)
		ut_sleep_ms(10); /* Linux frees them a bit later */
	CHECK_ERR(id_of(b), ENOKEY);
	CHECK_ERR(ctl(KEYCTL_DESCRIBE, P(k), 0, 0, 0), ENOKEY);
	CHECK_ERR(ctl(KEYCTL_READ, P(p), P(ids), 6, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_RESTRICT_KEYRING, P(a), 0, P("r"), 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_RESTRICT_KEYRING, P(a), P("user"), 0, 0), EINVAL);
	CHECK_ERR(ctl(KEYCTL_RESTRICT_KEYRING, P(a), P("user"), P("r"), 0),
		  ENOENT);
	CHECK_ERR(ctl(KEYCTL_RESTRICT_KEYRING, P(a), P("none"), P("r"), 0),
		  ENOKEY);
	CHECK_OK(ctl(KEYCTL_RESTRICT_KEYRING, P(a), 0, 0, 0));
	CHECK_ERR(add("user", "k", "y", 1, a), EPERM);
	CHECK_ERR(ctl(KEYCTL_RESTRICT_KEYRING, P(a), 0, 0, 0), EEXIST);
}

TEST(keys, ends)
{
	long a, k, l;

	NEED(k = add("user", "k", "x", 1, PROCESS));
	/* which is made when somebody asks, and looked in last: ENOKEY */
	CHECK_OK(id_of(KEY_SPEC_USER_SESSION_KEYRING));
	CHECK_OK(ctl(KEYCTL_REVOKE, P(k), 0, 0, 0));
	CHECK_ERR(ctl(KEYCTL_READ, P(k), 0, 0, 0), EKEYREVOKED);
	CHECK_ERR(find(PROCESS, "k"), EKEYREVOKED);
	CHECK_ERR(request("user", "k", NULL, 0), ENOKEY);
	CHECK_OK(l = add("user", "k", "y", 1, PROCESS));
	CHECK(l != k);
	CHECK_OK(ctl(KEYCTL_SET_TIMEOUT, P(l), 1, 0, 0));
	CHECK_EQ(request("user", "k", NULL, 0), l);
	ut_sleep_ms(2100);
	CHECK_ERR(find(PROCESS, "k"), EKEYEXPIRED);
	CHECK_ERR(ctl(KEYCTL_READ, P(l), 0, 0, 0), EKEYEXPIRED);
	CHECK_OK(a = add("keyring", "a", NULL, 0, PROCESS));
	CHECK_OK(k = add("user", "i", "x", 1, a));
	CHECK_OK(ctl(KEYCTL_INVALIDATE, P(k), 0, 0, 0));
	CHECK_ERR(request("user", "i", NULL, 0), ENOKEY);
	CHECK_OK(ctl(KEYCTL_REVOKE, P(a), 0, 0, 0));
	CHECK_ERR(add("user", "i", "x", 1, a), EKEYREVOKED);
}

TEST(keys, rights)
{
	long k;

	NEED(k = add("user", "k", "x", 1, PROCESS));
	CHECK_OK(ctl(KEYCTL_SETPERM, P(k), 0x20200000, 0, 0));
	CHECK_ERR(ctl(KEYCTL_DESCRIBE, P(k), 0, 0, 0), EACCES);
	CHECK_ERR(ctl(KEYCTL_READ, P(k), 0, 0, 0), EACCES);
	CHECK_ERR(ctl(KEYCTL_UPDATE, P(k), P("x"), 1, 0), EACCES);
	CHECK_ERR(find(PROCESS, "k"), EACCES);
	CHECK_OK(ctl(KEYCTL_SETPERM, P(k), 0x3f3f3f3f, 0, 0));
	CHECK_OK(ctl(KEYCTL_CHOWN, P(k), 1000, 1000, 0));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_OK(ctl(KEYCTL_UPDATE, P(k), P("x"), 1, 0));
	CHECK_ERR(ctl(KEYCTL_CHOWN, P(k), 0, -1ul, 0), EACCES);
}

static int finds(void *arg)
{
	long want = *(long *)arg;

	return request("user", "s", NULL, 0) == want ? 0 : 1;
}

static int finds_process(void *arg)
{
	errno = 0;
	return id_of(PROCESS) < 0 && errno == ENOKEY ? finds(arg) : 2;
}

static void *has_no_thread_ring(void *arg)
{
	long mine = id_of(THREAD);

	return mine > 0 && mine != *(long *)arg ? NULL : arg;
}

TEST(keys, inherited)
{
	pthread_t t;
	void *res;
	long ses, k, tid;

	NEED(ses = ctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0));
	CHECK_EQ(id_of(SESSION), ses);
	CHECK_OK(k = add("user", "s", "x", 1, SESSION));
	CHECK_OK(add("user", "p", "x", 1, PROCESS));
	CHECK_OK(tid = ctl(KEYCTL_GET_KEYRING_ID, P(THREAD), 1, 0, 0));
	CHECK_EQ(ut_wait(ut_fork(finds_process, &k)), 0);
	CHECK_EQ(pthread_create(&t, NULL, has_no_thread_ring, &tid), 0);
	CHECK_EQ(pthread_join(t, &res), 0);
	CHECK(!res);
	CHECK_OK(ses = ctl(KEYCTL_JOIN_SESSION_KEYRING, P("named"), 0, 0, 0));
	CHECK_ERR(request("user", "s", NULL, 0), ENOKEY);
	/* nobody but its possessor may search it, so it is not found */
	CHECK(ctl(KEYCTL_JOIN_SESSION_KEYRING, P("named"), 0, 0, 0) != ses);
	CHECK_OK(ses = id_of(SESSION));
	CHECK_OK(ctl(KEYCTL_SETPERM, P(ses), 0x3f3f0000, 0, 0));
	CHECK_EQ(ctl(KEYCTL_JOIN_SESSION_KEYRING, P("named"), 0, 0, 0), 0);
	CHECK_OK(ctl(KEYCTL_JOIN_SESSION_KEYRING, P("other"), 0, 0, 0));
	CHECK_ERR(ctl(KEYCTL_JOIN_SESSION_KEYRING, P(".x"), 0, 0, 0), EPERM);
}

TEST(keys, of_users)
{
	unsigned char caps[4] = { 9, 9, 9, 9 };
	int32_t ids[4];
	long u, us, pers;
	char buf[64];

	NEED(u = ctl(KEYCTL_GET_KEYRING_ID, P(KEY_SPEC_USER_KEYRING), 0, 0, 0));
	CHECK_OK(us = id_of(KEY_SPEC_USER_SESSION_KEYRING));
	CHECK_EQ(ctl(KEYCTL_READ, P(us), P(ids), sizeof(ids), 0), 4);
	CHECK_EQ(ids[0], u);
	CHECK(ctl(KEYCTL_DESCRIBE, P(u), P(buf), sizeof(buf), 0) > 0);
	CHECK(!strcmp(buf, "keyring;0;65534;1f3f0000;_uid.0"));
	CHECK_OK(pers = ctl(KEYCTL_GET_PERSISTENT, -1ul, P(PROCESS), 0, 0));
	CHECK_EQ(ctl(KEYCTL_GET_PERSISTENT, 0, P(PROCESS), 0, 0), pers);
	CHECK(ctl(KEYCTL_DESCRIBE, P(pers), P(buf), sizeof(buf), 0) > 0);
	CHECK(strstr(buf, ";_persistent.0"));
	CHECK(ctl(KEYCTL_CAPABILITIES, P(caps), 4, 0, 0) >= 2);
	CHECK_EQ(caps[0] & 0xe3, 0xe3);
	CHECK_EQ(caps[3], 0);
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(ctl(KEYCTL_GET_PERSISTENT, 0, P(PROCESS), 0, 0), EPERM);
}

TEST(keys, negative)
{
	char buf[64];
	long p;

	NEED(p = ctl(KEYCTL_GET_KEYRING_ID, P(PROCESS), 1, 0, 0));
	CHECK_ERR(request("user", "no", NULL, PROCESS), ENOKEY);
	CHECK_EQ(ctl(KEYCTL_READ, P(p), 0, 0, 0), 0); /* not remembered */
	CHECK_EQ(request("user", "no", "info", PROCESS), -1);
	CHECK(errno == ENOKEY || errno == ENOENT); /* no /sbin/request-key */
	CHECK_EQ(ctl(KEYCTL_READ, P(p), P(buf), sizeof(buf), 0), 4);
	CHECK_ERR(request("user", "no", NULL, 0), ENOKEY);
	CHECK_OK(add("user", "no", "yes", 3, PROCESS));
	CHECK_OK(request("user", "no", NULL, 0));
	CHECK_ERR(request("nosuch", "no", NULL, 0), ENOKEY);
}

TEST(keys, quota)
{
	char name[16];
	long k = 0;
	int n;

	CHECK_OK(setresuid(12345, 12345, 12345));
	for (n = 0; n < 300 && k >= 0; n++) {
		snprintf(name, sizeof(name), "%d", n);
		k = add("user", name, "x", 1, PROCESS);
	}
	CHECK_EQ(errno, EDQUOT);
	CHECK(n > 150 && n <= 200);
	CHECK_OK(ctl(KEYCTL_CLEAR, P(PROCESS), 0, 0, 0));
	for (k = -1; k < 0 && n--;) { /* Linux frees them a bit later */
		k = add("user", "a", "x", 1, PROCESS);
		ut_sleep_ms(10);
	}
	CHECK(k > 0);
}

TEST(keys, proc)
{
	char text[8192], want[32];
	size_t n = 0;
	ssize_t got;
	long k;
	int fd;

	NEED(k = add("user", "seen", "abc", 3, PROCESS));
	fd = open("/proc/keys", O_RDONLY);
	CHECK(fd >= 0);
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = 0;
	snprintf(want, sizeof(want), "%08lx I--Q---", k);
	CHECK(strstr(text, want));
	CHECK(strstr(text, " perm 3f010000     0     0 user      seen: 3\n"));
	close(fd);
	fd = open("/proc/key-users", O_RDONLY);
	n = (size_t)read(fd, text, sizeof(text) - 1);
	text[n] = 0;
	CHECK(strstr(text, "    0: "));
	CHECK(strstr(text, "/1000000 "));
}

/* Keyrings in keyrings that may be reached on very many ways. */
TEST(keys, lattice)
{
	enum {
		LEVELS = 6,
		WIDTH = 30
	};
	long ring[LEVELS][WIDTH], start;
	char name[24];

	for (int i = 0; i < LEVELS; i++) {
		for (int k = 0; k < WIDTH; k++) {
			snprintf(name, sizeof(name), "r%d.%d", i, k);
			NEED(ring[i][k] =
				     add("keyring", name, NULL, 0, PROCESS));
		}
	}
	start = ut_now_ms();
	for (int i = LEVELS - 1; i > 0; i--)
		for (int k = 0; k < WIDTH; k++)
			for (int n = 0; n < WIDTH; n++)
				CHECK_OK(ctl(KEYCTL_LINK, P(ring[i][n]),
					     P(ring[i - 1][k]), 0, 0));
	CHECK_ERR(find(PROCESS, "nowhere"), ENOKEY);
	CHECK_ERR(ctl(KEYCTL_LINK, P(ring[0][0]), P(ring[5][1]), 0, 0),
		  EDEADLK);
	CHECK_OK(add("user", "deep", "x", 1, ring[5][7]));
	CHECK_OK(find(PROCESS, "deep"));
	CHECK(ut_now_ms() - start < 8000); /* Linux's walk is a longer one */
}

/* Names of owners are those of the namespace. */
static int in_ns(void *arg)
{
	char text[64];
	int fd;
	long k;

	(void)arg;
	CHECK_OK(unshare(CLONE_NEWUSER));
	CHECK_OK(fd = open("/proc/self/uid_map", O_WRONLY));
	CHECK_EQ(write(fd, "7 0 1", 5), 5);
	close(fd);
	CHECK_OK(k = add("user", "seen", "x", 1, PROCESS));
	CHECK(ctl(KEYCTL_DESCRIBE, P(k), P(text), sizeof(text), 0) > 0);
	CHECK(!strncmp(text, "user;7;", 7));
	CHECK_ERR(ctl(KEYCTL_CHOWN, P(k), 3, P(-1), 0), EINVAL);
	CHECK_OK(ctl(KEYCTL_CHOWN, P(k), 7, P(-1), 0));
	return 0;
}

TEST(keys, namespace)
{
	NEED(add("user", "seen", "x", 1, PROCESS));
	CHECK_EQ(ut_wait(ut_fork(in_ns, NULL)), 0);
}
