"""Works as often as it is told to: a number on each line of standard input; `flush` delivers what there is."""

from __future__ import annotations

import sys

from product import work

import otel_posthog

sys.stdout.write("ready\n")
for line in sys.stdin:
    word = line.strip()
    if word == "flush":
        sys.stdout.write(f"flushed {otel_posthog.flush(10)}\n")
    else:
        work(int(word))
        sys.stdout.write(f"worked {word}\n")
sys.stdout.write("done\n")
