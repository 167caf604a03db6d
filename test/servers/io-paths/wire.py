"""What the programs of test/e2e/io-paths.test.ts share: messages, and a client and a server in two processes.

A program runs its scenarios one after the other, each with a URI of its own, and prints as one line of JSON what its
clients have sent and received: {"/uri": {"requests": …, "requestBytes": …, "responseBytes": …}}.
"""
import json
import os
import socket
import traceback

ROUNDS = 13

counts = {}


def request(uri, body=b"", headers=b""):
    return b"POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s" % (uri.encode(), headers, len(body), body)


def response(body=b"", status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def chunked(start, body, size):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in pieces(body, size))
    return start + b"\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def exactly(receive, connection, size):
    """Calls `receive(connection, n)` until it has brought `size` bytes."""
    data = b""
    while len(data) < size:
        part = receive(connection, size - len(data))
        if not part:
            raise EOFError(f"{size - len(data)} bytes are missing")
        data += part
    return data


def count(uri, requests, request_bytes, response_bytes):
    total = counts.setdefault(uri, {"requests": 0, "requestBytes": 0, "responseBytes": 0})
    total["requests"] += requests
    total["requestBytes"] += request_bytes
    total["responseBytes"] += response_bytes


def in_child(work):
    """Runs `work` in a process of its own and answers its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def wait_for(child):
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise ChildProcessError("a server of this test has failed")


def listen():
    return socket.create_server(("127.0.0.1", 0), backlog=256)


def connect(listener):
    connection = socket.create_connection(listener.getsockname())
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return connection


def exchange(uri, connection, sent, expected, send=socket.socket.sendall, receive=socket.socket.recv):
    """One exchange of a client."""
    send(connection, sent)
    assert exactly(receive, connection, len(expected)) == expected
    count(uri, 1, len(sent), len(expected))


def answer(connection, expected, sent, send=socket.socket.sendall, receive=socket.socket.recv):
    """One exchange of a server."""
    assert exactly(receive, connection, len(expected)) == expected
    send(connection, sent)


def converse(uri, sent, answered, send=socket.socket.sendall, receive=socket.socket.recv, rounds=ROUNDS):
    """`rounds` exchanges on one connection, both sides with the same calls."""
    listener = listen()

    def serve():
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        for _ in range(rounds):
            answer(connection, sent, answered, send, receive)
        connection.recv(1)

    server = in_child(serve)
    with connect(listener) as connection:
        for _ in range(rounds):
            exchange(uri, connection, sent, answered, send, receive)
    wait_for(server)
    listener.close()


def report():
    print(json.dumps(counts), flush=True)
