# SPDX-License-Identifier: MIT
"""tests/qemu/netpeer.py - the host's side of network tests.

A Peer is servers on ports of the host's loopback, which a guest with QEMU's user
network reaches at 10.0.2.2: HTTP with GET of bytes that everybody can compute, and
PUT, of which it keeps the checksum; echo over TCP and over UDP.  `forward()` gives a
free port for hostfwd=.
"""
import hashlib
import http.server
import socket
import socketserver
import threading

HOST = "10.0.2.2"       # what the guest calls it
BLOCK = hashlib.sha256(b"antler").digest() * 2048       # 64 KiB


def body(nr_blocks):
    """@nr_blocks blocks of 64 KiB, each another one."""
    return b"".join(i.to_bytes(4, "big") + BLOCK[4:] for i in range(nr_blocks))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def forward():
    """A port of the host's that is free just now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        data = body(int(self.path.strip("/")))
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        digest = hashlib.sha256()
        while left:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                break
            digest.update(piece)
            left -= len(piece)
        answer = digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PUT

    def log_message(self, *_):
        pass


class HttpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass            # a guest may go away in the middle


class Peer:
    def __init__(self):
        self.http = HttpServer(("127.0.0.1", 0), Http)
        self.tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        for run in (self.http.serve_forever, self.serve_tcp, self.serve_udp):
            threading.Thread(target=run, daemon=True).start()

    http_port = property(lambda self: self.http.server_address[1])
    tcp_port = property(lambda self: self.tcp.getsockname()[1])
    udp_port = property(lambda self: self.udp.getsockname()[1])

    def url(self, nr_blocks):
        return f"http://{HOST}:{self.http_port}/{nr_blocks}"

    def serve_tcp(self):
        while True:
            try:
                conn, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(conn,),
                             daemon=True).start()

    @staticmethod
    def echo(conn):
        with conn:
            try:
                while data := conn.recv(65536):
                    conn.sendall(data)
            except OSError:
                pass

    def serve_udp(self):
        while True:
            try:
                data, where = self.udp.recvfrom(65536)
                self.udp.sendto(data, where)
            except OSError:
                return

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.tcp.close()
        self.udp.close()
