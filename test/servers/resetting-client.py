"""
Asks for a page on a connection of its own COUNT times, each reset at once when the answer is there, or `soon`: up to 300
microseconds after the request. resetting-client.py PORT COUNT [soon] [tls]
"""
import socket
import ssl
import struct
import sys
import time

RESET = struct.pack("ii", 1, 0)


def receive_answer(connection):
    answer = b""
    while not answer.endswith(b"\n\n"):
        answer += connection.recv(4096)


def spin(microseconds):
    end = time.perf_counter_ns() + 1000 * microseconds
    while time.perf_counter_ns() < end:
        pass


context = ssl._create_unverified_context() if "tls" in sys.argv else None
for n in range(int(sys.argv[2])):
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    if context:
        connection = context.wrap_socket(connection)
    connection.sendall(f"GET /hello?n={n} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    if "soon" in sys.argv:
        spin(n * 37 % 300)
    else:
        receive_answer(connection)
    connection.close()
