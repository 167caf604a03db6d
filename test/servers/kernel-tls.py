"""HTTP over sockets whose TLS the kernel does (kTLS), with keys that both ends have: no library is called.

Usage: kernel-tls.py COUNT. Prints `ready PORT`; for each line of stdin, COUNT GETs over a connection of its own, then
`done` and how many bytes the calls of the server have moved since. The client is a process of its own.
"""

import os
import socket
import struct
import sys

TCP_ULP, SOL_TLS, TLS_TX, TLS_RX = 31, 282, 1, 2
TLS_1_2, AES_GCM_128 = 0x0303, 51
REQUEST = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


def encrypt(connection, sends, receives):
    connection.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
    for direction, key in ((TLS_TX, sends), (TLS_RX, receives)):
        # struct tls12_crypto_info_aes_gcm_128: iv, key, salt, sequence number
        info = struct.pack("=HH8s16s4s8s", TLS_1_2, AES_GCM_128, bytes(8), key * 16, bytes(4), bytes(8))
        connection.setsockopt(SOL_TLS, direction, info)


def client(port, count, start):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        encrypt(connection, b"c", b"s")
        os.read(start, 1)
        for _ in range(count):
            connection.sendall(REQUEST)
            if connection.recv(4096) != RESPONSE:
                sys.exit("another answer")


def serve(connection):
    moved = 0
    while data := connection.recv(4096):
        connection.sendall(RESPONSE)
        moved += len(data) + len(RESPONSE)
    return moved


listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
start, go = os.pipe()
if os.fork() == 0:
    while True:
        client(port, int(sys.argv[1]), start)
connection, _ = listener.accept()
encrypt(connection, b"s", b"c")
print(f"ready {port}", flush=True)
for line in sys.stdin:
    os.write(go, b"1")
    print("done", serve(connection), flush=True)
    connection.close()
    connection, _ = listener.accept()
    encrypt(connection, b"s", b"c")
