"""The uids of log records that come without one: another for each, and the same when a request is delivered again.

Several records may bear one name and one time: clocks tick in milliseconds. All that was received tells them apart,
also what filters take off later; by a key, since a bare hash lets whoever guesses a value see that it was there.
"""

from __future__ import annotations

import hmac
import marshal
from collections import Counter
from typing import Any

from otel_posthog.intake.otlp.records import LogRecord
from otel_posthog.recogniser import CONTENT_UID, RECORD_UID_KEY

# Of `marshal`: without references to what it has seen before, hence the same for the same values.
_MARSHAL_VERSION = 2


class RecordUids:
    """Makes the uids of one request's log records.

    Args:
        key: Gateways that have the same one make the same uids.
    """

    def __init__(self, key: bytes) -> None:
        self._mac = hmac.new(key, digestmod="sha256")
        self._seen: Counter[bytes] = Counter()

    def uid(self, record: LogRecord, name: str) -> bytes:
        """Return the uid of `record`, exact repeats numbered.

        Args:
            record: As received.
            name: Of the event that it is.
        """
        given = record.attributes.get(RECORD_UID_KEY)
        if isinstance(given, str) and given.startswith(CONTENT_UID):
            content = given.encode("utf-8", "surrogatepass")
        else:
            content = _content(record, name)
        uid = self._digest(content)
        repeat = self._seen[uid]
        self._seen[uid] = repeat + 1
        return self._digest(uid + repeat.to_bytes(8, "big")) if repeat else uid

    def _digest(self, content: bytes) -> bytes:
        mac = self._mac.copy()
        mac.update(content)
        return mac.digest()


def _content(record: LogRecord, name: str) -> bytes:
    """Return all of `record`, in the order in which it was received: what comes again comes as it was."""
    ids = name, record.time_ns, record.observed_ns, record.trace_id, record.span_id
    # Without a trace only the resource tells two processes apart.
    content: Any = (ids, record.attributes, record.body, None if record.trace_id else dict(record.resource))
    return marshal.dumps(content, _MARSHAL_VERSION)
