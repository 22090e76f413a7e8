// The copy that goes on over OTLP: what was redacted, what was taken off, and what is as it was.
import { classes, html } from "../dom.js";
import { operationalOf } from "../pairs.js";
import { counted, plain, sentence } from "../text.js";
import { Pair } from "./pairs.js";
import { Key, Value } from "./value.js";

const NO_WORDS = {};

export function OperationalCopy({ item }) {
  const side = item.operational;
  if (!side) return null;
  if (side.withheld) {
    return html`<section class="side" aria-label="Operational copy">
      <h3>Operational copy</h3>
      <p class="note"><strong>None:</strong> ${sentence(plain(side.withheld))}</p>
    </section>`;
  }
  const { redacted, removed, same } = operationalOf(item);
  const all = redacted.length + removed.length + same.length;
  return html`<section class="side" aria-label="Operational copy">
    <h3>Operational copy <span class="soft">${same.length} of ${counted(all, "part")} as they were</span></h3>
    ${redacted.length > 0 &&
    html`<div class="pairs" role="table" aria-label="The OpenTelemetry item, and what the operational side gets">
      <div class="pair pair-head" role="row">
        <span role="columnheader">Part</span>
        <span role="columnheader">OpenTelemetry item</span>
        <span role="columnheader">OTLP gets</span>
      </div>
      <div class="pair-group" role="rowgroup">${redacted.map((row, at) => html`<${Pair} key=${at} row=${row} words=${NO_WORDS} />`)}</div>
    </div>`}
    ${removed.length > 0 && html`<${Parts} rows=${removed} isGone=${true} title=${`${counted(removed.length, "part")} taken off`} />`}
    ${same.length > 0 && html`<${Parts} rows=${same} title=${counted(same.length, "part goes on as it was", "parts go on as they were")} />`}
  </section>`;
}

function Parts({ rows, title, isGone }) {
  return html`<details class=${classes("unsent", isGone && "is-gone")} open=${isGone}>
    <summary>${title}</summary>
    <dl>${rows.map(({ key, value }, at) => html`<div key=${at}><dt><${Key} name=${key} /></dt><dd><${Value} value=${value} /></dd></div>`)}</dl>
  </details>`;
}
