"""1 GiB up, 1 GiB down, then 64 MiB down at leisure, behind a head of 1 KiB.

Prints `ready`, and for each line on stdin does the next of the three and prints what moved.
"""
import json
import os
import socket
import sys
import time

from wire import connect, in_child, listen, wait_for

SIZE = 1 << 30
PART = bytes(1 << 20)
UP = b"PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % SIZE
DOWN = b"GET /down HTTP/1.1\r\nHost: a\r\n\r\n"
STORED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
FOUND = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE
LEISURE = 64 << 20
PACED = b"HTTP/1.1 200 OK\r\nX-Long: %s\r\nContent-Length: %d\r\n\r\n" % (b"l" * 1024, LEISURE)

buffer = bytearray(1 << 20)


def pour(connection, head, size=SIZE, pause=0):
    connection.sendall(head)
    for _ in range(size // len(PART)):
        connection.sendall(PART)
        time.sleep(pause)


def drain(connection, size):
    while size:
        got = connection.recv_into(buffer, min(size, len(buffer)))
        assert got > 0
        size -= got


def serve():
    connection, _ = listener.accept()
    drain(connection, len(UP) + SIZE)
    connection.sendall(STORED)
    drain(connection, len(DOWN))
    pour(connection, FOUND)
    drain(connection, len(DOWN))
    pour(connection, PACED, LEISURE, 0.005)


def upload(client):
    pour(client, UP)
    drain(client, len(STORED))
    return {"requestBytes": len(UP) + SIZE, "responseBytes": len(STORED)}


def download(client):
    client.sendall(DOWN)
    drain(client, len(FOUND) + SIZE)
    return {"requestBytes": len(DOWN), "responseBytes": len(FOUND) + SIZE}


def download_at_leisure(client):
    client.sendall(DOWN)
    drain(client, len(PACED) + LEISURE)
    return {"requestBytes": len(DOWN), "responseBytes": len(PACED) + LEISURE}


listener = listen()
server = in_child(serve)
print("ready", flush=True)
with connect(listener) as client:
    for step in (upload, download, download_at_leisure):
        sys.stdin.readline()
        print(json.dumps(step(client)), flush=True)
wait_for(server)
sys.stdin.readline()
