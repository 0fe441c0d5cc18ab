"""A program that is told by webhooks, for tests: it checks signatures with the official library of Standard Webhooks.

    webhook_receiver.py FOLDER [PORT]

Prints `port N` once it listens, appends a line of JSON to FOLDER/messages for each message that it was sent, and ends
when its standard input does. FOLDER/secrets has the secrets to check with, one a line. FOLDER/mode, looked at before
each answer, is a status (200 where there is no file), with a Retry-After behind it where one is wanted (`429 120`), or hang (never answers), endless (an answer without end), cut
(the connection ends in the middle), stall (the answer never ends).
"""
import json
import pathlib
import socket
import sys
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook

folder = pathlib.Path(sys.argv[1])
lock = threading.Lock()


def read(name, otherwise):
    try:
        return (folder / name).read_text().strip()
    except FileNotFoundError:
        return otherwise


def signed(headers, body):
    """Which of the secrets have signed, by their place in the file."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), timezone.utc)
    given = headers["webhook-signature"].split(" ")
    secrets = read("secrets", "").split()
    return [n for n, secret in enumerate(secrets) if Webhook(secret).sign(headers["webhook-id"], at, body) in given]


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        mode = read("mode", "200")
        line = {
            "id": self.headers["webhook-id"],
            "timestamp": int(self.headers["webhook-timestamp"]),
            "type": self.headers["content-type"],
            "host": self.headers["host"],
            "path": self.path,
            "signed": signed(self.headers, body),
            "event": json.loads(body),
            "mode": mode,
        }
        with lock, open(folder / "messages", "a") as out:
            out.write(json.dumps(line) + "\n")
        if mode == "hang":
            time.sleep(3600)
        status, _, retry_after = mode.partition(" ")
        self.send_response(int(status) if status.isdigit() else 200)
        if retry_after:
            self.send_header("retry-after", retry_after)
        self.send_header("location", "http://127.0.0.1:9/elsewhere")
        if mode == "endless":
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 4096)
            except OSError:
                return
        if mode in ("cut", "stall"):
            self.send_header("content-length", "1000000")
            self.end_headers()
            self.wfile.write(b"half a")
            self.wfile.flush()
            if mode == "stall":
                time.sleep(3600)
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        answer = b"seen\n" * 200
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Receiver)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print("port", server.server_address[1], flush=True)
sys.stdin.read()
