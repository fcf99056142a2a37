/* SPDX-License-Identifier: MIT */
/*
 * user/tests/fuse.c - a file system that is a program, spoken to over /dev/fuse.
 *
 * The daemon here is a child with a file "file", a directory "dir", and answers that
 * a test can spoil.  The parent mounts and uses it.
 *
 * Not here: libfuse, which needs a Debian.
 */
#include "utest.h"

#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define BUF	 (1 << 18)
#define FILE_ID	 2
#define DIR_ID	 3
#define MADE_ID	 4
#define FILE_MAX 65536

/* What a daemon does, and what it saw: shared with the test. */
struct daemon {
	int spoil_op;	/* this request is answered by spoil() */
	int spoil_how;	/* enum spoil */
	int open_flags; /* of each OPEN */
	int timeout;	/* seconds that names and attributes hold */
	int init_flags;
	volatile int seen[64]; /* requests by number */
	volatile int forgotten;
	volatile int stop;
	volatile int size;
	int made;
	int made_mode, made_umask; /* as they came */
	int by_pipe;		   /* splice() instead of read() and write() */
	volatile int order;	   /* enum order, done after the next answer */
	volatile long told;	   /* what came of it: 0 or errno */
	char data[FILE_MAX];
};

enum spoil {
	HOLD,	   /* no answer at all */
	TOO_LONG,  /* more bytes than there are to be */
	TOO_SHORT, /* fewer */
	BAD_ERROR, /* a number that is no error, then the right one */
	BAD_TYPE,  /* a file of no type */
	ROOT_ID,   /* the root is its own child */
	NO_ID,	   /* a name that is not there */
	SLASH,	   /* a name with a slash in it */
	SELF,	   /* a directory is in itself */
	KIND,	   /* what was a file is a directory */
	HUGE,	   /* more was written than there was */
	ENOSYS_,   /* it knows nothing of that */
};

static struct daemon *d;
static int dev; /* /dev/fuse, in the daemon */
static int pipes[2];
static char mnt[32];

static void fill_attr(struct fuse_attr *a, uint64_t id)
{
	memset(a, 0, sizeof(*a));
	a->ino = id;
	a->mode = id == FUSE_ROOT_ID || id == DIR_ID ? S_IFDIR | 0755
						     : S_IFREG | 0644;
	a->nlink = 1;
	if (S_ISREG(a->mode))
		a->size = d->size;
	a->uid = getuid();
	a->gid = getgid();
}

static void fill_entry(struct fuse_entry_out *e, uint64_t id)
{
	memset(e, 0, sizeof(*e));
	e->nodeid = id;
	e->entry_valid = e->attr_valid = d->timeout;
	fill_attr(&e->attr, id);
}

static long reply(uint64_t unique, int error, const void *p, size_t n)
{
	struct fuse_out_header h = { .len = sizeof(h) + n,
				     .error = -error,
				     .unique = unique };
	struct iovec v[2] = { { &h, sizeof(h) }, { (void *)p, n } };

	if (!d->by_pipe)
		return writev(dev, v, n ? 2 : 1);
	if (writev(pipes[1], v, n ? 2 : 1) != (long)h.len)
		_exit(6);
	return splice(pipes[0], NULL, dev, NULL, h.len, 0);
}

/* The next request. */
static ssize_t take(void *to)
{
	ssize_t n;

	if (!d->by_pipe)
		return read(dev, to, BUF);
	n = splice(dev, NULL, pipes[1], NULL, BUF, 0);
	return n < 0 ? n : read(pipes[0], to, BUF);
}

static size_t put_dirent(char *to, uint64_t id, const char *name, int off)
{
	struct fuse_dirent *e = (void *)to;

	memset(e, 0, sizeof(*e));
	e->ino = id;
	e->off = off;
	e->namelen = strlen(name);
	e->type = 0;
	memcpy(e->name, name, e->namelen);
	return FUSE_DIRENT_SIZE(e);
}

/* Answers that are wrong.  False: go on as if nothing were. */
static bool spoil(struct fuse_in_header *h, char *out)
{
	struct fuse_entry_out *e = (void *)out;
	struct fuse_attr_out *a = (void *)out;
	struct fuse_write_out *w = (void *)out;

	memset(out, 0, 256);
	switch (d->spoil_how) {
	case HOLD:
		return true;
	case TOO_LONG:
		if (reply(h->unique, 0, out, 4096) != -1 || errno != EINVAL)
			_exit(3);
		return true;
	case TOO_SHORT:
		if (reply(h->unique, 0, out, 4) != -1 || errno != EINVAL)
			_exit(3);
		return true;
	case BAD_ERROR:
		if (reply(h->unique, -5, NULL, 0) != -1 || errno != EINVAL)
			_exit(3);
		if (reply(h->unique, 4000, NULL, 0) != -1 || errno != EINVAL)
			_exit(3);
		if (reply(h->unique + 1000, 5, NULL, 0) != -1 ||
		    errno != ENOENT)
			_exit(3);
		reply(h->unique, EDOM, NULL, 0);
		return true;
	case BAD_TYPE:
		fill_entry(e, FILE_ID);
		e->attr.mode = 0644;
		break;
	case ROOT_ID:
		fill_entry(e, FUSE_ROOT_ID);
		break;
	case NO_ID:
		break;
	case SELF:
		fill_entry(e, h->nodeid == FUSE_ROOT_ID ? DIR_ID : h->nodeid);
		break;
	case SLASH:
		reply(h->unique, 0, out, put_dirent(out, 9, "a/b", 1));
		return true;
	case KIND:
		fill_attr(&a->attr, DIR_ID);
		reply(h->unique, 0, a, sizeof(*a));
		return true;
	case HUGE:
		w->size = 1 << 30;
		reply(h->unique, 0, w, sizeof(*w));
		return true;
	case ENOSYS_:
		reply(h->unique, ENOSYS, NULL, 0);
		return true;
	}
	reply(h->unique, 0, e, sizeof(*e));
	return true;
}

static void do_init(struct fuse_in_header *h, char *out)
{
	struct fuse_init_in *in = (void *)(h + 1);
	struct fuse_init_out *o = (void *)out;

	memset(o, 0, sizeof(*o));
	o->major = 7;
	o->minor = in->minor < 31 ? in->minor : 31;
	o->max_write = 65536;
	o->flags = in->flags & (FUSE_BIG_WRITES | d->init_flags);
	reply(h->unique, 0, o, sizeof(*o));
}

static void do_lookup(struct fuse_in_header *h, char *out)
{
	struct fuse_entry_out *e = (void *)out;
	const char *name = (void *)(h + 1);

	if (!strcmp(name, "file"))
		fill_entry(e, FILE_ID);
	else if (!strcmp(name, "dir"))
		fill_entry(e, DIR_ID);
	else if (!strcmp(name, "made") && d->made)
		fill_entry(e, MADE_ID);
	else {
		reply(h->unique, ENOENT, NULL, 0);
		return;
	}
	reply(h->unique, 0, e, sizeof(*e));
}

static void do_read(struct fuse_in_header *h)
{
	struct fuse_read_in *in = (void *)(h + 1);
	uint64_t n = in->offset >= (uint64_t)d->size ? 0 : d->size - in->offset;

	if (n > in->size)
		n = in->size;
	reply(h->unique, 0, d->data + in->offset, n);
}

static void do_write(struct fuse_in_header *h)
{
	struct fuse_write_in *in = (void *)(h + 1);
	struct fuse_write_out o = { .size = in->size };

	if (in->offset + in->size > FILE_MAX) {
		reply(h->unique, ENOSPC, NULL, 0);
		return;
	}
	memcpy(d->data + in->offset, in + 1, in->size);
	if ((int)(in->offset + in->size) > d->size)
		d->size = in->offset + in->size;
	reply(h->unique, 0, &o, sizeof(o));
}

static void do_readdir(struct fuse_in_header *h, char *out)
{
	struct fuse_read_in *in = (void *)(h + 1);
	size_t n = 0;

	if (in->offset == 0) {
		n += put_dirent(out + n, 1, ".", 1);
		n += put_dirent(out + n, FILE_ID, "file", 2);
		n += put_dirent(out + n, DIR_ID, "dir", 3);
	}
	reply(h->unique, 0, out, n);
}

static void do_setattr(struct fuse_in_header *h, char *out)
{
	struct fuse_setattr_in *in = (void *)(h + 1);
	struct fuse_attr_out *o = (void *)out;

	if (in->valid & FATTR_SIZE) {
		if ((int)in->size < d->size)
			memset(d->data + in->size, 0, d->size - in->size);
		d->size = in->size;
	}
	memset(o, 0, sizeof(*o));
	fill_attr(&o->attr, h->nodeid);
	if (in->valid & FATTR_MODE)
		o->attr.mode = (o->attr.mode & S_IFMT) | (in->mode & 07777);
	reply(h->unique, 0, o, sizeof(*o));
}

static void do_create(struct fuse_in_header *h, char *out)
{
	struct {
		struct fuse_entry_out e;
		struct fuse_open_out o;
	} *r = (void *)out;
	struct fuse_create_in *in = (void *)(h + 1);

	d->made_mode = in->mode;
	d->made_umask = in->umask;
	fill_entry(&r->e, MADE_ID);
	memset(&r->o, 0, sizeof(r->o));
	r->o.fh = 78;
	d->made = 1;
	reply(h->unique, 0, r, sizeof(*r));
}

static void answer(struct fuse_in_header *h, char *out)
{
	struct fuse_attr_out *a = (void *)out;
	struct fuse_open_out o = { .fh = 77, .open_flags = d->open_flags };
	struct fuse_statfs_out s = { .st = { .blocks = 123, .bsize = 512 } };

	switch (h->opcode) {
	case FUSE_INIT:
		do_init(h, out);
		break;
	case FUSE_LOOKUP:
		do_lookup(h, out);
		break;
	case FUSE_GETATTR:
		memset(a, 0, sizeof(*a));
		a->attr_valid = d->timeout;
		fill_attr(&a->attr, h->nodeid);
		reply(h->unique, 0, a, sizeof(*a));
		break;
	case FUSE_SETATTR:
		do_setattr(h, out);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(h->unique, 0, &o, sizeof(o));
		break;
	case FUSE_READ:
		do_read(h);
		break;
	case FUSE_WRITE:
		do_write(h);
		break;
	case FUSE_READDIR:
		do_readdir(h, out);
		break;
	case FUSE_CREATE:
		do_create(h, out);
		break;
	case FUSE_SETLK:
	case FUSE_SETLKW:
		reply(h->unique, EAGAIN, NULL, 0);
		break;
	case FUSE_GETLK:
		memset(out, 0, sizeof(struct fuse_lk_out));
		((struct fuse_lk_out *)out)->lk.type = F_UNLCK;
		reply(h->unique, 0, out, sizeof(struct fuse_lk_out));
		break;
	case FUSE_IOCTL:
		memset(out, 0, sizeof(struct fuse_ioctl_out));
		((struct fuse_ioctl_out *)out)->result = 7;
		memcpy(out + sizeof(struct fuse_ioctl_out), "12345678", 8);
		reply(h->unique, 0, out, sizeof(struct fuse_ioctl_out) + 8);
		break;
	case FUSE_STATFS:
		reply(h->unique, 0, &s, sizeof(s));
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FSYNC:
	case FUSE_UNLINK:
		reply(h->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		d->forgotten++;
		break;
	case FUSE_INTERRUPT:
		break;
	default:
		reply(h->unique, ENOSYS, NULL, 0);
	}
}

enum order {
	NO_ORDER,
	INVAL_FILE,
	INVAL_NAME,
	INVAL_NOBODY,
	NO_SUCH_CODE,
	BAD_NAME,
	STORE_IT,
};

/* A notification: 0 or errno. */
static long notify(int code, const void *p, size_t n, const void *q, size_t m)
{
	struct fuse_out_header h = { .len = sizeof(h) + n + m, .error = code };
	struct iovec v[3] = { { &h, sizeof(h) },
			      { (void *)p, n },
			      { (void *)q, m } };

	return writev(dev, v, 3) == (long)h.len ? 0 : errno;
}

static long obey(int order)
{
	struct fuse_notify_inval_inode_out i = { .ino = FILE_ID };
	struct fuse_notify_inval_entry_out e = { .parent = FUSE_ROOT_ID,
						 .namelen = 4 };
	struct fuse_notify_store_out st = { .nodeid = FILE_ID, .size = 3 };

	switch (order) {
	case INVAL_NOBODY:
		i.ino = 999;
		/* fallthrough */
	case INVAL_FILE:
		return notify(FUSE_NOTIFY_INVAL_INODE, &i, sizeof(i), "", 0);
	case BAD_NAME:
		e.namelen = 9;
		/* fallthrough */
	case INVAL_NAME:
		return notify(FUSE_NOTIFY_INVAL_ENTRY, &e, sizeof(e), "file",
			      5);
	case STORE_IT:
		return notify(FUSE_NOTIFY_STORE, &st, sizeof(st), "HEL", 3);
	default:
		return notify(99, &i, sizeof(i), "", 0);
	}
}

static int serve(void *arg)
{
	static char in[BUF], out[BUF];
	struct fuse_in_header *h = (void *)in;
	ssize_t n;

	(void)arg;
	if (d->by_pipe &&
	    (pipe(pipes) || fcntl(pipes[1], F_SETPIPE_SZ, BUF) < 0))
		return 7;
	for (;;) {
		n = take(in);
		if (n < 0 && (errno == EINTR || errno == ENOENT))
			continue;
		if (n < 0)
			return errno == ENODEV ? 0 : 4;
		if (n != h->len)
			return 5;
		if (h->opcode < 64)
			d->seen[h->opcode]++;
		if ((int)h->opcode == d->spoil_op) {
			if (spoil(h, out))
				continue;
		}
		answer(h, out);
		if (h->opcode == FUSE_STATFS && d->order) {
			d->told = obey(d->order);
			d->order = 0;
		}
	}
}

/* A daemon that is about to serve; its mount. */
static pid_t start(void)
{
	char opts[100];
	pid_t pid;

	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		ut_skip("no /dev/fuse");
	/* so that nothing is left behind whatever happens */
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	snprintf(mnt, sizeof(mnt), "m");
	mkdir(mnt, 0755);
	snprintf(opts, sizeof(opts),
		 "fd=%d,rootmode=40000,user_id=%d,group_id=%d", dev, getuid(),
		 getgid());
	CHECK_OK(mount("utest", mnt, "fuse.utest", MS_NOSUID | MS_NODEV, opts));
	pid = ut_fork(serve, NULL);
	close(dev);
	dev = -1;
	return pid;
}

static void prepare(void)
{
	d = mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(d != MAP_FAILED);
	memset(d, 0, sizeof(*d));
	strcpy(d->data, "hello");
	d->size = 5;
	d->timeout = 1;
}

static pid_t up(void)
{
	prepare();
	return start();
}

/* The mount goes, and the daemon ends as it should. */
static void down(pid_t pid)
{
	int status;

	CHECK_OK(umount2(mnt, 0));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

static void down_hard(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	umount2(mnt, MNT_DETACH);
}

static void wait_seen(int op)
{
	for (int i = 0; i < 2000 && !d->seen[op]; i++)
		usleep(1000);
	CHECK(d->seen[op]);
}

TEST(fuse, read)
{
	pid_t pid = up();
	struct stat st;
	char buf[16];
	int fd;

	CHECK_OK(stat("m/file", &st));
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_ino, FILE_ID);
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	fd = open("m/file", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 5);
	CHECK(!memcmp(buf, "hello", 5));
	CHECK_EQ(read(fd, buf, sizeof(buf)), 0);
	close(fd);
	CHECK_ERR(open("m/nothing", O_RDONLY), ENOENT);
	CHECK(d->seen[FUSE_FLUSH] == 1);
	wait_seen(FUSE_RELEASE); /* comes behind close() */
	CHECK_EQ(d->seen[FUSE_RELEASE], 1);
	down(pid);
}

TEST(fuse, names_hold)
{
	pid_t pid = up();
	struct stat st;
	int before;

	CHECK_OK(stat("m/file", &st));
	before = d->seen[FUSE_LOOKUP];
	CHECK_OK(stat("m/file", &st));
	CHECK_EQ(d->seen[FUSE_LOOKUP], before);
	down(pid);
	prepare();
	d->timeout = 0;
	pid = start();
	CHECK_OK(stat("m/file", &st));
	before = d->seen[FUSE_LOOKUP];
	CHECK_OK(stat("m/file", &st));
	CHECK_EQ(d->seen[FUSE_LOOKUP], before + 1);
	down(pid);
}

TEST(fuse, write)
{
	pid_t pid = up();
	struct stat st;
	char buf[16];
	int fd = open("m/file", O_RDWR);

	CHECK(fd >= 0);
	CHECK_EQ(read(fd, buf, 16), 5);
	CHECK_EQ(pwrite(fd, "J", 1, 0), 1);
	CHECK_EQ(d->data[0], 'J'); /* through, at once */
	CHECK_EQ(pread(fd, buf, 16, 0), 5);
	CHECK(!memcmp(buf, "Jello", 5));
	CHECK_EQ(pwrite(fd, "world", 5, 10), 5);
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_size, 15);
	CHECK_EQ(pread(fd, buf, 16, 0), 15);
	CHECK_EQ(buf[7], 0);
	CHECK_OK(ftruncate(fd, 3));
	CHECK_EQ(pread(fd, buf, 16, 0), 3);
	CHECK_OK(fsync(fd));
	CHECK_EQ(d->seen[FUSE_FSYNC], 1);
	CHECK_ERR(pwrite(fd, "x", 1, FILE_MAX), ENOSPC);
	close(fd);
	fd = open("m/file", O_WRONLY | O_TRUNC);
	CHECK(fd >= 0);
	CHECK_EQ(d->size, 0);
	close(fd);
	down(pid);
}

TEST(fuse, create)
{
	pid_t pid = up();
	int fd = open("m/made", O_RDWR | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(d->seen[FUSE_CREATE], 1);
	CHECK_EQ(d->seen[FUSE_OPEN], 0);
	CHECK_EQ(write(fd, "abc", 3), 3);
	close(fd);
	CHECK_ERR(open("m/made", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_OK(unlink("m/made"));
	wait_seen(FUSE_RELEASE); /* comes behind close() */
	CHECK_EQ(d->seen[FUSE_RELEASE], 1);
	down(pid);
}

/* The umask is the kernel's to take from a mode, if the daemon does not want it. */
TEST(fuse, umask)
{
	pid_t pid = up();

	umask(027);
	close(open("m/made", O_RDWR | O_CREAT | O_EXCL, 0666));
	CHECK_EQ(d->made_mode, S_IFREG | 0640);
	CHECK_EQ(d->made_umask, 027);
	CHECK_ERR(mkdir("m/new", 0777), ENOSYS);
	down(pid);
	prepare();
	d->init_flags = FUSE_DONT_MASK;
	pid = start();
	close(open("m/made", O_RDWR | O_CREAT | O_EXCL, 0666));
	CHECK_EQ(d->made_mode, S_IFREG | 0666);
	CHECK_EQ(d->made_umask, 027);
	down(pid);
}

TEST(fuse, mapped)
{
	pid_t pid = up();
	int fd = open("m/file", O_RDWR);
	char *p;

	CHECK(fd >= 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(!memcmp(p, "hello", 5));
	p[1] = 'u';
	p[100] = 'x'; /* beyond the end: for nobody */
	CHECK_OK(msync(p, 4096, MS_SYNC));
	CHECK(!memcmp(d->data, "hullo", 6));
	CHECK_EQ(d->size, 5);
	p[2] = 'i';
	munmap(p, 4096);
	close(fd);
	down(pid);
	CHECK(!memcmp(d->data, "huilo", 6));
}

TEST(fuse, listed)
{
	pid_t pid = up();
	char buf[1024];
	int fd = open("m", O_RDONLY | O_DIRECTORY);
	long n = syscall(SYS_getdents64, fd, buf, sizeof(buf));

	CHECK_EQ(n, 24 + 24 + 24);
	CHECK_EQ(syscall(SYS_getdents64, fd, buf, sizeof(buf)), 0);
	CHECK_EQ(lseek(fd, 2, SEEK_SET), 2);
	close(fd);
	wait_seen(FUSE_RELEASEDIR); /* comes behind close() */
	CHECK_EQ(d->seen[FUSE_RELEASEDIR], 1);
	down(pid);
}

TEST(fuse, statfs)
{
	pid_t pid = up();
	struct statfs s;

	CHECK_OK(statfs("m", &s));
	CHECK_EQ(s.f_type, 0x65735546);
	CHECK_EQ(s.f_blocks, 123);
	down(pid);
}

TEST(fuse, direct)
{
	char buf[16] = "";
	pid_t pid;
	int fd;

	prepare();
	d->open_flags = FOPEN_DIRECT_IO;
	pid = start();
	fd = open("m/file", O_RDWR);
	CHECK_EQ(pread(fd, buf, 16, 0), 5);
	d->data[0] = 'c';
	CHECK_EQ(pread(fd, buf, 16, 0), 5);
	CHECK_EQ(buf[0], 'c');
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	      MAP_FAILED);
	CHECK_EQ(errno, ENODEV);
	close(fd);
	down(pid);
	prepare();
	d->open_flags = FOPEN_NONSEEKABLE;
	pid = start();
	fd = open("m/file", O_RDWR);
	CHECK_ERR(lseek(fd, 0, SEEK_SET), ESPIPE);
	CHECK_ERR(pread(fd, buf, 16, 0), ESPIPE);
	CHECK_EQ(read(fd, buf, 16), 5);
	close(fd);
	down(pid);
}

TEST(fuse, by_pipe)
{
	static char buf[60000];
	pid_t pid;
	int fd;

	prepare();
	d->by_pipe = 1;
	pid = start();
	fd = open("m/file", O_RDWR);
	CHECK(fd >= 0);
	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(pwrite(fd, buf, sizeof(buf), 0), sizeof(buf));
	CHECK(!memcmp(d->data, buf, sizeof(buf)));
	d->data[50000] = 'y';
	close(fd);
	fd = open("m/file", O_RDONLY);
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), sizeof(buf));
	CHECK_EQ(buf[50000], 'y');
	CHECK_EQ(buf[49999], 'x');
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST(fuse, locks)
{
	struct flock l = { .l_type = F_WRLCK };
	pid_t pid;
	int fd;

	prepare();
	d->init_flags = FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS;
	pid = start();
	fd = open("m/file", O_RDWR);
	CHECK_ERR(fcntl(fd, F_SETLK, &l), EAGAIN);
	CHECK_OK(fcntl(fd, F_GETLK, &l));
	CHECK_EQ(l.l_type, F_UNLCK);
	CHECK_ERR(flock(fd, LOCK_EX | LOCK_NB), EAGAIN);
	CHECK_EQ(d->seen[FUSE_SETLK], 2);
	close(fd);
	down(pid);
	pid = up(); /* one that keeps none */
	fd = open("m/file", O_RDWR);
	l.l_type = F_WRLCK;
	CHECK_OK(fcntl(fd, F_SETLK, &l));
	CHECK_OK(flock(fd, LOCK_EX | LOCK_NB));
	CHECK_EQ(d->seen[FUSE_SETLK], 0);
	close(fd);
	down(pid);
}

TEST(fuse, ioctl)
{
	pid_t pid = up();
	int fd = open("m/file", O_RDWR);
	char buf[9] = "";

	CHECK_EQ(ioctl(fd, _IOR('x', 1, char[8]), buf), 7);
	CHECK(!strcmp(buf, "12345678"));
	CHECK_ERR(ioctl(fd, _IOR('x', 1, char[4]), buf), EIO);
	close(fd);
	down(pid);
}

static void put_text(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

TEST(fuse, in_user_namespace)
{
	char map[40];
	struct stat st;
	pid_t pid;

	snprintf(map, sizeof(map), "0 %d 1", getuid());
	chmod(".", 0777);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		ut_skip("no user namespaces");
	put_text("/proc/self/uid_map", map);
	put_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %d 1", getgid() == 65534 ? 0 : getgid());
	put_text("/proc/self/gid_map", map);
	pid = up();
	CHECK_OK(stat("m/file", &st));
	CHECK_EQ(st.st_uid, 0);
	down(pid);
}

/* The daemon tells something on its own. */
static long told(enum order order)
{
	struct statfs s;

	d->order = order;
	CHECK_OK(statfs("m", &s));
	for (int i = 0; i < 2000 && d->order; i++)
		usleep(1000);
	CHECK(!d->order);
	return d->told;
}

TEST(fuse, notified)
{
	char buf[16];
	struct stat st;
	pid_t pid;
	int fd, before;

	prepare();
	d->timeout = 1000;
	d->open_flags = FOPEN_KEEP_CACHE;
	pid = start();
	fd = open("m/file", O_RDONLY);
	CHECK_EQ(pread(fd, buf, 16, 0), 5);
	d->data[0] = 'c';
	CHECK_EQ(pread(fd, buf, 16, 0), 5);
	CHECK_EQ(buf[0], 'h'); /* cached */
	CHECK_EQ(told(INVAL_FILE), 0);
	CHECK_EQ(pread(fd, buf, 16, 0), 5);
	CHECK_EQ(buf[0], 'c');
	CHECK_EQ(told(STORE_IT), 0);
	CHECK_EQ(pread(fd, buf, 16, 0), 5);
	CHECK(!memcmp(buf, "HELlo", 5));
	before = d->seen[FUSE_LOOKUP];
	CHECK_OK(stat("m/file", &st));
	CHECK_EQ(d->seen[FUSE_LOOKUP], before);
	CHECK_EQ(told(INVAL_NAME), 0);
	CHECK_OK(stat("m/file", &st));
	CHECK_EQ(d->seen[FUSE_LOOKUP], before + 1);
	CHECK_EQ(told(INVAL_NOBODY), ENOENT);
	CHECK_EQ(told(NO_SUCH_CODE), EINVAL);
	CHECK_EQ(told(BAD_NAME), EINVAL);
	close(fd);
	down(pid);
}

/* --- lies */

static pid_t lying(int op, enum spoil how)
{
	prepare();
	d->spoil_op = op;
	d->spoil_how = how;
	d->timeout = 0;
	return start();
}

TEST(fuse, lies_about_names)
{
	static const struct {
		enum spoil how;
		int err;
	} lies[] = { { TOO_LONG, EIO },	  { TOO_SHORT, EIO },
		     { BAD_ERROR, EDOM }, { BAD_TYPE, EIO },
		     { ROOT_ID, EIO },	  { NO_ID, ENOENT },
		     { ENOSYS_, ENOSYS } };
	struct stat st;
	pid_t pid;

	for (unsigned int i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		pid = lying(FUSE_LOOKUP, lies[i].how);
		CHECK_ERR(stat("m/file", &st), lies[i].err);
		CHECK_ERR(stat("m/dir/file", &st), lies[i].err);
		down(pid);
	}
}

TEST(fuse, directory_in_itself)
{
	pid_t pid = lying(FUSE_LOOKUP, SELF);
	struct stat st;

	CHECK_OK(stat("m/dir", &st));
	CHECK(stat("m/dir/dir", &st) == -1);
	CHECK(errno == ELOOP || errno == EIO);
	CHECK(stat("m/dir/dir/dir", &st) == -1);
	/* another name of the same directory: one of them at a time */
	CHECK_OK(stat("m/other", &st));
	CHECK_OK(stat("m/dir", &st));
	CHECK(rename("m/dir", "m/other/x") == -1);
	CHECK(rmdir("m/dir/dir") == -1);
	down(pid);
}

TEST(fuse, lies_about_contents)
{
	char buf[1024];
	struct stat st;
	pid_t pid;
	int fd;

	pid = lying(FUSE_WRITE, HUGE);
	fd = open("m/file", O_RDWR);
	CHECK_ERR(write(fd, "abc", 3), EIO);
	close(fd);
	down(pid);
	pid = lying(FUSE_READ, TOO_LONG);
	fd = open("m/file", O_RDONLY | O_DIRECT);
	CHECK_ERR(read(fd, buf, sizeof(buf)), EIO);
	close(fd);
	down(pid);
	pid = lying(FUSE_READDIR, SLASH);
	fd = open("m", O_RDONLY | O_DIRECTORY);
	CHECK_ERR(syscall(SYS_getdents64, fd, buf, sizeof(buf)), EIO);
	close(fd);
	down(pid);
	pid = lying(FUSE_GETATTR, KIND);
	fd = open("m/file", O_RDONLY);
	CHECK(fd == -1 || fstat(fd, &st) == -1);
	CHECK_EQ(errno, EIO);
	if (fd >= 0)
		close(fd);
	down(pid);
	pid = lying(FUSE_INIT, TOO_LONG);
	CHECK_ERR(stat("m/file", &st), ECONNREFUSED);
	down(pid);
}

/* --- ends */

static int stat_it(void *arg)
{
	struct stat st;

	(void)arg;
	return stat("m/file", &st) ? errno : 0;
}

static int exit_of(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

TEST(fuse, daemon_killed)
{
	pid_t pid = lying(FUSE_LOOKUP, HOLD), user;
	struct stat st;

	user = ut_fork(stat_it, NULL);
	wait_seen(FUSE_LOOKUP);
	kill(pid, SIGKILL);
	CHECK_EQ(exit_of(user), ECONNABORTED << 8);
	exit_of(pid);
	CHECK_ERR(stat("m/file", &st), ENOTCONN);
	CHECK_ERR(open("m/file", O_RDONLY), ENOTCONN);
	CHECK_OK(umount2(mnt, 0));
}

TEST(fuse, caller_killed)
{
	pid_t pid, user;
	struct stat st;

	prepare();
	d->timeout = 0;
	pid = start();
	CHECK_OK(stat("m/dir", &st));
	kill(pid, SIGSTOP); /* reads nothing any more */
	user = ut_fork(stat_it, NULL);
	usleep(20000);
	kill(user, SIGKILL);
	CHECK_EQ(exit_of(user), SIGKILL);
	kill(pid, SIGCONT);
	down_hard(pid);
}

TEST(fuse, forced)
{
	pid_t pid = lying(FUSE_LOOKUP, HOLD), user;

	user = ut_fork(stat_it, NULL);
	wait_seen(FUSE_LOOKUP);
	umount2(mnt, MNT_FORCE);
	CHECK_EQ(exit_of(user), ECONNABORTED << 8);
	CHECK_EQ(exit_of(pid), 0);
	umount2(mnt, MNT_DETACH);
}

static void nothing(int sig)
{
	(void)sig;
}

static int stat_with_signal(void *arg)
{
	struct sigaction sa = { .sa_handler = nothing };

	sigaction(SIGUSR1, &sa, NULL);
	return stat_it(arg);
}

TEST(fuse, interrupted)
{
	pid_t pid = lying(FUSE_LOOKUP, HOLD), user;

	user = ut_fork(stat_with_signal, NULL);
	wait_seen(FUSE_LOOKUP);
	kill(user, SIGUSR1);
	wait_seen(FUSE_INTERRUPT);
	kill(pid, SIGKILL);
	CHECK_EQ(exit_of(user), ECONNABORTED << 8);
	exit_of(pid);
}

/* --- the device and mount(2) */

TEST(fuse, device)
{
	char buf[BUF];
	struct pollfd p;
	struct stat st;
	int fd = open("/dev/fuse", O_RDWR | O_NONBLOCK);

	if (fd < 0)
		ut_skip("no /dev/fuse");
	CHECK_OK(fstat(fd, &st));
	CHECK_EQ(st.st_rdev, makedev(10, 229));
	CHECK_ERR(read(fd, buf, sizeof(buf)), EPERM);
	CHECK_ERR(write(fd, buf, 16), EPERM);
	p = (struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT };
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLERR);
	mkdir("m", 0755);
	CHECK_OK(unshare(CLONE_NEWNS));
	CHECK_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK_ERR(mount("x", "m", "fuse", 0, "rootmode=40000"), EINVAL);
	CHECK_ERR(mount("x", "m", "fuse", 0,
			"fd=0,rootmode=40000,user_id=0,group_id=0"),
		  EINVAL);
	CHECK_ERR(mount("x", "m", "fuse", 0,
			"fd=99,rootmode=40000,user_id=0,group_id=0"),
		  EINVAL);
	snprintf(buf, 200, "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	CHECK_OK(mount("x", "m", "fuse", 0, buf));
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	CHECK_ERR(read(fd, buf, 100), EINVAL);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 104);
	CHECK_EQ(((struct fuse_in_header *)buf)->opcode, FUSE_INIT);
	CHECK_ERR(read(fd, buf, sizeof(buf)), EAGAIN);
	CHECK_ERR(write(fd, buf, 7), EINVAL);
	CHECK_OK(umount2("m", 0));
	CHECK_ERR(read(fd, buf, sizeof(buf)), ENODEV);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLERR);
}

TEST(fuse, mount_by_steps)
{
	char num[16];
	int fd, fs, m;

	prepare();
	fd = open("/dev/fuse", O_RDWR);
	if (fd < 0)
		ut_skip("no /dev/fuse");
	fs = syscall(SYS_fsopen, "fuse", 0);
	CHECK(fs >= 0);
	snprintf(num, sizeof(num), "%d", fd);
	CHECK_OK(syscall(SYS_fsconfig, fs, 1, "fd", num, 0));
	CHECK_OK(syscall(SYS_fsconfig, fs, 1, "rootmode", "40000", 0));
	CHECK_OK(syscall(SYS_fsconfig, fs, 1, "user_id", "0", 0));
	CHECK_OK(syscall(SYS_fsconfig, fs, 1, "group_id", "0", 0));
	CHECK_OK(syscall(SYS_fsconfig, fs, 0, "default_permissions", NULL, 0));
	CHECK_ERR(syscall(SYS_fsconfig, fs, 1, "nonsense", "1", 0), EINVAL);
	CHECK_OK(syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0));
	m = syscall(SYS_fsmount, fs, 0, 0);
	CHECK(m >= 0);
}
