"""Answers and closes, a second request unread, when for TCP the connection is over: until it is ended."""
import array
import fcntl
import socket
import termios
import time

ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
TCP_CLOSE = 7


def unread_bytes(connection):
    count = array.array("i", [0])
    fcntl.ioctl(connection, termios.FIONREAD, count)
    return count[0]


def state(connection):
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def wait_for(condition):
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise TimeoutError


listener = socket.create_server(("127.0.0.1", 0))
print("ready", listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(ANSWER)
    wait_for(lambda: unread_bytes(connection) > 0)
    connection.shutdown(socket.SHUT_WR)
    wait_for(lambda: state(connection) == TCP_CLOSE)
    connection.close()
