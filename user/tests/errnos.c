/* SPDX-License-Identifier: MIT */
/*
 * user/tests/errnos.c - which of two errors comes first, and what is left when a
 * call fails: sockets, asynchronous reads, copies, exec.
 */
#include "utest.h"

#include <arpa/inet.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#ifndef IPV6_ADDRFORM
#define IPV6_ADDRFORM 1
#endif

TEST(errnos, accept_flags)
{
	int fd = ut_open("f", "x");

	CHECK_ERR(accept4(fd, NULL, NULL, 0), ENOTSOCK);
	CHECK_ERR(accept4(fd, NULL, NULL, 1), EINVAL);
	CHECK_ERR(accept4(-1, NULL, NULL, 1), EBADF);
}

/* The name is made first; a socket that has one leaves no other behind. */
TEST(errnos, bind_paths)
{
	struct sockaddr_un a = { AF_UNIX, "one" }, b = { AF_UNIX, "two" };
	struct sockaddr_un none = { AF_UNIX, "no/where" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EADDRINUSE);
	CHECK_ERR(bind(s, (void *)&none, sizeof(none)), ENOENT);
	CHECK_ERR(bind(s, (void *)&b, sizeof(b)), EINVAL);
	CHECK_ERR(access("two", F_OK), ENOENT);
	CHECK_OK(access("one", F_OK));
}

TEST(errnos, bind_unspec)
{
	struct sockaddr_in a = { .sin_family = AF_UNSPEC };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EAFNOSUPPORT);
	a.sin_addr.s_addr = htonl(INADDR_ANY);
	CHECK_OK(bind(s, (void *)&a, sizeof(a)));
}

/* An IPv6 socket that talks to an IPv4 one may become one, and listen as one. */
TEST(errnos, addrform)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int l = socket(AF_INET6, SOCK_STREAM, 0), v4 = AF_INET, c, s;
	socklen_t len = sizeof(any);

	CHECK_OK(bind(l, (void *)&any, sizeof(any)));
	CHECK_OK(listen(l, 2));
	CHECK_OK(getsockname(l, (void *)&any, &len));
	to.sin_port = any.sin6_port;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (void *)&to, sizeof(to)));
	CHECK_OK(s = accept(l, NULL, NULL));
	CHECK_ERR(setsockopt(l, IPPROTO_IPV6, IPV6_ADDRFORM, &v4, 4), ENOTCONN);
	CHECK_OK(setsockopt(s, IPPROTO_IPV6, IPV6_ADDRFORM, &v4, 4));
	len = sizeof(to);
	CHECK_OK(getsockname(s, (void *)&to, &len));
	CHECK_EQ(to.sin_family, AF_INET);
	CHECK_EQ(to.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_OK(connect(s, &none, sizeof(none)));
	to.sin_port = 0;
	CHECK_OK(bind(s, (void *)&to, sizeof(to)));
	CHECK_OK(listen(s, 1));
	CHECK_OK(getsockname(s, (void *)&to, &len));
	CHECK_OK(c = socket(AF_INET, SOCK_STREAM, 0));
	CHECK_OK(connect(c, (void *)&to, sizeof(to)));
	CHECK_OK(accept(s, NULL, NULL));
}

TEST(errnos, statfs_of_the_nameless)
{
	struct statfs st;
	int p[2];

	CHECK_OK(fstatfs(epoll_create1(0), &st));
	CHECK_EQ(st.f_type, 0x09041934); /* ANON_INODE_FS_MAGIC */
	CHECK_OK(fstatfs(socket(AF_UNIX, SOCK_STREAM, 0), &st));
	CHECK_EQ(st.f_type, 0x534f434b); /* SOCKFS_MAGIC */
	CHECK_OK(pipe(p));
	CHECK_OK(fstatfs(p[0], &st));
	CHECK_EQ(st.f_type, 0x50495045); /* PIPEFS_MAGIC */
	CHECK_OK(statfs("/dev/pts", &st));
	CHECK_EQ(st.f_type, 0x1cd1); /* DEVPTS_SUPER_MAGIC */
}

static ssize_t copy(int in, off_t a, int out, off_t b, size_t len)
{
	return syscall(SYS_copy_file_range, in, &a, out, &b, len, 0);
}

TEST(errnos, copy_range_ends)
{
	int a = ut_open("a", "0123456789"), b = ut_open("b", "");
	off_t last = INT64_MAX;

	CHECK_ERR(copy(a, 0, b, last, 1), EFBIG);
	CHECK_ERR(copy(a, -1, b, 0, 5), EOVERFLOW);
	CHECK_ERR(copy(a, 1, b, 0, SIZE_MAX), EOVERFLOW);
	CHECK_ERR(copy(a, -10, b, 0, 5), EINVAL);
	CHECK_ERR(copy(a, 0, a, 5, 6), EINVAL);
	CHECK_EQ(copy(a, 8, a, 20, 100),
		 2); /* what there is does not overlap */
	CHECK_EQ(copy(a, 100, b, 0, 5), 0);
}

/* The interpreter of a script could not open a descriptor that exec closes. */
TEST(errnos, exec_script_by_descriptor)
{
	char *argv[] = { "s", NULL }, *envp[] = { NULL };
	int fd = ut_open("s", "#!/bin/sh\n[ -s \"$0\" ] && exit 7\n"), dir;
	int status;
	pid_t pid;

	CHECK_OK(fchmod(fd, 0755));
	close(fd);
	CHECK((fd = open("s", O_RDONLY | O_CLOEXEC)) >= 0);
	CHECK((dir = open(".", O_RDONLY | O_CLOEXEC)) >= 0);
	CHECK_ERR(syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH),
		  ENOENT);
	CHECK_ERR(syscall(SYS_execveat, dir, "s", argv, envp, 0), ENOENT);
	if (access("/dev/fd", F_OK))
		ut_skip("no /dev/fd here");
	CHECK_OK(fcntl(dir, F_SETFD, 0));
	CHECK((pid = fork()) >= 0);
	if (!pid) {
		syscall(SYS_execveat, dir, "s", argv, envp, 0);
		_exit(1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 7);
}

TEST(errnos, aio_numbers)
{
	aio_context_t ctx = 0;
	struct iocb io = { 0 };

	CHECK_ERR(syscall(SYS_io_setup, -1, &ctx), EINVAL);
	CHECK_ERR(syscall(SYS_io_setup, 0, &ctx), EINVAL);
	CHECK_ERR(syscall(SYS_io_setup, 1000000, &ctx), EAGAIN);
	CHECK_ERR(syscall(SYS_io_cancel, ctx, NULL, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_io_cancel, ctx, &io, NULL), EINVAL);
}

/* The end of a request may count one further than a write. */
TEST(errnos, eventfd_overflow)
{
	int efd = eventfd(0, EFD_NONBLOCK), fd = ut_open("f", "xyz");
	struct iocb io = { .aio_fildes = (unsigned)fd,
			   .aio_lio_opcode = IOCB_CMD_PREAD,
			   .aio_flags = IOCB_FLAG_RESFD,
			   .aio_resfd = (unsigned)efd,
			   .aio_nbytes = 1 },
		    *ios[] = { &io };
	struct pollfd pfd = { efd, POLLIN | POLLOUT, 0 };
	uint64_t n = UINT64_MAX - 1;
	aio_context_t ctx = 0;
	struct io_event ev;
	char c;

	io.aio_buf = (uintptr_t)&c;
	CHECK_OK(syscall(SYS_io_setup, 1, &ctx));
	CHECK_EQ(write(efd, &n, sizeof(n)), 8);
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(pfd.revents, POLLIN);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(syscall(SYS_io_submit, ctx, 1, ios), 1);
		CHECK_EQ(syscall(SYS_io_getevents, ctx, 1, 1, &ev, NULL), 1);
	}
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(pfd.revents, POLLIN | POLLERR);
	n = 1;
	CHECK_ERR(write(efd, &n, sizeof(n)), EAGAIN);
	CHECK_EQ(read(efd, &n, sizeof(n)), 8);
	CHECK_EQ(n, UINT64_MAX);
	CHECK_EQ(poll(&pfd, 1, 0), 1);
	CHECK_EQ(pfd.revents, POLLOUT);
}

/* Without rights a descriptor gets a name when it was opened with those of now. */
TEST(errnos, link_by_own_descriptor)
{
	int theirs = ut_open("theirs", "x"), mine;

	CHECK_OK(chmod(".", 0777));
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(linkat(theirs, "", AT_FDCWD, "no", AT_EMPTY_PATH), ENOENT);
	CHECK_ERR(linkat(99, "", AT_FDCWD, "no", AT_EMPTY_PATH), EBADF);
	mine = open(".", O_TMPFILE | O_RDWR, 0600);
	if (mine < 0)
		ut_skip("no O_TMPFILE here");
	CHECK_OK(linkat(mine, "", AT_FDCWD, "yes", AT_EMPTY_PATH));
}

TEST(errnos, cachestat_to_the_end)
{
	struct {
		uint64_t off, len;
	} range = { 0, UINT64_MAX };
	uint64_t cs[5];
	int fd = ut_open("f", "x");

	CHECK_OK(syscall(451, fd, &range, cs, 0));
	CHECK_EQ(cs[0], 1);
}

/* Data, holes and data again in steps of a block, which may be less than a page. */
TEST(errnos, holes_by_block)
{
	struct statfs sf;
	char *block;
	int fd = ut_open("f", "");
	long bs;

	CHECK_OK(fstatfs(fd, &sf));
	bs = sf.f_bsize;
	CHECK((block = calloc(1, (size_t)bs)));
	for (int i = 0; i < 6; i += 2)
		CHECK_EQ(pwrite(fd, block, (size_t)bs, i * bs), bs);
	for (int i = 0; i < 6; i += 2) {
		CHECK_EQ(lseek(fd, i * bs, SEEK_DATA), i * bs);
		CHECK_EQ(lseek(fd, i * bs, SEEK_HOLE), (i + 1) * bs);
	}
	CHECK_EQ(lseek(fd, 3 * bs, SEEK_DATA), 4 * bs);
}

/* A page stays writable while the file grows within it: what is stored there lasts. */
TEST(errnos, grown_under_a_mapping)
{
	int fd = ut_open("f", "x"), dir = open(".", O_RDONLY);
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char b[4096];

	CHECK(m != MAP_FAILED);
	m[0] = 'a';
	CHECK_OK(ftruncate(fd, 2500));
	m[2400] = 'b';
	CHECK_EQ(pwrite(fd, "c", 1, 4095), 1);
	m[3500] = 'd';
	CHECK_OK(munmap(m, 4096));
	CHECK_OK(fsync(fd));
	CHECK_OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	CHECK_OK(syncfs(dir));
	CHECK_EQ(pread(fd, b, sizeof(b), 0), 4096);
	CHECK_EQ(b[0], 'a');
	CHECK_EQ(b[2400], 'b');
	CHECK_EQ(b[3500], 'd');
	CHECK_EQ(b[4095], 'c');
	CHECK_EQ(b[1200], 0);
}

struct acct_v3 {
	uint8_t flag, version;
	uint16_t tty;
	uint32_t exitcode, uid, gid, pid, ppid, btime;
	float etime;
	uint16_t comp[8];
	char comm[16];
};

/* Every process that ends leaves a record; the limit on its files is not for that. */
TEST(errnos, accounting)
{
	struct rlimit small = { 8, 8 };
	struct acct_v3 a;
	int status, fd = ut_open("log", "");
	pid_t pid;

	NEED(acct(NULL));
	CHECK_ERR(acct("."), EISDIR);
	CHECK_ERR(acct("/dev/null"), EACCES);
	CHECK_ERR(acct("none"), ENOENT);
	CHECK_ERR(acct("log/x"), ENOTDIR);
	CHECK_OK(acct("log"));
	CHECK((pid = fork()) >= 0);
	if (!pid) {
		if (setgid(33) || setuid(44) || setrlimit(RLIMIT_FSIZE, &small))
			_exit(1);
		_exit(7);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_OK(acct(NULL));
	do {
		CHECK_EQ(read(fd, &a, sizeof(a)), sizeof(a));
		CHECK_EQ(a.version, 3);
	} while ((pid_t)a.pid != pid);
	CHECK_EQ(a.exitcode, status);
	CHECK_EQ(a.exitcode, 7 << 8);
	CHECK_EQ(a.flag & 1, 1); /* no exec */
	CHECK_EQ(a.uid, 44);
	CHECK_EQ(a.gid, 33);
	CHECK_EQ(a.ppid, getpid());
	CHECK(labs((long)a.btime - time(NULL)) < 3600);
	CHECK(a.etime >= 0 && a.etime < 6000);
	CHECK(!memcmp(a.comm, "utest", 5));
	CHECK_OK(setuid(44));
	CHECK_ERR(acct(NULL), EPERM);
}

/* The most that was resident is known while it still is, and after exec. */
TEST(errnos, maxrss_of_now)
{
	size_t size = 20 << 20;
	struct rusage ru;
	char *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	for (size_t i = 0; i < size; i += 4096)
		m[i] = 1;
	CHECK_OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_maxrss >= 20 << 10);
	CHECK_OK(getrusage(RUSAGE_THREAD, &ru));
	CHECK(ru.ru_maxrss >= 20 << 10);
	CHECK_OK(munmap(m, size));
	CHECK_OK(getrusage(RUSAGE_SELF, &ru));
	CHECK(ru.ru_maxrss >= 20 << 10);
}

TEST(errnos, clone_of_files)
{
	struct file_clone_range r = { .src_fd = -1 };
	int a = ut_open("a", "x"), other = open("/proc/version", O_RDONLY);

	CHECK_ERR(ioctl(a, FICLONE, -1), EBADF);
	CHECK_ERR(ioctl(a, FICLONERANGE, &r), EBADF);
	CHECK_ERR(ioctl(a, FICLONERANGE, NULL), EFAULT);
	CHECK_ERR(ioctl(a, FICLONE, other), EXDEV);
}

TEST(errnos, file_capabilities)
{
	uint32_t v2[5] = { 0x02000000 }, v3[6] = { 0x03000000 };
	int fd = ut_open("f", "x");

	CHECK_ERR(fsetxattr(fd, "security.capability", "xx", 2, 0), EINVAL);
	CHECK_ERR(fsetxattr(fd, "security.capability", v2, 24, 0), EINVAL);
	CHECK_ERR(fsetxattr(fd, "security.capability", v3, 20, 0), EINVAL);
	CHECK_OK(fsetxattr(fd, "security.capability", v2, 20, 0));
	CHECK_OK(setuid(44));
	CHECK_ERR(fsetxattr(fd, "security.capability", v2, 20, 0), EPERM);
}

/* struct procmap_query of Linux 6.11; newer headers have it, Debian 12's do not. */
struct maps_question {
	uint64_t size, flags, addr, start, end, perm, page_size, offset, ino;
	uint32_t major, minor, name_size, id_size;
	uint64_t name, id;
};
#define QUERY	   _IOC(3, 'f', 17, sizeof(struct maps_question))
#define WRITABLE   0x02
#define EXECUTABLE 0x04
#define OR_NEXT	   0x10
#define OF_FILE	   0x20

static int query(int fd, struct maps_question *q, void *addr, uint64_t flags)
{
	q->size = sizeof(*q);
	q->flags = flags;
	q->addr = (uintptr_t)addr;
	return ioctl(fd, QUERY, q);
}

/* /proc/self/maps asked about one address. */
TEST(errnos, map_query)
{
	char *m = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	int fd = open("/proc/self/maps", O_RDONLY), file = ut_open("f", "x");
	struct maps_question q = { 0 };
	struct stat st;
	char name[256];

	CHECK(m != MAP_FAILED && fd >= 0);
	CHECK_OK(munmap(m + 4096, 4096));
	CHECK(mmap(m + 8192, 4096, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED);
	CHECK_OK(fstat(file, &st));
	if (query(fd, &q, m, 0) && errno == ENOTTY)
		ut_skip("no PROCMAP_QUERY here");
	CHECK_EQ(q.start <= (uintptr_t)m, 1);
	CHECK_EQ(q.end, (uintptr_t)m + 4096);
	CHECK_EQ(q.perm, 1);
	CHECK_EQ(q.page_size, 4096);
	CHECK_EQ(q.ino, 0);
	CHECK_ERR(query(fd, &q, m + 4096, 0), ENOENT);
	CHECK_ERR(query(fd, &q, m, WRITABLE), ENOENT);
	CHECK_ERR(query(fd, &q, m, 0x40), EINVAL);
	q.name = (uintptr_t)name;
	CHECK_ERR(query(fd, &q, m, 0), EINVAL);
	q.name_size = 4;
	CHECK_ERR(query(fd, &q, m + 8192, 0), ENAMETOOLONG);
	q.name_size = sizeof(name);
	CHECK_OK(query(fd, &q, m + 4096, OR_NEXT | OF_FILE));
	CHECK_EQ(q.start, (uintptr_t)m + 8192);
	CHECK_EQ(q.perm, 1 | WRITABLE | 8);
	CHECK_EQ(q.ino, st.st_ino);
	CHECK_EQ(q.name_size, strlen(name) + 1);
	CHECK(!strcmp(strrchr(name, '/'), "/f"));
	CHECK_ERR(query(fd, &q, (void *)-4096l, OR_NEXT), ENOENT);
	q.size = 16;
	CHECK_ERR(ioctl(fd, QUERY, &q), EINVAL);
	q.size = 5000;
	CHECK_ERR(ioctl(fd, QUERY, &q), E2BIG);
	CHECK_ERR(ioctl(fd, QUERY, NULL), EFAULT);
}

/* Who lists a directory reads it. */
TEST(errnos, inotify_of_listing)
{
	int in = inotify_init1(IN_NONBLOCK), dir;
	struct inotify_event ev;
	char buf[512];

	CHECK_OK(mkdir("d", 0755));
	CHECK_OK(inotify_add_watch(in, "d", IN_ACCESS));
	CHECK_OK(dir = open("d", O_RDONLY));
	CHECK(syscall(SYS_getdents64, dir, buf, sizeof(buf)) > 0);
	CHECK_EQ(syscall(SYS_getdents64, dir, buf, sizeof(buf)), 0);
	CHECK_EQ(read(in, &ev, sizeof(ev)), sizeof(ev));
	CHECK_EQ(ev.mask, IN_ACCESS | IN_ISDIR);
	CHECK_ERR(read(in, &ev, sizeof(ev)), EAGAIN); /* both became one */
}

/* The most negative type asks for a message of any type, as its neighbour does. */
TEST(errnos, msgrcv_of_any)
{
	struct {
		long type;
		char text[1];
	} m = { 9, "x" };
	int q = msgget(IPC_PRIVATE, 0600);

	CHECK_OK(q);
	CHECK_OK(msgsnd(q, &m, 1, 0));
	CHECK_EQ(msgrcv(q, &m, 1, LONG_MIN, IPC_NOWAIT), 1);
	CHECK_EQ(m.type, 9);
	CHECK_OK(msgctl(q, IPC_RMID, NULL));
}

/* A name that is not in /proc is not there to be made either. */
TEST(errnos, names_in_proc)
{
	CHECK_ERR(open("/proc/nosuch", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERR(open("/proc/self/nosuch", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERR(mkdir("/proc/nosuch", 0700), ENOENT);
	CHECK_ERR(mkdir("/proc/self", 0700), EEXIST);
	CHECK_ERR(symlink("x", "/proc/sys/nosuch"), ENOENT);
	CHECK_ERR(mknod("/proc/nosuch", S_IFIFO | 0600, 0), ENOENT);
	CHECK_ERR(link("/proc/version", "/proc/nosuch"), ENOENT);
	CHECK_ERR(rename("/proc/version", "/proc/nosuch"), ENOENT);
}

/* Which of two errors is told, and a few that are none. */
TEST(errnos, seldom_seen)
{
	static char longname[5000];
	unsigned long node2 = 4;
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = ut_open("f", "x"), us = socket(AF_UNIX, SOCK_STREAM, 0);
	int block = 0, r;

	memset(longname, 'a', sizeof(longname) - 1);
	CHECK_OK(mlock(p, -1)); /* its length wraps to nothing */
	CHECK_ERR(munlock(p, -4096ul), EINVAL);
	CHECK_ERR(syscall(SYS_migrate_pages, 99999, 64, &node2, &node2), ESRCH);
	CHECK_ERR(syscall(SYS_ptrace, 99, 99999, 0, 0), ESRCH);
	CHECK_ERR(syscall(SYS_ptrace, 99, getpid(), 0, 0), ESRCH);
	CHECK_OK(shutdown(us, SHUT_RD));
	CHECK_ERR(shutdown(us, 9), EINVAL);
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	r = ioctl(fd, 1 /* FIBMAP */, &block);
	CHECK(!r || errno == EINVAL); /* ext4 has blocks, tmpfs has not */
	CHECK_ERR(mount(longname, ".", "tmpfs", 0, NULL), EINVAL);
	CHECK_ERR(mount("x", longname, "tmpfs", 0, NULL), ENAMETOOLONG);
	CHECK_OK(syscall(SYS_ioprio_set, 1, 0, 9 << 13)); /* 3 bits count */
	CHECK_OK(setresuid(1000, 1000, 1000));
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	CHECK_ERR(socket(AF_INET, SOCK_RAW, 6), EPERM);
}
