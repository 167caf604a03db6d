"""blocking-server.py BYTES: answers each request by one blocking send of a body in one chunk, and tells how long it took.

Prints `ready PORT`, and for each answer `took NANOSECONDS`, measured around the call, and `sent BYTES`.
"""
import socket
import sys
import time

size = int(sys.argv[1])
chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)
response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
listener = socket.create_server(("127.0.0.1", 0))
print(f"ready {listener.getsockname()[1]}", flush=True)
while True:
    connection = listener.accept()[0]
    while connection.recv(4096):
        before = time.monotonic_ns()
        sent = connection.send(response)
        after = time.monotonic_ns()
        print(f"took {after - before}\nsent {sent}", flush=True)
    connection.close()
