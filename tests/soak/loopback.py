"""A server on this machine that has one file, knows ranges and entity tags, and is slow."""

import hashlib
import http.server
import os
import subprocess
import sys
import threading
import time

import numpy as np

from .server import environment

ADDRESS = "ACAI_SOAK_ADDRESS"
SIZE, PIECE, PAUSE = 1_500_000, 1 << 16, 0.01
CONTENT = np.random.default_rng(0).bytes(SIZE)
MD5 = f"md5:{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT under every name; in pieces, so that there is time to be interrupted."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer with all of it, or with the range that was asked for."""
        tag, asked = '"soak-1"', self.headers["Range"]
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked and self.headers.get("If-Range", tag) == tag else 0
        if start >= SIZE:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{SIZE}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{SIZE - 1}/{SIZE}")
        self.send_header("Content-Length", str(SIZE - start))
        self.end_headers()
        try:
            for place in range(start, SIZE, PIECE):
                self.wfile.write(CONTENT[place : place + PIECE])
                time.sleep(PAUSE)
        except OSError:  # who asked was killed
            self.close_connection = True


class Loopback:
    """The server in a process of its own; a context manager that puts the address of its file into the environment."""

    def __enter__(self) -> "Loopback":
        words = [sys.executable, "-m", f"{__package__}.loopback"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=environment(), text=True)
        os.environ[ADDRESS] = f"http://127.0.0.1:{int(self.process.stdout.readline())}/soak.bin"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


if __name__ == "__main__":
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        print(server.server_port, flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()  # until whoever started it ends
