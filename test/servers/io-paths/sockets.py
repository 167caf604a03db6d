"""Each scenario comes to its socket, or shares it, in another way."""
import array
import os
import socket
import struct
import sys
import tempfile
import threading

from wire import ROUNDS, answer, connect, count, exactly, exchange, in_child, listen, report, request, response, wait_for

ANSWER = response(b"from whoever has the socket")


def uris(name):
    return [f"/{name}/{round}" for round in range(ROUNDS)]


def serve_all(connection, name):
    for uri in uris(name):
        answer(connection, request(uri), ANSWER)


def ask_all(connection, name):
    for uri in uris(name):
        exchange(uri, connection, request(uri), ANSWER)


def accept(listener):
    return listener.accept()[0]


def passed_on():
    """The first request is read by the process that accepts; then another gets the connection and serves the rest."""
    listener = listen()
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    first, *rest = uris("passed-on")

    def work():
        _, [(_, _, descriptor)], _, _ = there.recvmsg(1, socket.CMSG_SPACE(4))
        connection = socket.socket(fileno=struct.unpack("i", descriptor)[0])
        for uri in rest:
            answer(connection, request(uri), ANSWER)

    def serve():
        connection = accept(listener)
        answer(connection, request(first), ANSWER)
        fds = array.array("i", [connection.fileno()])
        here.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])

    children = [in_child(work), in_child(serve)]
    with connect(listener) as connection:
        ask_all(connection, "passed-on")
    for child in children:
        wait_for(child)


def inherited_over_exec():
    """After its first answer the server becomes another program, which finds the connection open."""
    listener = listen()
    first = uris("exec")[0]

    def serve():
        connection = accept(listener)
        answer(connection, request(first), ANSWER)
        connection.set_inheritable(True)
        os.execv(sys.executable, [sys.executable, __file__, "serve", str(connection.fileno())])

    server = in_child(serve)
    with connect(listener) as connection:
        ask_all(connection, "exec")
    wait_for(server)


def duplicated():
    """Read from one descriptor, written to a second; the first is closed and made again in between."""
    listener = listen()

    def serve():
        source = accept(listener)
        sink = source.dup()
        for uri in uris("dup"):
            assert exactly(socket.socket.recv, source, len(request(uri))) == request(uri)
            sink.sendall(ANSWER)
            source.close()
            source = sink.dup()

    server = in_child(serve)
    with connect(listener) as connection:
        ask_all(connection, "dup")
    wait_for(server)


def threads_at_once():
    """On both sides one thread reads while another writes, on the same socket, in a pipeline."""
    listener = listen()
    total = 211
    sent = [request(f"/threads/{i % ROUNDS}") for i in range(total)]

    def serve():
        connection = accept(listener)
        arrived = threading.Semaphore(0)

        def write():
            for _ in sent:
                arrived.acquire()
                connection.sendall(ANSWER)

        writer = threading.Thread(target=write)
        writer.start()
        for message in sent:
            assert exactly(socket.socket.recv, connection, len(message)) == message
            arrived.release()
        writer.join()

    server = in_child(serve)
    with connect(listener) as connection:
        writer = threading.Thread(target=lambda: [connection.sendall(message) for message in sent])
        writer.start()
        for i, message in enumerate(sent):
            assert exactly(socket.socket.recv, connection, len(ANSWER)) == ANSWER
            count(f"/threads/{i % ROUNDS}", 1, len(message), len(ANSWER))
        writer.join()
    wait_for(server)


def numbers_used_again():
    """One connection after the other, and each gets the descriptor of the one before."""
    listener = listen()
    path = os.path.join(tempfile.mkdtemp(), "socket")
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(path)
    unix.listen()

    def serve():
        for uri in uris("again"):
            for source in (listener, unix):
                with accept(source) as connection:
                    answer(connection, request(uri), ANSWER)

    def ask(connection, uri):
        with connection:
            exchange(uri, connection, request(uri), ANSWER)
        return connection

    server = in_child(serve)
    for uri in uris("again"):
        ask(connect(listener), uri)
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        ask(client, uri)
    wait_for(server)
    os.unlink(path)
    os.rmdir(os.path.dirname(path))


def pair_of_unix_sockets():
    """socketpair(2): neither end has a name."""
    here, there = socket.socketpair()
    server = in_child(lambda: serve_all(there, "pair"))
    ask_all(here, "pair")
    wait_for(server)


def sharing_a_port():
    """Three processes with a listening socket each, on one port (SO_REUSEPORT)."""

    def listening(port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        return listener

    listeners = [listening(0)]
    listeners += [listening(listeners[0].getsockname()[1]) for _ in range(2)]
    prefork("reuseport", listeners)


def sharing_a_listener():
    """Three processes that accept from one listening socket."""
    prefork("prefork", [listen()] * 3)


def prefork(name, listeners):
    connections = [connect(listeners[0]) for _ in range(31)]

    def serve(listener):
        listener.settimeout(0.2)
        while True:
            try:
                connection = accept(listener)
            except TimeoutError:
                return
            connection.settimeout(None)
            serve_all(connection, name)
            connection.close()

    children = [in_child(lambda listener=listener: serve(listener)) for listener in listeners]
    for connection in connections:
        with connection:
            ask_all(connection, name)
    for child in children:
        wait_for(child)


def not_asked_for():
    """HTTP in datagrams is none."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(udp.getsockname())
    for source, sink in ((here, there), (sender, udp)):
        source.send(request("/datagram"))
        assert sink.recv(4096) == request("/datagram")


if sys.argv[1:2] == ["serve"]:
    inherited = socket.socket(fileno=int(sys.argv[2]))
    for uri in uris("exec")[1:]:
        answer(inherited, request(uri), ANSWER)
    sys.exit()
for scenario in (
    passed_on, inherited_over_exec, duplicated, threads_at_once, numbers_used_again, pair_of_unix_sockets,
    sharing_a_port, sharing_a_listener, not_asked_for,
):
    scenario()
report()
