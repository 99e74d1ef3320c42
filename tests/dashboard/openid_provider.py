"""An OpenID provider on this machine: discovery, keys, and tokens that a test may spoil."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLIENT, SECRET = "pump-registry", "a secret of the client"


class OpenIDProvider:
    """What it says of itself and of who signs in; `claims`, `header` and `key` may be spoilt."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.restore()

    def restore(self) -> None:
        """As it was at first, whatever a test has spoilt."""
        self.claims: dict[str, Any] = {"preferred_username": "nurse"}
        self.without: set[str] = set()
        self.header: dict[str, Any] = {"kid": "one"}
        self.algorithm = "RS256"
        self.key: Any = KEY
        self.said: dict[str, Any] = {}
        self.status = 200
        self.token: str | None = None
        self.grants: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []

    def discovery(self) -> dict[str, Any]:
        """The discovery document."""
        names = ("authorize", "token", "keys", "logout")
        authorize, token, keys, logout = (f"{self.address}/{name}" for name in names)
        return {
            "issuer": self.address,
            "authorization_endpoint": authorize,
            "token_endpoint": token,
            "jwks_uri": keys,
            "end_session_endpoint": logout,
        } | self.said

    def keys(self) -> dict[str, Any]:
        """The public key."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [public | {"kid": "one", "use": "sig", "alg": "RS256"}]}

    def grant(self, asked: dict[str, str]) -> str:
        """A code for what a person was sent with."""
        code = f"code-{len(self.grants)}"
        self.grants[code] = asked
        return code

    def redeem(self, sent: dict[str, str]) -> dict[str, Any] | None:
        """The reply to a code, once; None where client, address or verifier do not fit."""
        asked = self.grants.pop(sent.get("code", ""), None)
        self.asked.append(sent)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = asked is not None and (
            (sent.get("client_id"), sent.get("client_secret")) == (CLIENT, SECRET)
            and sent.get("redirect_uri") == asked["redirect_uri"]
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == challenge
        )
        if not fits or asked is None:
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        """The signed claims."""
        if self.token is not None:
            return self.token
        now = int(time.time())
        claims = {
            "iss": self.address,
            "sub": "s-1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.claims
        kept = {name: value for name, value in claims.items() if name not in self.without}
        return jwt.encode(kept, self.key, algorithm=self.algorithm, headers=self.header)


@contextmanager
def serving_provider() -> Iterator[OpenIDProvider]:
    """A provider that answers on loopback until the end of the block."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                self._json(provider.discovery())
            elif parts.path == "/keys":
                self._json(provider.keys())
            elif parts.path == "/authorize":
                back = {"code": provider.grant(asked), "state": asked["state"]}
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
                self.end_headers()
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent = {name: values[0] for name, values in parse_qs(body).items()}
            reply = provider.redeem(sent)
            if reply is None or provider.status != 200:
                self._json({"error": "invalid_grant"}, status=400)
            else:
                self._json(reply)

        def _json(self, body: dict[str, Any], status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider = OpenIDProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
