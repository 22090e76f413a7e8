"""Runs in the peers' environment: rows on standard input, what the filter named on the command line leaves on output.

Each peer as its documentation says to set it up for text, with what it finds replaced; a value that is no text goes
through it as its JSON where the peer knows texts only, and comes back as it was if that did not change.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

Redact = Callable[[str, Any], Any]


def _on_text(clean: Callable[[str], str]) -> Redact:
    def redact(_key: str, value: Any) -> Any:
        if isinstance(value, str):
            return clean(value)
        text = json.dumps(value, ensure_ascii=False)
        cleaned = clean(text)
        return value if cleaned == text else cleaned

    return redact


def _argus() -> Redact:
    redact = _module("argus_redact").redact
    return _on_text(lambda text: str(redact(text, mode="fast", lang="en")[0]))


def _commonregex() -> Redact:
    names = ("phone", "email", "ip", "ipv6", "credit_card", "street_address", "btc_address")
    patterns = [getattr(_module("commonregex"), name) for name in names]

    def clean(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub("[x]", text)
        return text

    return _on_text(clean)


def _scrubadub() -> Redact:
    return _on_text(_module("scrubadub").Scrubber().clean)


def _datafog() -> Redact:
    datafog = _module("datafog")
    return _on_text(lambda text: str(datafog.sanitize(text)))


def _presidio() -> Redact:
    """Its recognizers by pattern and by phone library: names of persons and places need a language model beside it."""
    presidio = _module("presidio_analyzer")
    registry = presidio.RecognizerRegistry()
    registry.load_predefined_recognizers()
    kinds = (presidio.PatternRecognizer, _module("presidio_analyzer.predefined_recognizers").PhoneRecognizer)
    recognizers = [each for each in registry.recognizers if isinstance(each, kinds)]

    def clean(text: str) -> str:
        found = [hit for each in recognizers for hit in each.analyze(text, each.supported_entities, None) or ()]
        # From the end, so that a replacement moves no hit that is still to come; of overlapping hits the longest.
        left = len(text)
        for hit in sorted(found, key=lambda hit: (-hit.end, hit.start)):
            if hit.end <= left:
                text, left = f"{text[: hit.start]}<{hit.entity_type}>{text[hit.end :]}", hit.start
        return text

    return _on_text(clean)


def _logfire() -> Redact:
    scrubber = _module("logfire._internal.scrubbing").Scrubber([])
    return lambda key, value: scrubber.scrub_value(("attributes", key), value)[0]


def _posthog() -> Redact:
    """The masking of local variables in captured exceptions, which is the one that posthog-python has."""
    utils = _module("posthog.exception_utils")
    config = utils._MaskingConfig.build(
        mask_patterns=utils.DEFAULT_CODE_VARIABLES_MASK_PATTERNS,
        ignore_patterns=utils.DEFAULT_CODE_VARIABLES_IGNORE_PATTERNS,
    )
    return lambda key, value: utils._mask_mapping([(key, value)], config, set(), 0).get(key)


def _sentry() -> Redact:
    annotated = _module("sentry_sdk.utils").AnnotatedValue
    scrubber = _module("sentry_sdk.scrubber").EventScrubber(recursive=True)

    def redact(key: str, value: Any) -> Any:
        held = {key: value}
        scrubber.scrub_dict(held)
        left = held.get(key)
        return None if isinstance(left, annotated) else left

    return redact


def _module(name: str) -> Any:
    return import_module(name)


_PEERS: dict[str, Callable[[], Redact]] = {
    "presidio": _presidio,
    "argus-redact": _argus,
    "commonregex": _commonregex,
    "scrubadub": _scrubadub,
    "datafog": _datafog,
    "logfire": _logfire,
    "posthog": _posthog,
    "sentry-sdk": _sentry,
}


# The least of a few: what other programs do meanwhile is not the filter's cost.
_TRIES = 5


def main() -> None:
    """Answer each row of standard input with `[what is left, microseconds]`."""
    redact = _PEERS[sys.argv[1]]()
    rows = [json.loads(line) for line in sys.stdin]
    for key, value in rows[:50]:
        redact(key, json.loads(json.dumps(value)))
    for key, value in rows:
        times = []
        left: Any = None
        for _ in range(_TRIES):
            own = json.loads(json.dumps(value))
            start = time.perf_counter_ns()
            left = redact(key, own)
            times.append(time.perf_counter_ns() - start)
        print(json.dumps([left, min(times) / 1000], default=str))


if __name__ == "__main__":
    main()
