"""What the spool costs and holds: append next to SQLite, recovery, kills, a million events."""

from benchmarks.spool.benchmark import NAME, add_arguments, run

__all__ = ["NAME", "add_arguments", "run"]
