/* SPDX-License-Identifier: MIT */
/*
 * user/tests/model.c - random operations on a file, against a copy of it in memory.
 *
 *	MODEL_SEED=7 MODEL_OPS=100000 utest -t 300 -d DIR model.
 *
 * One process changes the file; others read it, write it back and push it out
 * of the cache meanwhile.  What a step reads has to be what the copy has; what
 * the file system does not know (EOPNOTSUPP) is not asked for again.
 */
#include "utest.h"

#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#define MAX_SIZE (384u * 1024)
#define MAX_LEN	 (72u * 1024)
#define PAGE	 4096u
#define SECTOR	 512u
#define NR_LOG	 24

static struct {
	int fd, direct; /* direct: -1 when there is none */
	unsigned char *want, *buf;
	size_t size, block;
	bool spoil;
	unsigned int op, seed;
	uint64_t random;
	char log[NR_LOG][96];
} s;

static unsigned int rnd(unsigned int n)
{
	s.random ^= s.random << 13;
	s.random ^= s.random >> 7;
	s.random ^= s.random << 17;
	return n ? (unsigned int)(s.random >> 20) % n : 0;
}

/* A range below MAX_SIZE of at least one byte, often a whole number of @unit. */
static void range(size_t limit, size_t unit, bool whole, size_t *off,
		  size_t *len)
{
	*off = rnd((unsigned int)limit);
	*len = 1 + rnd(rnd(3) ? MAX_LEN / 8 : MAX_LEN);
	if (whole || rnd(3) == 0) {
		*off -= *off % unit;
		*len += unit - 1;
		*len -= *len % unit;
	}
	if (*len > MAX_SIZE - *off)
		*len = MAX_SIZE - *off;
}

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	char *to = s.log[s.op % NR_LOG];
	va_list ap;
	int n = snprintf(to, sizeof(s.log[0]), "%u: ", s.op);

	va_start(ap, fmt);
	vsnprintf(to + n, sizeof(s.log[0]) - n, fmt, ap);
	va_end(ap);
}

static void give_up(const char *what, long at)
{
	unsigned int i = s.op < NR_LOG ? 0 : s.op - NR_LOG + 1;

	for (; i <= s.op; i++)
		fprintf(stderr, "#   %s\n", s.log[i % NR_LOG]);
	fflush(stderr);
	ut_fail(__FILE__, __LINE__, "seed %u: %s: %ld (0x%lx), errno %d",
		s.seed, what, at, (unsigned long)at, errno);
}

/* What was read of [off, off + len), which is inside of the file. */
static void compare(const unsigned char *got, size_t off, size_t len,
		    const char *what)
{
	size_t i = 0;

	if (!memcmp(got, s.want + off, len))
		return;
	while (got[i] == s.want[off + i])
		i++;
	fprintf(stderr, "# at 0x%zx: %02x, not %02x\n", off + i, got[i],
		s.want[off + i]);
	give_up(what, (long)(off + i));
}

static void grown(size_t end)
{
	if (end > s.size)
		s.size = end;
}

static void fill(unsigned char *p, size_t len)
{
	unsigned int v = s.op * 131 + 1;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (unsigned char)(v + i * 7 + (i >> 8)) | 1;
}

/* --- the steps; false: not known here */

static bool do_read(void)
{
	size_t off, len;
	ssize_t n;

	range(MAX_SIZE, PAGE, false, &off, &len);
	note("read 0x%zx + 0x%zx", off, len);
	n = pread(s.fd, s.buf, len, off);
	if (n != (ssize_t)(off >= s.size	? 0
			   : len < s.size - off ? len
						: s.size - off))
		give_up("pread", n);
	compare(s.buf, off, n, "read");
	return true;
}

static bool do_write(void)
{
	size_t off, len;

	range(MAX_SIZE, s.block, false, &off, &len);
	note("write 0x%zx + 0x%zx (size 0x%zx)", off, len, s.size);
	fill(s.buf, len);
	if (pwrite(s.fd, s.buf, len, off) != (ssize_t)len)
		give_up("pwrite", 0);
	memcpy(s.want + off, s.buf, len);
	grown(off + len);
	return true;
}

static bool do_append(void)
{
	size_t len = 1 + rnd(3000);
	struct iovec v[2] = { { s.buf, len / 2 }, { s.buf + len / 2, len } };

	v[1].iov_len -= len / 2;
	if (len > MAX_SIZE - s.size)
		return true;
	note("append 0x%zx at 0x%zx", len, s.size);
	fill(s.buf, len);
	if (pwritev2(s.fd, v, 2, -1, RWF_APPEND) != (ssize_t)len)
		give_up("pwritev2", 0);
	memcpy(s.want + s.size, s.buf, len);
	s.size += len;
	return true;
}

static bool do_direct_read(void)
{
	size_t off, len;
	ssize_t n;

	range(MAX_SIZE, SECTOR, true, &off, &len);
	note("direct read 0x%zx + 0x%zx", off, len);
	if (s.direct < 0)
		return false;
	n = pread(s.direct, s.buf, len, off);
	if (n != (ssize_t)(off >= s.size	? 0
			   : len < s.size - off ? len
						: s.size - off))
		give_up("direct pread", n);
	compare(s.buf, off, n, "direct read");
	return true;
}

static bool do_direct_write(void)
{
	size_t off, len;

	range(MAX_SIZE, rnd(2) ? SECTOR : PAGE, true, &off, &len);
	note("direct write 0x%zx + 0x%zx (size 0x%zx)", off, len, s.size);
	if (s.direct < 0)
		return false;
	fill(s.buf, len);
	if (pwrite(s.direct, s.buf, len, off) != (ssize_t)len)
		give_up("direct pwrite", 0);
	memcpy(s.want + off, s.buf, len);
	grown(off + len);
	return true;
}

static bool do_truncate(void)
{
	size_t size = rnd(MAX_SIZE);

	if (rnd(3) == 0)
		size -= size % s.block;
	note("truncate 0x%zx (size 0x%zx)", size, s.size);
	if (ftruncate(s.fd, (off_t)size))
		give_up("ftruncate", 0);
	if (size < s.size)
		memset(s.want + size, 0, s.size - size);
	s.size = size;
	return true;
}

static unsigned char *map(size_t *off, size_t *len, size_t *from, size_t *in)
{
	unsigned char *p;

	*from = *off - *off % PAGE;
	*in = *off - *from;
	if (*len > s.size - *off)
		*len = s.size - *off;
	p = mmap(NULL, *in + *len, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd,
		 (off_t)*from);
	if (p == MAP_FAILED)
		give_up("mmap", 0);
	return p;
}

static bool do_map_read(void)
{
	size_t off, len, from, in;
	unsigned char *p;

	if (!s.size)
		return true;
	range(s.size, PAGE, false, &off, &len);
	note("map read 0x%zx + 0x%zx", off, len);
	p = map(&off, &len, &from, &in);
	compare(p + in, off, len, "map read");
	munmap(p, in + len);
	return true;
}

static bool do_map_write(void)
{
	size_t off, len, from, in, end;
	unsigned char *p;

	if (!s.size)
		return true;
	range(s.size, PAGE, false, &off, &len);
	note("map write 0x%zx + 0x%zx (size 0x%zx)", off, len, s.size);
	p = map(&off, &len, &from, &in);
	fill(s.buf, len);
	memcpy(p + in, s.buf, len);
	memcpy(s.want + off, s.buf, len);
	end = in + len;
	/* What is written behind the end is nobody's, also when the file has
	 * grown; Linux's tmpfs and blocks smaller than a page show it. */
	if (off + len == s.size && end % PAGE && rnd(2) && s.spoil)
		memset(p + end, 0xee, PAGE - end % PAGE);
	if (rnd(4) == 0 && msync(p, end, MS_SYNC))
		give_up("msync", 0);
	munmap(p, end);
	return true;
}

static bool allocate(int mode, size_t off, size_t len)
{
	if (!fallocate(s.fd, mode, (off_t)off, (off_t)len))
		return true;
	if (errno != EOPNOTSUPP)
		give_up("fallocate", mode);
	return false;
}

static bool do_reserve(void)
{
	int mode = rnd(2) ? FALLOC_FL_KEEP_SIZE : 0;
	size_t off, len;

	range(MAX_SIZE, s.block, false, &off, &len);
	note("reserve 0x%zx + 0x%zx mode %d (size 0x%zx)", off, len, mode,
	     s.size);
	if (!allocate(mode, off, len))
		return false;
	if (!mode)
		grown(off + len);
	return true;
}

static bool do_punch(void)
{
	size_t off, len;

	range(MAX_SIZE, s.block, false, &off, &len);
	note("punch 0x%zx + 0x%zx (size 0x%zx)", off, len, s.size);
	if (!allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len))
		return false;
	memset(s.want + off, 0, len);
	return true;
}

static bool do_zero(void)
{
	int keep = rnd(2) ? FALLOC_FL_KEEP_SIZE : 0;
	size_t off, len;

	range(MAX_SIZE, s.block, false, &off, &len);
	note("zero 0x%zx + 0x%zx keep %d (size 0x%zx)", off, len, keep, s.size);
	if (!allocate(FALLOC_FL_ZERO_RANGE | keep, off, len))
		return false;
	memset(s.want + off, 0, len);
	if (!keep)
		grown(off + len);
	return true;
}

static bool do_collapse(void)
{
	size_t off, len;

	if (s.size < 4 * s.block)
		return true;
	range(s.size - 2 * s.block, s.block, true, &off, &len);
	note("collapse 0x%zx + 0x%zx (size 0x%zx)", off, len, s.size);
	if (off + len >= s.size)
		return true;
	if (!allocate(FALLOC_FL_COLLAPSE_RANGE, off, len))
		return false;
	memmove(s.want + off, s.want + off + len, s.size - off - len);
	memset(s.want + s.size - len, 0, len);
	s.size -= len;
	return true;
}

static bool do_insert(void)
{
	size_t off, len;

	if (!s.size)
		return true;
	range(s.size, s.block, true, &off, &len);
	note("insert 0x%zx + 0x%zx (size 0x%zx)", off, len, s.size);
	if (s.size + len > MAX_SIZE)
		return true;
	if (!allocate(FALLOC_FL_INSERT_RANGE, off, len))
		return false;
	memmove(s.want + off + len, s.want + off, s.size - off);
	memset(s.want + off, 0, len);
	s.size += len;
	return true;
}

static bool do_copy(void)
{
	size_t off, len, to;
	loff_t in, out;
	ssize_t n;

	if (s.size < 2 * PAGE)
		return true;
	range(s.size, PAGE, false, &off, &len);
	if (len > s.size - off)
		len = s.size - off;
	to = rnd(MAX_SIZE - (unsigned int)len);
	in = (loff_t)off;
	out = (loff_t)to;
	note("copy 0x%zx + 0x%zx to 0x%zx (size 0x%zx)", off, len, to, s.size);
	n = copy_file_range(s.fd, &in, s.fd, &out, len, 0);
	if (to < off + len && off < to + len) {
		if (n != -1 || errno != EINVAL)
			give_up("copy_file_range over itself", n);
		return true;
	}
	if (n <= 0)
		give_up("copy_file_range", n);
	memcpy(s.want + to, s.want + off, n);
	grown(to + n);
	return true;
}

static bool do_send(void)
{
	size_t off, len;
	int pipes[2];
	loff_t from;
	ssize_t n;

	if (!s.size)
		return true;
	range(s.size, PAGE, false, &off, &len);
	if (len > s.size - off)
		len = s.size - off;
	note("splice 0x%zx + 0x%zx", off, len);
	from = (loff_t)off;
	if (pipe(pipes))
		give_up("pipe", 0);
	n = splice(s.fd, &from, pipes[1], NULL, len, SPLICE_F_NONBLOCK);
	if (n <= 0 || read(pipes[0], s.buf, n) != n)
		give_up("splice", n);
	compare(s.buf, off, n, "splice");
	close(pipes[0]);
	close(pipes[1]);
	return true;
}

/* What is said to be a hole reads as zeroes, and data ends where the file does. */
static bool do_seek(void)
{
	size_t off = rnd(MAX_SIZE), i, end;
	off_t data = lseek(s.fd, (off_t)off, SEEK_DATA), hole;

	note("seek 0x%zx (size 0x%zx)", off, s.size);
	if (off >= s.size) {
		if (data != -1 || errno != ENXIO)
			give_up("SEEK_DATA behind the end", data);
		return true;
	}
	if (data < 0 && errno != ENXIO)
		give_up("SEEK_DATA", data);
	end = data < 0 ? s.size : (size_t)data;
	for (i = off; i < end; i++) {
		if (s.want[i])
			give_up("data in a hole", (long)i);
	}
	hole = lseek(s.fd, (off_t)off, SEEK_HOLE);
	if (hole < (off_t)off || hole > (off_t)s.size)
		give_up("SEEK_HOLE", hole);
	return true;
}

static bool do_fiemap(void)
{
	static union {
		struct fiemap f;
		char room[sizeof(struct fiemap) +
			  400 * sizeof(struct fiemap_extent)];
	} x;
	const struct fiemap_extent *e = x.f.fm_extents;
	uint64_t at = 0;
	size_t i;

	memset(&x.f, 0, sizeof(x.f));
	x.f.fm_length = ~0ull;
	x.f.fm_extent_count = 400;
	x.f.fm_flags = rnd(2) ? FIEMAP_FLAG_SYNC : 0;
	note("fiemap");
	if (ioctl(s.fd, FS_IOC_FIEMAP, &x)) {
		if (errno != EOPNOTSUPP)
			give_up("FIEMAP", 0);
		return false;
	}
	for (i = 0; i < x.f.fm_mapped_extents; i++) {
		if (e[i].fe_logical < at || !e[i].fe_length ||
		    !(e[i].fe_flags & FIEMAP_EXTENT_LAST) !=
			    (i + 1 < x.f.fm_mapped_extents))
			give_up("FIEMAP extent", (long)e[i].fe_logical);
		for (; at < e[i].fe_logical; at++) {
			if (at < s.size && s.want[at])
				give_up("FIEMAP hole", (long)at);
		}
		at += e[i].fe_length;
	}
	return true;
}

static bool do_sync(void)
{
	int kind = (int)rnd(6), ret = 0;

	note("sync %d", kind);
	if (kind == 0)
		ret = fsync(s.fd);
	else if (kind == 1)
		ret = fdatasync(s.fd);
	else if (kind == 2)
		ret = sync_file_range(s.fd, rnd(MAX_SIZE), MAX_LEN,
				      SYNC_FILE_RANGE_WRITE);
	else if (kind == 3)
		ret = syncfs(s.fd);
	if (ret)
		give_up("sync", kind);
	if (kind >= 3)
		posix_fadvise(s.fd, 0, 0, POSIX_FADV_DONTNEED);
	return true;
}

static void open_it(int flags)
{
	s.fd = open("f", O_RDWR | flags, 0600);
	s.direct = open("f", O_RDWR | O_DIRECT);
	if (s.fd < 0)
		give_up("open", 0);
}

static bool do_reopen(void)
{
	note("reopen");
	close(s.fd);
	close(s.direct);
	open_it(rnd(8) ? 0 : O_SYNC);
	return true;
}

static struct step {
	bool (*run)(void);
	unsigned int often;
} steps[] = {
	{ do_read, 10 },       { do_write, 12 },       { do_append, 4 },
	{ do_direct_read, 5 }, { do_direct_write, 5 }, { do_truncate, 4 },
	{ do_map_read, 6 },    { do_map_write, 8 },    { do_reserve, 4 },
	{ do_punch, 5 },       { do_zero, 4 },	       { do_collapse, 3 },
	{ do_insert, 3 },      { do_copy, 4 },	       { do_send, 3 },
	{ do_seek, 3 },	       { do_fiemap, 2 },       { do_sync, 5 },
	{ do_reopen, 1 },
};
#define NR_STEPS (sizeof(steps) / sizeof(steps[0]))

static void step(void)
{
	unsigned int sum = 0, i, pick;
	struct stat st;

	for (i = 0; i < NR_STEPS; i++)
		sum += steps[i].often;
	pick = rnd(sum);
	for (i = 0; pick >= steps[i].often; i++)
		pick -= steps[i].often;
	if (!steps[i].run())
		steps[i].often = 0;
	if (fstat(s.fd, &st) || st.st_size != (off_t)s.size)
		give_up("the size", (long)st.st_size);
}

/* Others: they change nothing that may be seen. */
static int bystander(void *arg)
{
	static char buf[MAX_SIZE];
	int how = *(int *)arg, fd = open("f", O_RDWR);
	volatile char *p = mmap(NULL, MAX_SIZE, PROT_READ, MAP_SHARED, fd, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGBUS, SIG_IGN);
	for (;;) {
		struct iovec v = { buf, sizeof(buf) };

		if (how == 0) {
			if (preadv(fd, &v, 1, 0) < 0)
				return 1;
		} else if (how == 1) {
			if (sync_file_range(fd, 0, 0, 7) < 0)
				return 1;
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		} else {
			madvise((void *)p, MAX_SIZE, MADV_POPULATE_READ);
			fdatasync(fd);
			madvise((void *)p, MAX_SIZE, MADV_DONTNEED);
		}
		ut_sleep_ms(1);
	}
}

static unsigned int setting(const char *name, unsigned int without)
{
	const char *v = getenv(name);

	return v ? (unsigned int)strtoul(v, NULL, 0) : without;
}

static void run_model(unsigned int seed, unsigned int ops, int others)
{
	struct statfs fs;
	pid_t pid[3];
	int i;

	s.seed = seed;
	s.random = seed * 0x9e3779b97f4a7c15ull + 1;
	s.want = calloc(1, MAX_SIZE + MAX_LEN);
	CHECK(!posix_memalign((void **)&s.buf, PAGE, MAX_SIZE));
	open_it(O_CREAT | O_TRUNC);
	CHECK_OK(fstatfs(s.fd, &fs));
	s.block = fs.f_bsize;
	s.spoil = !access("/proc/relay/status", F_OK);
	for (i = 0; i < others; i++)
		pid[i] = ut_fork(bystander, &i);
	for (s.op = 0; s.op < ops; s.op++)
		step();
	for (i = 0; i < others; i++) {
		kill(pid[i], SIGKILL);
		CHECK_EQ(ut_wait(pid[i]), UT_SIGNALLED(SIGKILL));
	}
	note("the end");
	CHECK_EQ(pread(s.fd, s.buf, MAX_SIZE, 0), s.size);
	compare(s.buf, 0, s.size, "all of it");
	CHECK_OK(fsync(s.fd));
	posix_fadvise(s.fd, 0, 0, POSIX_FADV_DONTNEED);
	CHECK_EQ(pread(s.fd, s.buf, MAX_SIZE, 0), s.size);
	compare(s.buf, 0, s.size, "all of it, from the disk");
}

TEST(model, alone)
{
	run_model(setting("MODEL_SEED", 1), setting("MODEL_OPS", 1200), 0);
}

TEST(model, watched)
{
	run_model(setting("MODEL_SEED", 2), setting("MODEL_OPS", 400), 3);
}
