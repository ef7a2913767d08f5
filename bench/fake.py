"""A small Chime and CloudFormation's answer endpoint, in a process of their own, so that only handlers are measured.

`python fake.py FOLDER` makes a certificate there, prints two ports (HTTP for Chime, HTTPS for answers) and counts
requests; GET /counts gives and clears the counts, GET /last the last answer.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COUNTS: Counter[str] = Counter()
LAST: dict = {}
CHANNELS: dict[str, dict] = {}
MEMBERS: dict[str, set[str]] = {}


def chime(method: str, path: str, query: str, body: dict) -> tuple[str, int, dict]:
    """Name the operation and answer it."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if path == "/tags":
        return (
            ("ListTagsForResource", 200, {"Tags": CHANNELS.get(unquote(query[4:]), {}).get("tags", [])})
            if (method == "GET")
            else ("TagResource", 204, {})
        )
    if parts == ["channels"] and method == "POST":
        arn = f"{body['AppInstanceArn']}/channel/{body.get('ChannelId', body['ClientRequestToken'])}"
        CHANNELS[arn] = {"body": body, "tags": body.get("Tags", [])}
        return "CreateChannel", 201, {"ChannelArn": arn}
    if parts[0] == "channels" and "memberships" in parts and method == "POST":
        arn = parts[1] if len(parts) == 3 else "/".join(parts[1:-1])
        added = body.get("MemberArns", [body.get("MemberArn")])
        MEMBERS.setdefault(arn, set()).update(added)
        name = "BatchCreateChannelMembership" if "MemberArns" in body else "CreateChannelMembership"
        return name, 201, {"BatchChannelMemberships": {}, "Errors": [], "ChannelArn": arn}
    if parts[0] == "channels" and len(parts) == 2:
        return one(method, parts[1], body)
    return f"{method} {parts[-1]}", 200, {"ChannelMemberships": [], "ChannelModerators": []}


def one(method: str, arn: str, body: dict) -> tuple[str, int, dict]:
    """Read, update or delete a channel."""
    held = CHANNELS.setdefault(arn, {"body": {}, "tags": []})
    if method == "DELETE":
        CHANNELS.pop(arn)
        return "DeleteChannel", 204, {}
    if method == "PUT":
        held["body"].update(body)
        return "UpdateChannel", 200, {"ChannelArn": arn}
    shown = {key: held["body"].get(key) for key in ("Name", "Mode", "Privacy", "Metadata")}
    channel = {
        **{key: value for key, value in shown.items() if value},
        "ChannelArn": arn,
        "CreatedTimestamp": 1.0e9,
    }
    return "DescribeChannel", 200, {"Channel": channel}


class Handler(BaseHTTPRequestHandler):
    """Serves both, told apart by the path."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def serve(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        split = urlsplit(self.path)
        if split.path == "/counts":
            told, status = dict(COUNTS), 200
            COUNTS.clear()
        elif split.path == "/last":
            told, status = LAST, 200
        elif split.path == "/answer":
            LAST.update(json.loads(body))
            COUNTS["answer " + json.loads(body)["Status"]] += 1
            told, status = {}, 200
        else:
            name, status, told = chime(self.command, split.path, split.query, json.loads(body or b"{}"))
            COUNTS[name] += 1
        written = b"" if status == 204 else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        if status != 204:
            self.send_header("content-length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - the names http.server looks for

    def log_message(self, *args: object) -> None:
        """Log nothing."""


def main(folder: Path) -> None:
    """Serve until standard input ends."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    plain = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    secure = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    for server in (plain, secure):
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(plain.server_port, secure.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
