// The apps that are looked at, and those that have ended.
import { html } from "../dom.js";
import { processOf } from "../entry.js";
import { count, plain } from "../text.js";

const COLUMNS = ["Service", "Process", "State", "Values", "Policy"];

export function Apps({ store, status }) {
  const all = status?.processes ?? [];
  if (!all.length) return null;
  return html`<section class="card" aria-labelledby="totals-processes">
    <h3 id="totals-processes">Apps</h3>
    <div class="scroll-x" role="region" aria-label="Table of apps" tabindex="0">
      <table class="processes">
        <thead>
          <tr>${COLUMNS.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr>
        </thead>
        <tbody>${all.map((each) => html`<${App} key=${processOf(each)} store=${store} app=${each} />`)}</tbody>
      </table>
    </div>
  </section>`;
}

function App({ store, app }) {
  const name = processOf(app);
  const narrow = () => store.narrowTo({ process: store.state.filter.process === name ? "" : name });
  return html`<tr>
    <td><button type="button" class="link" onClick=${narrow}>${plain(app.service || "app")}</button></td>
    <td class="figure">${app.pid}</td>
    <td>${app.connected ? "connected" : "ended"}${app.skipped > 0 && `, ${count(app.skipped)} not shown`}</td>
    <td>${app.values_shown ? "shown" : "not shown"}</td>
    <td><code>${plain(app.policy ?? "")}</code></td>
  </tr>`;
}
