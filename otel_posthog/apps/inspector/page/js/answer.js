// Answers in pieces: what cannot be read of one item takes no other with it.

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},]/gs;
const LIST = /"items"\s*:\s*\[/;

/** `{items, unread, ...}` of an answer that has a list of items: `unread` are the numbers of those that are no JSON. */
export function itemsOf(text) {
  try {
    return { ...JSON.parse(text), unread: [] };
  } catch {
    return inPieces(text);
  }
}

function inPieces(text) {
  const start = LIST.exec(text);
  if (!start) throw new SyntaxError("no list of items");
  const from = start.index + start[0].length;
  const { parts, end } = split(text, from);
  const read = parts.map((part) => ({ part, item: parsed(part) }));
  const items = read.filter(({ item }) => item !== null).map(({ item }) => item);
  const unread = read.filter(({ item }) => item === null).map(({ part }) => seqOf(part));
  return { ...JSON.parse(text.slice(0, from) + text.slice(end)), items, unread };
}

/** The elements of a list as they are written, and where it ends. */
function split(text, from) {
  const parts = [];
  let [depth, at] = [0, from];
  const token = new RegExp(TOKEN);
  token.lastIndex = from;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [mark] = match;
    const isEnd = depth === 0 && mark === "]";
    if (isEnd || (depth === 0 && mark === ",")) {
      parts.push(text.slice(at, match.index));
      at = token.lastIndex;
    }
    if (isEnd) return { parts, end: match.index };
    if (mark === "{" || mark === "[") depth += 1;
    else if (mark === "}" || mark === "]") depth -= 1;
  }
  throw new SyntaxError("a list without an end");
}

/** The number of an item of which nothing else can be read; undefined where it cannot either. */
function seqOf(text) {
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(new RegExp(TOKEN))) {
    if (mark === "{" || mark === "[") depth += 1;
    else if (mark === "}" || mark === "]") depth -= 1;
    const found = depth === 1 && mark === '"seq"' ? /^\s*:\s*(\d+)/.exec(text.slice(index + mark.length)) : null;
    if (found) return Number(found[1]);
  }
  return undefined;
}

/** What a text is as JSON; null for what is none. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
