// Rules, reasons and outcomes in words: the server's, which are those of `otel-posthog explain`.

import { plain } from "./text.js";

const STATES = {
  sent: "to PostHog",
  dropped: "dropped",
  invalid: "no event",
  operational: "operational only",
};

const spaced = (name) => plain(name.replaceAll("_", " "));

// A name from outside may be one that every object has.
const inTable = (table, name) => (table && Object.hasOwn(table, name) ? String(table[name]) : undefined);

export const ruleInWords = (rule, words) => inTable(words.rules, rule) ?? spaced(rule);

export const dropInWords = (reason, words) => inTable(words.drops, reason) ?? spaced(reason);

/** `dropped:consent` as `dropped: there is no consent`. */
export function outcomeInWords(key, words) {
  const at = key.indexOf(":");
  if (at < 0) return inTable(STATES, key) ?? spaced(key);
  return `${inTable(STATES, key.slice(0, at)) ?? spaced(key.slice(0, at))}: ${dropInWords(key.slice(at + 1), words)}`;
}

/** What a line of the stream says of where it goes: `PostHog + OTLP`, `PostHog only`, `dropped: consent`. */
export function routeInWords({ item, event, outcome }) {
  const { state, reasons } = outcome;
  if (state === "invalid") return `no event: ${reasons.map(spaced).join(", ")}`;
  if (state === "operational") return "OTLP only";
  if (state === "dropped") return `dropped: ${reasons.map(spaced).join(", ")}`;
  const all = event.destinations;
  const to = all.length > 1 ? `PostHog ${all.filter((each) => each.sent).length} of ${all.length}` : "PostHog";
  // An event that was never telemetry has no other side.
  if (!item.operational) return to;
  return item.operational.withheld ? `${to} only` : `${to} + OTLP`;
}
