"""The benchmark `requests`: does PostHog's state show in the times of a web app, or at its exit?

Each round starts the helpdesk once for every condition, each in a process of its own with a PostHog of its own, and
sends all of them the same requests in turns of a few, one connection at a time; then it stops them one after the other.
"""

from benchmarks.requests.benchmark import NAME, add_arguments, run

__all__ = ["NAME", "add_arguments", "run"]
