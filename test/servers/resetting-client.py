"""Asks for a page on a connection of its own COUNT times, each reset at once when the answer is there: PORT COUNT."""
import socket
import struct
import sys

RESET = struct.pack("ii", 1, 0)

for n in range(int(sys.argv[2])):
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.sendall(f"GET /hello?n={n} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"\n\n"):
        answer += connection.recv(4096)
    connection.close()
