// The totals, where no event is open: by event, outcome and rule, then where events wait and which apps are connected.
import { classes, html } from "../dom.js";
import { processOf } from "../entry.js";
import { isSet } from "../filter.js";
import { bytes, clock, count, counted, duration, plain } from "../text.js";
import { totalsOf } from "../totals.js";
import { dropInWords, outcomeInWords, ruleInWords } from "../wording.js";

const MAX_LINES = 12;

export function Overview({ store, state }) {
  const { filter, words, status, entries } = state;
  const totals = countsOf(store, state);
  if (!entries.length) return html`<div class="overview"><div class="cards"><${Delivery} status=${status} words=${words} /></div><${Processes} store=${store} status=${status} /></div>`;
  const narrow = (name) => (key) => store.narrowTo({ [name]: filter[name] === key ? "" : key });
  return html`
    <div class="overview">
      <header class="overview-head">
        <h2>Totals</h2>
        <p class="soft">${totals.about}</p>
      </header>
      <div class="cards">
        <${Bars} title="Events" lines=${totals.events.map(([key, number]) => [key, key, number])} chosen=${filter.event} choose=${narrow("event")} />
        <${Bars} title="Outcomes" lines=${totals.outcomes.map(([key, number]) => [key, outcomeInWords(key, words), number])} chosen=${filter.outcome} choose=${narrow("outcome")} />
        <${Bars} title="Rules" lines=${totals.rules.map(([rule, number]) => [`did:${rule}`, ruleInWords(rule, words), number])} chosen=${filter.rule} choose=${narrow("rule")} />
        <${Delivery} status=${status} words=${words} />
      </div>
      <${Processes} store=${store} status=${status} />
    </div>
  `;
}

/** The server's counts of everything since it began; under a filter those of what is shown. */
function countsOf(store, state) {
  const { status, filter } = state;
  const all = status?.totals;
  if (all?.events && !isSet(filter)) {
    const perRule = new Map();
    for (const { rule, count: number } of all.rules ?? []) perRule.set(rule, (perRule.get(rule) ?? 0) + number);
    return {
      about: `${counted(all.items, "item")} since the start; the newest ${count(all.kept)} are kept, in memory`,
      events: (all.events ?? []).map((each) => [each.name, each.sent + each.dropped]),
      outcomes: (all.outcomes ?? []).map((each) => [each.reason ? `${each.outcome}:${each.reason}` : each.outcome, each.count]),
      rules: [...perRule].sort((one, other) => other[1] - one[1]),
    };
  }
  const made = totalsOf(store.shown);
  const lines = (found) => found.map((each) => [each.key, each.count]);
  return {
    about: isSet(filter) ? `${counted(store.shown.length, "event")} under these filters` : `the newest ${counted(store.shown.length, "event")}`,
    events: lines(made.events),
    outcomes: lines(made.outcomes),
    rules: lines(made.rules),
  };
}

function Bars({ title, lines, chosen, choose }) {
  if (!lines.length) return null;
  const most = Math.max(...lines.map(([, , number]) => number));
  const id = `totals-${title.toLowerCase()}`;
  return html`<section class="card" aria-labelledby=${id}>
    <h3 id=${id}>${title}</h3>
    <ul class="bars">
      ${lines.slice(0, MAX_LINES).map(
        ([key, text, number]) => html`<li key=${key}>
          <button type="button" class=${classes("bar", key === chosen && "is-chosen")} aria-pressed=${key === chosen ? "true" : "false"} onClick=${() => choose(key)}>
            <span class="bar-name">${plain(text).slice(0, 120)}</span>
            <span class="bar-count">${count(number)}</span>
            <span class="bar-fill" aria-hidden="true" style=${{ transform: `scaleX(${number / most})` }}></span>
          </button>
        </li>`,
      )}
    </ul>
    ${lines.length > MAX_LINES && html`<p class="soft">and ${count(lines.length - MAX_LINES)} more</p>`}
  </section>`;
}

function Delivery({ status, words }) {
  if (!status?.delivery || status.source?.kind !== "live") return null;
  const { queue = {}, delivery, spool = [] } = status;
  const reasons = delivery.reasons ?? [];
  const last = delivery.last_attempt;
  return html`<section class="card" aria-labelledby="totals-delivery">
    <h3 id="totals-delivery">Delivery</h3>
    <dl class="figures">
      <div><dt>Received</dt><dd>${count(delivery.received)}</dd></div>
      ${reasons.filter((each) => each.outcome === "received").map((each) => html`<div class="is-inner" key=${each.reason}><dt>${dropInWords(each.reason, words)}</dt><dd>${count(each.count)}</dd></div>`)}
      <div><dt>Delivered</dt><dd>${count(delivery.delivered)}</dd></div>
      ${delivery.previewed > 0 && html`<div><dt>Previewed, not sent</dt><dd>${count(delivery.previewed)}</dd></div>`}
      <div><dt>Dropped</dt><dd>${count(delivery.dropped)}</dd></div>
      ${reasons.filter((each) => !["received", "delivered"].includes(each.outcome)).map((each) => html`<div class="is-inner" key=${each.outcome + each.reason}><dt>${outcomeInWords(`${each.outcome}:${each.reason}`, words)}</dt><dd>${count(each.count)}</dd></div>`)}
      <div><dt>Queue and buffer</dt><dd>${bytes((queue.worker_bytes ?? 0) + (queue.buffer_bytes ?? 0))}</dd></div>
      ${spool.map((each) => html`<div key=${each.destination}><dt>Spool of ${plain(each.destination)}</dt><dd>${each.events ? `${counted(each.events, "event")}, ${bytes(each.bytes)}, ${duration(each.oldest_age_s)} old` : "empty"}</dd></div>`)}
      <div><dt>Requests to PostHog</dt><dd>${count(delivery.attempts)}</dd></div>
      ${last && html`<div><dt>Last request</dt><dd>${plain(last.outcome)}, ${duration(last.duration_s)}, ${clock(last.time).slice(0, 8)}</dd></div>`}
    </dl>
  </section>`;
}

function Processes({ store, status }) {
  const all = status?.processes ?? [];
  if (!all.length) return null;
  return html`<section class="card" aria-labelledby="totals-processes">
    <h3 id="totals-processes">Apps</h3>
    <div class="scroll-x" role="region" aria-label="Table of apps" tabindex="0">
    <table class="processes">
      <thead><tr><th scope="col">Service</th><th scope="col">Process</th><th scope="col">State</th><th scope="col">Values</th><th scope="col">Policy</th></tr></thead>
      <tbody>
        ${all.map((each) => {
          const name = processOf(each);
          return html`<tr key=${name}>
            <td><button type="button" class="link" onClick=${() => store.narrowTo({ process: store.state.filter.process === name ? "" : name })}>${plain(each.service || "app")}</button></td>
            <td class="figure">${each.pid}</td>
            <td>${each.connected ? "connected" : "ended"}${each.skipped > 0 && `, ${count(each.skipped)} skipped`}</td>
            <td>${each.values_shown ? "shown" : "not shown"}</td>
            <td><code>${plain(each.policy ?? "")}</code></td>
          </tr>`;
        })}
      </tbody>
    </table>
    </div>
  </section>`;
}
