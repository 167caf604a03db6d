"""
An HTTPS server that answers one request of each connection and resets it up to 300 microseconds later:
resetting-server.py KEY CERT. Prints `ready PORT`.
"""
import itertools
import socket
import ssl
import struct
import sys
import threading
import time

RESET = struct.pack("ii", 1, 0)

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.maximum_version = ssl.TLSVersion.TLSv1_2  # the tickets of 1.3 would hold the answer back (Nagle) until the reset
context.load_cert_chain(sys.argv[2], sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0), backlog=128)


def serve(n):
    with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhello\n\n")
        end = time.perf_counter_ns() + 1000 * (n * 37 % 300)
        while time.perf_counter_ns() < end:
            pass


def serve_all():
    for n in itertools.count():
        serve(n)


threading.Thread(target=serve_all, daemon=True).start()
print(f"ready {listener.getsockname()[1]}", flush=True)
sys.stdin.read()
