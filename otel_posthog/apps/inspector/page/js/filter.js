// Which lines are shown.
import { searchText } from "./entry.js";

export const NO_FILTER = Object.freeze({ text: "", event: "", outcome: "", rule: "", process: "" });

/** Whether there is any filter. */
export const isSet = (filter) => Object.values(filter).some(Boolean);

/** The lines that pass, in the same order. */
export function passing(entries, filter) {
  if (!isSet(filter)) return entries;
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter(
    (entry) =>
      (!filter.event || entry.name === filter.event) &&
      (!filter.outcome || outcomeKeys(entry).includes(filter.outcome)) &&
      (!filter.rule || ruleKeys(entry).includes(filter.rule)) &&
      (!filter.process || entry.process === filter.process) &&
      words.every((word) => searchText(entry).includes(word)),
  );
}

/** `sent`; `dropped` and `dropped:consent`; ... */
export function outcomeKeys(entry) {
  const { state, reasons } = entry.outcome;
  if (state === "sent" || state === "operational") return [state];
  const unsent = state === "invalid" ? "invalid" : "dropped";
  const keys = [unsent, ...reasons.map((reason) => `${unsent}:${reason}`)];
  return state === "partly" ? ["sent", ...keys] : keys;
}

/** `did:email` for what a rule did; `via:...` for why it is an event. */
export const ruleKeys = (entry) => [...entry.rules.map((rule) => `did:${rule}`), `via:${entry.via}`];
