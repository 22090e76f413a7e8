"""Methods: what is done with a value that a rule or a detector picks."""

from __future__ import annotations

from enum import Enum


class HitMethod(str, Enum):
    """What is done with what a detector finds.

    `REPLACE`: a marker of the detector's name (`[email]`) stands in its place.
    `MASK`: `****` does, whatever was there.
    `HMAC`: a keyed token does (`[email#...]`): the same value, the same token; needs `hmac_key`.
    `IP_PREFIX`: an address becomes its network, `/24` or `/48`; for the detector `ip` only.
    `DROP`: the property in which it is found goes.
    `OFF`: the detector does not look.
    """

    REPLACE = "replace"
    MASK = "mask"
    HMAC = "hmac"
    IP_PREFIX = "ip_prefix"
    DROP = "drop"
    OFF = "off"


class Method(str, Enum):
    """What a rule does with the values of the keys that it picks.

    `DROP`: the property goes.
    `REPLACE`: `[redacted]` stands in its place.
    `MASK`: `****` does, followed by the last `keep_last` characters where that is set.
    `HMAC`: a keyed token does: the same value, the same token; needs `hmac_key`.
    `TRUNCATE`: text is cut to `max_chars`, after the detectors have looked at it.
    `BUCKET`: a number becomes the range of `bounds` in which it lies.
    `IP_PREFIX`: an address becomes its network, `/24` or `/48`; what is none goes.
    `KEEP`: sensitive words in the key do not count, or the rule's detector does not look.
    """

    DROP = "drop"
    REPLACE = "replace"
    MASK = "mask"
    HMAC = "hmac"
    TRUNCATE = "truncate"
    BUCKET = "bucket"
    IP_PREFIX = "ip_prefix"
    KEEP = "keep"
