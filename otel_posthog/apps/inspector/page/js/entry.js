// One line of the stream: an item of the feed, or one event of an item that holds several.
import { plain, shown } from "./text.js";

const ALLOW_LIST = "allow_list";
const NOTED = "noted";

/** The lines of an item, which has one at least; none of what is no item. */
export function entriesOf(item) {
  const events = item.events ?? [];
  try {
    return events.length ? events.map((event, number) => entry(item, event, number)) : [entry(item, null, 0)];
  } catch (error) {
    // The others are shown all the same.
    console.error(`item ${item.seq} cannot be read: ${error.message}`);
    return [];
  }
}

function entry(item, event, number) {
  const sent = event?.destinations ?? [];
  const changes = sent.flatMap((each) => each.changes ?? []);
  const told = changes.filter((each) => each.rule !== ALLOW_LIST);
  return {
    id: `${item.seq}.${number}`,
    seq: item.seq,
    number,
    item,
    event,
    time: item.time,
    name: nameOf(item, event),
    outcome: outcomeOf(item, event),
    via: plain(event?.reason ?? item.reason ?? ""),
    process: processOf(item.process),
    rules: [...new Set(changes.filter((each) => each.action !== NOTED).map((each) => each.rule))],
    removed: new Set(told.filter((each) => each.action === "removed").map((each) => each.key)).size,
    changed: new Set(told.filter((each) => !["removed", NOTED].includes(each.action)).map((each) => each.key)).size,
  };
}

function nameOf(item, event) {
  const cleaned = event?.destinations?.find((each) => each.name)?.name;
  return cleaned ?? event?.before?.event ?? (item.name || item.kind);
}

/** What became of it: `state` is one word, `reasons` say why it does not go to a destination. */
function outcomeOf(item, event) {
  if (!event) {
    const dropped = item.dropped ?? [];
    return dropped.length ? { state: "invalid", reasons: dropped } : { state: "operational", reasons: [] };
  }
  const sent = event.destinations ?? [];
  const reasons = [...new Set(sent.filter((each) => !each.sent).map((each) => each.dropped ?? ""))];
  if (!sent.some((each) => each.sent)) return { state: "dropped", reasons };
  return { state: reasons.length ? "partly" : "sent", reasons };
}

/** Whether an item comes from this process. */
export const isOf = (item, { pid, service }) =>
  item.process?.pid === pid && (service === undefined || item.process.service === service);

/** Whether the app that an item comes from has ended; a file has none. */
export function hasEnded(item, status) {
  if (status?.source?.kind !== "live" || !item.process) return false;
  return !status.processes?.some((each) => each.connected && isOf(item, { pid: each.pid }));
}

/** `helpdesk 4711`; empty for what a file holds. */
export function processOf(process) {
  return process ? plain(`${process.service || "app"} ${process.pid}`) : "";
}

/** The rules that say of what an app marks itself that it is an event; any other is one of the policy's. */
export const MARKS = new Set(["attribute", "event_name", "exception"]);

/** `POST /tickets` of a span; of a log record what it is. */
export function whereOf(entry) {
  const { item, name } = entry;
  if (item.kind === "event") return "event";
  return item.name && item.name !== name ? `${item.kind} ${item.name}` : item.kind;
}

/** Everything that a search looks at, in small letters; made once, at the first search. */
export function searchText(entry) {
  entry.text ??= [
    entry.name,
    entry.via,
    entry.process,
    ...entry.rules,
    ...entry.outcome.reasons,
    entry.item.name ?? "",
    entry.item.span?.trace_id ?? "",
    entry.item.span?.span_id ?? "",
    shown(entry.event ?? entry.item.operational ?? null),
  ]
    .join("\n")
    .toLowerCase();
  return entry.text;
}
