"""Python's http.client: client.py BASE REQUESTS.json CONNECTIONS BEFORE. Prints a line for each exchange, with its
bytes and its milliseconds. After the first BEFORE requests it reads `pipe` to its end.
"""
import http.client
import json
import socket
import ssl
import sys
import threading
import time
import urllib.parse

base, count, before = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4])
with open(sys.argv[2]) as file:
    requests = json.load(file)


class Counted:
    incoming = outgoing = 0

    def recv_into(self, *arguments):
        size = super().recv_into(*arguments)
        self.incoming += size
        return size

    def sendall(self, data, *arguments):
        super().sendall(data, *arguments)
        self.outgoing += len(data)


class CountedSocket(Counted, socket.socket):
    pass


class CountedTls(Counted, ssl.SSLSocket):
    pass


context = ssl._create_unverified_context()
context.sslsocket_class = CountedTls


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = CountedSocket()
        self.sock.connect((self.host, self.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if base.scheme == "https":
            self.sock = context.wrap_socket(self.sock)


def body_of(job):
    body = b"x" * job["bodyBytes"]
    return iter([body[:1], body[1:]]) if job.get("isChunked") else body


def work(connection, jobs):
    for job in jobs:
        if connection.sock is None:
            connection.connect()
        counted = connection.sock
        incoming, outgoing, start = counted.incoming, counted.outgoing, time.perf_counter_ns()
        body = body_of(job) if "bodyBytes" in job else None
        connection.request(job["method"], job["uri"], body, job.get("headers", {}))
        response = connection.getresponse()
        response.read()
        ms = (time.perf_counter_ns() - start) / 1e6
        sizes = f"{counted.outgoing - outgoing}\t{counted.incoming - incoming}"
        print(f"{job['method']}\t{job['uri']}\t{response.status}\t{sizes}\t{ms}\n", end="", flush=True)


def work_on_all(jobs):
    workers = [threading.Thread(target=work, args=(connection, jobs[i::count])) for i, connection in enumerate(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


connections = [Connection(base.hostname, base.port) for _ in range(count)]
if before:
    work_on_all(requests[:before])
    open("pipe").read()
work_on_all(requests[before:])
for connection in connections:
    connection.close()
