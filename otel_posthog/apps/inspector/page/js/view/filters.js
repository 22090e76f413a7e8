// Search and filters above the stream.
import { html } from "../dom.js";
import { NO_FILTER, isProduct, isSet } from "../filter.js";
import { count, counted, plain } from "../text.js";
import { totalsOf } from "../totals.js";
import { outcomeInWords, ruleInWords } from "../wording.js";

export function Filters({ store, state }) {
  const { filter, entries, words } = state;
  const totals = totalsOf(entries);
  const change = (name) => (event) => store.narrowTo({ [name]: event.target.value });
  const rules = [
    ["What was done", totals.rules.map(({ key, count: number }) => [`did:${key}`, ruleInWords(key, words), number])],
    ["Why it is an event", totals.reasons.map(({ key, count: number }) => [`via:${key}`, key, number])],
  ];
  return html`
    <div class="filters" role="search" aria-label="Filters">
      <div class="search">
        <label class="unseen" for="search">Search in events, keys and values</label>
        <input
          id="search"
          type="search"
          placeholder="Search events, keys, values"
          autocomplete="off"
          spellcheck="false"
          value=${filter.text}
          onInput=${change("text")}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <div class="selects">
        <${Select} id="event" name="Event" value=${filter.event} onChange=${change("event")} options=${totals.events.map(named)} />
        <${Select}
          id="outcome"
          name="Outcome"
          value=${filter.outcome}
          onChange=${change("outcome")}
          options=${totals.outcomes.map(({ key, count: number }) => [key, outcomeInWords(key, words), number])}
        />
        <${Select} id="rule" name="Rule" value=${filter.rule} onChange=${change("rule")} groups=${rules} />
        <${Select} id="process" name="Process" value=${filter.process} onChange=${change("process")} options=${totals.processes.map(named)} />
      </div>
      <p class="shown">
        <span class="figure">${shownText(store, state)}</span>
        ${totals.operational > 0 &&
        html`<button
          type="button"
          class="link"
          id="operational"
          aria-pressed=${filter.withOperational ? "true" : "false"}
          onClick=${() => store.narrowTo({ withOperational: !filter.withOperational })}
        >
          ${filter.withOperational ? "Hide" : "Show"} ${counted(totals.operational, "operational item")}
        </button>`}
        ${isSet(filter) && html`<button type="button" class="link" id="clear" onClick=${() => store.narrowTo(NO_FILTER)}>Clear filters</button>`}
      </p>
    </div>
  `;
}

const named = ({ key, count: number }) => [key, key, number];

function shownText(store, { filter, entries }) {
  const all = filter.withOperational ? entries.length : entries.filter(isProduct).length;
  const what = all === 1 ? "event" : "events";
  return isSet(filter) ? `${count(store.shown.length)} of ${count(all)} ${what}` : `${count(all)} ${what}`;
}

function Select({ id, name, value, onChange, options = [], groups = [] }) {
  const option = ([key, text, number]) => html`<option key=${key} value=${key}>${plain(text).slice(0, 80)} (${count(number)})</option>`;
  const known = [...options, ...groups.flatMap(([, each]) => each)].some(([key]) => key === value);
  return html`<div class=${value ? "select is-set" : "select"}>
    <label class="unseen" for=${`filter-${id}`}>${name}</label>
    <select id=${`filter-${id}`} value=${value} onChange=${onChange}>
      <option value="">${name}</option>
      ${value && !known && html`<option value=${value}>${plain(value.replace(/^(did|via):/, "")).slice(0, 80)} (0)</option>`}
      ${options.map(option)}
      ${groups.filter(([, each]) => each.length).map(([label, each]) => html`<optgroup key=${label} label=${label}>${each.map(option)}</optgroup>`)}
    </select>
  </div>`;
}
