"""The uids of log records that come without one: another for each, and the same when a request is delivered again.

Several records may bear one name and one time: clocks tick in milliseconds. All that was received tells them apart,
also what filters take off later; by a key, since a bare hash lets whoever guesses a value see that it was there.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Mapping

from otel_posthog.intake.otlp.records import LogRecord
from otel_posthog.model import Attributes
from otel_posthog.route import RECORD_UID_KEY

CONTENT_UID = "otel-posthog:"
"""Beginning of a `log.record.uid` that a Collector of ours made of a record's content, by a key."""


class RecordUids:
    """Makes the uids of one request's log records.

    Args:
        key: Gateways that have the same one make the same uids.
    """

    def __init__(self, key: bytes) -> None:
        self._mac = hmac.new(key, digestmod="sha256")
        self._seen: Counter[str] = Counter()
        self._resource: tuple[Attributes | None, str] = None, ""

    def uid(self, record: LogRecord, name: str) -> str:
        """Return the uid of `record`, exact repeats numbered; empty where it has one of its own.

        Args:
            record: As received.
            name: Of the event that it is.
        """
        given = record.attributes.get(RECORD_UID_KEY)
        if isinstance(given, str) and given:
            if not given.startswith(CONTENT_UID):
                return ""
            content = given
        else:
            content = self._content(record, name)
        uid = self._digest(content)
        self._seen[uid] += 1
        repeat = self._seen[uid] - 1
        return self._digest(f"{uid}:{repeat}") if repeat else uid

    def _digest(self, content: str) -> str:
        mac = self._mac.copy()
        mac.update(content.encode("utf-8", "surrogatepass"))
        return mac.hexdigest()

    def _content(self, record: LogRecord, name: str) -> str:
        """Return all of `record` as one text, in which the order of keys does not count."""
        times = name, record.time_ns, record.observed_ns, record.trace_id, record.span_id
        # Without a trace only the resource tells two processes apart.
        resource = "" if record.trace_id else self._resource_text(record.resource)
        return f"{times!a}{_text(record.attributes)}{_text(record.body)}{resource}"

    def _resource_text(self, resource: Attributes) -> str:
        if self._resource[0] is not resource:
            self._resource = resource, _text(resource)
        return self._resource[1]


def _text(value: object) -> str:
    """Return `value` as a text that is the same under every Python; `repr` depends on which characters it can print."""
    text = ascii(sorted(value.items()) if isinstance(value, dict) else value)
    # Most have no mapping within; a brace in a text costs a second look, no more.
    return ascii(_sorted(value)) if "{" in text else text


def _sorted(value: object) -> object:
    if isinstance(value, Mapping):
        return [(key, _sorted(each)) for key, each in sorted(value.items())]
    return [_sorted(each) for each in value] if isinstance(value, (list, tuple)) else value
