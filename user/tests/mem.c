/* SPDX-License-Identifier: MIT */
/*
 * user/tests/mem.c - mappings, protection, copy on write, sharing, brk.
 */
#include "utest.h"

#include <sys/personality.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/resource.h>

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf escape;
static volatile int fault_sig, fault_code;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	fault_sig = sig;
	fault_code = si->si_code;
	siglongjmp(escape, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO | SA_NODEFER };

	CHECK_OK(sigaction(SIGSEGV, &sa, NULL));
	CHECK_OK(sigaction(SIGBUS, &sa, NULL));
}

/* The signal that touching @p gives, or 0. */
static int touch(volatile char *p, bool write)
{
	fault_sig = 0;
	if (sigsetjmp(escape, 1))
		return fault_sig;
	if (write)
		*p = 1;
	else
		(void)*p;
	return 0;
}

static char *map(size_t len, int prot, int flags)
{
	char *p = mmap(NULL, len, prot, flags, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

TEST(mem, anonymous)
{
	char *p = map(1 << 20, RW, ANON);
	int i;

	for (i = 0; i < 1 << 20; i += 4096)
		CHECK_EQ(p[i + 17], 0);
	for (i = 0; i < 1 << 20; i += 4096)
		p[i] = i >> 12;
	for (i = 0; i < 1 << 20; i += 4096)
		CHECK_EQ(p[i], (char)(i >> 12));
	CHECK_OK(munmap(p, 1 << 20));
	catch_faults();
	CHECK_EQ(touch(p, false), SIGSEGV);
	CHECK_OK(munmap(p, 1 << 20));
}

TEST(mem, bad_arguments)
{
	int fd = ut_open("f", "x");

	CHECK_ERR(mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERR(mmap(NULL, 4096, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERR(mmap(NULL, 4096, RW, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERR(mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 17), EINVAL);
	CHECK_ERR(mmap(NULL, 1UL << 60, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERR(mmap((void *)4097, 4096, RW, ANON | MAP_FIXED, -1, 0),
		  EINVAL);
	CHECK_ERR(mmap((void *)(1UL << 62), 4096, RW, ANON | MAP_FIXED, -1, 0),
		  ENOMEM);
	CHECK_ERR(munmap((void *)4097, 4096), EINVAL);
	CHECK_ERR(munmap((void *)4096, 0), EINVAL);
	CHECK_ERR(mprotect((void *)4097, 4096, RW), EINVAL);
	CHECK_ERR(mprotect((void *)4096, 4096, RW), ENOMEM);
	CHECK_OK(close(fd));
	CHECK_OK(fd = open("f", O_RDONLY));
	CHECK_ERR(mmap(NULL, 4096, RW, MAP_SHARED, fd, 0), EACCES);
	CHECK_OK(mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0));
}

TEST(mem, protection)
{
	char *p = map(3 * 4096, RW, ANON);

	catch_faults();
	p[4096] = 9;
	CHECK_OK(mprotect(p + 4096, 4096, PROT_READ));
	CHECK_EQ(touch(p + 4096, false), 0);
	CHECK_EQ(touch(p + 4096, true), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK_EQ(touch(p, true), 0);
	CHECK_EQ(touch(p + 8192, true), 0);
	CHECK_OK(mprotect(p, 3 * 4096, PROT_NONE));
	CHECK_EQ(touch(p, false), SIGSEGV);
	CHECK_OK(mprotect(p, 3 * 4096, RW));
	CHECK_EQ(p[4096], 9);
	CHECK_OK(munmap(p + 4096, 4096));
	CHECK_EQ(touch(p + 4096, false), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
	CHECK_ERR(mprotect(p, 3 * 4096, RW), ENOMEM);
}

#ifdef __riscv
TEST(mem, execute)
{
	uint32_t code[2] = { 0x02a00513, 0x00008067 }; /* li a0,42; ret */
	char *p = map(4096, RW, ANON);
	int (*fn)(void) = (int (*)(void))p;

	memcpy(p, code, sizeof(code));
	CHECK_OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	__builtin___clear_cache(p, p + sizeof(code));
	CHECK_EQ(fn(), 42);
	CHECK_OK(mprotect(p, 4096, RW));
	catch_faults();
	if (!sigsetjmp(escape, 1))
		fn();
	CHECK_EQ(fault_sig, SIGSEGV);
}
#endif

TEST(mem, fork_cow)
{
	char *p = map(64 * 4096, RW, ANON);
	int i, p2[2];
	pid_t pid;
	char c;

	for (i = 0; i < 64; i++)
		p[i * 4096] = 1;
	CHECK_OK(pipe(p2));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		if (read(p2[0], &c, 1) != 1)
			_exit(1);
		for (i = 0; i < 64; i++)
			if (p[i * 4096] != 1)
				_exit(2);
		for (i = 0; i < 64; i++)
			p[i * 4096] = 3;
		_exit(0);
	}
	for (i = 0; i < 64; i++)
		p[i * 4096] = 2;
	CHECK_EQ(write(p2[1], "x", 1), 1);
	CHECK_EQ(ut_wait(pid), 0);
	for (i = 0; i < 64; i++)
		CHECK_EQ(p[i * 4096], 2);
}

TEST(mem, kernel_write_breaks_cow)
{
	char *p = map(4096, RW, ANON);
	int fd = ut_open("f", "from file");
	pid_t pid;

	strcpy(p, "parent");
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(read(fd, p, 9) != 9 || memcmp(p, "from file", 9));
	CHECK_EQ(ut_wait(pid), 0);
	CHECK(!strcmp(p, "parent"));
}

TEST(mem, shared_anonymous)
{
	int *p = (int *)map(4096, RW, MAP_SHARED | MAP_ANONYMOUS);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		*p = 77;
		_exit(0);
	}
	CHECK_EQ(ut_wait(pid), 0);
	CHECK_EQ(*p, 77);
}

TEST(mem, file_private)
{
	int fd = ut_open("f", "original contents");
	char *p, buf[8];

	p = mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(!memcmp(p, "original", 8));
	CHECK_EQ(p[17], 0);
	memcpy(p, "CHANGED!", 8);
	CHECK_EQ(pread(fd, buf, 8, 0), 8);
	CHECK(!memcmp(buf, "original", 8));
}

TEST(mem, file_shared)
{
	int fd = ut_open("f", "original contents");
	char *p, *q, buf[8];

	p = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED && (errno == ENODEV || errno == ENOSYS))
		ut_skip("no shared file mappings here");
	CHECK(p != MAP_FAILED);
	q = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(q != MAP_FAILED);
	memcpy(p, "CHANGED!", 8);
	CHECK(!memcmp(q, "CHANGED!", 8));
	CHECK_EQ(pread(fd, buf, 8, 0), 8);
	CHECK(!memcmp(buf, "CHANGED!", 8));
	CHECK_EQ(pwrite(fd, "written", 7, 0), 7);
	CHECK(!memcmp(p, "written!", 8));
	CHECK_OK(msync(p, 4096, MS_SYNC));
	CHECK_OK(munmap(p, 4096));
	CHECK_EQ(pread(fd, buf, 8, 0), 8);
	CHECK(!memcmp(buf, "written!", 8));
}

/* A store through a mapping sets times, of files in memory too. */
TEST(mem, store_sets_times)
{
	int fd = ut_open("f", "contents");
	struct stat was, now;
	char *p;

	CHECK_OK(fstat(fd, &was));
	ut_sleep_ms(20);
	p = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	*p = 'C';
	CHECK_OK(msync(p, 4096, MS_SYNC));
	CHECK_OK(fstat(fd, &now));
	CHECK(now.st_mtim.tv_nsec != was.st_mtim.tv_nsec);
	CHECK(now.st_ctim.tv_nsec != was.st_ctim.tv_nsec);
}

/* What runs old programs: personality(2). */
TEST(mem, read_implies_exec)
{
	int fd = ut_open("f", "contents");
	char *p, line[256];
	FILE *maps;
	bool exec = false;

	CHECK_OK(personality(0x0400000)); /* READ_IMPLIES_EXEC */
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (strtoul(line, NULL, 16) == (unsigned long)p)
			exec = strstr(line, " r-xp ");
	fclose(maps);
	CHECK(exec);
}

TEST(mem, beyond_eof)
{
	int fd = ut_open("f", "short");
	char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED);
	catch_faults();
	CHECK_EQ(touch(p + 4095, false), 0);
	CHECK_EQ(touch(p + 4096, false), SIGBUS);
}

TEST(mem, mremap)
{
	char *p = map(4 * 4096, RW, ANON), *q;
	int i;

	for (i = 0; i < 4; i++)
		p[i * 4096] = i + 1;
	q = mremap(p, 4 * 4096, 64 * 4096, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	for (i = 0; i < 4; i++)
		CHECK_EQ(q[i * 4096], i + 1);
	CHECK_EQ(q[63 * 4096], 0);
	CHECK(mremap(q, 64 * 4096, 2 * 4096, 0) == q);
	CHECK_EQ(q[4096], 2);
	catch_faults();
	CHECK_EQ(touch(q + 2 * 4096, false), SIGSEGV);
	CHECK_ERR(mremap(q + 1, 4096, 8192, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERR(mremap((void *)0x1000, 4096, 8192, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERR(mremap(q, 8192, 1UL << 60, MREMAP_MAYMOVE), ENOMEM);
}

/* The call itself: a C library may pass no address on without MREMAP_FIXED. */
static char *move_wishing(void *p, void *wish)
{
	return (char *)syscall(SYS_mremap, p, 4096, 4096,
			       MREMAP_MAYMOVE | MREMAP_DONTUNMAP, wish);
}

/* With MREMAP_DONTUNMAP the new address is where it goes if there is room. */
TEST(mem, mremap_wish)
{
	char *room = map(16 * 4096, RW, ANON), *p = map(4096, RW, ANON), *q;

	CHECK_OK(munmap(room, 16 * 4096));
	*p = 1;
	q = move_wishing(p, room);
	CHECK(q == room);
	CHECK_EQ(*q, 1);
	CHECK_EQ(*p, 0);
	*p = 2;
	q = move_wishing(p, room);
	CHECK(q != MAP_FAILED && q != room);
	CHECK_EQ(*q, 2);
	CHECK_EQ(*room, 1);
	CHECK_ERR((long)move_wishing(p, room + 1), EINVAL);
}

TEST(mem, fixed_replaces)
{
	char *p = map(4 * 4096, RW, ANON), *q;

	memset(p, 1, 4 * 4096);
	q = mmap(p + 4096, 8192, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + 4096);
	CHECK(p[4095] == 1 && q[0] == 0 && q[8191] == 0 && q[8192] == 1);
	CHECK_ERR(mmap(p, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
}

TEST(mem, brk)
{
	char *start = sbrk(0);
	int i;

	CHECK(sbrk(1 << 20) == start);
	for (i = 0; i < 1 << 20; i += 4096)
		CHECK_EQ(start[i], 0);
	memset(start, 7, 1 << 20);
	CHECK(sbrk(-(1 << 20)) != (void *)-1);
	CHECK(sbrk(1 << 20) == start);
	CHECK_EQ(start[5000], 0);
	CHECK_EQ(syscall(SYS_brk, 8), (long)sbrk(0));
}

TEST(mem, madvise_dontneed)
{
	char *p = map(8192, RW, ANON);

	memset(p, 5, 8192);
	CHECK_OK(madvise(p, 4096, MADV_DONTNEED));
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[4096], 5);
	CHECK_ERR(madvise(p + 1, 4096, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(p, 4096, 9999), EINVAL);
}

TEST(mem, stack_grows)
{
	volatile char big[2 << 20];
	int i;

	for (i = sizeof(big) - 1; i >= 0; i -= 4096)
		big[i] = 1;
	CHECK_EQ(big[sizeof(big) - 1], 1);
}

TEST(mem, address_limit)
{
	struct rlimit lim = { 64 << 20, 64 << 20 };

	CHECK_OK(setrlimit(RLIMIT_AS, &lim));
	CHECK_ERR(mmap(NULL, 128 << 20, RW, ANON, -1, 0), ENOMEM);
	CHECK_OK(mmap(NULL, 1 << 20, RW, ANON, -1, 0));
}

TEST(mem, many_maps)
{
	char *p[300];
	int i;

	for (i = 0; i < 300; i++) {
		p[i] = map(8192, i & 1 ? RW : PROT_READ, ANON);
		CHECK_EQ(p[i][4096], 0);
	}
	for (i = 0; i < 300; i += 2)
		CHECK_OK(munmap(p[i], 8192));
	for (i = 1; i < 300; i += 2)
		CHECK_EQ(p[i][0], 0);
}

static char *raced;

static void *toggle(void *arg)
{
	int i;

	for (i = 0; i < 1000; i++) {
		mprotect(raced, 4096, PROT_NONE);
		mprotect(raced, 4096, RW);
	}
	return NULL;
}

TEST(mem, protect_races_with_calls)
{
	pthread_t t;
	int fd, i, bad = 0;

	raced = map(4096, RW, ANON);
	CHECK_OK(fd = open("/dev/zero", O_RDONLY));
	CHECK_EQ(pthread_create(&t, NULL, toggle, NULL), 0);
	for (i = 0; i < 3000; i++) {
		long n = read(fd, raced, 4096);

		if (n <= 0 && !(n < 0 && errno == EFAULT))
			bad++;
	}
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(bad, 0);
}

static void *unmapper(void *arg)
{
	int i;

	for (i = 0; i < 500; i++) {
		mmap(raced, 65536, RW, ANON | MAP_FIXED, -1, 0);
		munmap(raced, 65536);
	}
	return NULL;
}

TEST(mem, unmap_races_with_calls)
{
	pthread_t t;
	int fd, i;

	raced = map(65536, RW, ANON);
	CHECK_OK(fd = open("/dev/zero", O_RDONLY));
	CHECK_EQ(pthread_create(&t, NULL, unmapper, NULL), 0);
	for (i = 0; i < 1000; i++) {
		long n = read(fd, raced, 65536);

		CHECK(n >= 0 || errno == EFAULT);
	}
	CHECK_EQ(pthread_join(t, NULL), 0);
}

TEST(mem, partial_copies)
{
	char *p = map(3 * 4096, RW, ANON);
	int fd;

	CHECK_OK(munmap(p + 8192, 4096));
	CHECK_OK(fd = open("/dev/zero", O_RDWR));
	CHECK_EQ(read(fd, p + 4096, 8192), 4096);
	CHECK_ERR(read(fd, p + 8192, 10), EFAULT);
	CHECK_OK(fd = open("f", O_RDWR | O_CREAT, 0600));
	CHECK_EQ(write(fd, p, 3 * 4096), 8192);
	CHECK_ERR(write(fd, p + 8192, 1), EFAULT);
}

TEST(mem, mincore_and_mlock)
{
	unsigned char vec[2];
	char *p = map(8192, RW, ANON);

	p[0] = 1;
	NEED(mincore(p, 8192, vec));
	CHECK_EQ(vec[0] & 1, 1);
	if (mlock(p, 4096) < 0 && errno == ENOSYS)
		ut_skip("no mlock");
	CHECK_OK(munlock(p, 4096));
}

static int remap(void *p, size_t len, int prot, size_t pgoff, int flags)
{
	return syscall(SYS_remap_file_pages, p, len, prot, pgoff, flags);
}

static void check_remap(char *p)
{
	for (int i = 0; i < 8; i++)
		p[i * 4096] = 'a' + i;
	CHECK_OK(remap(p, 4096, 0, 7, 0));
	CHECK_EQ(p[0], 'h');
	CHECK_OK(remap(p + 4096, 2 * 4096, 0, 4, MAP_NONBLOCK));
	CHECK_EQ(p[4096], 'e');
	CHECK_EQ(p[2 * 4096], 'f');
	CHECK_EQ(p[3 * 4096], 'd');
	p[0] = 'x';
	CHECK_EQ(p[7 * 4096], 'x');
	CHECK_OK(remap(p + 5 * 4096 + 100, 4097, 0, 6, 0));
	CHECK_EQ(p[5 * 4096], 'g');
	CHECK_ERR(remap(p, 4096, PROT_READ, 7, 0), EINVAL);
	CHECK_ERR(remap(p, 4095, 0, 7, 0), EINVAL);
	CHECK_ERR(remap(p, 9 * 4096, 0, 0, 0), EINVAL);
	CHECK_ERR(remap(p, 4096, 0, 1ul << 53, 0), EOVERFLOW);
	CHECK_OK(munmap(p, 8 * 4096));
}

TEST(mem, remap_file_pages)
{
	int fd = ut_open("f", "");
	char *p = map(8 * 4096, RW, ANON);

	CHECK_ERR(remap(p, 4096, 0, 1, 0), EINVAL);
	CHECK_OK(ftruncate(fd, 8 * 4096));
	check_remap(mmap(NULL, 8 * 4096, RW, MAP_SHARED, fd, 0));
	check_remap(map(8 * 4096, RW, MAP_SHARED | MAP_ANONYMOUS));
}

/* What lies in a file is there again after it was sent away; locked pages stay. */
TEST(mem, madvise_pageout)
{
	int fd = ut_open("f", "file");
	char *p = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0), *a;

	CHECK(p != MAP_FAILED);
	p[4] = 's';
	CHECK_OK(madvise(p, 4096, MADV_PAGEOUT));
	CHECK_OK(madvise(p, 4096, MADV_COLD));
	CHECK(memcmp(p, "files", 5) == 0);
	a = map(4096, RW, ANON);
	a[0] = 7;
	CHECK_OK(madvise(a, 4096, MADV_PAGEOUT));
	CHECK_EQ(a[0], 7);
	CHECK_OK(mlock(a, 4096));
	CHECK_ERR(madvise(a, 4096, MADV_PAGEOUT), EINVAL);
	CHECK_ERR(madvise(a, 4096, MADV_COLD), EINVAL);
}

/* A hole in a file, on whatever file system it lies. */
TEST(mem, madvise_remove)
{
	int fd = ut_open("/madvise_remove", "");
	struct stat st;
	char *p;

	unlink("/madvise_remove");
	CHECK_OK(ftruncate(fd, 4 * 4096));
	p = mmap(NULL, 4 * 4096, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 'x', 4 * 4096);
	CHECK_OK(madvise(p + 4096, 2 * 4096, MADV_REMOVE));
	CHECK_EQ(p[0], 'x');
	CHECK_EQ(p[4096], 0);
	CHECK_EQ(p[3 * 4096 - 1], 0);
	CHECK_EQ(p[3 * 4096], 'x');
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 4 * 4096);
	CHECK_OK(mlock(p, 4096));
	CHECK_ERR(madvise(p, 4096, MADV_REMOVE), EINVAL);
}

#define FILE_PAGES 4096

/* How many pages at @p are there after at most a second, when it is @want or more. */
static int resident(char *p, int want)
{
	static unsigned char seen[FILE_PAGES];
	int have = 0;

	for (int n = 0; n < 1000 && have < want; n++) {
		CHECK_OK(mincore(p, FILE_PAGES * 4096, seen));
		have = 0;
		for (int i = 0; i < FILE_PAGES; i++)
			have += seen[i] & 1;
		ut_sleep_ms(1);
	}
	return have;
}

/* However much a call asks for: who asks for all of a file at each step is served. */
TEST(mem, readahead_is_bounded)
{
	const size_t size = FILE_PAGES * 4096;
	int fd = ut_open("/readahead", ""), have;
	char *buf = calloc(1, 1 << 20), *p;

	unlink("/readahead");
	for (size_t at = 0; at < size; at += 1 << 20)
		CHECK_EQ(write(fd, buf, 1 << 20), 1 << 20);
	CHECK_OK(fsync(fd));
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_OK(readahead(fd, 0, size));
	have = resident(p, 32);
	CHECK(have >= 32 && have < FILE_PAGES);
	for (size_t at = 0; at < size; at += 4096)
		CHECK_OK(readahead(fd, at, size - at));
	CHECK_EQ(resident(p, FILE_PAGES), FILE_PAGES);
}
