"""The store on disk: events survive the process, whatever ends it."""

from otel_posthog.deliver.spool.spool import Spool

__all__ = ["Spool"]
