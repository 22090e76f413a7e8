"""The pages of help of the subcommands of `otel-posthog spool`."""

from __future__ import annotations

from otel_posthog.apps.parser import Page

_DONE = "0 done, 2 it cannot be done"

PAGES = {
    "list": Page(
        summary="how much waits, since when, in whose directory",
        about="""\
Show for each process, running or ended, how many events it has on disk, of
which destination and project, and since when.
""",
        examples="""\
  otel-posthog spool list
  otel-posthog spool list --json | jq 'map(.events) | add'
""",
        status=_DONE,
        printed="a JSON array of holdings: path, destination, project, pid, state, events, size_bytes, oldest_ms",
    ),
    "inspect": Page(
        summary="show events that wait, the oldest first",
        about="""\
Show events as PostHog will get them. They are filtered already.
""",
        examples="""\
  otel-posthog spool inspect --limit 3
  otel-posthog spool inspect --limit 0 --json | jq .event
""",
        status=_DONE,
        printed="one JSON object a line: the event",
    ),
    "drain": Page(
        summary="send what ended processes left, until nothing is left",
        about="""\
Send to PostHog, with the key and host of this environment, what ended processes
left. What a running process has is left to that process.
""",
        examples="""\
  otel-posthog spool drain
  otel-posthog spool drain --timeout 30 --json
""",
        status="0 nothing is left, 1 something is, 2 it cannot be done",
        printed="one JSON object: delivered, dropped, left, retried, reasons, cut_files",
    ),
    "dead": Page(
        summary="list events that PostHog refused for good, and why",
        about="""\
Show the events that PostHog refused and that no further attempt would get
through.
""",
        examples="""\
  otel-posthog spool dead
  otel-posthog spool dead --json | jq '.[].reason'
""",
        status=_DONE,
        printed="a JSON array: reason, buried_ms, event",
    ),
    "replay": Page(
        summary="put refused events back, to be sent once more",
        about="""\
Put events that PostHog refused back into the spool, once what they were refused
for is mended.
""",
        examples="""\
  otel-posthog spool replay
  otel-posthog spool replay 0198c0de-0000-7000-8000-000000000000
""",
        status="0 done, 1 some are not there, 2 it cannot be done",
        printed="one JSON object: replayed, missing (lists of uuids)",
    ),
    "export": Page(
        summary="write what waits to a file, for another machine",
        about="""\
Write what ended processes left to a file, and take it out of the spool; what
running ones have is written and stays. A file that exists and is not empty is
never replaced: it may hold the only copy of what an earlier export took.
""",
        examples="""\
  otel-posthog spool export waiting.jsonl.gz
  otel-posthog spool export --keep --json waiting.jsonl
""",
        status=_DONE,
        printed="one JSON object: exported, still_in_spool, file",
    ),
    "erase": Page(
        summary="remove what waits of one person, or all that waits",
        about="""\
Remove events from the disk before they are sent, dead letters too.
""",
        examples="""\
  otel-posthog spool erase --distinct-id user-42
  otel-posthog spool erase --all --json
""",
        status="0 done, 1 a running process has some, 2 it cannot be done",
        printed="one JSON object: what was removed, and what is left",
    ),
    "import": Page(
        summary="put an exported file into this spool",
        about="""\
Check a file that `export` wrote to its end, filter its events again, and put
them into this spool, from where `drain` or the app sends them.
""",
        examples="""\
  otel-posthog spool import waiting.jsonl.gz
  otel-posthog spool import --json waiting.jsonl
""",
        status=_DONE,
        printed="one JSON object: imported",
    ),
}
