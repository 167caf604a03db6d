"""A threaded server from Python's standard library, with its own counters.

Prints `ready PORT`. Each line `counters` on stdin is answered with what it served, as one line of JSON.
"""
import collections
import http.server
import io
import json
import os
import socket
import socketserver
import sys
import threading
import time

exchanges = collections.Counter()
moved = collections.Counter()
lock = threading.Lock()


class CountedSocket:
    """Passes everything on to the socket and counts the bytes."""

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def recv_into(self, buffer):
        size = self.connection.recv_into(buffer)
        with lock:
            moved["requestBytes"] += size
        return size

    def send(self, data):
        size = self.connection.send(data)
        with lock:
            moved["responseBytes"] += size
        return size


class Reader(io.RawIOBase):
    def __init__(self, counted):
        self.counted = counted

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.counted.recv_into(buffer)


class Writer:
    def __init__(self, counted):
        self.counted = counted
        self.closed = False

    def write(self, data):
        rest = memoryview(data)
        while rest:
            rest = rest[self.counted.send(rest):]

    def flush(self):
        pass

    def close(self):
        self.closed = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.connection = self.request
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        counted = CountedSocket(self.request)
        self.rfile = io.BufferedReader(Reader(counted))
        self.wfile = Writer(counted)

    def answer(self, status, body):
        with lock:
            exchanges[f"{self.command} {self.path.split('?')[0]} {status}"] += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith("/status/"):
            self.answer(int(path.split("/")[2]), b"")
        elif path.startswith("/size/"):
            self.answer(200, b"x" * int(path.split("/")[2]))
        elif path == "/hello":
            self.answer(200, b"Hello from the server.\n\n")
        else:
            self.answer(404, b"no such route\n")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, f"{len(body)}\n".encode())

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"ready {server.server_address[1]}", flush=True)
for line in sys.stdin:
    if line.strip() == "counters":
        time.sleep(0.05)  # a thread counts just after its client has the bytes
        with lock:
            print(json.dumps({"exchanges": exchanges, **moved}), flush=True)
os._exit(0)
