"""Names of accounts: `email` and `username`.

An e-mail address is read around its `@`: forwards for the domain, backwards for the local part. A user name is that of
the home directory through which a path leads.
"""

from __future__ import annotations

from collections.abc import Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span
from otel_posthog.privacy.detectors.first_words import HOME
from otel_posthog.privacy.detectors.prefilter import AT, SLASH
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.privacy.words import SHARED_ACCOUNTS
from otel_posthog.regex import regex

# Without limits of length: DNS and RFC 5321 have some, but a longer address is personal, too.
_DOMAIN = regex(
    r"(?:[\w\x80-\xff-]+\.)+(?:(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})(?![^\W_]|-|_\w)"
    # Joined to what follows it, as in the name of a file.
    r"|(?:com|org|net|edu|gov|info|[a-z]{2})(?=_\w))|\[?(?:\d{1,3}\.){3}\d{1,3}(?![0-9]|\.[0-9])\]?"
)
_VERSION_NUMBERS = 64  # of random addresses one in 256 has only such small numbers
_LOCAL_CHARS = r"\w.!#$*+^`{|}~'-"
_LOCAL_REVERSED = regex(f"[{_LOCAL_CHARS}]+")
ADDRESS = f'["@{_LOCAL_CHARS}]*'
"""The characters of an address, as a pattern."""

# `logo@2x.png`, `left-pad@1.3.0.tgz`
_FILE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".js", ".mjs", ".ts", ".tgz", ".gz", ".zip")


def _find_email(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    end = before = 0
    at = text.find("@")
    while at != -1:
        span = _around(text, at, end, max(before, end))
        if span:
            spans.append(span)
            end = span[1]
        before = at + 1
        at = text.find("@", max(before, end))
    return spans


def _around(text: str, at: int, end: int, start: int) -> Span | None:
    """Return the address around the `@` at `at`.

    Args:
        text: Any text.
        at: Where the `@` is.
        end: Where the address before it ends.
        start: Where a local part without quotes may begin at the earliest: behind the address or the `@` before.
    """
    domain = _DOMAIN.match(text, at + 1)
    if domain is None or domain.group().lower().endswith(_FILE_SUFFIXES) or _is_version(domain.group()):
        return None
    if text[at - 1 : at] == '"':
        return _quoted(text, at, end), domain.end()
    local = _LOCAL_REVERSED.match(text[start:at][::-1])
    if local is None:
        return None
    # A quote or a dot in front belongs to the sentence; `git@` is nobody.
    found = local.group()[::-1].lstrip("'`.")
    return (at - len(found), domain.end()) if found and found != "git" else None


def _is_version(domain: str) -> bool:
    """Return whether `domain` is the version of a package: `2.4.4.Final`, `3.54.1.0`, but not `163.com`."""
    *labels, last = domain.split(".")
    if len(labels) < 2 or not all(label.isdecimal() for label in labels):
        return False
    return not last.isdecimal() or all(len(each) < 4 and int(each) < _VERSION_NUMBERS for each in (*labels, last))


def _quoted(text: str, at: int, end: int) -> int:
    """Return where the local part begins that ends in a quote before `at`: at its opening quote, else at its word."""
    opening = text.rfind('"', end, at - 1)
    return opening if opening >= 0 else max(end, text.rfind(" ", end, at) + 1)


EMAIL = Detector("email", _find_email, needs=AT)


# A folder above those of the accounts: of a disk, a share, a container; of a URL that is none of a page.
_MOUNTS = (
    r"(?:/(?:Volumes|System/Volumes|mnt|media|run/media|cygdrive|net|nfs|rootfs|host|usr|private|proc/[0-9]{1,9}/root)"
    r"(?:/[^\s/\\\"'<>|:;,?*&]{1,64}(?: [^\s/\\\"'<>|:;,?*&]{1,32}){0,3}){0,4}"
    r"|(?:file|s?ftps?|ssh|scp|smb|nfs|rsync)://[^\s/\\\"'<>]{0,64})?"
)
# `/home/…` within an address of a web page is a page; at the beginning of a path of files it is a person's.
_HOME = regex(
    rf"(?:(?:(?<![0-9A-Za-z_.%~}}-])|(?<=[A-Za-z]:)){_MOUNTS}(?:/home|(?:/[a-z])?/Users|/export/home|/var/home)/"
    r"|\b[A-Za-z]:[\\/]{1,4}(?ai:Users|Documents and Settings|home)[\\/]{1,4}"
    r"|\\\\?(?ai:Users|home)\\\\?)"
    r"([^\s/\\\"'<>|:;,?*&()\[\]{}=]+(?:(?: [^\s/\\\"'<>|:;,?*&()\[\]{}=]{1,32}){1,3}(?=[\\/]))?)",
)
_PAGES = ("/home/", "/Users/")


def _find_username(text: str, facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    found = [match for match in _HOME.finditer(text) if match[1].lower() not in SHARED_ACCOUNTS]
    # What the path of a page begins with is a page; what stands in its query is none.
    return [match.span(1) for match in found if match.start() or not (facts.page and match.group().startswith(_PAGES))]


USERNAME = Detector("username", _find_username, needs=SLASH | HOME, gives_way=False)
