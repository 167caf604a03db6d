"""Prints the datagrams of a log: datagrams.py PORT, of UDP. Its buffer is larger than what a server logs in a row."""
import socket
import sys

SO_RCVBUFFORCE = 33

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
receiver.bind(("127.0.0.1", int(sys.argv[1])))
print("ready")
while True:
    print(receiver.recv(65536).decode("latin-1").rstrip("\n"))
