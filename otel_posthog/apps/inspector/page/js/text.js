// Values and numbers as a person reads them.

// As otel_posthog/text.py has them, but for tabs and line breaks, which a page can show: controls, characters that turn
// the direction of a text, characters that are not seen.
const UNSEEN =
  /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{110bd}\u{110cd}\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}\ud800-\udfff]/gu;
const LINE = /[\t\n\r]/g;

const number = new Intl.NumberFormat("en");

const code = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** The text in pieces: `{text}` as it is, `{code}` for a character that nobody would see. */
export function pieces(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    found.push({ code: code(match[0]) });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

/** The text on one line, with nothing that a browser would obey or hide. */
export const plain = (text) => text.replace(LINE, " ").replace(UNSEEN, code);

/** The text as a sentence: with a full stop, and with one only. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** A value as text: a text as it is, anything else as JSON. */
export function shown(value) {
  if (typeof value === "string") return value;
  if (value === undefined) return "";
  try {
    return JSON.stringify(value, null, isShort(value) ? 0 : 2) ?? String(value);
  } catch {
    // Deeper than the engine follows.
    return "(too deep to be shown)";
  }
}

const isShort = (value) => value === null || typeof value !== "object" || JSON.stringify(value).length < 60;

/** 12,345 */
export const count = (value) => number.format(value ?? 0);

/** `1 event`, `2 events` */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** 1.2 kB */
export function bytes(value) {
  const units = ["B", "kB", "MB", "GB"];
  let left = value ?? 0;
  let unit = 0;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${unit && left < 100 ? left.toFixed(1) : Math.round(left)} ${units[unit]}`;
}

/** 340 ms, 2.1 s, 4 min, 3 h, 2 d */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

/** 20:14:03.512, in the reader's own time; empty for what is no time. */
export function clock(iso) {
  const at = new Date(iso ?? NaN);
  if (Number.isNaN(at.getTime())) return "";
  const two = (part) => String(part).padStart(2, "0");
  const millis = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
}
