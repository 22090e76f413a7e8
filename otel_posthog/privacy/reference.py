"""The lists of names in docs/privacy.md, made from the tables of the detectors.

`python -m otel_posthog.privacy.reference FILE` writes them between the two marks of FILE.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy.detectors.national_id import LABELS
from otel_posthog.privacy.detectors.national_rules import ALPHANUMERIC, BY_GROUPS, BY_LENGTH
from otel_posthog.privacy.detectors.vendor_keys import VENDOR_KEYS
from otel_posthog.privacy.encodings import NAMED
from otel_posthog.privacy.words import (
    COUNTERS,
    HALVES,
    IBAN_LENGTHS,
    JOINED,
    JOINED_SHORT,
    KINDS,
    MEASURES,
    NAME_KEYS,
    SHARED_ACCOUNTS,
    USED,
    VALUE_KEYS,
)

BEGIN, END = "<!-- made by `make policy` from the detectors' tables -->\n", "<!-- end -->\n"


def names() -> str:
    """Return a paragraph for each table."""
    vendors = {name.strip() for line in VENDOR_KEYS.splitlines() for name in line.split(None, 3)[3].split(",")}
    short = (f"{before}{ending}" for ending, (_, firsts) in JOINED_SHORT.items() for before in firsts)
    parts = {
        "Detectors": PrivacyPolicy().detectors,
        "Words that make a key sensitive (`privacy.sensitive_keys`)": PrivacyPolicy().sensitive_keys,
        "Words that do so at the end of a longer one": JOINED,
        "and longer words in full": short,
        "Words beside which a number counts": COUNTERS | USED,
        "Words whose numbers are half of a place": {*HALVES, *KINDS["gps"]},
        "Words beside which two numbers in a list are no place": MEASURES,
        "Keys of a name beside its value": NAME_KEYS,
        "and of the value": VALUE_KEYS,
        "Vendors whose keys are known by how they begin": vendors,
        "Countries whose identity numbers are known by their check": _countries(),
        "Names before which any such number is taken": LABELS.split(),
        "Countries of an IBAN": IBAN_LENGTHS,
        "HTML entities that are decoded": NAMED,
        "Accounts in paths that belong to no person": SHARED_ACCOUNTS,
    }
    return "\n".join(f"**{title}**: {_listed(each)}.\n" for title, each in parts.items())


def _listed(each: Iterable[str]) -> str:
    return ", ".join(sorted(set(each), key=lambda name: (name.lower(), name)))


def _countries() -> set[str]:
    rules = [rule for table in (BY_LENGTH, BY_GROUPS) for rules in table.values() for rule in rules]
    rules += [rule for _, _, rule in ALPHANUMERIC]
    said = (rule.__doc__.partition(":")[0] for rule in rules if rule.__doc__ and ":" in rule.__doc__)
    return {country for each in said for country in each.partition(",")[0].split(" and ")}


def write(path: Path) -> None:
    """Renew the page.

    Args:
        path: Of the file with the two marks.
    """
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    path.write_text(before + BEGIN + "\n" + names() + "\n" + END + rest.partition(END)[2], "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
