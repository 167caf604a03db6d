"""A client that shuts its side down after the request and reads the answer only when the server has closed, seven times."""

import os
import socket
import time

ROUNDS = 7


def serve(listener):
    for _ in range(ROUNDS):
        connection, _ = listener.accept()
        while connection.recv(4096):
            pass
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        connection.close()
    os._exit(0)


listener = socket.create_server(("127.0.0.1", 0))
if os.fork() == 0:
    serve(listener)
for _ in range(ROUNDS):
    client = socket.create_connection(listener.getsockname())
    client.sendall(b"GET /half HTTP/1.1\r\nHost: a\r\n\r\n")
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.1)  # the server's FIN comes before anything is read
    while client.recv(4096):
        pass
    client.close()
os.wait()
