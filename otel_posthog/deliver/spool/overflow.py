"""The events that the disk does not take: in memory until it does."""

from __future__ import annotations

from otel_posthog.deliver.spool.trouble import Trouble
from otel_posthog.deliver.spool.writer import CannotNowError, Writer
from otel_posthog.deliver.store import MemoryStore

# Moved to a disk that works again with each event that is put.
SPILL_EVENTS = 100
_ANY_SIZE = 2**62


class Overflow(MemoryStore):
    """A store in memory that empties into the one on disk."""

    def spill(self, writer: Writer, trouble: Trouble) -> bool:
        """Move some events to disk; return False where it does not take them."""
        events = self.take(SPILL_EVENTS, _ANY_SIZE)
        done = 0
        try:
            for event in events:
                writer.append(event)
                done += 1
        except CannotNowError:
            pass
        except OSError as error:
            trouble.failed(error)
        finally:
            # Also where a signal handler raises, as of `sys.exit()`.
            self.acknowledge(events)
            for event in events[done:]:
                self.put(event)
        return done == len(events)
