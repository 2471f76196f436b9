"""The token with which a client sees details: ``Authorization: Bearer …``."""

from __future__ import annotations

import hmac


def bears_token(authorization: str | None, token: str | None) -> bool:
    """Tell whether the header is ``Bearer`` and the token; without a token nothing is.

    The bytes are compared in constant time. The scheme is case-insensitive (RFC 9110, 11.1).
    """
    scheme, _, given = (authorization or "").strip(" \t").partition(" ")
    if not token or scheme.lower() != "bearer":
        return False
    # A header may hold any byte; `compare_digest` takes text only if it is ASCII.
    return hmac.compare_digest(given.lstrip(" ").encode(errors="surrogatepass"), token.encode())
