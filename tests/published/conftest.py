"""A web server in this process whose every answer a test decides, and a weight store of the test's own."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hrnet_plugin.published.sources import Source
from hrnet_plugin.published.transfer import Listener


@dataclass
class Page:
    """What the server has at one path, and how it misbehaves.

    Args:
        content: The whole file.
        status: Another status than 200, with no content.
        location: Where it redirects to.
        headers: Further headers; they replace the server's own.
        etag: The version, asked for with If-Range.
        ranges: Whether it knows of ranges.
        lengths: Whether it announces the length.
        cuts: After how many bytes it closes the connection, one for each of the first answers.
        stalls_after: After how many bytes it falls silent.
        drips: Whether it sends a byte now and then.
        held: Is waited for before the first byte.
    """

    content: bytes = b""
    status: int = 200
    location: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    ranges: bool = True
    lengths: bool = True
    cuts: list[int] = field(default_factory=list)
    stalls_after: int | None = None
    drips: bool = False
    held: threading.Event | None = None


@dataclass
class Request:
    """What the server was asked, and how many bytes it sent in answer."""

    path: str
    range: str | None
    if_range: str | None
    sent: int = 0


class Server(ThreadingHTTPServer):
    """Serves `pages` and keeps all `requests`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.requests: list[Request] = []
        self.closing = threading.Event()

    def url(self, path: str) -> str:
        """The address of a path that begins with /."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    @property
    def asked(self) -> list[tuple[str, str | None]]:
        """Path and range of every request."""
        return [(request.path, request.range) for request in self.requests]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        request = Request(self.path, self.headers.get("Range"), self.headers.get("If-Range"))
        self.server.requests.append(request)
        page = self.server.pages.get(self.path, Page(status=404))
        if page.held is not None:
            page.held.wait(20)
        if page.location or page.status != 200:
            self.send_response(302 if page.location else page.status)
            self._send_headers({"Location": page.location} if page.location else {"Content-Length": "0"})
            return
        self._send_body(page, request, self._begin(page, request))

    def _begin(self, page: Page, request: Request) -> int | None:
        total, begin = len(page.content), 0
        same = request.if_range in (None, page.etag)
        if page.ranges and request.range and same:
            begin = int(request.range.removeprefix("bytes=").removesuffix("-"))
        own = {"Content-Length": str(total - begin)} if page.lengths else {}
        if page.etag:
            own["ETag"] = page.etag
        if begin >= total > 0:
            self.send_response(416)
            self._send_headers({"Content-Range": f"bytes */{total}"} | page.headers)
            return None
        if begin:
            own["Content-Range"] = f"bytes {begin}-{total - 1}/{total}"
        self.send_response(206 if begin else 200)
        self._send_headers(own | page.headers)
        return begin

    def _send_headers(self, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_body(self, page: Page, request: Request, begin: int | None) -> None:
        if begin is None:
            return
        body = page.content[begin:]
        limit = page.cuts.pop(0) if page.cuts else page.stalls_after
        body = body if limit is None else body[:limit]
        for piece in (body[i : i + 1] for i in range(len(body))) if page.drips else (body,):
            self.wfile.write(piece)
            request.sent += len(piece)
            if page.drips and self.server.closing.wait(0.02):
                return
        if page.stalls_after is not None:
            self.server.closing.wait(20)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server, with no pages yet; asked directly, whatever proxy the machine has."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the weights, not made yet; no mirrors are set."""
    folder = tmp_path / "store"
    monkeypatch.setenv("HRNET_WEIGHTS", str(folder))
    monkeypatch.delenv("HRNET_MIRRORS", raising=False)
    return folder


@pytest.fixture
def page() -> type[Page]:
    """What the server has at one path."""
    return Page


@pytest.fixture
def source_of() -> Callable[..., Source]:
    """The source of a URL whose file should have this content; `content=None` for a file without a hash."""

    def make(url: str, content: bytes | None) -> Source:
        sha256 = "" if content is None else hashlib.sha256(content).hexdigest()
        return Source("hrnet://net", url, url.rpartition("/")[2], sha256)

    return make


class Told(Listener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int, int | None]] = []
        self.count = 0
        self.faults: list[str] = []
        self.has_waited = threading.Event()

    def waiting(self, file_name: str) -> None:
        """Another fetch has the file."""
        self.has_waited.set()

    def begins(self, url: str, have: int, total: int | None) -> None:
        """A server begins."""
        self.begun.append((url, have, total))

    def received(self, count: int) -> None:
        """More bytes."""
        self.count += count

    def gives_up(self, url: str, reason: str) -> None:
        """A server failed."""
        self.faults.append(reason)


@pytest.fixture
def told() -> Told:
    """A listener that keeps what it is told."""
    return Told()
