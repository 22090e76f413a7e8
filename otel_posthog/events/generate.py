"""Makes of the classes in `usual.py` and `services.py` what else names an event: overloads, the tables of a page.

`python -m otel_posthog.events.generate FILE`, part of `make policy`, writes both between their marks. No module of the
package imports this one.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from otel_posthog.events import services, usual

CODE = Path(__file__).with_name("typed.py")
CODE_MARKS = "# Made by `make policy` from `usual.py`:\n", "# Until here.\n"
PAGE_MARKS = "<!-- made by `make policy` from otel_posthog/events/usual.py -->\n", "<!-- end -->\n"

_FAMILIES: dict[object, tuple[str, str]] = {
    usual.UserLoggedIn: (
        "Account",
        (
            "How people come and go: log-in, log-out, sign-up. "
            "Never who: that is `analytics.user.id`, through the identity mode."
        ),
    ),
    usual.TicketCreated: (
        "Tickets",
        "What is done with tickets. Counts, lengths and kinds; subjects, texts and customers stay where they are.",
    ),
    usual.WorkItemCreated: (
        "Work items",
        "What is done with any other kind of work item: tasks, bugs, orders, cases. `item_kind` says which.",
    ),
    usual.TimerStarted: ("Time entries", "Time that is recorded for work."),
    usual.InvoiceCreated: (
        "Billing",
        (
            "Invoices, payments and plans. "
            "Amounts in the currency's smallest unit (cents), as payment providers have them."
        ),
    ),
    usual.ProjectCreated: ("Projects", "Projects and their tasks."),
    usual.FeatureUsed: (
        "Usage",
        "What is used of a product. A search tells its length and what it found, never what was looked for.",
    ),
    usual.ReportGenerated: ("Reports", "Reports, and data that leaves or enters the product."),
    usual.PageViewed: (
        "Navigation",
        "Where people go. A route is the template (`/tickets/{id}`), never the path: a path tells which ticket.",
    ),
    usual.JourneyStarted: ("Journeys", "The steps of a way through the product: onboarding, checkout, set-up."),
    services.ApiRequest: (
        "Reliability",
        (
            "What fails and what takes long, as users meet it; the traces have the rest. Most of it can be "
            "[derived](derive.md) from telemetry."
        ),
    ),
    services.JobCompleted: ("Background", "What is done while nobody waits: jobs of queues, messages."),
}
"""The first event of each family, with the family's title and what holds for all of it."""

_ENUM = '''\
class AnalyticsEvents(str, Enum):
    """Names of events; a member is its name, wherever a text is taken.

    Each has a class with its properties in `usual.py` or `services.py`, and `docs/events.md` lists them all.
    """
'''
_STR = """
    # As in the StrEnum of Python 3.11: what is printed or put into a text is the name of the event.
    __str__ = str.__str__
"""


def code() -> str:
    """Return the names and overloads of all events, as they stand in `typed.py`."""
    made = _ENUM
    overloads = ""
    for kind in _events():
        if kind in _FAMILIES:
            made += f"\n    # {_FAMILIES[kind][0].lower()}\n"
        name = name_of(kind)
        made += f'    {name.upper()} = "{name}"\n'
        overloads += (
            "@overload\ndef create_event_properties(\n"
            f"    event: Literal[AnalyticsEvents.{name.upper()}], /, **properties: Unpack[{_path(kind)}]\n"
            ") -> Properties: ...\n"
        )
    return f"{made}{_STR}\n\n{overloads}"


def tables() -> str:
    """Return a table of events for each family, for `docs/events.md`."""
    made = ""
    for kind in _events():
        if kind in _FAMILIES:
            title, text = _FAMILIES[kind]
            made += f"\n## {title}\n\n{text}\n\n| event | when | properties |\n|---|---|---|\n"
        when = (inspect.getdoc(kind) or "").removeprefix(f"`{name_of(kind)}`: ")
        properties = ", ".join(f"`{each}`" for each in kind.__annotations__)
        made += f"| `{name_of(kind)}` | {when[:1].upper()}{when[1:]} | {properties} |\n"
    return f"{made}\n"


def name_of(kind: type) -> str:
    """Return the name of the event whose properties `kind` declares."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def between(marks: tuple[str, str], text: str) -> str:
    """Return what stands in `text` between two marks."""
    return text.partition(marks[0])[2].partition(marks[1])[0]


def _events() -> Iterator[type]:
    for module in (usual, services):
        yield from (
            each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__
        )


def _path(kind: type) -> str:
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def _write(path: Path, marks: tuple[str, str], made: str) -> None:
    begin, end = marks
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    path.write_text(f"{before}{begin}{made}{end}{rest.partition(end)[2]}", encoding="utf-8")


if __name__ == "__main__":
    _write(CODE, CODE_MARKS, code())
    _write(Path(sys.argv[1]), PAGE_MARKS, tables())
