// An event beside what a destination gets of it: one row for each part, before and after, and which rule did it.
// The rows are those of `otel-posthog explain`, with what is nested laid out as a tree.

const MAX_ROWS = 500;
const MAX_DEPTH = 6;
const ALLOW_LIST = "allow_list";
const NOTED = "noted";
const UNSAFE_KEY = "[key]";
const BESIDE = ["$set", "$set_once", "$groups"];
// Of who acts, what the filters see, by the name that receipts have for it; all else is the identity mode's to decide.
const FILTERED_IDS = { "session id": "session_id", "window id": "window_id" };
const MODE_OF_FILTERED_IDS = "identified";
const PERSON_PARTS = ["group", "$set", "$set_once"];
const MODES_WITH_PERSONS = ["identified", "pseudonymous"];

/** Stands for a part that is not there. */
export const GONE = Symbol("gone");

/** Stands for a value that the feed does not hand out; the receipt says what was done to it. */
export const HIDDEN = Symbol("hidden");

/** Stands for a value of which there is not even a receipt: an event that waits on disk has none. */
export const UNKNOWN = Symbol("unknown");

/**
 * Groups of rows, of one event and one destination.
 *
 * A row: `key`, `path`, `depth`, `before`, `after`, `state` (same, changed, removed, added, group), `rules` (`{rule,
 * action}`). `unsent` are the attributes that nobody asked to leave. `left` counts rows that are too many to show.
 */
export function pairsOf(event, sent) {
  const changes = sent?.changes ?? [];
  const after = sent?.event?.properties ?? {};
  const rows = event.before ? withValues(event.before, after, sent, changes) : withoutValues(event, after, sent, changes);
  const left = Math.max(0, rows.properties.length - MAX_ROWS);
  return { telemetry: [], ...rows, properties: rows.properties.slice(0, MAX_ROWS), left };
}

function withValues(before, after, sent, changes) {
  const declared = before.properties ?? {};
  const telemetry = before.telemetry ?? {};
  const [properties, allowed] = [[], []];
  for (const [key, value] of Object.entries(declared)) walk(properties, key, value, own(after, key), changes);
  for (const [key, value] of Object.entries(telemetry)) {
    if (Object.hasOwn(declared, key)) continue;
    const told = about(key, changes);
    if (Object.hasOwn(after, key) || told.some((each) => each.rule !== ALLOW_LIST)) {
      walk(allowed, key, value, own(after, key), changes);
    }
  }
  const known = new Set([...Object.keys(declared), ...Object.keys(telemetry), ...BESIDE, "session_id"]);
  const added = Object.keys(after).filter((key) => !known.has(key));
  const unsent = changes.filter((each) => each.rule === ALLOW_LIST);
  return {
    who: whoRows(before.who ?? {}, after, sent, changes),
    properties,
    telemetry: allowed,
    added: added.map((key) => leaf(key, GONE, after[key], [], 0, key)),
    unsent: unsent.map(({ key }) => ({ key, value: own(telemetry, key) })),
  };
}

function withoutValues(event, after, sent, changes) {
  const told = changes.filter((each) => each.rule !== ALLOW_LIST);
  const unsent = changes.filter((each) => each.rule === ALLOW_LIST);
  const was = new Set(event.keys ?? []);
  const before = sent?.policy ? HIDDEN : UNKNOWN;
  const rows = [];
  const added = [];
  for (const [key, value] of Object.entries(after)) {
    const isOwn = before === UNKNOWN || was.has(key) || told.some((each) => isWithin(each.key, key));
    if (BESIDE.includes(key)) continue;
    if (isOwn) walk(rows, key, before, value, changes);
    else added.push(leaf(key, GONE, value, [], 0, key));
  }
  const shown = new Set(rows.map((row) => row.path));
  for (const { key, rule, action } of told) {
    if (action === "removed" && !shown.has(key)) rows.push(leaf(key, HIDDEN, GONE, [{ rule, action }], 0, key));
  }
  // Without values the receipt is what there is to see.
  const touched = (row) => row.depth === 0 && ["changed", "removed"].includes(row.state);
  const properties = [...rows.filter(touched), ...rows.filter((row) => !touched(row))];
  return { who: whoRows({}, after, sent, changes), properties, added, unsent: unsent.map(({ key }) => ({ key, value: HIDDEN })) };
}

/** Who acts, beside what stands for them. */
function whoRows(who, after, sent, changes) {
  if (!sent?.event) return Object.entries(who).map(([key, value]) => leaf(key, value, GONE, [], 0, key));
  const rows = [];
  if (!Object.hasOwn(who, "user id")) rows.push(leaf("distinct_id", GONE, sent.event.distinct_id, [], 0, "distinct_id"));
  for (const [key, value] of Object.entries(who)) {
    const path = receiptPath(key, sent.identity);
    rows.push(leaf(key, value, standIn(key, sent.event, after), path === undefined ? [] : about(path, changes), 0, key));
  }
  return rows;
}

function standIn(key, event, after) {
  if (key === "user id") return event.distinct_id;
  if (key === "consent") return GONE;
  // What PostHog takes for a session stands beside the properties, as a window does.
  if (key === "session id") return own(Object.hasOwn(event, "session_id") ? event : after, "session_id");
  if (key === "window id") return own(event, "window_id");
  const [kind, ...rest] = key.split(" ");
  return own(after[kind === "group" ? "$groups" : kind] ?? {}, rest.join(" "));
}

/** Under which path a receipt says what was done to a part of who acts; undefined where that is not the filters' doing. */
function receiptPath(key, identity) {
  if (Object.hasOwn(FILTERED_IDS, key)) return identity === MODE_OF_FILTERED_IDS ? FILTERED_IDS[key] : undefined;
  const at = key.indexOf(" ");
  return PERSON_PARTS.includes(key.slice(0, at)) && MODES_WITH_PERSONS.includes(identity) ? key.slice(at + 1) : undefined;
}

/** Adds the row of a part, and those of what is nested in it. */
function walk(rows, key, before, after, changes, depth = 0, path = key) {
  const keys = depth < MAX_DEPTH && rows.length <= MAX_ROWS ? nestedKeys(before, after, path, changes) : [];
  if (!keys.length) {
    rows.push(leaf(key, before, after, about(path, changes), depth, path));
    return;
  }
  const own_ = changes.filter((each) => each.key === path).map(({ rule, action }) => ({ rule, action }));
  rows.push({ key, path, depth, before, after, state: after === GONE ? "removed" : "group", rules: own_ });
  for (const each of keys) {
    const was = typeof before === "symbol" ? before : own(before, each);
    walk(rows, each, was, own(after, each), changes, depth + 1, `${path}.${each}`);
  }
}

/** The keys in a part that is laid out: an object, or a list in which something was changed. */
function nestedKeys(before, after, path, changes) {
  const isList = Array.isArray(before) || Array.isArray(after);
  if (isList && !changes.some((each) => isWithin(each.key, path) && each.key !== path)) return [];
  return [...new Set([...keysOf(before), ...keysOf(after)])];
}

const keysOf = (value) => (value !== null && typeof value === "object" ? Object.keys(value) : []);

const own = (object, key) =>
  object !== null && typeof object === "object" && Object.hasOwn(object, key) ? object[key] : GONE;

function leaf(key, before, after, rules, depth, path) {
  return { key, path, depth, before, after, state: stateOf(before, after, rules), rules };
}

function stateOf(before, after, rules) {
  if (after === GONE) return "removed";
  if (before === GONE) return "added";
  if (before === UNKNOWN) return "unknown";
  if (before === HIDDEN) return rules.some((each) => each.action !== NOTED) ? "changed" : "same";
  return areSame(before, after) ? "same" : "changed";
}

function areSame(one, other) {
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    // Deeper than the engine follows.
    return false;
  }
}

/** What the receipt says of a path: of itself, of what is in it, or of a key that no receipt may name. */
function about(path, changes) {
  const found = changes.filter((each) => isWithin(each.key, path) || isWithin(path, each.key) || isMasked(each.key, path));
  const seen = new Map(found.map(({ rule, action }) => [`${rule} ${action}`, { rule, action }]));
  return [...seen.values()];
}

const isWithin = (inner, outer) => inner === outer || inner.startsWith(`${outer}.`);

/** Whether a receipt's key with `[key]` in it may be this path: its parts as far as they are named. */
function isMasked(key, path) {
  if (!key.includes(UNSAFE_KEY) || /^[\w.$-]+$/.test(path)) return false;
  const [start, end] = [key.slice(0, key.indexOf(UNSAFE_KEY)), key.slice(key.lastIndexOf(UNSAFE_KEY) + UNSAFE_KEY.length)];
  return path.startsWith(start) && path.endsWith(end);
}

/** The parts of the operational copy: those that were redacted, those that were taken off, those that are as they were. */
export function operationalOf({ operational: side, operational_before: before }) {
  const was = new Map((before ?? []).map((each) => [each.key, each.value]));
  const is = new Map((side.values ?? []).map((each) => [each.key, each.value]));
  const of = (values, key) => (values.has(key) ? values.get(key) : HIDDEN);
  const redacted = [...new Set(side.redacted ?? [])];
  return {
    redacted: redacted.map((key) => leaf(key, of(was, key), of(is, key), [{ rule: "", action: "replaced" }], 0, key)),
    removed: (side.removed ?? []).map((key) => ({ key, value: of(was, key) })),
    same: (side.kept ?? []).filter((key) => !redacted.includes(key)).map((key) => ({ key, value: of(is, key) })),
  };
}
