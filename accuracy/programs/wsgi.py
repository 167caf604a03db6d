"""A WSGI application (PEP 3333): files, and what accuracy/work.ts calls abilities."""
import os
import time


def application(environ, start_response):
    size = len(environ["wsgi.input"].read())
    path = environ["PATH_INFO"]
    if path == "/chunked":
        start_response("200 OK", [])
        return (f"part {part}\n".encode() for part in range(7))
    status, body = answer(path, size)
    start_response(status, [("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def answer(path, size):
    if path == "/upload":
        return "200 OK", f"{size}\n".encode()
    if path == "/delay":
        time.sleep(0.03)
        return "200 OK", b"late\n"
    try:
        with open(os.environ["ROOT"] + path, "rb") as file:
            return "200 OK", file.read()
    except OSError:
        return "404 Not Found", b"no such file\n"
