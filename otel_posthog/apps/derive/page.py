"""A survey as text for a person, as a policy, or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from otel_posthog.apps.derive.survey import Found, Survey
from otel_posthog.inspection.rule_lines import rule_content, rule_lines
from otel_posthog.text import visible

VERSION = 1
"""Of the fields of the JSON; it grows when one goes or changes its meaning, not when one is added."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_WIDTH = 78


def page(survey: Survey, name: str) -> str:
    """Return what a person reads."""
    return "\n".join(_lines(survey, name)) + "\n"


def policy_text(survey: Survey, name: str) -> str:
    """Return a policy with the rules that would make events of the file."""
    own = [rule_lines(rule) for rule, _ in survey.own_rules()]
    lines = [f"# Rules that make events of {visible(name)}, by `otel-posthog derive`.", "version: 1"]
    if not survey.words() and not own:
        return "\n".join([*lines, "derive: []"]) + "\n"
    lines.append("derive:")
    lines += [f"  - {word}  # {_counted(survey, word)}" for word in survey.words()]
    for (_, count), text in zip(survey.own_rules(), own, strict=True):
        lines += [f"  # {count:,} in the file. Give it the name that your team knows it by.", text]
    return "\n".join(lines) + "\n"


def as_json(survey: Survey, name: str) -> str:
    """Return all of it as JSON."""
    content = {
        "version": VERSION,
        "file": name,
        "spans": survey.spans,
        "logs": survey.logs,
        "seconds": survey.seconds,
        "marked": survey.marked,
        "exceptions": survey.exceptions,
        "processed": survey.processed,
        "rules": [
            {
                "rule": each.row.name,
                "word": each.row.group,
                "event": each.row.event,
                "count": each.count,
                "per_day": survey.per_day(each.count),
                "properties": [
                    {"name": key, "from": _read_from(each, key), "kinds": dict(kinds), "count": kinds.total()}
                    for key, kinds in each.properties.items()
                ],
            }
            for each in survey.found()
        ],
        "suggested": [
            {"rule": rule_content(rule), "count": count, "per_day": survey.per_day(count)}
            for rule, count in survey.own_rules()
        ],
        "unmatched": [{"what": what, "count": count} for what, count in survey.unmatched.most_common()],
    }
    return json.dumps(content, ensure_ascii=True, indent=2) + "\n"


def _lines(survey: Survey, name: str) -> Iterator[str]:
    yield visible(name)
    yield f"  {_number(survey.spans, 'span')} and {_number(survey.logs, 'log record')}{_length(survey)}"
    if survey.marked:
        yield f"  {_number(survey.marked, 'of them is', 'of them are')} marked as events by the app itself"
    if survey.processed:
        come = _number(survey.processed, "of them comes", "of them come")
        yield f"  {come} from an app with this package, which makes its events itself:"
        yield "  nothing is derived from them. Export without it to see what could be:"
        yield "    OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=posthog OTEL_TRACES_EXPORTER=console ..."
    yield ""
    yield from _events(survey)
    yield from _rest(survey)
    yield from _own(survey)


def _events(survey: Survey) -> Iterator[str]:
    found = survey.found()
    if not found:
        yield "No rule that comes with the package makes an event of it."
        return
    yield f"{'It could become':<38}{'events':>10}{'about a day':>16}"
    for word in survey.words():
        yield f"  {word}"
        for each in found:
            if each.row.group == word:
                per_day = survey.per_day(each.count)
                shown = each.row.name if each.row.name == each.row.event else f"{each.row.name} ({each.row.event})"
                yield f"    {shown:<34}{each.count:>10,}{'-' if per_day is None else format(per_day, ','):>16}"
                yield from _properties(each)
    if survey.exceptions:
        exceptions = _number(survey.exceptions, "recorded exception")
        yield f"  and {exceptions} in them as `$exception` (docs/exceptions.md)"
    yield ""
    yield f"Switch on: OTEL_POSTHOG_DERIVE={','.join(survey.words())}"
    yield "or, in a policy, derive: [" + ", ".join(survey.words()) + "]"
    yield "A single rule is on by its own name."


def _properties(found: Found) -> Iterator[str]:
    line = "      "
    for key, kinds in found.properties.items():
        part = f"{key} ({' or '.join(sorted(kinds))}{_missing(kinds, found)})"
        if len(line) + len(part) > _WIDTH:
            yield line.rstrip()
            line = "      "
        line += f"{part}  "
    yield line.rstrip()


def _missing(kinds: Counter[str], found: Found) -> str:
    count = kinds.total()
    return "" if count == found.count else f", in {count:,}"


def _rest(survey: Survey) -> Iterator[str]:
    if not survey.unmatched:
        return
    yield ""
    yield f"No rule fits {_number(survey.unmatched.total(), 'item')}:"
    for what, count in survey.unmatched.most_common(10):
        yield f"  {count:>10,}  {what}"


def _own(survey: Survey) -> Iterator[str]:
    rules = survey.own_rules()
    if not rules:
        return
    yield ""
    yield "What users do most often here, and no rule names yet. To paste under `derive:`,"
    yield "each with the name that your team knows it by:"
    for rule, count in rules:
        per_day = survey.per_day(count)
        about = "" if per_day is None else f", about {per_day:,} a day"
        yield ""
        yield f"  # {_number(count, 'event')} in the file{about}"
        yield rule_lines(rule)
    yield ""
    yield "All of it as a policy: otel-posthog derive --policy FILE > policy.yaml"


def _counted(survey: Survey, word: str) -> str:
    return ", ".join(f"{each.row.name} {each.count:,}" for each in survey.found() if each.row.group == word)


def _read_from(found: Found, key: str) -> str:
    return found.row.properties.get(key, "")


def _number(count: int, one: str, several: str = "") -> str:
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def _length(survey: Survey) -> str:
    seconds = survey.seconds
    if survey.per_day(1) is None:
        return ", too short to say what a day would be"
    for unit_s, unit in ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes")):
        if seconds >= 2 * unit_s:
            return f" within {seconds / unit_s:.1f} {unit}"
    return f" within {seconds:.0f} seconds"
