// The server's answers, all of them relative to the page's own address.
import { itemsOf } from "./answer.js";

const address = (path) => new URL(path, document.baseURI);

/** The address of the feed, from a place in it on. */
export function streamAddress(after) {
  const url = address("api/stream");
  if (after >= 0) url.searchParams.set("after", after);
  return url;
}

/** Asks for a document; the error's message is the server's own sentence. */
async function ask(path, options = {}, read = JSON.parse) {
  const answer = await fetch(address(path), { credentials: "same-origin", ...options });
  const body = readBy(read, await answer.text(), answer.ok);
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `The inspector answered ${answer.status}.`), { status: answer.status });
  return body;
}

function readBy(read, text, isNeeded) {
  try {
    return read(text);
  } catch {
    if (isNeeded) throw new Error("The inspector's answer could not be read.");
    return {};
  }
}

export const words = () => ask("api/words");

export const olderThan = (seq, limit) => ask(`api/items?before=${seq}&limit=${limit}`, {}, itemsOf);

export const item = (seq) => ask(`api/items/${seq}`);

/** The lines of a rule that is made of an item, and what it would do; nothing is saved. */
export const rule = (wish) =>
  ask("api/rule", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish) });
