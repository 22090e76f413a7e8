// Which lines are shown.
import { searchText } from "./entry.js";

export const NO_FILTER = Object.freeze({ text: "", event: "", outcome: "", rule: "", process: "" });

/** Whether there is any filter. */
export const isSet = (filter) => Object.keys(NO_FILTER).some((name) => filter[name]);

/** Whether a line is of an item that says of itself that it is a product event. */
export const isProduct = (entry) => entry.outcome.state !== "operational";

/** The lines that pass, in the same order; operational items only where they are asked for. */
export function passing(entries, filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const withOperational = filter.withOperational || filter.outcome === "operational";
  if (!isSet(filter) && withOperational) return entries;
  return entries.filter(
    (entry) =>
      (withOperational || isProduct(entry)) &&
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
