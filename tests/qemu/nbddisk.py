# SPDX-License-Identifier: MIT
"""tests/qemu/nbddisk.py - a disk with a volatile cache, whose power can be cut.

An NBD server for QEMU, in threads of this process.  What was written is read
back at once, but lies on the medium only after a flush, or if it was written
with FUA.  cut() takes the power away: of what was not flushed a part stays, at
random, whole or torn at sectors.

The first 4 KiB are not torn: a super block that is half written is a caveat.
"""
import os
import random
import socket
import struct
import threading

SECTOR = 512
MAGIC, OPT_MAGIC, REPLY_MAGIC = (0x4e42444d41474943, 0x49484156454f5054,
                                 0x3e889045565a9)
READ, WRITE, DISC, FLUSH, TRIM, ZEROES = 0, 1, 2, 3, 4, 6
FUA = 1
# has flags, flush, FUA, trim, write zeroes
FLAGS = 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6


class NbdDisk:
    def __init__(self, path, size=0, data=None):
        """A server on the socket @path; @data: the medium as it is now."""
        self.path = path
        self.medium = bytearray(data if data is not None else size)
        self.view = bytearray(self.medium)
        self.pending = []           # (offset, bytes, is it surely there)
        self.lock = threading.Lock()
        self.dead = False           # no power
        self.flushes = self.writes = self.fuas = 0
        self.sock = socket.socket(socket.AF_UNIX)
        if os.path.exists(path):
            os.unlink(path)
        self.sock.bind(path)
        self.sock.listen(1)
        threading.Thread(target=self._serve, daemon=True).start()

    def drive(self, name):
        return ["-drive", f"driver=nbd,server.type=unix,server.path={self.path}"
                f",if=none,id={name},discard=unmap"]

    def close(self):
        self.sock.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    # -- the power --------------------------------------------------------

    def power_off(self):
        """Nothing that comes from now on is heard."""
        with self.lock:
            self.dead = True

    def cut(self, rng):
        """After power_off(): the medium as one finds it; power is back."""
        with self.lock:
            how = rng.choice(["none", "all", "prefix", "some", "torn", "torn"])
            nr = len(self.pending)
            prefix = rng.randrange(nr + 1)
            chance = rng.choice([0.1, 0.5, 0.9])
            lost = 0
            for i, (at, data, sure) in enumerate(self.pending):
                if sure or how == "all" or (how == "prefix" and i < prefix) or \
                        (how == "some" and rng.random() < chance):
                    self.medium[at:at + len(data)] = data
                elif how == "torn":
                    self._tear(at, data, chance, rng)
                else:
                    lost += 1
            self.pending = []
            self.view = bytearray(self.medium)
            self.dead = False
        return f"{how}, {nr} not flushed, {lost} lost"

    def _tear(self, at, data, chance, rng):
        for off in range(0, len(data), SECTOR):
            if at + off < 4096:
                if off == 0 and rng.random() < chance:
                    self.medium[at:at + min(len(data), 4096)] = data[:4096]
            elif rng.random() < chance:
                self.medium[at + off:at + off + SECTOR] = \
                    data[off:off + SECTOR]

    def store(self, path):
        """What is on the medium, as a file with holes."""
        with self.lock, open(path, "wb") as f:
            zero = bytes(1 << 16)
            for at in range(0, len(self.medium), 1 << 16):
                piece = self.medium[at:at + (1 << 16)]
                if piece != zero:
                    f.seek(at)
                    f.write(piece)
            f.truncate(len(self.medium))

    # -- NBD --------------------------------------------------------------

    def _serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with conn:
                try:
                    self._greet(conn)
                    while self._request(conn):
                        pass
                except (ConnectionError, struct.error):
                    pass

    @staticmethod
    def _get(conn, n):
        data = bytearray()
        while len(data) < n:
            piece = conn.recv(n - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return bytes(data)

    def _greet(self, conn):
        """Fixed newstyle; options but GO and EXPORT_NAME are refused."""
        conn.sendall(struct.pack(">QQH", MAGIC, OPT_MAGIC, 1))
        self._get(conn, 4)
        while True:
            _, opt, n = struct.unpack(">QII", self._get(conn, 16))
            self._get(conn, n)
            if opt == 1:
                conn.sendall(struct.pack(">QH124x", len(self.view), FLAGS))
                return
            if opt in (6, 7):
                info = struct.pack(">HQH", 0, len(self.view), FLAGS)
                conn.sendall(struct.pack(">QIII", REPLY_MAGIC, opt, 3,
                                         len(info)) + info +
                             struct.pack(">QIII", REPLY_MAGIC, opt, 1, 0))
                if opt == 7:
                    return
            else:
                conn.sendall(struct.pack(">QIII", REPLY_MAGIC, opt,
                                         0x80000001, 0))

    def _request(self, conn):
        _, flags, kind, cookie, at, n = struct.unpack(
            ">IHHQQI", self._get(conn, 28))
        data = self._get(conn, n) if kind == WRITE else b""
        with self.lock:
            if self.dead or kind == DISC:
                return False
            if kind == READ:
                data = bytes(self.view[at:at + n])
            elif kind in (WRITE, ZEROES):
                self._write(at, data or bytes(n), bool(flags & FUA))
            elif kind == FLUSH:
                self._flush()
        conn.sendall(struct.pack(">IIQ", 0x67446698, 0, cookie) +
                     (data if kind == READ else b""))
        return True

    def _write(self, at, data, fua):
        self.view[at:at + len(data)] = data
        self.pending.append((at, data, fua))
        self.writes += 1
        self.fuas += fua

    def _flush(self):
        for at, data, _ in self.pending:
            self.medium[at:at + len(data)] = data
        self.pending = []
        self.flushes += 1


def seeded(seed):
    return random.Random(seed)
