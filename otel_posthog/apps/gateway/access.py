"""Who may send: bearer tokens, and the header `Host` where no token is needed.

A page from elsewhere may have its own name resolve to 127.0.0.1 (DNS rebinding). The browser then takes the gateway
for that page's server, and sends what the page wants; it cannot change the header `Host`, which bears that name.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping

from otel_posthog import environment_variables as env
from otel_posthog.apps.gateway.settings import MAKE_ONE, read_option_file
from otel_posthog.errors import ConfigurationError

# Of random letters and digits about 95 bits: nobody guesses it over a network.
MIN_TOKEN_CHARS = 16
_SCHEME = "bearer"


class Tokens:
    """The bearer tokens that are accepted.

    Args:
        tokens: None: whoever reaches the port may send.
    """

    def __init__(self, tokens: tuple[str, ...] = ()) -> None:
        self._tokens = tuple(each.encode() for each in tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def number(self, authorization: str | None) -> int | None:
        """Return the index of the token in a header `Authorization` (RFC 6750), or None; 0 where none is needed."""
        if not self._tokens:
            return 0
        scheme, _, shown = (authorization or "").partition(" ")
        if scheme.lower() != _SCHEME:
            return None
        given = shown.strip().encode("utf-8", "surrogateescape")
        # All of them, so that the time tells nothing.
        found = [hmac.compare_digest(given, each) for each in self._tokens]
        return found.index(True) if True in found else None


def read_tokens(environ: Mapping[str, str], file: str | None, host: str) -> Tokens:
    """Return the tokens of the environment and of `file`.

    Raises:
        ConfigurationError: There are none and `host` can be reached from other machines, or one cannot be a token.
    """
    found = [each.strip() for each in environ.get(env.GATEWAY_TOKENS, "").split(",")]
    if file is not None:
        lines = read_option_file("--tokens-file", file).splitlines()
        found += [line.strip() for line in lines if not line.startswith("#")]
    tokens = tuple(each for each in found if each)
    for token in tokens:
        if len(token) < MIN_TOKEN_CHARS or not token.isascii() or not token.isprintable() or " " in token:
            raise ConfigurationError(
                f"a token must be {MIN_TOKEN_CHARS} or more ASCII characters without spaces; make one with {MAKE_ONE}"
            )
    if not tokens and not is_loopback(host):
        raise ConfigurationError(
            f"--host {host} can be reached from other machines, and there are no tokens; put some into "
            f"{env.GATEWAY_TOKENS} or --tokens-file, or listen on 127.0.0.1"
        )
    return Tokens(tokens)


def is_loopback(host: str) -> bool:
    """Return whether `host` names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_this_machine(host: str) -> bool:
    """Return whether a header `Host` names this machine, or is empty: clients of HTTP/1.0 need not send one."""
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return not name or name.endswith(".localhost") or is_loopback(name)
