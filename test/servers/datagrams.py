"""Sends datagrams from one UDP socket to another and counts what each has moved.

  ready PORT                what the server socket is bound to
  initials N [version]      N clients, a socket for each: a client's Initial packet (RFC 9001, A.2), answered with a
                            server's (A.3), each with ids of its own; the answer goes out twice
  short N                   N datagrams with QUIC's short header there and back, from one client
  other N                   the same with questions and answers of the DNS
  counters                  {"server": [datagrams, bytes], "client": ...}, read and written
"""

import json
import os
import socket
import sys

V1, V2 = bytes.fromhex("00000001"), bytes.fromhex("6b3343cf")
# RFC 9001, A.2 and A.3: first byte of an Initial packet; RFC 9369, A.2 and A.3
FIRST = {V1: (b"\xc0", b"\xcf"), V2: (b"\xd3", b"\xdc")}
SAMPLE = bytes.fromhex("d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd449f63300099f399")

counts = {"server": [0, 0], "client": [0, 0]}


def add(side, count):
    counts[side][0] += 1
    counts[side][1] += count


def long_header(first, version, destination, source):
    return first + version + bytes([len(destination)]) + destination + bytes([len(source)]) + source


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in range(20443, 32768):  # below those that clients get
    try:
        server.bind(("127.0.0.1", port))
        break
    except OSError:
        pass
address = server.getsockname()


def exchange(client, question, answers):
    add("client", client.sendto(question, address))
    data, peer = server.recvfrom(65536)
    add("server", len(data))
    for answer in answers:
        add("server", server.sendmsg([answer], [], 0, peer))
        add("client", client.recv_into(bytearray(65536)))


def initials(count, version=V1):
    to_server, to_client = FIRST[version]
    for _ in range(count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            chosen, own = os.urandom(8), os.urandom(8)
            question = long_header(to_server, version, chosen, b"") + b"\x00\x44\x9e" + SAMPLE
            answer = long_header(to_client, version, b"", own) + b"\x00\x40\x75" + SAMPLE
            exchange(client, question.ljust(1200, b"\x5a"), [answer, answer])


def same(count, question, answer):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _ in range(count):
            exchange(client, question, [answer])


print(f"ready {address[1]}", flush=True)
for line in sys.stdin:
    command, *rest = line.split()
    if command == "initials":
        initials(int(rest[0]), V2 if rest[1:] == ["2"] else V1)
    elif command == "short":
        same(int(rest[0]), b"\x4c\xfe\x41\x89\x65\x5e\x5c\xd5\x5c\x41\xf6\x90\x80\x57", b"\x5c\xfe\x41")
    elif command == "other":
        same(int(rest[0]), bytes.fromhex("c0000100000100000000000007"), bytes.fromhex("c00081800001000100000000"))
    elif command == "counters":
        print(json.dumps(counts), flush=True)
        continue
    print("done", flush=True)
