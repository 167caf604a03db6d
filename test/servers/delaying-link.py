"""A link with delay and loss between two network interfaces: what comes in on one goes out on the other later, or not.

delaying-link.py IN OUT DELAY_MS LOSE_EVERY: each frame takes DELAY_MS, and of those from IN to OUT that carry at least
100 bytes of TCP payload each LOSE_EVERYth is lost (0: none). Says `ready`, and at the end of its input how many
it forwarded and lost.
"""
import heapq
import os
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
PACKET_OUTGOING = 4


def open_link(name):
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    link.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    link.bind((name, 0))
    link.setblocking(False)
    return link


def tcp_payload_bytes(frame):
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return 0
    ip_header = (frame[14] & 15) * 4
    return int.from_bytes(frame[16:18], "big") - ip_header - (frame[14 + ip_header + 12] >> 4) * 4


def arrival(ancillary):
    """When the kernel got the frame, in seconds; the delay counts from there."""
    seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
    return seconds + nanoseconds / 1e9


def main():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))  # the delay is that which was set, on a busy machine too
    near, far = open_link(sys.argv[1]), open_link(sys.argv[2])
    delay, lose_every = float(sys.argv[3]) / 1000, int(sys.argv[4])
    queue, order, carriers, forwarded, lost = [], 0, 0, 0, 0
    print("ready", flush=True)
    while True:
        wait = max(0, queue[0][0] - time.time()) if queue else None
        readable, _, _ = select.select([near, far, sys.stdin], [], [], wait)
        if sys.stdin in readable:
            break
        for link in (near, far):
            while link in readable:
                try:
                    frame, ancillary, _, address = link.recvmsg(65536, 64)
                except BlockingIOError:
                    break
                if address[2] == PACKET_OUTGOING:
                    continue
                if link is near and tcp_payload_bytes(frame) >= 100:
                    carriers += 1
                    if lose_every and carriers % lose_every == 0:
                        lost += 1
                        continue
                order += 1
                heapq.heappush(queue, (arrival(ancillary) + delay, order, far if link is near else near, frame))
        while queue and queue[0][0] <= time.time():
            _, _, link, frame = heapq.heappop(queue)
            link.send(frame)
            forwarded += 1
    print("forwarded", forwarded, "lost", lost, flush=True)


main()
