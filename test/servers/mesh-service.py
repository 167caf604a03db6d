"""A service of the mesh: mesh-service.py HOST PORT DELAY_MS HOST_TO_ASK CALLS. Each request takes DELAY_MS, and asks CALLS times."""
import http.client
import http.server
import sys
import time

host, port, delay_ms, asked, calls = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], int(sys.argv[5])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(delay_ms / 1000)
        connection = http.client.HTTPConnection(asked)
        for _ in range(calls):
            connection.request("GET", "/from-python")
            connection.getresponse().read()
        connection.close()
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"done\n")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer((host, port), Handler)
print("ready", flush=True)
server.serve_forever()
