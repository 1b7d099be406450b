"""The token service that Dovecot asks about XOAUTH2 and OAUTHBEARER tokens (RFC 7662), in a thread of the tests."""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.servers.daemon import HOST


class TokenService:
    """Which token is good for whom. A token that was never issued, or was revoked, is inactive."""

    def __init__(self) -> None:
        """No token is good yet, and nothing listens yet: see `token_service`."""
        self._owners: dict[str, str] = {}
        self.url = ""

    def issue(self, user: str) -> str:
        """A new token that is good for `user` until it is revoked."""
        token = secrets.token_urlsafe(24)
        self._owners[token] = user
        return token

    def revoke(self, token: str) -> None:
        """From now on `token` is refused, as an expired one is."""
        self._owners.pop(token, None)

    def introspect(self, token: str) -> dict[str, object]:
        """The answer of RFC 7662 2.2."""
        if owner := self._owners.get(token):
            return {"active": True, "email": owner, "username": owner}
        return {"active": False}


@contextmanager
def token_service() -> Iterator[TokenService]:
    """A service that listens on a free port while the block runs."""
    service = TokenService()

    class Introspection(BaseHTTPRequestHandler):
        """GET /introspect?token=... says whether a token is active."""

        def do_GET(self) -> None:
            """Answer one question."""
            token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
            answer = json.dumps(service.introspect(token)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: tokens do not belong on a screen."""

    with ThreadingHTTPServer((HOST, 0), Introspection) as server:
        server.daemon_threads = True
        service.url = f"http://{HOST}:{server.server_address[1]}/introspect?token="
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
