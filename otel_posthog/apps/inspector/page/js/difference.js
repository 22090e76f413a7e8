// Where two texts differ, by words.

const WORD = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
const MAX_WORDS = 240;

/** Both texts in pieces: `{text, isNew}`, where `isNew` is whether the other text lacks it. */
export function difference(before, after) {
  const old = before.match(WORD) ?? [];
  const now = after.match(WORD) ?? [];
  const start = common(old, now, (words, at) => words[at]);
  const end = common(old.slice(start), now.slice(start), (words, at) => words[words.length - 1 - at]);
  const middle = [old.slice(start, old.length - end), now.slice(start, now.length - end)];
  // Two texts that share nothing but a hyphen are two texts.
  if (![...old.slice(0, start), ...old.slice(old.length - end)].some(isWord) && !inBothWords(...middle)) {
    return [[{ text: before, isNew: true }], [{ text: after, isNew: true }]];
  }
  const isLong = Math.max(middle[0].length, middle[1].length) > MAX_WORDS;
  const kept = isLong ? [new Set(), new Set()] : inBoth(...middle);
  const side = (words, index) => joined([
    ...words.slice(0, start).map((text) => ({ text, isNew: false })),
    ...middle[index].map((text, at) => ({ text, isNew: !kept[index].has(at) })),
    ...words.slice(words.length - end).map((text) => ({ text, isNew: false })),
  ]);
  return [side(old, 0), side(now, 1)];
}

const isWord = (text) => /[\p{L}\p{N}]/u.test(text);

function inBothWords(one, other) {
  const words = new Set(one.filter(isWord));
  return other.some((each) => words.has(each));
}

function common(one, other, at) {
  let length = 0;
  while (length < Math.min(one.length, other.length) && at(one, length) === at(other, length)) length += 1;
  return length;
}

/** The places of the longest common subsequence, in each. */
function inBoth(one, other) {
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let row = one.length - 1; row >= 0; row -= 1) {
    for (let column = other.length - 1; column >= 0; column -= 1) {
      lengths[row][column] = one[row] === other[column]
        ? lengths[row + 1][column + 1] + 1
        : Math.max(lengths[row + 1][column], lengths[row][column + 1]);
    }
  }
  const kept = [new Set(), new Set()];
  for (let row = 0, column = 0; row < one.length && column < other.length; ) {
    if (one[row] === other[column]) {
      kept[0].add(row);
      kept[1].add(column);
      row += 1;
      column += 1;
    } else if (lengths[row + 1][column] >= lengths[row][column + 1]) row += 1;
    else column += 1;
  }
  return kept;
}

function joined(words) {
  const found = [];
  for (const word of words) {
    const last = found.at(-1);
    if (last && last.isNew === word.isNew) last.text += word.text;
    else found.push({ ...word });
  }
  return found;
}
