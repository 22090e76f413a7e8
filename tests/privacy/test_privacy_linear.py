"""Work grows with the length of the text, not with its square, whatever the text is made of."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from types import ModuleType

import pytest
from steps import counted

from otel_posthog.model import REDACTED, Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter, scan
from otel_posthog.privacy.walk import unused

FILTER = Filter(PrivacyPolicy())

PARTS = [
    # Letters, digits, signs.
    "a", "A", "aA", "a1", "1", "4", "0", "00", "0f", "z9-", "x1 ", "_", "-", "a-", ".", "a.", "1.", ":", "::", "a:",
    "+", "+1", "(", "(0", "[", "{", "}", "<", "/", "\\", '"', "'", "''", '\\"', "\\'", "=", "==", "&", "a=b&", "#",
    "?", "%", "$", "*", ",", ";", "|", "~", "\n", " ", "  ", "a b ",
    # Encodings and other scripts.
    "%40", "%2540", "%25", "\\u0040", "&#64;", "&#", "\u200b", "\ud800", "%2525", "\\x40", "\\u{40}", "&#064;",
    "&commat;", "\u0301",
    "aGFsbG8gd2VsdCBoYWxsbyB3", "aGFsbG8gd2VsdCBoYWxsbyB3 ", "\uff11", "\u0660", "\u2011", "\u00a0",
    "\u00e9", "\u4e2d",
    # Addresses of mail and of machines.
    "@", "a@", "a@a.", "a@1.", "a@a.b", '"@', '"@a.bc', "@1.2.3.4", "a@xn--a", "8.8.", "1.2.3.4 ", "a-1.2.3.4",
    "fe80::1 ", "2001:db8::", "aa:bb:", "aa-bb-", "abcd.ef01.",
    "a@a.de_",
    # Credentials.
    "://", "://a:", "://a@", "://a/", "a://b:c@d", "a://b:1@", "bearer ", "basic +", "authorization: a ",
    "authorization: is a=[", 'authorization: x a="', "cookie: ", "cookie: a=b; ", "ey" + "J", "ey" + "J.", "ey" + "J~",
    "-----BEGIN PRIVATE KEY" + "-----", "gh" + "p_", "sk-", "sk-a", "x.atlasv1.", "a_live_1", "hooks.slack.com/a",
    "discord.com/api/webhooks/", "prod:a|", "00a", "aaaaaaaaaaaaaaa1-", "1:AA",
    # Pairs of a key and a value.
    "token=", "token=x,", "token: ", "password='", '"password":"', 'password=\\"', "password=\\'[secret] ",
    "password=\\'is ", 'password="[secret]', "password=\\\\", "password=a&", "password=a)", "password=#a",
    "password=a,", "password: a ", "password=<", "--password ", "--a ", "key=", "?sig=", "<password>", "<password>x</",
    "<a>b</", '{"a":',
    # Numbers, and the names of numbers.
    "0 ", "0-", "4 ", "4111 ", "4111 1111 1111 ", "12-", "01-02-", "0-1 ", "(02) ", "222 ", "030-1234 ",
    "02 30 26 46 55 ", "123 456 7890 ", "+49 30 ", "DE44 ", "DE44 5001 ", "12345678Z ", "AB 12 ", "12345678-",
    "078-05-", "passport ", "id number 1", "social security", "SSN is ", "SSN", "ssn 1", "NHS 1 ", "tel ", "tel 1 ",
    "phone number is at ", "1.2345,", "12.34567, ", "4111:", "4111_1111_",
    "2341,2341,", "678 102 ", "98765 ", "0171 / 1", "\u624b\u673a1", "13812345678 \u624b",
    "aadhaar card no ", "12\u00b030'", "lat: 1.23456, ",
    # Names that no sign joins to what they name.
    "lat: 1.2345 ", "lat: ", "values ('", "(password) values ('", "where a in ('", "where password in ('",
    "where pin in (1,", "where a<", "password '", "PASSWORD FOR ", "IDENTIFIED WITH ", "[password]=", "`a`=",
    "password=md5('", "('password','", "(b'a',b'", "<password ", "<a b", "<a><![CDATA[", 'name="a"\n\n',
    'name="a"\r\nb\r\n', "name=password value=", "name: value: ", "value=", "password is ", "was 1",
    "password=['", "password=[", "otps=[1,", "tokens=[1, ", "password={'a':", "password=['?'] ", "password=a(['",
    '["\\"', "password::", "password::a=", 'a::password=["',
    # Paths.
    "/home/", "/home/a", "/home/a b", "C:\\Users\\", "\\Users\\a",
    "/Volumes/a b", "/mnt/a", "file://a", "/mnt/home/", "\\n", "\\ntoken=", "\\/", "\\u00e9", "api.", "api.key=",
    "%C3%A9", "%E2%80",
]  # fmt: skip

# What keys tell changes what is looked for.
KEYS = ["a", "phone", "passport", "url", "cookie", "authorization", "password", "email", "gps", "version", "card"]
PARTNERS = (1, 19, 71)


def mixtures(at: int) -> list[str]:
    """Return what a text of part `at` and of some others is made of, each to be repeated."""
    part = PARTS[at]
    others = [PARTS[(at + step) % len(PARTS)] for step in PARTNERS]
    return [part, *(part + other for other in others), others[1] + " " + part + "1"]


def of_size(part: str, size: int) -> str:
    """Return `part` again and again."""
    return part * (size // len(part))


def texts(at: int) -> list[Callable[[int], str]]:
    """Return for part `at` makers of texts of any length: of it, of mixtures, of it before and behind many others."""
    made: list[Callable[[int], str]] = [partial(of_size, mixed) for mixed in mixtures(at)]
    part, other = PARTS[at], PARTS[(at + 57) % len(PARTS)]
    made += (
        lambda size: part + of_size(other, size),
        lambda size: of_size(part, size // 2) + of_size(other, size // 2),
    )
    return made


def privacy_modules() -> list[ModuleType]:
    """Return the modules whose patterns may look at a text."""
    return [module for name, module in sys.modules.items() if name.startswith("otel_posthog.privacy")]


def seconds(key: str, text: str) -> float:
    """Return the best of three times that scrubbing `text` under `key` takes."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        FILTER.scrub_value(key, text)
        times.append(time.thread_time() - start)
    return min(times)


def test_there_are_some_hundred_and_fifty_kinds_of_text() -> None:
    """No part stands twice in the list."""
    assert len(set(PARTS)) == len(PARTS) > 150


@pytest.mark.parametrize("part", PARTS)
def test_four_times_the_text_takes_no_sixteen_times_the_work(part: str) -> None:
    """Growth stays well below that of a square: what a pattern does within a match, only a clock can tell."""
    # Below this a clock tells more about the machine than about the filter.
    floor_s = 0.004
    for key in ("a", KEYS[PARTS.index(part) % len(KEYS)]):
        # What ends it differs from the rest: it is where patterns go back over what they have read.
        short, long = (part * (size // len(part)) + "x1234567-" for size in (2048, 8192))
        assert seconds(key, long) < 9 * max(seconds(key, short), floor_s), key


@pytest.mark.parametrize("at", range(len(PARTS)), ids=PARTS)
def test_steps_grow_with_the_text_and_no_faster(at: int) -> None:
    """Eight times the text makes some more than eight times the calls and characters read, in every mixture."""
    with counted(privacy_modules()) as steps:
        own = Filter(PrivacyPolicy())
        for number, text_of in enumerate(texts(at)):
            key = KEYS[(at + number) % len(KEYS)]
            counts = []
            for size in (512, 4096):
                text = text_of(size)
                counts.append(steps.of(partial(own.scrub_value, key, text)))
            # A hit more or less is another reading of the whole.
            assert counts[1] <= 24 * counts[0] + 8192, (key, text_of(32), counts)


UNSETTLED = "order " + "02 30 26 46 55 " * 40


def test_a_text_that_does_not_come_clean_goes_whole_and_is_counted() -> None:
    """Past its budget of characters nothing of a text is left, on either side, and each side counts it."""
    noted: list[tuple[str, str, str]] = []
    own, receipt = Filter(PrivacyPolicy(), note=noted.extend), Receipt()
    assert own.scrub_text(UNSETTLED) == own.scrub_value("t", UNSETTLED) == REDACTED
    assert own.scrub_value("t", [UNSETTLED, "fine"]) == [REDACTED, "fine"]
    assert noted == [("", "max_reads", "replaced")] * 3
    assert FILTER.properties({"t": UNSETTLED}, receipt) == {"t": REDACTED}
    assert ("t", "max_reads", "replaced") in receipt.entries


@pytest.mark.parametrize("part", PARTS)
def test_no_text_is_read_more_often_than_its_budget_allows(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All readings of a long text together are a few times its length, counted in characters."""
    read: list[int] = []

    def counted(text: str) -> object:
        read.append(len(text))
        return features_of(text)

    features_of = vars(scan)["features_of"]
    monkeypatch.setattr(scan, "features_of", counted)
    for mixed in mixtures(PARTS.index(part))[:2]:
        text = mixed * (12_000 // len(mixed))
        read.clear()
        FILTER.scrub_text(text)
        # A marker may be longer than what it stands for.
        assert sum(read) <= 8192 + 3 * len(text) + 2 * max(read)


def test_many_keys_that_become_one_are_numbered_without_counting_up_each_time() -> None:
    """A map of addresses as keys costs its length: each key is looked up a few times, however many there are."""

    class Kept(dict[str, int]):
        asked = 0

        def __contains__(self, key: object) -> bool:
            self.asked += 1
            return super().__contains__(key)

    kept = Kept()
    for number in range(2000):
        kept[unused("[email]", kept)] = number
    assert len(kept) == 2000
    assert kept.asked < 8 * 2000
    assert list(kept)[:3] == ["[email]", "[email]_2", "[email]_3"]


@pytest.mark.parametrize("part", ["a", "@", "7", "%40", "+", ".", "a=b&", "[", '{"a":'])
def test_a_megabyte_of_anything_is_cut_before_it_costs(part: str) -> None:
    """A property of a megabyte costs no more than one of the policy's length, plus the look beyond."""
    text = part * (1_000_000 // len(part))
    start = time.process_time()
    out = FILTER.properties({"t": text}, Receipt())
    assert time.process_time() - start < 0.5
    assert len(str(out["t"])) <= PrivacyPolicy().max_string_chars
