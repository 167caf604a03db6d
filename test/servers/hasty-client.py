"""Asks twice on each connection, COUNT times, for one answer; between that it uses sockets of its own: PORT COUNT."""
import socket
import sys


def ask(n):
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    connection.sendall(f"GET /hello?n={n} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"hello\n"):
        answer += connection.recv(4096)
    connection.sendall(b"GET /in-vain HTTP/1.1\r\nHost: test\r\n\r\n")
    while connection.recv(4096):
        pass
    connection.close()


def use_sockets(listener):
    for _ in range(50):
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        ours.sendall(b"x" * 1000)
        theirs.recv(4096)
        ours.close()
        theirs.recv(4096)
        theirs.close()


with socket.create_server(("127.0.0.1", 0)) as listener:
    for n in range(int(sys.argv[2])):
        ask(n)
        use_sockets(listener)
