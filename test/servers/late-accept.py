"""A unix server that accepts late, and sockets of another process before it at the same addresses.

late-accept.py PATH ROUNDS: prints `ready SERVER CLIENT` (process IDs); at a line on stdin the client asks ROUNDS times,
each time over a connection that is accepted after the request was sent, and after a third process has opened and closed
connections of its own: the kernel gives their memory to the next sockets. Prints `done`.
"""
import os
import socket
import sys
import time

path, rounds = sys.argv[1], int(sys.argv[2])
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def listen(at):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(at)
    listener.listen()
    return listener


def connect(at):
    client = socket.socket(socket.AF_UNIX)
    client.connect(at)
    return client


def serve():
    listener = listen(path)
    while True:
        time.sleep(0.02)
        connection = listener.accept()[0]
        while connection.recv(4096):
            connection.sendall(RESPONSE)
        connection.close()


def use_memory():
    at = f"{path}.{os.getpid()}"
    listener = listen(at)
    pairs = [(connect(at), listener.accept()[0]) for _ in range(20)]
    for pair in pairs:
        for end in pair:
            end.close()
    os.unlink(at)


def forked(run):
    pid = os.fork()
    if pid:
        return pid
    run()
    os._exit(0)


os.sched_setaffinity(0, {0})
server = forked(serve)
while not os.path.exists(path):
    time.sleep(0.01)
print(f"ready {server} {os.getpid()}", flush=True)
sys.stdin.readline()
for i in range(rounds):
    os.waitpid(forked(use_memory), 0)
    client = connect(path)
    client.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i)
    client.recv(4096)
    client.close()
print("done", flush=True)
os.kill(server, 9)
