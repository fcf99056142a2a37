# SPDX-License-Identifier: MIT
"""tests/qemu/test_programs.py - what people do with Debian's riscv64 programs.

Compile, debug, trace; keep versions; ask data bases; serve and log in.  The
programs are trixie's, unmodified (scripts/fetch-programs), in a chroot whose /tmp
alone can be written to.
"""
import shlex

import pytest

import tools


@pytest.fixture(scope="module", params=["remote", "local"])
def debian(request, pool):
    """Runs a script of bash's; its output, if it ends well."""
    m = pool.start(f"programs-{request.param}", relay=request.param, smp=3,
                   mem="1G", qemu="10",
                   tail=tools.drive(tools.programs_image()))
    m.sh(tools.SETUP + "; mount -t devpts devpts /tools/dev/pts; "
         "mount -t tmpfs tmpfs /tools/run; mount -t tmpfs tmpfs /tools/root",
         check=True)

    def run(script, timeout=60):
        put(m, "/tools/tmp/script", "cd /tmp\nset -e\n" + script)
        r = m.sh(tools.run("/usr/bin/env HOME=/root LC_ALL=C /bin/bash "
                           "/tmp/script") + " 2>&1 </dev/null", timeout)
        assert r.status == 0, r.out
        return r.out
    yield run
    pool.stop()


def put(m, path, text):
    """Write @text to @path in pieces that fit into a line of the shell's."""
    for at in range(0, len(text), 400):
        piece = text[at:at + 400].replace("\\", r"\\")
        piece = piece.replace("\n", r"\n").replace("\t", r"\t")
        m.sh(f"printf %b {shlex.quote(piece)} >{'>' if at else ''}{path}",
             check=True)


THREADS = r"""
#include <pthread.h>
#include <stdio.h>
static int sum;
static pthread_barrier_t all;
static __attribute__((noipa)) void *add(void *n)
{
	return __atomic_fetch_add(&sum, (int)(long)n, __ATOMIC_RELAXED), NULL;
}
static void *begin(void *n)
{
	pthread_barrier_wait(&all);
	return add(n);
}
int main(void)
{
	pthread_t t[10];
	pthread_barrier_init(&all, NULL, 10);
	for (long i = 0; i < 10; i++)
		pthread_create(&t[i], NULL, begin, (void *)i);
	for (int i = 0; i < 10; i++)
		pthread_join(t[i], NULL);
	printf("sum %d\n", sum);
	return 0;
}
"""


def test_gcc_and_gdb(debian):
    """A program of threads: compiled, run, stopped in one of them, and watched.

    All threads are there when gdb watches: a watched value that has changed
    when a thread is cloned ends gdb 16 itself ("Unexpected pending_follow").
    """
    out = debian(f"cat > t.c <<'END'\n{THREADS}END\n"
                 "gcc -g -O1 -pthread t.c -o t; ./t; gdb -nx -batch "
                 "-ex 'break add if (long)n == 7' -ex run -ex 'print (long)n' -ex 'info threads' -ex bt -ex 'up' "
                 "-ex 'watch sum' -ex continue -ex 'delete' -ex continue ./t",
                 120)
    assert out.startswith("sum 45\n") and out.count("sum 45\n") == 2, out
    assert "$1 = 7" in out and "add (n=n@entry=0x7) at t.c:" in out
    assert "New value = " in out and "exited normally" in out


def test_gdb_attaches(debian):
    """To a process that waits, and lets it go."""
    out = debian("sleep 30 & p=$!; gdb -nx -batch -p $p -ex bt -ex detach; "
                 "kill $p; wait $p || echo status $?")
    assert "nanosleep" in out and out.endswith("status 143")


def test_strace(debian):
    out = debian("strace -f -o log bash -c '/bin/true; /bin/true & wait'; "
                 "grep -c 'exited with 0' log; strace -c -f ls -R /etc >/dev/null"
                 " 2>sums; grep -c getdents64 sums; "
                 "strace -e trace=execve /bin/true; strace -e inject=openat:"
                 "error=ENOENT:when=1 ls / || echo not found")
    lines = out.split("\n")
    assert lines[:2] == ["3", "1"]
    assert 'execve("/bin/true", ["/bin/true"]' in out
    assert "(INJECTED)" in out


def test_git(debian):
    """Branches, a merge, a clone, packed and checked."""
    out = debian(
        "git config --global user.name a; git config --global user.email a@b; "
        "git config --global init.defaultBranch main; rm -rf a b; "
        "git init -q a; cd a; for i in $(seq 200); do seq $i > f$i; done; "
        "git add .; git commit -qm one; git checkout -qb side; "
        "echo more >> f7; git commit -qam two; git checkout -q main; "
        "echo other >> f9; git commit -qam three; git merge -q side -m four; "
        "git gc -q; git fsck --strict; git clone -q . ../b; cd ../b; "
        "git log --oneline | wc -l; git status --short | wc -l; "
        "cat f* | md5sum; cat ../a/f* | md5sum", 120)
    commits, changed, ours, theirs = out.split("\n")[-4:]
    assert (commits, changed) == ("4", "0") and ours == theirs


def test_perl(debian):
    out = debian(r"""cat > p.pl <<'END'
use IO::Socket::INET; use IO::Select;
my $s = IO::Socket::INET->new(Listen => 9, LocalAddr => '127.0.0.1') or die;
for my $i (1 .. 8) {
	next if fork;
	my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
				      PeerPort => $s->sockport) or die;
	print $c "child $i\n" x 1000;
	exit;
}
my $n = 0;
for (1 .. 8) { my $c = $s->accept; $n++ while <$c>; }
1 while wait != -1;
$SIG{ALRM} = sub { print "alarm\n" }; alarm 1; sleep 5;
print "$n lines\n";
END
""" "perl p.pl; perl -MPOSIX -e 'print POSIX::strftime(\"%Y\", gmtime 0)'")
    assert out.split("\n") == ["alarm", "8000 lines", "1970"]


def test_sqlite(debian):
    """Two who write to one file at once, with a log and shared memory."""
    out = debian(
        "rm -f d*; sqlite3 d 'pragma journal_mode=wal; create table t(a, b)'; "
        "for j in 1 2; do (for i in $(seq 20); do echo 'begin immediate;'; "
        "echo \"insert into t values($j, $i);\"; echo 'commit;'; done | "
        "sqlite3 -cmd '.timeout 20000' d) & done; wait; "
        "sqlite3 d 'select a, count(*) from t group by a; "
        "pragma integrity_check'")
    assert out.split("\n") == ["wal", "1|20", "2|20", "ok"]


def test_redis(debian):
    """Keys, and a snapshot that a child writes."""
    out = debian(
        "redis-server --port 7000 --daemonize yes --dir /tmp >/dev/null; "
        "until redis-cli -p 7000 ping 2>/dev/null; do sleep 0.2; done; "
        "seq 2000 | sed 's/.*/set k& &/' | redis-cli -p 7000 --pipe "
        "| tail -n 1; redis-cli -p 7000 bgsave; "
        "until redis-cli -p 7000 info persistence | grep -q "
        "rdb_bgsave_in_progress:0; do sleep 0.2; done; "
        "redis-cli -p 7000 incr k77; redis-cli -p 7000 shutdown nosave; "
        "redis-check-rdb dump.rdb | grep -o 'RDB looks OK.*'")
    assert "PONG" in out and "replies: 2000" in out
    assert "integer) 78" in out and "RDB looks OK" in out


NGINX = """
user root; worker_processes 2; pid /tmp/ng/pid; error_log /tmp/ng/log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path /tmp/ng/b; proxy_temp_path /tmp/ng/p;
fastcgi_temp_path /tmp/ng/f; uwsgi_temp_path /tmp/ng/u; scgi_temp_path /tmp/ng/s;
sendfile on; server { listen 127.0.0.1:8080; root /usr; } }
"""


def test_nginx(debian):
    """A file by sendfile(2), to many at once; a reload between."""
    out = debian(
        f"mkdir -p ng; cat > ng/conf <<'END'\n{NGINX}END\n"
        "nginx -c /tmp/ng/conf; get() { exec 3<>/dev/tcp/127.0.0.1/8080; "
        "printf 'GET /bin/bash HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3 | "
        "sed '1,/^\\r$/d' | md5sum; exec 3>&-; }; "
        "for i in 1 2 3 4 5 6 7 8; do get & done; wait; "
        "nginx -c /tmp/ng/conf -s reload 2>/dev/null; sleep 1; get; "
        "nginx -c /tmp/ng/conf -s quit 2>/dev/null; md5sum < /usr/bin/bash")
    assert len(set(out.split("\n"))) == 1 and out.count("\n") == 9


def test_openssh(debian):
    """A key, a command, a terminal, a file each way, a forwarded port."""
    out = debian(
        "mkdir -p ssh /root/.ssh /run/sshd; cd ssh; rm -f host key*; "
        "ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' "
        "-f key; cp key.pub /root/.ssh/authorized_keys; chmod 700 /root/.ssh; "
        "/usr/sbin/sshd -f /dev/null -h /tmp/ssh/host -o ListenAddress=127.0.0.1 "
        "-p 2222 -o UsePAM=no -o StrictModes=no -o PidFile=/tmp/ssh/pid -o "
        "'Subsystem=sftp internal-sftp'; "
        "o='-q -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'; "
        "until [ -s pid ]; do sleep 0.1; done; "
        "ssh $o -p 2222 root@127.0.0.1 'echo user $USER; exit 3' || echo was $?; "
        "ssh $o -tt -p 2222 root@127.0.0.1 tty; "
        "printf 'put /usr/bin/git g\\nget g g2\\n' > batch; "
        "sftp $o -P 2222 -b batch root@127.0.0.1:/tmp/ssh >/dev/null; "
        "cmp g2 /usr/bin/git && echo same; "
        "ssh $o -f -N -L 2223:127.0.0.1:2222 -p 2222 root@127.0.0.1; "
        "ssh $o -p 2223 root@127.0.0.1 echo through; "
        "kill $(cat pid); pkill -f 'ssh.*-N' || true", 120)
    lines = [line.strip() for line in out.split("\n")]
    assert lines[:2] == ["user root", "was 3"]
    assert lines[2].startswith("/dev/pts/")
    assert lines[3:] == ["same", "through"]


def test_small_tools(debian):
    out = debian("(nc.openbsd -l 127.0.0.1 5000 & until echo through | "
                 "nc.openbsd -N 127.0.0.1 5000; do sleep 0.1; done; wait); "
                 "ip -c=never -br addr show lo; "
                 "ipcmk -S 3; ipcs -s; flock lock echo locked")
    assert "through" in out and "127.0.0.1/8" in out and "locked" in out
    assert "Semaphore id:" in out
