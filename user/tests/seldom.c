/* SPDX-License-Identifier: MIT */
/*
 * user/tests/seldom.c - limits, and errors, that few programs ever meet.
 */
#include "utest.h"

#include <grp.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_OK(close(fd));
}

static void nobody(void)
{
	CHECK_OK(setgroups(0, NULL));
	CHECK_OK(setresgid(65534, 65534, 65534));
	CHECK_OK(setresuid(65534, 65534, 65534));
}

/* Run @fn as nobody. */
static void as_nobody(int (*fn)(void *), void *arg)
{
	CHECK_EQ(ut_wait(ut_fork(fn, arg)), 0);
}

#define MANY 5000

static int ids[MANY];

/* Found by key and by id among thousands; the highest slot is not far beyond. */
TEST(seldom, thousands_of_queues)
{
	key_t key = 0x5e1d0000;
	struct msqid_ds ds;
	int highest;

	for (int i = 0; i < MANY; i++)
		CHECK_OK(ids[i] = msgget(key + i, IPC_CREAT | IPC_EXCL | 0600));
	for (int i = 0; i < MANY; i += 99) {
		CHECK_EQ(msgget(key + i, 0600), ids[i]);
		CHECK_ERR(msgget(key + i, IPC_CREAT | IPC_EXCL), EEXIST);
		CHECK_OK(msgctl(ids[i], IPC_STAT, &ds));
		CHECK_EQ(ds.msg_perm.__key, key + i);
	}
	CHECK_OK(highest = msgctl(0, MSG_INFO, &ds));
	CHECK(highest >= MANY - 1 && highest < 2 * MANY);
	for (int i = 0; i < MANY; i++)
		CHECK_OK(msgctl(ids[i], IPC_RMID, NULL));
	CHECK_ERR(msgget(key, 0600), ENOENT);
	CHECK_ERR(msgctl(ids[7], IPC_STAT, &ds), EINVAL);
}

static int wants_huge_pages(void *arg)
{
	nobody();
	CHECK_ERR(shmget(IPC_PRIVATE, 4096, SHM_HUGETLB | 0600), EPERM);
	return 0;
}

TEST(seldom, pages_of_all_segments)
{
	const char *all = "/proc/sys/kernel/shmall";
	struct shmid_ds ds;
	struct shm_info info;
	char pages[32];
	int a, b;

	if (geteuid())
		ut_skip("root only");
	as_nobody(wants_huge_pages, NULL);
	CHECK_OK(shmctl(0, SHM_INFO, (struct shmid_ds *)&info));
	snprintf(pages, sizeof(pages), "%lu", info.shm_tot + 2);
	write_text(all, pages);
	CHECK_ERR(shmget(IPC_PRIVATE, 3 * 4096, 0600), ENOSPC);
	CHECK_OK(a = shmget(IPC_PRIVATE, 2 * 4096, 0600));
	CHECK_ERR(b = shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
	CHECK_OK(shmctl(a, IPC_RMID, &ds));
	CHECK_OK(b = shmget(IPC_PRIVATE, 1, 0600));
	CHECK_OK(shmctl(b, IPC_RMID, &ds));
	write_text(all, "18446744073692774399");
}

/* A removed segment that somebody uses has no key, which another may take. */
TEST(seldom, key_of_a_removed_segment)
{
	key_t key = 0x5e1d9999;
	int a = shmget(key, 4096, IPC_CREAT | 0600), b;
	char *p = shmat(a, NULL, 0);

	CHECK(p != (char *)-1);
	CHECK_OK(shmctl(a, IPC_RMID, NULL));
	CHECK_ERR(shmget(key, 1, 0600), ENOENT);
	CHECK_OK(b = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
	CHECK(a != b);
	CHECK_OK(shmdt(p));
	CHECK_EQ(shmget(key, 1, 0600), b);
	CHECK_OK(shmctl(b, IPC_RMID, NULL));
}

static int one_queue_too_many(void *arg)
{
	nobody();
	CHECK_ERR(mq_open("/seldom2", O_CREAT | O_RDWR, 0600, NULL), ENOSPC);
	return 0;
}

/* A queue counts as long as somebody has it open; signal 0 tells nobody. */
TEST(seldom, queues_without_a_name)
{
	const char *max = "/proc/sys/fs/mqueue/queues_max";
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL };
	mqd_t q;

	if (geteuid())
		ut_skip("root only");
	CHECK_OK(q = mq_open("/seldom", O_CREAT | O_RDWR, 0600, NULL));
	CHECK_OK(mq_unlink("/seldom"));
	CHECK_OK(mq_notify(q, &ev));
	CHECK_OK(mq_send(q, "x", 1, 0));
	ev.sigev_signo = 65;
	CHECK_ERR(mq_notify(q, &ev), EINVAL);
	write_text(max, "1");
	as_nobody(one_queue_too_many, NULL);
	write_text(max, "256");
	CHECK_OK(mq_close(q));
}

static int locks_a_hole(void *arg)
{
	struct rlimit none = { 0, 0 };

	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &none));
	nobody();
	CHECK_ERR(mlock((void *)0x100000000, 4096), EPERM);
	CHECK_OK(munlock(arg, 4096));
	return 0;
}

TEST(seldom, nothing_may_be_locked)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (geteuid())
		ut_skip("root only");
	as_nobody(locks_a_hole, p);
}

static int moves_others(void *arg)
{
	unsigned long node = 1;
	void *page = arg;
	int status;

	nobody();
	CHECK_ERR(syscall(SYS_move_pages, 0, 1, &page, NULL, &status, 4),
		  EPERM);
	CHECK_ERR(syscall(SYS_move_pages, 1, 1, &page, NULL, &status, 2),
		  EPERM);
	CHECK_ERR(syscall(SYS_migrate_pages, 1, 64, &node, &node), EPERM);
	return 0;
}

static int sleeps(void *arg)
{
	pause();
	return 0;
}

TEST(seldom, where_pages_are)
{
	unsigned long node = 1, none = 0;
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *pages[3] = { p, p + 4096, (void *)0x1000 };
	int status[3];
	pid_t pid;

	if (syscall(SYS_migrate_pages, 0, 64, &node, &node) < 0)
		ut_skip("no memory nodes");
	p[0] = 1;
	CHECK_OK(syscall(SYS_move_pages, 0, 3, pages, NULL, status, 2));
	CHECK_EQ(status[0], 0);
	CHECK_EQ(status[1], -ENOENT);
	CHECK_EQ(status[2], -EFAULT);
	pid = ut_fork(sleeps, NULL);
	CHECK_OK(syscall(SYS_move_pages, pid, 3, pages, NULL, status, 2));
	CHECK_EQ(status[1], -ENOENT);
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(ut_wait(pid), UT_SIGNALLED(SIGKILL));
	CHECK_ERR(syscall(SYS_migrate_pages, 0, 64, &node, &none), EINVAL);
	if (!geteuid())
		as_nobody(moves_others, p);
}

/* As far as a file may be: who looks for data does not look at each page. */
TEST(seldom, data_in_a_hole)
{
	int fd = memfd_create("holes", 0);

	CHECK(fd >= 0);
	CHECK_OK(ftruncate(fd, 1l << 50));
	CHECK_ERR(lseek(fd, 5, SEEK_DATA), ENXIO);
	CHECK_EQ(lseek(fd, 5, SEEK_HOLE), 5);
	CHECK_EQ(pwrite(fd, "x", 1, 1l << 49), 1);
	CHECK_EQ(lseek(fd, 5, SEEK_DATA), 1l << 49);
	CHECK_EQ(lseek(fd, (1l << 49) + 7, SEEK_DATA), (1l << 49) + 7);
	CHECK_EQ(lseek(fd, (1l << 49) + 7, SEEK_HOLE), (1l << 49) + 4096);
	CHECK_ERR(lseek(fd, (1l << 49) + 4096, SEEK_DATA), ENXIO);
}

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t prio;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static long setattr(const struct attr *a)
{
	return syscall(SYS_sched_setattr, 0, a, 0);
}

/* Microseconds. */
static long deadline(uint64_t runtime, uint64_t period)
{
	struct attr a = { .size = 48,
			  .policy = 6,
			  .runtime = runtime * 1000,
			  .deadline = period * 1000,
			  .period = period * 1000 };

	return setattr(&a);
}

TEST(seldom, periods_of_deadlines)
{
	struct attr a = { .size = 56, .flags = 0x20, .util_min = 100 };

	if (geteuid())
		ut_skip("root only");
	CHECK_ERR(deadline(1000, 5000000), EINVAL);
	CHECK_ERR(deadline(10, 99), EINVAL);
	CHECK_OK(deadline(1000, 100000));
	CHECK_OK(deadline(10, 100));
	if (setattr(&a)) /* Linux may have that */
		CHECK_EQ(errno, EOPNOTSUPP);
	a.size = 48;
	CHECK_ERR(setattr(&a), EINVAL);
}

TEST(seldom, no_descriptor_at_all)
{
	struct rlimit none = { 0, 0 };

	CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
	CHECK_ERR(dup(0), EMFILE);
	CHECK_ERR(fcntl(0, F_DUPFD, 0), EINVAL);
	CHECK_ERR(open("/", O_RDONLY), EMFILE);
}

static volatile sig_atomic_t children;

static void on_child(int sig)
{
	children++;
}

/* Nobody is left to wait for, though the handler ran. */
TEST(seldom, last_child_needs_no_wait)
{
	struct sigaction sa = { .sa_handler = on_child,
				.sa_flags = SA_NOCLDWAIT };

	CHECK_OK(sigaction(SIGCHLD, &sa, NULL));
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			usleep(1000);
			_exit(0);
		}
		CHECK_ERR(waitpid(pid, NULL, 0), ECHILD);
		CHECK_EQ(children, i + 1);
	}
}

/* A child that has ended is told of, and no interrupted call. */
TEST(seldom, child_before_its_signal)
{
	struct sigaction sa = { .sa_handler = on_child };

	CHECK_OK(sigaction(SIGCHLD, &sa, NULL));
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			usleep(1000);
			_exit(0);
		}
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
	}
}

static int few_open(void *arg)
{
	const char *max = "/proc/sys/fs/nr_open";
	char old[32];
	pid_t pid;
	int fd = open(max, O_RDONLY);
	ssize_t n = read(fd, old, sizeof(old) - 1);

	CHECK(n > 0);
	old[n] = '\0';
	CHECK_EQ(dup2(fd, 900), 900);
	write_text(max, "200");
	pid = fork();
	write_text(max, old);
	if (!pid)
		_exit(0);
	CHECK(pid == -1);
	CHECK_OK(close(900));
	return 0;
}

/* Descriptors that could not be opened any more are not copied. */
TEST(seldom, fewer_descriptors_by_now)
{
	if (geteuid())
		ut_skip("root only");
	CHECK_EQ(ut_wait(ut_fork(few_open, NULL)), 0);
}

TEST(seldom, own_side_is_looked_at_first)
{
	char from[20] = "0123456789", to[20] = "";
	struct iovec {
		void *base;
		size_t len;
	} local[2] = { { to, 10 }, { (void *)-1l, 10 } }, remote = { from, 20 };

	CHECK_ERR(syscall(SYS_process_vm_readv, getpid(), local, 2, &remote, 1,
			  0),
		  EFAULT);
	CHECK_EQ(to[0], 0);
	CHECK_ERR(syscall(SYS_syslog, 3, (void *)-1l, 10), EFAULT);
}
