"""Servers of Python's standard library: https-server.py KEY CERT threads|asyncio

Prints `ready PORT` and answers any request without a body. Each line `counters` on stdin is answered with what it
served, as one line of JSON.
"""
import asyncio
import collections
import json
import os
import socket
import ssl
import sys
import threading
import time

key, cert, how = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
exchanges = collections.Counter()
moved = collections.Counter()
lock = threading.Lock()
body = b"Hello from Python.\n\n"
response = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def count(head):
    method, path = head.split(b" ")[:2]
    with lock:
        exchanges[f"{method.decode()} {path.decode()} 200"] += 1
        moved["requestBytes"] += len(head)
        moved["responseBytes"] += len(response)


def is_last(head):
    """HTTP/1.0 ends the connection unless it is asked not to (RFC 9112, 9.3)."""
    return b" HTTP/1.0\r\n" in head and b"keep-alive" not in head.lower()


def serve(raw):
    with context.wrap_socket(raw, server_side=True) as tls:
        pending = b""
        while data := tls.recv(4096):
            pending += data
            while b"\r\n\r\n" in pending:
                head, pending = pending.split(b"\r\n\r\n", 1)
                count(head + b"\r\n\r\n")
                tls.sendall(response)
                if is_last(head + b"\r\n"):
                    tls.settimeout(1)
                    tls.unwrap().close()  # OpenSSL takes an end without close_notify for an error
                    return


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


async def serve_stream(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            count(head)
            writer.write(response)
            await writer.drain()
            if is_last(head):
                break
    except asyncio.IncompleteReadError:
        pass
    writer.close()


async def serve_asyncio():
    server = await asyncio.start_server(serve_stream, "127.0.0.1", 0, ssl=context)
    ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def ready(port):
    print(f"ready {port}", flush=True)


if how == "threads":
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    ready(listener.getsockname()[1])
else:
    threading.Thread(target=lambda: asyncio.run(serve_asyncio()), daemon=True).start()
for line in sys.stdin:
    if line.strip() == "counters":
        time.sleep(0.05)  # it counts just before its client has the bytes
        with lock:
            print(json.dumps({"exchanges": exchanges, **moved}), flush=True)
os._exit(0)
