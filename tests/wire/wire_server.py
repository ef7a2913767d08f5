"""A server on loopback that plays AWS's endpoints and S3, over TLS, and does on the wire what a test asks for."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import queue
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import trustme

from chime_local.chime import Behaviors, ChimeError, ChimeService
from chime_local.chime.model import operation_model
from chime_local.chime.protocol import operation_of

ANSWER = "answer"
"""The name, beside those of operations, of an answer to CloudFormation."""
GOOD, UNKNOWN_AUTHORITY, OTHER_HOST, EXPIRED = "good", "unknown authority", "other host", "expired"


class Reply(NamedTuple):
    """What is to be written back."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


@dataclass
class Exchange:
    """One request as it came over the wire."""

    connection: int
    host: str
    """The host that the client named in its TLS handshake."""
    name: str
    """The operation, or ANSWER."""
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    parameters: dict[str, Any]

    @property
    def json(self) -> dict[str, Any]:
        """Return the body."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


Perform = Callable[[], Reply]
Behavior = Callable[["Peer", Perform], None]


@dataclass
class State:
    """What a test sets and sees; the next test has another."""

    service: ChimeService
    exchanges: list[Exchange] = field(default_factory=list)
    script: dict[str, list[Behavior]] = field(default_factory=dict)
    always: dict[str, Behavior] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)
    """From a host to the kind of certificate that it shows."""
    silent_handshakes: int = 0
    """How many connections are taken and never spoken to."""
    client_left: queue.Queue[str] = field(default_factory=queue.Queue)
    """What the client was waiting for when it closed the connection."""


class WireServer(socketserver.ThreadingTCPServer):
    """The server; `state` is that of the test that runs."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Peer)
        self._authority, self._stranger = trustme.CA(), trustme.CA()
        self.bundle = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.bundle))
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        self.connections = itertools.count(1)
        self.lock = threading.Lock()
        self.state = self.begin(Behaviors())

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def begin(self, behaviors: Behaviors) -> State:
        """Begin a test."""
        self.state = State(ChimeService(behaviors, clock=time.time))
        return self.state

    def context_of(self, host: str) -> ssl.SSLContext:
        """Return the context with the certificate that a host shows."""
        kind = self.state.certificates.get(host, GOOD)
        with self.lock:
            if (host, kind) not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._certificate(host, kind).configure_cert(context)
                self._contexts[host, kind] = context
            return self._contexts[host, kind]

    def _certificate(self, host: str, kind: str) -> trustme.LeafCert:
        now = datetime.now(UTC)
        match kind:
            case "unknown authority":
                return self._stranger.issue_cert(host)
            case "other host":
                return self._authority.issue_cert(host.replace("us-east-1", "eu-central-1"))
            case "expired":
                return self._authority.issue_cert(
                    host, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
                )
        return self._authority.issue_cert(host)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: connections that fail are what is tested here."""


class Peer(http.server.BaseHTTPRequestHandler):
    """The server's side of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: WireServer
    request: Any
    number = 0
    host = ""

    def setup(self) -> None:
        """Shake hands, with the certificate of the host that the client names."""
        self.number = next(self.server.connections)
        self.state = state = self.server.state
        if state.silent_handshakes:
            state.silent_handshakes -= 1
            self.wait_until_client_leaves("handshake")
            raise ConnectionAbortedError
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._choose_certificate
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def _choose_certificate(self, connection: Any, host: str | None, _: ssl.SSLContext) -> None:
        self.host = host or "127.0.0.1"
        connection.context = self.server.context_of(self.host)

    def finish(self) -> None:
        """End the connection."""
        try:
            super().finish()
            self.request.close()
        except (OSError, ValueError):
            return

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def serve(self) -> None:
        """Serve one request, as the test asks for."""
        state = self.state = self.server.state
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        name, parameters, perform = ANSWER, dict[str, Any](), _taken
        if "chime" in self.host:
            path, _, query = self.path.partition("?")
            service, name, parameters = operation_of(self.command, path.encode(), query.encode(), headers, body)
            region = self.host.split(".")[1]
            perform = partial(_perform, state.service, service, name, parameters, region)
        exchange = Exchange(self.number, self.host, name, self.command, self.path, headers, body, parameters)
        with self.server.lock:
            state.exchanges.append(exchange)
            waiting = state.script.get(name)
            behave = waiting.pop(0) if waiting else state.always.get(name, whole)
        behave(self, perform)

    do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - named by http.server

    def reply(self, reply: Reply, length: int | None = None) -> None:
        """Send a reply, with its true length or another."""
        self.wfile.write(self.rendered(reply, length))

    def rendered(self, reply: Reply, length: int | None = None) -> bytes:
        """Return a reply as it goes over the wire."""
        lines = [f"HTTP/1.1 {reply.status} {http.HTTPStatus(reply.status).phrase}"]
        headers = {"content-length": str(len(reply.body) if length is None else length), **reply.headers}
        if reply.content_type:
            headers["content-type"] = reply.content_type
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body

    def reset(self) -> None:
        """Reset the connection."""
        self.close_connection = True
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.request.detach())

    def wait_until_client_leaves(self, name: str) -> None:
        """Neither answer nor close until the client closes."""
        try:
            while self.request.recv(4096):
                continue
        except OSError:
            pass
        self.close_connection = True
        self.state.client_left.put(name)


def _perform(
    service: ChimeService, service_name: str, operation: str, parameters: dict[str, Any], region: str
) -> Reply:
    request_id = {"x-amzn-requestid": "22222222-3333-4444-5555-666666666666"}
    try:
        answer = service.call(operation, dict(parameters), service_name=service_name, region=region)
    except ChimeError as refused:
        body = {"Code": refused.code.removesuffix("Exception"), "Message": refused.message}
        error_type = {"x-amzn-errortype": f"{body['Code']}Exception"}
        return Reply(refused.status, json.dumps(body).encode(), headers={**request_id, **error_type})
    status = operation_model(service_name, operation).http.get("responseCode", 200)
    written = b"" if status == 204 else json.dumps(answer, default=lambda moment: moment.timestamp()).encode()
    return Reply(status, written, headers=request_id)


def _taken() -> Reply:
    return Reply(200, b"", "")


def whole(peer: Peer, perform: Perform) -> None:
    """Answer as AWS does."""
    peer.reply(perform())


def reset_before(peer: Peer, _: Perform) -> None:
    """Reset the connection before the call has any effect."""
    peer.reset()


def reset_after(peer: Peer, perform: Perform) -> None:
    """Reset the connection after the call had its effect."""
    perform()
    peer.reset()


def cut(peer: Peer, perform: Perform) -> None:
    """Have the effect, answer half of what Content-Length says, and close."""
    reply = perform()
    peer.reply(reply._replace(body=reply.body[: len(reply.body) // 2]), length=len(reply.body))
    peer.close_connection = True


def bytewise(peer: Peer, perform: Perform) -> None:
    """Answer whole, in one TLS record for each byte."""
    for byte in peer.rendered(perform()):
        peer.wfile.write(bytes([byte]))


def hang_after(peer: Peer, perform: Perform) -> None:
    """Have the effect, and never answer."""
    perform()
    peer.wait_until_client_leaves("answer")


def trickle_until(answered: threading.Event) -> Behavior:
    """Return a behavior that has the effect, writes one byte after another until `answered`, and then resets."""

    def behave(peer: Peer, perform: Perform) -> None:
        perform()
        peer.wfile.write(b"HTTP/1.1 201 Created\r\nx-padding: ")
        while not answered.wait(0.02):
            peer.wfile.write(b"x")
        peer.reset()

    return behave


def and_then(behave: Behavior, done: threading.Event) -> Behavior:
    """Return a behavior that sets an event when it has ended."""

    def behave_and_set(peer: Peer, perform: Perform) -> None:
        behave(peer, perform)
        done.set()

    return behave_and_set


def close_after(peer: Peer, perform: Perform) -> None:
    """Answer whole and close, without having said so, as connections are closed that have long been idle."""
    whole(peer, perform)
    peer.close_connection = True
    os.close(peer.request.detach())


def answering(
    status: int, body: bytes, content_type: str = "application/json", *, effect: bool, **headers: str
) -> Behavior:
    """Return a behavior that answers this, after the call had its effect or without any."""

    def behave(peer: Peer, perform: Perform) -> None:
        if effect:
            perform()
        peer.reply(Reply(status, body, content_type, headers))

    return behave


def error(status: int, code: str, *, effect: bool = False) -> Behavior:
    """Return a behavior that answers an error as the service writes it."""
    body = json.dumps({"Code": code, "Message": "words of the service"}).encode()
    return answering(status, body, effect=effect, **{"x-amzn-errortype": f"{code}Exception"})


HTML = b"<!DOCTYPE html><html><body><h1>Gateway</h1></body></html>"


def html(status: int, *, effect: bool) -> Behavior:
    """Return a behavior that answers a web page."""
    return answering(status, HTML, "text/html; charset=utf-8", effect=effect)
