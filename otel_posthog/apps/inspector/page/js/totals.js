// Counts over the lines that the page holds.
import { outcomeKeys } from "./filter.js";

// A list of lines is never changed, only replaced.
const made = new WeakMap();

/** How often each event, outcome, rule and process is there, the most frequent first. */
export function totalsOf(entries) {
  if (!made.has(entries)) made.set(entries, counted(entries));
  return made.get(entries);
}

function counted(entries) {
  const events = new Map();
  const outcomes = new Map();
  const rules = new Map();
  const reasons = new Map();
  const processes = new Map();
  for (const entry of entries) {
    const isEvent = entry.event !== null;
    if (isEvent) add(events, entry.name);
    const keys = outcomeKeys(entry);
    // Of `dropped` and `dropped:consent` the one that says why.
    keys.filter((key) => !keys.some((other) => other.startsWith(`${key}:`))).forEach((key) => add(outcomes, key));
    entry.rules.forEach((rule) => add(rules, rule));
    if (isEvent) add(reasons, entry.via);
    if (entry.process) add(processes, entry.process);
  }
  const operational = outcomes.get("operational") ?? 0;
  return {
    operational,
    events: sorted(events),
    outcomes: sorted(outcomes),
    rules: sorted(rules),
    reasons: sorted(reasons),
    processes: sorted(processes),
  };
}

function add(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const sorted = (counts) =>
  [...counts]
    .map(([key, count]) => ({ key, count }))
    .sort((one, other) => other.count - one.count || (one.key < other.key ? -1 : 1));
