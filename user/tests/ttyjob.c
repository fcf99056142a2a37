/* SPDX-License-Identifier: MIT */
/*
 * user/tests/ttyjob.c - terminals, continued: sessions, hang-ups, packet mode,
 * timed reads, the ioctls nobody thinks of; and the memory devices.
 */
#include "utest.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

static int master, slave;
static char slave_name[32];

static void open_master(void)
{
	int n, unlock = 0;

	CHECK_OK(master = open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	CHECK_OK(ioctl(master, TIOCSPTLCK, &unlock));
	snprintf(slave_name, sizeof(slave_name), "/dev/pts/%d", n);
}

static void open_slave(void)
{
	CHECK_OK(slave = open(slave_name, O_RDWR | O_NOCTTY));
}

static void open_pair(void)
{
	open_master();
	open_slave();
}

static void say(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

static short events(int fd, int ms)
{
	struct pollfd f = { fd, POLLIN | POLLOUT | POLLPRI, 0 };

	CHECK(poll(&f, 1, ms) >= 0);
	return f.revents;
}

static void raw(int vmin, int vtime)
{
	struct termios t;

	CHECK_OK(tcgetattr(slave, &t));
	cfmakeraw(&t);
	t.c_cc[VMIN] = vmin;
	t.c_cc[VTIME] = vtime;
	CHECK_OK(tcsetattr(slave, TCSANOW, &t));
}

/* --- names and opening */

TEST(tty, locked_slave)
{
	char name[32];
	int n, lock;
	unsigned int dev;

	CHECK_OK(master = open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_OK(ioctl(master, TIOCGPTLCK, &lock));
	CHECK_EQ(lock, 1);
	CHECK_OK(ioctl(master, TIOCGPTN, &n));
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	CHECK_ERR(open(name, O_RDWR | O_NOCTTY), EIO);
	CHECK_ERR(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
	lock = 0;
	CHECK_OK(ioctl(master, TIOCSPTLCK, &lock));
	CHECK_OK(slave = open(name, O_RDWR | O_NOCTTY));
	CHECK_ERR(ioctl(slave, TIOCGPTN, &n), ENOTTY);
	CHECK_ERR(ioctl(slave, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
	CHECK_OK(ioctl(master, TIOCGDEV, &dev)); /* whose it is */
	CHECK_EQ(dev, makedev(136, n));
}

TEST(tty, slave_number_and_name)
{
	struct stat st;
	char name[64];

	open_pair();
	CHECK_OK(fstat(slave, &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(major(st.st_rdev), 136);
	CHECK_EQ(st.st_uid, geteuid());
	CHECK_EQ(st.st_mode & 0757, 0600); /* mount options say if 0020 */
	CHECK_EQ(ttyname_r(slave, name, sizeof(name)), 0);
	CHECK(!strcmp(name, slave_name));
}

TEST(tty, peer_by_ioctl)
{
	char name[64];
	int fd;

	open_master();
	CHECK_OK(fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	CHECK(isatty(fd));
	CHECK_EQ(ttyname_r(fd, name, sizeof(name)), 0);
	CHECK(!strcmp(name, slave_name));
	say(fd, "x");
	CHECK(events(master, 1000) & POLLIN);
}

TEST(tty, name_goes_with_the_master)
{
	struct stat st;

	open_pair();
	CHECK_OK(stat(slave_name, &st));
	close(master);
	CHECK_ERR(stat(slave_name, &st), ENOENT);
}

/* --- hang-up */

TEST(tty, master_closes)
{
	char c;
	int n;

	open_pair();
	close(master);
	CHECK_EQ(read(slave, &c, 1), 0);
	CHECK_ERR(write(slave, "x", 1), EIO);
	CHECK_ERR(ioctl(slave, FIONREAD, &n), EIO);
	CHECK(events(slave, 1000) & POLLHUP);
}

static int blocked_reader(void *arg)
{
	char c;

	close(master);
	return read(slave, &c, 1) == -1 && errno == EIO ? 0 : 1;
}

TEST(tty, hangup_wakes_a_reader)
{
	pid_t pid;

	open_pair();
	pid = ut_fork(blocked_reader, NULL);
	ut_sleep_ms(100);
	close(master);
	CHECK_EQ(ut_wait(pid), 0);
}

TEST(tty, slave_closes)
{
	char buf[16];

	open_pair();
	say(slave, "bye");
	close(slave);
	CHECK(events(master, 1000) & POLLHUP);
	CHECK_EQ(read(master, buf, sizeof(buf)), 3);
	CHECK_ERR(read(master, buf, sizeof(buf)), EIO);
	open_slave();
	CHECK(!(events(master, 0) & POLLHUP));
	say(slave, "hi");
	CHECK_EQ(read(master, buf, sizeof(buf)), 2);
}

static volatile sig_atomic_t got_hup, got_cont, got_winch;

static void note(int sig)
{
	if (sig == SIGHUP)
		got_hup = 1;
	if (sig == SIGCONT)
		got_cont = 1;
	if (sig == SIGWINCH)
		got_winch = 1;
}

static int leader_hears_hup(void *arg)
{
	close(master);
	signal(SIGHUP, note);
	signal(SIGCONT, note);
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return 1;
	if (write(slave, "go", 2) != 2)
		return 2;
	for (int i = 0; i < 50 && !(got_hup && got_cont); i++)
		ut_sleep_ms(20);
	if (!got_hup || !got_cont)
		return 3;
	return open("/dev/tty", O_RDWR) < 0 && errno == ENXIO ? 0 : 4;
}

TEST(tty, leader_hears_of_the_hangup)
{
	char buf[4];
	pid_t pid;

	open_pair();
	pid = ut_fork(leader_hears_hup, NULL);
	CHECK_EQ(read(master, buf, 2), 2);
	close(master);
	CHECK_EQ(ut_wait(pid), 0);
}

/* A leader that leaves takes the foreground group with it. */
static int leaving_leader(void *arg)
{
	int p[2];
	char c;
	pid_t pid;

	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || pipe(p))
		return 1;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		if (tcsetpgrp(slave, getpid()))
			_exit(1);
		if (write(p[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(p[0], &c, 1) != 1)
		return 2;
	close(p[0]);
	return 0;
}

TEST(tty, leader_exit_hangs_up_the_foreground)
{
	int p[2];
	char c;

	open_pair();
	CHECK_OK(pipe(p)); /* closed when everybody is gone */
	CHECK_EQ(ut_wait(ut_fork(leaving_leader, NULL)), 0);
	close(p[1]);
	struct pollfd f = { p[0], POLLIN, 0 };
	CHECK_EQ(poll(&f, 1, 3000), 1);
	CHECK_EQ(read(p[0], &c, 1), 0);
}

/* --- sessions */

static int session(void *arg)
{
	int fd, pg;

	if (open("/dev/tty", O_RDWR) != -1)
		return 1;
	if (setsid() < 0)
		return 2;
	if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO)
		return 3;
	if (ioctl(slave, TIOCGPGRP, &pg) != -1 || errno != ENOTTY)
		return 4;
	/* An open without O_NOCTTY is enough for a leader. */
	fd = open(slave_name, O_RDWR);
	if (fd < 0 || tcgetpgrp(fd) != getpid())
		return 5;
	if (ioctl(master, TIOCGPGRP, &pg) || pg != getpid())
		return 6;
	if (ioctl(master, TIOCGSID, &pg) || pg != getpid())
		return 7;
	fd = open("/dev/tty", O_RDWR);
	if (fd < 0)
		return 8;
	signal(SIGHUP, SIG_IGN);
	if (ioctl(fd, TIOCNOTTY) != 0)
		return 9;
	if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO)
		return 10;
	return 0;
}

static int detached_session(void *arg)
{
	if (setsid() < 0)
		return 99;
	return ut_wait(ut_fork(session, NULL));
}

TEST(tty, session_and_dev_tty)
{
	open_pair();
	CHECK_EQ(ut_wait(ut_fork(detached_session, NULL)), 0);
}

/* TIOCSCTTY of a master makes its slave the terminal of the session. */
static int session_by_master(void *arg)
{
	int fd, n = -1;

	if (setsid() < 0 || ioctl(master, TIOCSCTTY, 0) < 0)
		return 1;
	fd = open("/dev/tty", O_RDWR);
	if (fd < 0 || write(fd, "x", 1) != 1)
		return 2;
	if (tcgetpgrp(fd) != getpgrp() || tcgetpgrp(master) != getpgrp())
		return 3;
	return ioctl(fd, TIOCGPTN, &n) == -1 && errno == ENOTTY ? 0 : 4;
}

TEST(tty, session_by_master)
{
	open_master();
	CHECK_EQ(ut_wait(ut_fork(session_by_master, NULL)), 0);
}

static int stopped_writer(void *arg)
{
	struct termios t;
	int status;
	pid_t pid;

	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return 1;
	if (tcgetattr(slave, &t))
		return 2;
	t.c_lflag |= TOSTOP;
	if (tcsetattr(slave, TCSANOW, &t))
		return 3;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(write(slave, "x", 1) == 1 ? 0 : 1);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTTOU)
		return 4;
	t.c_lflag &= ~TOSTOP;
	if (tcsetattr(slave, TCSANOW, &t))
		return 5;
	kill(pid, SIGCONT);
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 6;
}

TEST(tty, tostop)
{
	open_pair();
	CHECK_EQ(ut_wait(ut_fork(stopped_writer, NULL)), 0);
}

static int background_modes(void *arg)
{
	struct termios t;
	int status;
	pid_t pid;

	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		if (tcgetattr(slave, &t))
			_exit(1);
		_exit(tcsetattr(slave, TCSANOW, &t) ? 2 : 0);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTTOU)
		return 2;
	if (tcsetpgrp(slave, pid))
		return 3;
	kill(pid, SIGCONT);
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 4;
}

TEST(tty, modes_from_the_background)
{
	open_pair();
	CHECK_EQ(ut_wait(ut_fork(background_modes, NULL)), 0);
}

static int orphan(void *arg)
{
	pid_t pid;
	int p[2], result = 1;

	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0 || pipe(p))
		return 90;
	pid = fork();
	if (pid == 0) {
		/* The grandchild's group has no parent to continue it. */
		if (fork() == 0) {
			pid_t parent;
			char c;
			int r;

			parent = getppid();
			setpgid(0, 0);
			while (getppid() == parent)
				ut_sleep_ms(5);
			ut_sleep_ms(50);
			r = read(slave, &c, 1) == -1 && errno == EIO ? 0 : 1;
			if (write(p[1], &r, sizeof(r)) != sizeof(r))
				_exit(1);
			_exit(0);
		}
		setpgid(0, 0);
		ut_sleep_ms(50);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	if (read(p[0], &result, sizeof(result)) != sizeof(result))
		return 91;
	return result;
}

TEST(tty, orphaned_group_reads_eio)
{
	open_pair();
	CHECK_EQ(ut_wait(ut_fork(orphan, NULL)), 0);
}

static int hears_winch(void *arg)
{
	signal(SIGWINCH, note);
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return 1;
	if (write(slave, "go", 2) != 2)
		return 2;
	for (int i = 0; i < 100 && !got_winch; i++)
		ut_sleep_ms(10);
	return got_winch ? 0 : 3;
}

TEST(tty, sigwinch)
{
	struct winsize ws = { 10, 20, 0, 0 };
	char buf[4];
	pid_t pid;

	open_pair();
	pid = ut_fork(hears_winch, NULL);
	CHECK_EQ(read(master, buf, 2), 2);
	CHECK_OK(ioctl(master, TIOCSWINSZ, &ws));
	CHECK_EQ(ut_wait(pid), 0);
}

/* --- reading */

TEST(tty, vmin_waits_for_so_many)
{
	char buf[8];

	open_pair();
	raw(3, 0);
	say(master, "ab");
	CHECK(!(events(slave, 100) & POLLIN));
	say(master, "c");
	CHECK(events(slave, 1000) & POLLIN);
	CHECK_EQ(read(slave, buf, sizeof(buf)), 3);
}

TEST(tty, vtime_between_bytes)
{
	char buf[8];
	long start;

	open_pair();
	raw(5, 2);
	say(master, "ab");
	start = ut_now_ms();
	CHECK_EQ(read(slave, buf, sizeof(buf)), 2);
	CHECK(ut_now_ms() - start >= 150);
	raw(0, 2);
	start = ut_now_ms();
	CHECK_EQ(read(slave, buf, sizeof(buf)), 0);
	CHECK(ut_now_ms() - start >= 150);
	say(master, "x");
	CHECK_EQ(read(slave, buf, sizeof(buf)), 1);
	raw(0, 0);
	CHECK_EQ(read(slave, buf, sizeof(buf)), 0);
}

TEST(tty, nonblocking)
{
	char buf[8];

	open_pair();
	CHECK_OK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	CHECK_OK(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK));
	CHECK_ERR(read(slave, buf, 1), EAGAIN);
	CHECK_ERR(read(master, buf, 1), EAGAIN);
	say(master, "line");
	CHECK_ERR(read(slave, buf, 8), EAGAIN);
	say(master, "\n");
	CHECK_EQ(read(slave, buf, 8), 5);
}

TEST(tty, full_both_ways)
{
	static char big[65536];
	ssize_t n, total = 0;

	open_pair();
	raw(1, 0);
	CHECK_OK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	CHECK_OK(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK));
	memset(big, 'x', sizeof(big));
	while ((n = write(slave, big, sizeof(big))) > 0)
		total += n;
	CHECK(n == -1 && errno == EAGAIN);
	CHECK(total >= 2048);
	while (total > 0) {
		n = read(master, big, sizeof(big));
		CHECK(n > 0);
		total -= n;
	}
	CHECK_EQ(total, 0);
}

static void ignore(int sig)
{
}

TEST(tty, a_signal_ends_a_read)
{
	struct sigaction sa = { .sa_handler = ignore };
	char c;

	open_pair();
	CHECK_OK(sigaction(SIGALRM, &sa, NULL));
	ualarm(100000, 0);
	CHECK_ERR(read(slave, &c, 1), EINTR);
}

/* --- ioctls */

TEST(tty, queues)
{
	int n;

	open_pair();
	say(master, "abc");
	CHECK_OK(ioctl(slave, FIONREAD, &n));
	CHECK_EQ(n, 0);
	say(master, "\n");
	for (int i = 0; i < 100 && n == 0; i++) {
		ut_sleep_ms(5);
		CHECK_OK(ioctl(slave, FIONREAD, &n));
	}
	CHECK_EQ(n, 4);
	CHECK_OK(tcflush(slave, TCIFLUSH));
	CHECK_OK(ioctl(slave, FIONREAD, &n));
	CHECK_EQ(n, 0);
	CHECK_ERR(tcflush(slave, 77), EINVAL);
}

TEST(tty, output_stop_and_go)
{
	char buf[16];

	open_pair();
	CHECK_OK(tcflow(slave, TCOOFF));
	CHECK_OK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
	CHECK_ERR(write(slave, "x", 1), EAGAIN);
	CHECK_OK(tcflow(slave, TCOON));
	say(slave, "x");
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
}

struct old_termio {
	unsigned short iflag, oflag, cflag, lflag;
	unsigned char line, cc[8];
};

TEST(tty, old_modes)
{
	struct old_termio io;
	struct termios t;

	open_pair();
	CHECK_OK(ioctl(slave, TCGETA, &io));
	CHECK(io.lflag & ICANON);
	CHECK_EQ(io.cc[VINTR], 3);
	io.lflag &= ~ECHO;
	CHECK_OK(ioctl(slave, TCSETA, &io));
	CHECK_OK(tcgetattr(slave, &t));
	CHECK(!(t.c_lflag & ECHO));
	CHECK(t.c_lflag & IEXTEN); /* beyond 16 bits, kept */
}

TEST(tty, speeds)
{
	struct termios t;

	open_pair();
	CHECK_OK(tcgetattr(slave, &t));
	CHECK_EQ(cfgetospeed(&t), B38400);
	CHECK_OK(cfsetspeed(&t, B115200));
	CHECK_OK(tcsetattr(slave, TCSADRAIN, &t));
	CHECK_OK(tcgetattr(slave, &t));
	CHECK_EQ(cfgetospeed(&t), B115200);
}

TEST(tty, discipline)
{
	int n = -1;

	open_pair();
	CHECK_OK(ioctl(slave, TIOCGETD, &n));
	CHECK_EQ(n, 0);
	CHECK_OK(ioctl(slave, TIOCSETD, &n));
	CHECK_ERR(ioctl(slave, 0x5499, &n), ENOTTY);
	CHECK_ERR(ioctl(slave, TCGETS, 8), EFAULT);
}

static int read_one(void *arg)
{
	char c;

	(void)arg;
	return read(master, &c, 1) == 1 && c == 'y' ? 0 : 1;
}

/* What was to be told in packets is not told without them, and wakes nobody. */
TEST(tty, packet_mode_ends)
{
	struct termios t;
	int on = 1;
	pid_t pid;

	open_pair();
	CHECK_OK(ioctl(master, TIOCPKT, &on));
	CHECK_OK(tcflush(slave, TCIOFLUSH));
	CHECK_EQ(events(master, 1000) & (POLLIN | POLLPRI), POLLIN | POLLPRI);
	on = 0;
	CHECK_OK(ioctl(master, TIOCPKT, &on));
	CHECK_EQ(events(master, 0) & (POLLIN | POLLPRI), 0);
	pid = ut_fork(read_one, NULL);
	ut_sleep_ms(20);
	say(slave, "y");
	CHECK_EQ(ut_wait(pid), 0);
	on = 1; /* nor when there are packets again */
	CHECK_OK(ioctl(master, TIOCPKT, &on));
	CHECK_EQ(events(master, 0) & (POLLIN | POLLPRI), 0);
	CHECK_OK(tcgetattr(slave, &t));
	CHECK(!(t.c_cflag & HUPCL));
}

TEST(tty, packet_mode)
{
	char buf[16];
	int on = 1;

	open_pair();
	CHECK_OK(ioctl(master, TIOCPKT, &on));
	say(slave, "x");
	CHECK_EQ(read(master, buf, sizeof(buf)), 2);
	CHECK_EQ(buf[0], TIOCPKT_DATA);
	CHECK_EQ(buf[1], 'x');
	CHECK_OK(tcflow(slave, TCOOFF));
	CHECK(events(master, 1000) & POLLPRI);
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
	CHECK_EQ(buf[0], TIOCPKT_STOP);
	CHECK_OK(tcflow(slave, TCOON));
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
	CHECK_EQ(buf[0], TIOCPKT_START);
	CHECK_OK(tcflush(slave, TCIFLUSH));
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
	CHECK_EQ(buf[0] & TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHREAD);
	raw(1, 0);
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
	CHECK_EQ(buf[0], TIOCPKT_NOSTOP);
}

/* --- the memory devices */

TEST(tty, null_zero_full)
{
	char buf[64];
	int fd;

	CHECK_OK(fd = open("/dev/null", O_RDWR));
	CHECK_EQ(read(fd, buf, 10), 0);
	CHECK_EQ(write(fd, buf, 10), 10);
	CHECK_OK(fd = open("/dev/zero", O_RDWR));
	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf, 64), 64);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(buf[i], 0);
	CHECK_EQ(write(fd, buf, 10), 10);
	CHECK_ERR(read(fd, (void *)8, 1), EFAULT);
	CHECK_OK(fd = open("/dev/full", O_RDWR));
	CHECK_EQ(read(fd, buf, 10), 10);
	CHECK_ERR(write(fd, buf, 10), ENOSPC);
}

TEST(tty, zero_mapped)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p;

	CHECK_OK(fd);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(p[5000], 0);
	p[5000] = 1;
	CHECK_EQ(p[5000], 1);
}

TEST(tty, random)
{
	unsigned char a[32], b[32];
	int fd;

	CHECK_EQ(syscall(SYS_getrandom, a, sizeof(a), 0), 32);
	CHECK_EQ(syscall(SYS_getrandom, b, sizeof(b), 1), 32);
	CHECK(memcmp(a, b, sizeof(a)));
	CHECK_ERR(syscall(SYS_getrandom, a, 1, 8), EINVAL);
	CHECK_ERR(syscall(SYS_getrandom, a, 1, 6), EINVAL);
	CHECK_ERR(syscall(SYS_getrandom, (void *)8, 1, 0), EFAULT);
	CHECK_OK(fd = open("/dev/urandom", O_RDWR));
	CHECK_EQ(read(fd, b, 32), 32);
	CHECK(memcmp(a, b, sizeof(a)));
	CHECK_EQ(write(fd, b, 32), 32);
}
