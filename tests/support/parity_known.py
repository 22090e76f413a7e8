"""What the Collector's filters are known not to do: kinds that get through, harmless values that they damage."""

from __future__ import annotations

import base64

_ADDRESS, _SECRET = "jo.doe@example.org", "hunter7horse9"

PASSING: dict[str, tuple[str, str]] = {
    # what it is: (a text with it, what of it is looked for)
    "an address in base64": (base64.b64encode(_ADDRESS.encode()).decode(), "am8uZG9lQGV4YW1w"),
    "an address with a space of no width": ("jo.doe\u200b@example.org", "jo.doe\u200b@example.org"),
    "an address with a wide at sign": ("jo.doe\uff20example.org", "jo.doe\uff20example.org"),
    "an address with an escaped at sign": ("jo.doe\\u0040example.org", "u0040example.org"),
    "a card in wide digits": ("\uff14\uff11\uff11\uff11" * 4, "\uff11" * 3),
    "a password in encoded JSON": (f"%7B%22password%22%3A%22{_SECRET}%22%7D", _SECRET),
    "a password in escaped markup": (f"&quot;password&quot;:&quot;{_SECRET}&quot;", _SECRET),
    "a password behind a name in letters that are escaped": (
        f'{{"\\u043f\\u0430\\u0440\\u043e\\u043b\\u044c": "{_SECRET}"}}', _SECRET
    ),
    "a password behind a wide colon": (f"\u5bc6\u7801\uff1a{_SECRET}", _SECRET),
    "a hash of a password in SQL": (f"UPDATE t SET a=1, password_hash='{_SECRET}'", _SECRET),
    "a password in brackets in SQL": (f"SET [password] = N'{_SECRET}'", _SECRET),
    "an encoded home directory": ("C%3A%5CUsers%5Cjdoefoo%5Capp", "jdoefoo"),
    "an id of posthog-js in JSON": (f'{{"posthogDistinctId": "{_SECRET}"}}', _SECRET),
    "a home directory of Unix": ("/home/jdoefoo/proj/x.py", "jdoefoo"),
    "a home directory of Windows with slashes": ("c:/users/jdoefoo/proj", "jdoefoo"),
    "a home directory of WSL": ("/mnt/c/Users/jdoefoo/proj", "jdoefoo"),
}  # fmt: skip
FIELDS = ("log: a text", "log: in a list", "log: in a map", "log: a key", "log: a key in a map", "log body: a key")
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0"
_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DAMAGED: dict[str, object] = {
    "a line of an access log": '10.0.0.7 - - [28/Nov/2026:17:55:12 +0000] "GET / HTTP/1.1" 200 612',
    "a home directory of an image": "/home/ubuntu/app/main.py",
    "an address for documents": "203.0.113.7",
    "a barcode of twenty digits": "00340434161094021501",
    "a list with a trace of W3C": [_TRACE],
    "a map with a trace of W3C": {"traceparent": _TRACE},
    "a list with a user agent": [_AGENT],
    "a list with a repository": ["git@github.com:acme/shop.git"],
    "a list of two decimals": [12.345678, 101.987654],
    "a list of a word and a long decimal": ["p50", 12.345678901234567],
}
