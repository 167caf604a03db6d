"""An ASGI application: files, and what accuracy/work.ts calls abilities."""
import asyncio
import os


async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    path = scope["path"]
    if path == "/chunked":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in range(7):
            await send({"type": "http.response.body", "body": f"part {part}\n".encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    status, body = await answer(path, size)
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def answer(path, size):
    if path == "/upload":
        return 200, f"{size}\n".encode()
    if path == "/delay":
        await asyncio.sleep(0.03)
        return 200, b"late\n"
    try:
        with open(os.environ["ROOT"] + path, "rb") as file:
            return 200, file.read()
    except OSError:
        return 404, b"no such file\n"
