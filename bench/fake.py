"""A small Chime and CloudFormation's response endpoint, in a process of their own: only handlers are measured.

`python fake.py FOLDER` writes the certificate of its authority there, prints two ports (HTTP for Chime, HTTPS for
responses to CloudFormation) and counts requests. GET /counts returns and clears the counts, GET /last returns the
last response to CloudFormation.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import trustme

Json = dict[str, Any]
COUNTS: Counter[str] = Counter()
LAST: Json = {}
CHANNELS: dict[str, Json] = {}


def call_chime(method: str, path: str, query: str, body: Json) -> tuple[str, int, Json]:
    """Return the operation's name, and its response."""
    # Split before unquoting: an ARN is one part, though it has slashes.
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if path == "/tags":
        if method == "POST":
            return "TagResource", 204, {}
        (arn,) = parse_qs(query)["arn"]
        return "ListTagsForResource", 200, {"Tags": CHANNELS.get(arn, {}).get("tags", [])}
    if parts == ["channels"] and method == "POST":
        arn = f"{body['AppInstanceArn']}/channel/{body.get('ChannelId', body['ClientRequestToken'])}"
        CHANNELS[arn] = {"body": body, "tags": body.get("Tags", [])}
        return "CreateChannel", 201, {"ChannelArn": arn}
    if parts[0] == "channels" and "memberships" in parts and method == "POST":
        name = "BatchCreateChannelMembership" if "MemberArns" in body else "CreateChannelMembership"
        return name, 201, {"BatchChannelMemberships": {}, "Errors": [], "ChannelArn": parts[1]}
    if parts[0] == "channels" and len(parts) == 2:
        return call_channel(method, parts[1], body)
    return f"{method} {parts[-1]}", 200, {"ChannelMemberships": [], "ChannelModerators": []}


def call_channel(method: str, arn: str, body: Json) -> tuple[str, int, Json]:
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
    """Serves both; the path decides which."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def serve(self) -> None:
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        split = urlsplit(self.path)
        status, response = 200, {}
        if split.path == "/counts":
            response = dict(COUNTS)
            COUNTS.clear()
        elif split.path == "/last":
            response = LAST
        elif split.path == "/answer":
            LAST.update(body)
            COUNTS[f"answer {body['Status']}"] += 1
        else:
            name, status, response = call_chime(self.command, split.path, split.query, body)
            COUNTS[name] += 1
        self.respond(status, b"" if status == 204 else json.dumps(response).encode())

    do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - the names http.server looks for

    def respond(self, status: int, content: bytes) -> None:
        """Send a response; one without content has no length either."""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        if content:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main(folder: Path) -> None:
    """Serve until standard input ends."""
    authority = trustme.CA(key_type=trustme.KeyType.RSA)  # AWS's certificates are RSA, too
    authority.cert_pem.write_to_path(folder / "authority.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", key_type=trustme.KeyType.RSA).configure_cert(context)
    plain = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    secure = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    for server in (plain, secure):
        server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(plain.server_port, secure.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
