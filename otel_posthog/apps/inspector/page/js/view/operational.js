// The copy that goes on over OTLP: what was redacted, what was taken off, and what is as it was.
import { html } from "../dom.js";
import { operationalOf } from "../pairs.js";
import { counted, plain } from "../text.js";
import { Pair } from "./pairs.js";
import { Key, Value } from "./value.js";

const NO_WORDS = {};

export function OperationalCopy({ item }) {
  const side = item.operational;
  if (!side) return null;
  if (side.withheld) {
    return html`<section class="side" aria-label="Operational copy">
      <h3>Operational copy</h3>
      <p class="note"><strong>None:</strong> ${plain(side.withheld)}.</p>
    </section>`;
  }
  const { changed, same } = operationalOf(item);
  return html`<section class="side" aria-label="Operational copy">
    <h3>Operational copy <span class="soft">${same.length} of ${counted(same.length + changed.length, "part")} as they were</span></h3>
    ${changed.length > 0 &&
    html`<div class="pairs" role="table" aria-label="The OpenTelemetry item, and what the operational side gets">
      <div class="pair pair-head" role="row">
        <span role="columnheader">Part</span>
        <span role="columnheader">OpenTelemetry item</span>
        <span role="columnheader">OTLP gets</span>
      </div>
      <div class="pair-group" role="rowgroup">${changed.map((row) => html`<${Pair} key=${row.key} row=${row} words=${NO_WORDS} goneText="taken off" />`)}</div>
    </div>`}
    ${same.length > 0 &&
    html`<details class="unsent">
      <summary>${counted(same.length, "part goes on as it was", "parts go on as they were")}</summary>
      <dl>${same.map(({ key, value }, at) => html`<div key=${at}><dt><${Key} name=${key} /></dt><dd><${Value} value=${value} /></dd></div>`)}</dl>
    </details>`}
  </section>`;
}
