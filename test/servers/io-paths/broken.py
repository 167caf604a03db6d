"""Connections that are reset in the middle of a message; after each the same exchange goes well."""
import os
import socket
import struct

from wire import ROUNDS, connect, count, exactly, in_child, listen, report, request, response, wait_for

BODY = b"b" * 5000


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def take(connection, size):
    return exactly(socket.socket.recv, connection, size)


def conversation(serve, ask):
    """Both sides get a connection and a function that waits until the other side has come as far."""
    listener = listen()
    ours, theirs = socket.socketpair()

    def meet(side):
        side.send(b".")
        side.recv(1)

    def server():
        for _ in range(ROUNDS):
            serve(listener.accept()[0], lambda: meet(theirs))

    child = in_child(server)
    for _ in range(ROUNDS):
        ask(connect(listener), lambda: meet(ours))
    wait_for(child)


def cut_request(uri, size):
    """The client resets after `size` bytes of its request, which the server has read."""
    sent = request(uri, BODY)[:size]

    def serve(connection, meet):
        take(connection, size)
        meet()
        meet()
        try:
            connection.recv(1)
        except ConnectionResetError:
            pass
        connection.close()

    def ask(connection, meet):
        connection.sendall(sent)
        meet()
        reset(connection)
        meet()

    conversation(serve, ask)


def cut_response(uri, size):
    """The server resets after `size` bytes of its response, which the client has read."""
    sent, answered = request(uri), response(BODY)[:size]

    def serve(connection, meet):
        take(connection, len(sent))
        connection.sendall(answered)
        meet()
        reset(connection)
        meet()

    def ask(connection, meet):
        connection.sendall(sent)
        take(connection, size)
        meet()
        meet()
        try:
            connection.recv(1)
        except ConnectionResetError:
            pass
        connection.close()
        if size > 100:
            count(uri, 1, len(sent), size)

    conversation(serve, ask)


def whole(uri):
    def serve(connection, meet):
        take(connection, len(request(uri)))
        connection.sendall(response(BODY))
        meet()
        connection.close()

    def ask(connection, meet):
        connection.sendall(request(uri))
        take(connection, len(response(BODY)))
        meet()
        connection.close()
        count(uri, 1, len(request(uri)), len(response(BODY)))

    conversation(serve, ask)


cut_request("/cut-request-head", 30)
whole("/after-request-head")
cut_request("/cut-request-body", 3000)
whole("/after-request-body")
cut_response("/cut-response-head", 20)
whole("/after-response-head")
cut_response("/cut-response-body", 3000)
whole("/after-response-body")
report()
os._exit(0)
