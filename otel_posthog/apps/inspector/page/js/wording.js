// Rules, reasons and outcomes in words: the server's, which are those of `otel-posthog explain`.

const STATES = {
  sent: "to PostHog",
  dropped: "dropped",
  invalid: "no event",
  operational: "operational only",
};

const spaced = (name) => name.replaceAll("_", " ");

export const ruleInWords = (rule, words) => words.rules?.[rule] ?? spaced(rule);

export const dropInWords = (reason, words) => words.drops?.[reason] ?? spaced(reason);

/** `dropped:consent` as `dropped: there is no consent`. */
export function outcomeInWords(key, words) {
  const at = key.indexOf(":");
  if (at < 0) return STATES[key] ?? key;
  return `${STATES[key.slice(0, at)]}: ${dropInWords(key.slice(at + 1), words)}`;
}

/** What a line of the stream says of where it goes: `PostHog + OTLP`, `PostHog only`, `dropped: consent`. */
export function routeInWords({ item, event, outcome }) {
  const { state, reasons } = outcome;
  if (state === "invalid") return `no event: ${reasons.map(spaced).join(", ")}`;
  if (state === "operational") return "OTLP only";
  const isOperational = item.operational && !item.operational.withheld;
  if (state === "dropped") return `dropped: ${reasons.map(spaced).join(", ")}`;
  const all = event.destinations;
  const to = all.length > 1 ? `PostHog ${all.filter((each) => each.sent).length} of ${all.length}` : "PostHog";
  return isOperational ? `${to} + OTLP` : all.length > 1 ? to : "PostHog only";
}
