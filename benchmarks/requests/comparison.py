"""What the rounds say about one condition, next to the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.requests.condition import AGAIN, WELL, WITHOUT, Condition
from benchmarks.requests.round import Measured
from benchmarks.spread import Spread, ratios

MAX_EXIT_MORE_S = 5.0
"""What an exit may take on top of the app's own: the policy's `shutdown_timeout_s`."""

Rounds = Sequence[Mapping[str, Measured]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition over all rounds.

    Attributes:
        name: Of the condition.
        request_ms: Its median request time.
        to_well: That, divided by that of `well`, round by round.
        to_again: The same for the control.
        exit_s: From SIGTERM to the end of the process.
        exit_more_s: That, less that of `without`, round by round.
        delivered_events: How many events PostHog took.
        noise: How far two runs of the same program were apart, as a factor.
    """

    name: str
    request_ms: Spread
    to_well: Spread
    to_again: Spread
    exit_s: Spread
    exit_more_s: Spread
    delivered_events: int
    noise: float

    @property
    def is_within_noise(self) -> bool:
        """Whether its request time differs from `well` by no more than a second run of `well` does."""
        return self.to_well.is_within(self.noise)

    @property
    def exits_in_time(self) -> bool:
        """Whether its exit took at most 5 s more than without the package, in every round."""
        return self.exit_more_s.max <= MAX_EXIT_MORE_S

    def figures(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "request_ms": self.request_ms.figures(),
            "ratio_to_well": self.to_well.figures(),
            "ratio_to_again": self.to_again.figures(),
            "exit_s": self.exit_s.figures(),
            "exit_more_s": self.exit_more_s.figures(),
            "delivered_events": self.delivered_events,
            "is_within_noise": self.is_within_noise,
            "exits_in_time": self.exits_in_time,
        }


def compare(rounds: Rounds, conditions: Sequence[Condition]) -> list[Comparison]:
    """Return the comparison of each condition."""
    noise = ratios(_request_s(rounds, AGAIN.name), _request_s(rounds, WELL.name)).noise
    return [_compare(rounds, each.name, noise) for each in conditions]


def _compare(rounds: Rounds, name: str, noise: float) -> Comparison:
    own_s = _request_s(rounds, name)
    return Comparison(
        name,
        request_ms=Spread.of(1000 * each_s for each_s in own_s),
        to_well=ratios(own_s, _request_s(rounds, WELL.name)),
        to_again=ratios(own_s, _request_s(rounds, AGAIN.name)),
        exit_s=Spread.of(each[name].exit_s for each in rounds),
        exit_more_s=Spread.of(each[name].exit_s - each[WITHOUT.name].exit_s for each in rounds),
        delivered_events=sum(each[name].delivered_events for each in rounds),
        noise=noise,
    )


def _request_s(rounds: Rounds, name: str) -> list[float]:
    return [each[name].request_s for each in rounds]
