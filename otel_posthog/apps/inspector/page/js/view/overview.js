// The totals, where no event is open: by event, outcome and rule, then where events wait and which apps are connected.
import { classes, html } from "../dom.js";
import { isSet } from "../filter.js";
import { count, counted, plain } from "../text.js";
import { totalsOf } from "../totals.js";
import { outcomeInWords, ruleInWords } from "../wording.js";
import { Apps } from "./apps.js";
import { Delivery } from "./delivery.js";

const MAX_LINES = 12;

export function Overview({ store, state }) {
  const { filter, words, status, entries } = state;
  const delivery = html`<${Delivery} status=${status} words=${words} />`;
  const apps = html`<${Apps} store=${store} status=${status} />`;
  if (!entries.length) return html`<div class="overview"><div class="cards">${delivery}</div>${apps}</div>`;
  const totals = countsOf(store, state);
  const bars = (title, name, lines) => html`<${Bars}
    title=${title}
    lines=${lines}
    chosen=${filter[name]}
    choose=${(key) => store.narrowTo({ [name]: filter[name] === key ? "" : key })}
  />`;
  return html`
    <div class="overview">
      <header class="overview-head">
        <h2>Totals</h2>
        <p class="soft">${totals.about}</p>
      </header>
      <div class="cards">
        ${bars("Events", "event", totals.events.map(([key, number]) => [key, key, number]))}
        ${bars("Outcomes", "outcome", totals.outcomes.map(([key, number]) => [key, outcomeInWords(key, words), number]))}
        ${bars("Rules", "rule", totals.rules.map(([rule, number]) => [`did:${rule}`, ruleInWords(rule, words), number]))}
        ${delivery}
      </div>
      ${apps}
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
      about: `${counted(all.items, "item")} since the start; ${all.kept < all.items ? `the newest ${count(all.kept)}` : "all"} are kept, in memory`,
      events: (all.events ?? []).map((each) => [each.name, each.sent + each.dropped]),
      outcomes: (all.outcomes ?? []).map((each) => [each.reason ? `${each.outcome}:${each.reason}` : each.outcome, each.count]),
      rules: [...perRule].sort((one, other) => other[1] - one[1]),
    };
  }
  const made = totalsOf(store.shown);
  const shown = counted(store.shown.length, "event");
  const lines = (found) => found.map((each) => [each.key, each.count]);
  return {
    about: isSet(filter) ? `${shown} under these filters` : `the newest ${shown}`,
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
        ([key, text, number]) =>
          html`<${Bar} key=${key} text=${text} number=${number} share=${number / most} isChosen=${key === chosen} choose=${() => choose(key)} />`,
      )}
    </ul>
    ${lines.length > MAX_LINES && html`<p class="soft">and ${count(lines.length - MAX_LINES)} more</p>`}
  </section>`;
}

function Bar({ text, number, share, isChosen, choose }) {
  return html`<li>
    <button
      type="button"
      class=${classes("bar", isChosen && "is-chosen")}
      aria-pressed=${isChosen ? "true" : "false"}
      onClick=${choose}
    >
      <span class="bar-name">${plain(text).slice(0, 120)}</span>
      <span class="bar-count">${count(number)}</span>
      <span class="bar-fill" aria-hidden="true" style=${{ transform: `scaleX(${share})` }}></span>
    </button>
  </li>`;
}
