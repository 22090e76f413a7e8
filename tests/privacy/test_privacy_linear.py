"""Work grows with the length of the text, not with its square, whatever the text is made of."""

from __future__ import annotations

import sys
import time

import pytest

from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())

PARTS = [
    "a", "a@", "@", "1", "%40", "%2540", "+", "+1", "a.", "1.", "a:", "::", "a=", "a=b&", "token=", "token=x,",
    "token: ", "password='", '"password":"', "key=", "?sig=", "ey" + "J", "ey" + "J.",
    "-----BEGIN PRIVATE KEY" + "-----", "gh" + "p_", "sk-", "-", "a-", "--a ", "0 ", "0-", "00", "DE44 ", "://",
    "://a:", "://a@", "bearer ", "\\", '\\"', "''", "[", "{", "\u200b", "4 ", "4111 ", "(0", "a@a.", "a@1.", "_",
    "aA", "x.atlasv1.", "&#64;", "\uff11", "a_live_1", "cookie: ", "/home/", "passport ", "ssn 1", "8.8.",
    "1.2345,", "52.520008, ", "lat: 1.2345 ", "lat: ", "12345678Z ", "AB 12 ",
    "01-02-", "12-", "aaaaaaaaaaaaaaa1-",
    "\ud800", "sk-a", "SSN", '{"a":', "tel ", "tel 1 ", "phone number is at ", "0-1 ", "(02) ", "222 ", "00a",
    "values ('", "(password) values ('", "where a in ('", "where password in ('", "where pin in (1,", "where a<",
    "password '", "PASSWORD FOR ", "IDENTIFIED WITH ", "[password]=", "`a`=", "password=md5('", "('password','",
    "(b'a',b'",
    "<password ", "<password>x", "<a b", "<a><![CDATA[", 'name="a"\n\n', 'name="a"\r\nb\r\n', "name=password value=",
    "name: value: ", "value=", "password is ", "was 1",
]  # fmt: skip


def seconds(text: str) -> float:
    """Return the best of three times that scrubbing `text` takes."""
    times = []
    for _ in range(3):
        start = time.process_time()
        FILTER.scrub_text(text)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("part", PARTS)
def test_four_times_the_text_takes_no_sixteen_times_the_work(part: str) -> None:
    """Growth between two lengths stays well below that of a square."""
    short, long = part * (4096 // len(part)), part * (16384 // len(part))
    # Below this a clock tells more about the machine than about the filter.
    floor_s = 0.004
    assert seconds(long) < 9 * max(seconds(short), floor_s)


@pytest.mark.parametrize("part", ["a", "@", "7", "%40", "+", ".", "a=b&", "[", '{"a":'])
def test_a_megabyte_of_anything_is_cut_before_it_costs(part: str) -> None:
    """A property of a megabyte costs no more than one of the policy's length, plus the look beyond."""
    text = part * (1_000_000 // len(part))
    start = time.process_time()
    out = FILTER.properties({"t": text}, Receipt())
    assert time.process_time() - start < 0.5
    assert len(str(out["t"])) <= PrivacyPolicy().max_string_chars


@pytest.mark.parametrize("part", PARTS)
def test_calls_grow_with_the_text_and_no_faster(part: str) -> None:
    """Twice the text makes at most some more than twice the function calls, counted, whatever the clock says."""
    counts = []
    for size in (4096, 8192):
        text = part * (size // len(part))
        calls = [0]

        def count(_frame: object, event: str, _argument: object, calls: list[int] = calls) -> None:
            calls[0] += event in {"call", "c_call"}

        FILTER.scrub_text(text)
        sys.setprofile(count)
        try:
            FILTER.scrub_text(text)
        finally:
            sys.setprofile(None)
        counts.append(calls[0])
    assert counts[1] <= 2.5 * counts[0] + 200
