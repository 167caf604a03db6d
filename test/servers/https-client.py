"""Clients of Python's standard library: https-client.py PORT urllib|resume|asyncio COUNT

Each GETs /hello COUNT times. `urllib` makes a connection for each, `resume` too, with the TLS session of the one
before, `asyncio` (memory BIOs) keeps three alive at the same time and shares the work. Prints `done`.
"""
import asyncio
import socket
import ssl
import sys
import urllib.request

port, how, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
context = ssl._create_unverified_context()
request = f"GET /hello HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()


def by_urllib():
    for _ in range(count):
        urllib.request.urlopen(f"https://127.0.0.1:{port}/hello", context=context).read()


def by_resumption():
    session, reused = None, 0
    for _ in range(count):
        raw = socket.create_connection(("127.0.0.1", port))
        with context.wrap_socket(raw, server_hostname="localhost", session=session) as tls:
            tls.sendall(request)
            while not tls.recv(65536).endswith(b"\n\n"):
                pass
            session = tls.session
            reused += tls.session_reused
    assert reused == count - 1, f"only {reused} sessions were reused"


async def by_asyncio():
    async def worker(share):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        for _ in range(share):
            writer.write(request)
            await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"\n\n")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(worker(count // 3), worker(count // 3), worker(count - 2 * (count // 3)))


if how == "urllib":
    by_urllib()
elif how == "resume":
    by_resumption()
else:
    asyncio.run(by_asyncio())
print("done")
