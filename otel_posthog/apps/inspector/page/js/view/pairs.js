// The OpenTelemetry item on the left, what PostHog gets on the right, row by row, with the rule behind each difference.
import { classes, html } from "../dom.js";
import { difference } from "../difference.js";
import { GONE, HIDDEN, UNKNOWN, pairsOf } from "../pairs.js";
import { counted, plain, shown } from "../text.js";
import { dropInWords, ruleInWords } from "../wording.js";
import { Key, Unseen, Value } from "./value.js";

const MAX_COMPARED_CHARS = 4000;
// What a row shows without a word: the others are named.
const KNOWN_ACTIONS = new Set(["removed", "replaced"]);

export function Pairs({ event, sent, words }) {
  const { who, properties, telemetry, added, unsent, left } = pairsOf(event, sent);
  return html`
    <div class="pairs" role="table" aria-label="The OpenTelemetry item, and what PostHog gets">
      <div class="pair pair-head" role="row">
        <span role="columnheader">Property</span>
        <span role="columnheader">OpenTelemetry item</span>
        <span role="columnheader">PostHog gets</span>
      </div>
      <${Group} title="Who" rows=${who} words=${words} sent=${sent} />
      <${Group} title="Properties" rows=${properties} words=${words} />
      <${Group} title="Telemetry on the allow-list" rows=${telemetry} words=${words} />
      <${Group} title="Added on the way" rows=${added} words=${words} />
    </div>
    ${left > 0 && html`<p class="note">${counted(left, "more property", "more properties")} not shown.</p>`}
    ${unsent.length > 0 && html`<${Unsent} rows=${unsent} />`}
  `;
}

function Group({ title, rows, words, sent }) {
  if (!rows.length) return null;
  return html`<div class="pair-group" role="rowgroup" aria-label=${title}>
    <div class="pair-title" role="row"><span role="cell">${title}</span></div>
    ${rows.map((row, at) => html`<${Pair} key=${at} row=${row} words=${words} sent=${sent} />`)}
  </div>`;
}

export function Pair({ row, words, sent }) {
  const { before, after, state, depth } = row;
  const [old, now] = isCompared(row) ? difference(before, after) : [undefined, state === "changed" ? markers(after) : undefined];
  return html`<div class=${classes("pair", `is-${state}`, depth > 0 && `depth-${Math.min(depth, 4)}`)} role="row">
    <span class="pair-key" role="rowheader"><${Key} name=${row.key} title=${row.path} /></span>
    <span class="pair-before" role="cell">${beforeView(row, old)}</span>
    <span class="pair-after" role="cell">
      ${afterView(row, now)}
      <${Why} row=${row} words=${words} sent=${sent} />
    </span>
  </div>`;
}

function beforeView({ before, state }, parts) {
  if (state === "group") return html`<${Size} value=${before} />`;
  // What no rule has touched is on the right as it was.
  if (before === HIDDEN && state === "same") return html`<span class="hidden-value">as sent</span>`;
  return html`<${Value} value=${before} parts=${parts} />`;
}

function afterView({ after, state }, parts) {
  if (after === GONE) return html`<span class="gone">removed</span>`;
  return state === "group" ? html`<${Size} value=${after} />` : html`<${Value} value=${after} parts=${parts} />`;
}

const isCompared = ({ before, after, state }) =>
  state === "changed" && typeof before === "string" && typeof after === "string" && before.length + after.length < MAX_COMPARED_CHARS;

/** A text in pieces, where what was there before is not known: what stands for something is what is new. */
function markers(text) {
  if (typeof text !== "string" || text.length > MAX_COMPARED_CHARS) return undefined;
  return text.split(/(\[[a-z_ ]{2,24}\])/).map((part, at) => ({ text: part, isNew: at % 2 === 1 }));
}

function Size({ value }) {
  if (value === HIDDEN || value === UNKNOWN) return html`<${Unseen} value=${value} />`;
  const size = value && typeof value === "object" ? Object.keys(value).length : 0;
  return html`<span class="size">${size ? (Array.isArray(value) ? counted(size, "element") : counted(size, "key")) : shown(value)}</span>`;
}

/** Which rules did it, in words; of who acts, where `sent` is given, also what else may be the reason. */
function Why({ row, words, sent }) {
  if (row.state === "same" || row.state === "unknown" || row.state === "added" || row.state === "group") return null;
  if (!row.rules.length) return sent ? html`<${WhyOf} row=${row} words=${words} sent=${sent} />` : null;
  return html`<span class="why">
    ${row.rules
      .filter((each) => each.rule)
      .map(
        ({ rule, action }) => html`<span key=${rule + action}>
          ${ruleInWords(rule, words)}${" "}<code>${plain(rule)}</code>${!KNOWN_ACTIONS.has(action) && ` ${plain(action)}`}
        </span>`,
      )}
  </span>`;
}

function WhyOf({ row, words, sent: { sent: isSent, dropped, identity } }) {
  if (!isSent) return dropped ? html`<span class="why">${dropInWords(dropped, words)} <code>${plain(dropped)}</code></span>` : null;
  if (row.key === "consent") return html`<span class="why">it lets the event be sent, and is no part of it</span>`;
  return identity ? html`<span class="why">identity mode <code>${plain(identity)}</code></span>` : null;
}

/** Attributes that were never asked to leave. */
function Unsent({ rows }) {
  return html`<details class="unsent">
    <summary>${counted(rows.length, "attribute stays here", "attributes stay here")}: not on the allow-list</summary>
    <dl>${rows.map(({ key, value }) => html`<div key=${key}><dt><${Key} name=${key} /></dt><dd><${Value} value=${value} /></dd></div>`)}</dl>
  </details>`;
}
