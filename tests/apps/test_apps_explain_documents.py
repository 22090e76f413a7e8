"""The JSON documents of a file, however they stand in it, and what is said of a file that has none."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_posthog.apps.explain.documents import CHUNK_CHARS, JsonDocuments, Located, UnreadableFileError
from otel_posthog.apps.explain.items import items_of, signal_of
from otel_posthog.translate import translate


class Counting(io.StringIO):
    """A stream that knows how much of it has been asked for."""

    asked = 0

    def read(self, size: int | None = -1, /) -> str:
        """Count and read."""
        got = super().read(size)
        self.asked += len(got)
        return got


def documents(text: str) -> list[tuple[int, Any]]:
    """Return (line, content) of each document in `text`."""
    return [(each.line, each.content) for each in JsonDocuments(io.StringIO(text))]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text(max_size=8), values, max_size=4) | st.lists(values)), st.integers(0, 3))
def test_documents_come_back_whatever_is_between_them(contents: list[Any], spaces: int) -> None:
    """JSON lines, indented documents, documents with nothing between them."""
    texts = [json.dumps(each, indent=spaces or None, ensure_ascii=spaces == 1) for each in contents]
    separator = ("\n", "", " \r\n\n", "\n")[spaces]
    assert [content for _, content in documents(separator.join(texts))] == contents


def test_a_document_is_known_by_the_line_it_begins_on() -> None:
    """Blank lines and the lines of documents before count."""
    assert documents('\n{"a":\n1}\n\n[2]') == [(2, {"a": 1}), (5, [2])]


def test_a_long_file_is_read_as_it_is_asked_for() -> None:
    """Of a million lines the first comes after one piece, and what is kept does not grow."""
    stream = Counting('{"a":1}\n' * (40 * CHUNK_CHARS // 8))
    reader = iter(JsonDocuments(stream))
    next(reader)
    assert stream.asked == CHUNK_CHARS
    assert sum(1 for _ in reader) == 40 * CHUNK_CHARS // 8 - 1


def test_a_document_longer_than_a_piece_is_read_whole() -> None:
    """Also where a piece ends within a string, a number, a word or an escape."""
    long = {"text": 'ü\\"\n' * CHUNK_CHARS, "numbers": list(range(9999)), "words": [True, None, False] * 9999}
    assert documents(json.dumps(long)) == [(1, long)]
    for cut in range(1, 40):
        text = json.dumps({"pad": "x" * (CHUNK_CHARS - cut), "v": [True, None, 1.5e3, "\u2028", "\\"]})
        assert documents(text)[0][1] == json.loads(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "line 1: this is not JSON; it should begin with { or ["),
        ('{"a": 1}\nnot', "line 2: this is not JSON; it should begin with"),
        ('{"a": 1,\n "b" 2, "and so on for more than sixteen characters": 3}', "line 2, column 6: this is not JSON"),
        ('{"a": ', "this is not JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "number that is too long"),
    ],
)
def test_what_is_no_json_is_told_by_its_line(text: str, message: str) -> None:
    """Where, what, and what was expected."""
    with pytest.raises(UnreadableFileError) as caught:
        documents(text)
    assert message in str(caught.value)


def test_a_mistake_is_told_without_reading_on() -> None:
    """What cannot be the beginning of a document is not read to its end first."""
    stream = Counting('{"a" 1, ' + '"b": 2, ' * 40 * CHUNK_CHARS)
    with pytest.raises(UnreadableFileError, match="line 1, column 6"):
        list(JsonDocuments(stream))
    assert stream.asked == CHUNK_CHARS


def test_a_document_without_end_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a limit, and the message says what to do."""
    monkeypatch.setattr("otel_posthog.apps.explain.documents.MAX_DOCUMENT_CHARS", 4 * CHUNK_CHARS)
    stream = Counting('{"a": "' + "x" * 40 * CHUNK_CHARS)
    with pytest.raises(UnreadableFileError, match="JSON lines"):
        list(JsonDocuments(stream))
    assert stream.asked <= 8 * CHUNK_CHARS


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ({"event": "a"}, 1),
        ([{"event": "a"}, {"plan": "pro"}], 2),
        ({"api_key": "k", "batch": [{"event": "a"}, {"event": "b"}]}, 2),
        ({"resourceSpans": [], "resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {}]}]}]}, 2),
        ({"resourceMetrics": [{}]}, 0),
        ({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"sum": {"dataPoints": [{}, {}]}}]}]}]}, 2),
        ([], 0),
    ],
)
def test_a_document_is_taken_for_what_it_looks_like(content: Any, count: int) -> None:
    """Events, lists and batches of them, OTLP."""
    assert len(list(items_of(Located(1, content)))) == count


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "line 7: an event should be an object"),
        (
            {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "x"}]}]}]},
            "resourceSpans[0].scopeSpans[0].spans[0]",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_by_line_and_field(content: Any, message: str) -> None:
    """The message names the field of a malformed document."""
    with pytest.raises(UnreadableFileError) as caught:
        list(items_of(Located(7, content)))
    assert message in str(caught.value)


IDS = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}
SPANS = [{"spans": [{**IDS, "name": "GET"}]}]


@pytest.mark.parametrize(
    ("content", "what", "instead"),
    [
        ({"batches": [{"resource": {}, "scopeSpans": SPANS}]}, "an answer of Tempo's API", '{"resourceSpans": [...]}'),
        ({"batches": [{"instrumentationLibrarySpans": SPANS}]}, "an answer of Tempo's API", '{"resourceSpans": [...]}'),
        ({"trace": {"resourceSpans": []}}, "telemetry in a format", "OTLP JSON"),
        ({"result": {"resourceSpans": []}}, "telemetry in a format", "OTLP JSON"),
        ({"data": [{"traceID": "5b8e", "spans": []}]}, "what Jaeger's page and API give", '{"resourceSpans": [...]}'),
        ({"traceId": "5b8e", "id": "e", "name": "GET", "localEndpoint": {}}, "telemetry in a format", "OTLP JSON"),
        ({"specversion": "1.0", "type": "paid", "source": "/", "id": "1", "data": {}}, "a CloudEvent", '{"event": '),
        ({"@timestamp": "2026-01-02T03:04:05Z", "ecs.version": "1.2", "message": "a"}, "Elastic Common", "OTLP JSON"),
        ({"@timestamp": "2026-01-02T03:04:05Z", "ecs": {"version": "1.2"}}, "Elastic Common Schema", "OTLP JSON"),
        ({"timestamp": 1, "level": "INFO", "message": "a", "trace_id": "5b8e"}, "a line of a JSON log", "OTLP JSON"),
        ({"time": "2026", "level": 30, "msg": "a", "pid": 1}, "a line of a JSON log", "OTLP JSON"),
        ({"event": "paid by jo", "level": "info", "timestamp": "2026"}, "a line of a JSON log", "OTLP JSON"),
        ({"results": [{"event": "paid", "distinct_id": "u1"}], "next": None}, "an answer of PostHog's", "jq -c '.res"),
        ({"columns": ["event"], "results": [["paid"]]}, "an answer of PostHog's query API", '{"event": '),
    ],
)
def test_what_is_of_another_format_is_refused_by_name(content: Any, what: str, instead: str) -> None:
    """Taken for properties it would show ids as sent that never are; also within a list, as lines of a file are."""
    for document in (content, [content]):
        with pytest.raises(UnreadableFileError) as caught:
            list(items_of(Located(7, document)))
        assert str(caught.value).startswith("line 7: this looks like ")
        assert what in str(caught.value)
        assert instead in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        {"plan": "pro", "level": "gold", "message": "hello", "time": 5},
        {"level": "error", "message": "shown to the user"},
        {"event": "paid", "timestamp": "2026-01-02T03:04:05Z", "level": "info", "properties": {"message": "a"}},
        {"event": "paid", "timestamp": "2026-01-02T03:04:05Z", "distinct_id": "u1"},
        {"results": [{"title": "a"}], "data": [{"n": 1}], "batches": 5, "type": "search"},
        {"event": "span_seen", "properties": {"traceId": "5b8e", "spanId": "e"}},
        {"analytics.event": "paid", "trace_id": "5b8e", "span_id": "e"},
        {"plan": "pro", "trace_id": "5b8e"},
    ],
)
def test_what_only_resembles_another_format_is_explained(content: Any) -> None:
    """Words that properties have too refuse nothing by themselves."""
    assert len(list(items_of(Located(1, content)))) == 1


def test_an_event_of_a_posthog_library_means_what_it_means_there() -> None:
    """Who, when, groups, sessions and changes of the person, at either place where libraries put them."""
    event = {
        "event": "paid",
        "uuid": "0194f3a0-0000-7000-8000-000000000001",
        "timestamp": "2026-01-02T03:04:05Z",
        "properties": {"distinct_id": "u1", "plan": "pro", "$groups": {"company": "acme"}, "$session_id": "s"},
        "window_id": "w",
        "$set": {"name": "Jo"},
        "$set_once": "no map",
        "type": "capture",
    }
    signal = signal_of(event, 5)
    assert (signal.name, signal.time_ns) == ("paid", 5)
    notes: list[str] = []
    (made,) = translate(signal, notes.append)
    subject = made.subject
    assert (subject.user_id, subject.session_id, subject.groups) == ("u1", "s", {"company": "acme"})
    assert subject.window_id == "w"
    assert (subject.person_set, subject.person_set_once, made.properties) == ({"name": "Jo"}, {}, {"plan": "pro"})
    assert (made.uuid, notes) == (event["uuid"], ["posthog_key_invalid"])
    assert signal_of({"plan": "pro"}, 5).attributes == {"analytics.property.plan": "pro"}
    assert signal_of({"analytics.event": "paid", "http.route": "/"}, 5).attributes["http.route"] == "/"
