"""What is said of a connection that fails, to PostHog or to an OTLP end: a row for each way to fail, for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from otel_posthog.apps.doctor.connection import Address, Failure, Problem
from otel_posthog.apps.doctor.finding import Finding, Gravity, Group, Kind, Level, Symptom

_ROWS = {
    Problem.NO_NAME: (
        "{host} has no address: the name does not resolve here",
        "check how {variable} is written, and the DNS of this machine or container",
    ),
    Problem.NAME_SILENT: (
        "{host} cannot be looked up: the DNS of this machine does not answer within {seconds:g} s",
        "check the DNS of this machine or container",
    ),
    Problem.REFUSED: (
        "{host} refuses connections: nothing listens there",
        "start what is to listen there, or correct {variable}; in a container, localhost is that container",
    ),
    Problem.NO_ROUTE: (
        "{host} cannot be reached: this machine has no way there",
        "check network and routes of this machine or container, or correct {variable}",
    ),
    Problem.BLOCKED: (
        "{host} does not take a connection within {seconds:g} s: a firewall may be in the way",
        "allow connections from here to {host}, set HTTPS_PROXY where there is a proxy, or correct {variable}",
    ),
    Problem.SILENT: (
        "{host} takes connections and does not answer within {seconds:g} s",
        "check what listens there, and what lies between",
    ),
    Problem.CLOSED: (
        "{host} closes the connection without an answer",
        "check what listens there, and what lies between; correct {variable}",
    ),
    Problem.TLS_WANTED: (
        "{host} speaks TLS, and {variable} says http://",
        "write https:// in {variable}",
    ),
    Problem.NO_TLS: (
        "{host} does not speak TLS, and {variable} says https://",
        "correct the port in {variable}; http:// only for a server on this machine or in this network",
    ),
    Problem.UNKNOWN_CA: (
        "the certificate of {host} is of an authority that this machine does not know",
        "have {ca} name the file with that authority's certificate; do not switch the check off",
    ),
    Problem.EXPIRED: (
        "the certificate of {host} has expired",
        "renew it there; if it has not expired, set this machine's clock",
    ),
    Problem.NOT_YET: (
        "the certificate of {host} is not valid yet",
        "set this machine's clock; else have the certificate corrected there",
    ),
    Problem.OTHER_HOST: (
        "the certificate of {host} is for another host",
        "write the host for which it is in {variable}",
    ),
    Problem.CA_UNREADABLE: (
        "the certificates that {ca} names cannot be read",
        "correct the path in {ca}, and see that this user may read it",
    ),
    Problem.TLS: (
        "{host} and this machine do not agree on TLS",
        "check what listens there, and which versions of TLS it speaks",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sides that an app connects to.

    Attributes:
        name: Begins the ids of its kinds.
        group: Of its findings.
        symptom: What a person notices.
        begins: What stands before what is said.
    """

    name: str
    group: Group
    symptom: Symptom
    begins: str = ""

    def kinds(self) -> dict[Problem, Kind]:
        """Return a kind for each problem."""
        return {
            problem: Kind(
                f"{self.name}_{problem.value}",
                self.group,
                Level.WRONG,
                self.begins + says,
                fix,
                Gravity.NOTHING_ARRIVES,
                self.symptom,
            )
            for problem, (says, fix) in _ROWS.items()
        }


def said_of(  # noqa: PLR0913 - the words of a row
    kinds: Mapping[Problem, Kind], failure: Failure, about: str, address: Address, *, variable: str, ca: str
) -> Finding:
    """Return the finding of a connection that failed.

    Args:
        kinds: Of its side.
        failure: How it failed.
        about: What was looked at.
        address: Where it led to.
        variable: Which says so.
        ca: The variable that names the certificates to believe.
    """
    seconds = round(failure.seconds, 1)
    return kinds[failure.problem].found(about, host=address.shown, variable=variable, ca=ca, seconds=seconds)
