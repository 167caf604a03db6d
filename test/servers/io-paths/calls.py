"""Each scenario moves its messages with another kind of call."""
import ctypes
import os
import select
import socket

from wire import (
    answer, chunked, connect, converse, count, exactly, exchange, in_child, listen, pieces, report, request, response,
    wait_for,
)

libc = ctypes.CDLL(None, use_errno=True)
MSG_WAITFORONE = 0x10000
BODY = bytes(range(256)) * 12


def vectors(data, size):
    return pieces(data, size)


def send_vectors(write, size):
    """Writes `data` with vectors of `size` bytes, as often as it takes."""

    def send(connection, data):
        while data:
            data = data[write(connection, vectors(data, size)) :]

    return send


def receive_vectors(read, size):
    def receive(connection, length):
        buffers = [bytearray(size) for _ in range(min(1024, -(-length // size)))]
        got = read(connection, buffers)
        return b"".join(buffers)[:got]

    return receive


def writev(connection, buffers):
    return os.writev(connection.fileno(), buffers[:1024])


def readv(connection, buffers):
    return os.readv(connection.fileno(), buffers)


def sendmsg(connection, buffers):
    return connection.sendmsg(buffers[:1024])


def recvmsg(connection, buffers):
    return connection.recvmsg_into(buffers)[0]


def read_after_peek(connection, length):
    seen = connection.recv(length, socket.MSG_PEEK)
    got = connection.recv(len(seen))
    assert got == seen
    return got


def send_short(connection, data):
    """A small buffer and no waiting: most sends take only a part."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    connection.setblocking(False)
    while data:
        try:
            data = data[connection.send(data) :]
        except BlockingIOError:
            select.select([], [connection], [])
    connection.setblocking(True)


def receive_without_waiting(connection, length):
    connection.setblocking(False)
    try:
        return connection.recv(length)
    except BlockingIOError:
        select.select([connection], [], [])
        return connection.recv(length)
    finally:
        connection.setblocking(True)


def send_bytes_one_by_one(connection, data):
    for byte in pieces(data, 1):
        connection.send(byte)


def send_file(connection, data):
    """The head with send, the rest with sendfile."""
    head, body = data.split(b"\r\n\r\n", 1)
    connection.send(head + b"\r\n\r\n", socket.MSG_MORE)
    file = os.memfd_create("body")
    os.write(file, body)
    sent = 0
    while sent < len(body):
        sent += os.sendfile(connection.fileno(), file, sent, len(body) - sent)
    os.close(file)


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_long),
        ("length", ctypes.c_uint),
    ]


def messages_of(buffers):
    """A message for each of the buffers, which must outlive them."""
    size = ctypes.sizeof
    vectors = (Vector * len(buffers))(*[(ctypes.addressof(buffer), size(buffer)) for buffer in buffers])
    at = ctypes.addressof(vectors)
    messages = (Message * len(buffers))(*[(None, 0, at + i * size(Vector), 1) for i in range(len(buffers))])
    messages.vectors = vectors  # so that they live as long
    return messages


def send_messages(connection, data):
    """sendmmsg with up to 1,000 messages of 5 bytes."""
    while data:
        buffers = [ctypes.create_string_buffer(part, len(part)) for part in pieces(data, 5)[:1000]]
        messages = messages_of(buffers)
        sent = libc.sendmmsg(connection.fileno(), messages, len(messages), 0)
        assert sent > 0
        data = data[sum(message.length for message in messages[:sent]) :]


def receive_messages(connection, _):
    buffers = [ctypes.create_string_buffer(7) for _ in range(200)]
    messages = messages_of(buffers)
    got = libc.recvmmsg(connection.fileno(), messages, len(messages), MSG_WAITFORONE, None)
    assert got > 0
    return b"".join(buffer.raw[: message.length] for buffer, message in zip(buffers[:got], messages))


def discard_bodies():
    """The server reads heads, and has the kernel throw the bodies away (tcp(7), MSG_TRUNC)."""
    uri, body = "/msg-trunc", BODY * 20
    sent, answered = request(uri, body), response(b"gone")
    listener = listen()

    def serve():
        connection, _ = listener.accept()
        for _ in range(13):
            exactly(socket.socket.recv, connection, len(sent) - len(body))
            left = len(body)
            while left:
                left -= connection.recv_into(bytearray(left), left, socket.MSG_TRUNC)
            connection.sendall(answered)

    server = in_child(serve)
    with connect(listener) as connection:
        for _ in range(13):
            exchange(uri, connection, sent, answered)
    wait_for(server)


def splice_all(source, sink, length):
    """Moves bytes from socket to socket through a pipe; no process ever has them."""
    into, out_of = os.pipe()
    while length:
        moved = os.splice(source.fileno(), out_of, min(length, 65536))
        length -= moved
        while moved:
            moved -= os.splice(into, sink.fileno(), moved)
    os.close(into)
    os.close(out_of)


def splicing_proxy():
    """Client → proxy → server: the proxy reads heads, and splices the bodies of both directions."""
    uri, body = "/splice", BODY * 100
    sent, answered = request(uri, body), response(body)
    front, back = listen(), listen()

    def proxy():
        client, _ = front.accept()
        server = connect(back)
        for _ in range(13):
            for source, sink, message in ((client, server, sent), (server, client, answered)):
                sink.sendall(exactly(socket.socket.recv, source, len(message) - len(body)))
                splice_all(source, sink, len(body))

    def serve():
        connection, _ = back.accept()
        for _ in range(13):
            answer(connection, sent, answered)

    children = [in_child(proxy), in_child(serve)]
    with connect(front) as connection:
        for _ in range(13):
            exchange(uri, connection, sent, answered)
            count(uri, 1, len(sent), len(answered))  # the proxy's own call of the server
    for child in children:
        wait_for(child)


def both_ways(uri, body=BODY, **calls):
    converse(uri, request(uri, body), response(body), **calls)


both_ways("/writev", send=send_vectors(writev, 61), receive=receive_vectors(readv, 47))
both_ways("/sendmsg", send=send_vectors(sendmsg, 61), receive=receive_vectors(recvmsg, 47))
both_ways("/thousand-vectors", send=send_vectors(sendmsg, 1), receive=receive_vectors(recvmsg, 1))
both_ways("/sendmmsg", send=send_messages, receive=receive_messages)
both_ways("/peek", receive=read_after_peek)
both_ways("/short-writes", BODY * 60, send=send_short, receive=receive_without_waiting)
both_ways("/one-byte-writes", b"a small body", send=send_bytes_one_by_one)
both_ways("/one-byte-reads", b"a small body", receive=lambda connection, _: connection.recv(1))
both_ways("/sendfile", BODY * 50, send=send_file)
converse(
    "/one-byte-chunks",
    chunked(b"POST /one-byte-chunks HTTP/1.1", b"twenty bytes of body", 7),
    chunked(b"HTTP/1.1 200 OK", b"twenty bytes of body", 3),
    send=send_bytes_one_by_one,
)
converse(
    "/chunks-in-vectors",
    chunked(b"POST /chunks-in-vectors HTTP/1.1", BODY * 40, 1000),
    chunked(b"HTTP/1.1 200 OK", BODY * 40, 1000),
    send=send_vectors(writev, 333),
)
discard_bodies()
splicing_proxy()
report()
