"""Plain sockets, no HTTP library: sockets.py bytes|pipeline|close10|keep10|half-close|resume10|gnutls BASE COUNT [BEFORE].

Prints a line for each exchange, with its bytes. With resume10 a new connection resumes the TLS session of the last.
With gnutls that library does the TLS. `pipeline` and `gnutls`, with BEFORE, do as many requests before those on the same
connection, and then read `pipe` to its end.
"""
import socket
import ssl
import sys
import urllib.parse

mode, base, count = sys.argv[1], urllib.parse.urlsplit(sys.argv[2]), int(sys.argv[3])
before = int(sys.argv[4]) if len(sys.argv) > 4 else 0
context = ssl._create_unverified_context() if base.scheme == "https" else None
PATHS = ["/small.txt", "/page.html", "/missing", "/large.bin", "/empty.txt"]
VERSION, FIELDS = {
    "close10": ("1.0", ""),
    "resume10": ("1.0", ""),
    "keep10": ("1.0", "Connection: keep-alive\r\n"),
    "half-close": ("1.1", "Connection: close\r\n"),
}.get(mode, ("1.1", ""))


class Connection:
    def __init__(self, last=None):
        self.socket = socket.create_connection((base.hostname, base.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""
        if mode == "gnutls":
            from gnutls import GnuTls  # which not every machine has
            self.socket = GnuTls(self.socket)
        elif context:
            self.socket = context.wrap_socket(self.socket, session=last and last.socket.session)

    def more(self):
        data = self.socket.recv(65536)
        self.unread += data
        return bool(data)

    def response(self):
        """Status and size of the next one; it has no chunk extensions or trailers."""
        while b"\r\n\r\n" not in self.unread:
            if not self.more():
                sys.exit(f"the connection ended after {self.unread!r}")
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        status, length = int(lines[0].split(" ")[1]), fields.get("content-length")
        version = min(VERSION, lines[0][5:8])
        self.is_open = fields.get("connection", "close" if version == "1.0" else "keep-alive") != "close"
        if fields.get("transfer-encoding") == "chunked":
            body = self.chunks()
        elif length is None:
            while self.more():
                pass
            body, self.is_open = self.take(len(self.unread)), False
        else:
            body = self.take(int(length))
        return status, len(head) + 4 + body

    def take(self, size):
        while len(self.unread) < size:
            if not self.more():
                sys.exit(f"the connection ended in a body: {len(self.unread)} of {size} bytes")
        self.unread = self.unread[size:]
        return size

    def chunks(self):
        total, size = 0, None
        while size != 0:
            while b"\r\n" not in self.unread:
                self.more()
            line = self.unread.split(b"\r\n", 1)[0]
            size = int(line, 16)
            total += self.take(len(line) + 2 + size + 2)
        return total


def request_of(number, suffix=""):
    uri = f"{PATHS[number % len(PATHS)]}?n={number}{suffix}"
    return uri, f"GET {uri} HTTP/{VERSION}\r\nHost: 127.0.0.1\r\n{FIELDS}\r\n".encode()


def tell(uri, request, response):
    status, size = response
    print(f"GET\t{uri}\t{status}\t{len(request)}\t{size}")


def one_by_one(send, count, suffix="", connection=None):
    resumed = 0
    for number in range(count):
        if connection is None or not connection.is_open:
            connection = Connection(last=connection if mode == "resume10" else None)
            resumed += mode == "resume10" and connection.socket.session_reused
        uri, request = request_of(number, suffix)
        send(connection.socket, request)
        tell(uri, request, connection.response())
        if mode in ("close10", "resume10", "half-close") and connection.more():
            sys.exit(f"more than a response: {connection.unread!r}")
    if mode == "resume10" and resumed < count - 1:
        sys.exit(f"only {resumed} of {count} connections resumed a session")
    return connection


def send_bytes(to, request):
    for at in range(len(request)):
        to.send(request[at:at + 1])


def send_and_shut(to, request):
    to.sendall(request)
    to.shutdown(socket.SHUT_WR)


def pipeline(connection, count, suffix=""):
    for first in range(0, count, 7):
        batch = [request_of(number, suffix) for number in range(first, min(first + 7, count))]
        connection.socket.sendall(b"".join(request for _, request in batch))
        for uri, request in batch:
            tell(uri, request, connection.response())


def send_whole(to, request):
    to.sendall(request)


if mode == "pipeline":
    connection = Connection()
    if before:
        pipeline(connection, before, "&before")
        open("pipe").read()
    pipeline(connection, count)
else:
    send = {"bytes": send_bytes, "half-close": send_and_shut}.get(mode, send_whole)
    connection = one_by_one(send, before, "&before") if before else None
    if before:
        open("pipe").read()
    one_by_one(send, count, connection=connection)
