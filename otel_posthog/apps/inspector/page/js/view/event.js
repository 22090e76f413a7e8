// One event: why it is one, what PostHog gets of it, and the copy on the operational side.
import { Component, classes, html } from "../dom.js";
import { whereOf } from "../entry.js";
import { clock, plain, sentence } from "../text.js";
import { dropInWords, routeInWords } from "../wording.js";
import { OperationalCopy } from "./operational.js";
import { Pairs } from "./pairs.js";
import { RulePanel } from "./rule.js";

export class EventPane extends Component {
  constructor(props) {
    super(props);
    this.state = { destination: 0 };
  }

  shouldComponentUpdate(next, state) {
    return ["entry", "words", "isRuleOpen", "isOver", "isLast"].some((name) => this.props[name] !== next[name]) || state !== this.state;
  }

  render({ store, entry, words, isRuleOpen, isOver, isLast }, { destination }) {
    const { event, item } = entry;
    const sent = event?.destinations?.[destination];
    const canBeRule = item.kind === "span" || item.kind === "log";
    return html`
      <article class="event">
        <header class="event-head">
          <button type="button" class="button is-quiet event-close" onClick=${() => store.close()}>
            <span aria-hidden="true">←</span> Back
          </button>
          <div class="event-title">
            <h2 id="event-title" tabindex="-1">${plain(entry.name).slice(0, 300)}</h2>
            <span class=${`badge is-${entry.outcome.state}`}>${routeInWords(entry)}</span>
          </div>
          ${canBeRule &&
          html`<button
            type="button"
            id="make-rule"
            class="button"
            aria-expanded=${isRuleOpen ? "true" : "false"}
            onClick=${() => store.set({ isRuleOpen: !isRuleOpen })}
          >
            Make a rule
          </button>`}
          <p class="event-why">${whyText(entry)}</p>
          <${Facts} entry=${entry} sent=${sent} />
        </header>
        ${isRuleOpen && html`<${RulePanel} key=${entry.id} store=${store} entry=${entry} isOver=${isOver} isLast=${isLast} />`}
        <div class="event-sides">
          ${event ? html`<${Product} pane=${this} event=${event} sent=${sent} words=${words} />` : html`<${NoEvent} item=${item} words=${words} />`}
          <${OperationalCopy} item=${item} />
        </div>
      </article>
    `;
  }
}

function whyText(entry) {
  const { item, event, via } = entry;
  if (event) return sentence(`A product event: ${via}`);
  if (item.dropped?.length) return "It says that it is a product event, and is none.";
  return sentence(`Operational only: ${via}`);
}

function Facts({ entry, sent }) {
  const { item } = entry;
  const first = [
    ["Time", clock(entry.time)],
    ["From", plain(whereOf(entry)).slice(0, 120)],
    ["Process", entry.process],
    ["Line", item.line ? String(item.line) : ""],
    ["Identity", sent?.identity],
  ];
  const ids = [
    ["Trace", item.span?.trace_id],
    ["Span", item.span?.span_id],
    ["UUID", sent?.event?.uuid],
    ["Policy", sent?.policy],
  ];
  const isThere = ([, value]) => value;
  return html`
    <${FactList} facts=${first.filter(isThere)} />
    ${ids.some(isThere) &&
    html`<details class="ids">
      <summary>Trace, UUID, policy</summary>
      <${FactList} facts=${ids.filter(isThere)} />
    </details>`}
  `;
}

const FactList = ({ facts }) =>
  html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${plain(value)}</dd></div>`)}</dl>`;

function Product({ pane, event, sent, words }) {
  const all = event.destinations ?? [];
  return html`<section class="side" aria-label="PostHog">
    ${event.notes?.length > 0 && html`<p class="note">Could not be taken as given: ${sentence(plain(event.notes.join(", ").replaceAll("_", " ")))}</p>`}
    ${all.length > 1 && html`<${Destinations} pane=${pane} all=${all} chosen=${sent} />`}
    ${sent && !sent.sent && html`<p class="note is-bad"><strong>PostHog gets nothing:</strong> ${sentence(dropInWords(sent.dropped ?? "", words))}</p>`}
    ${!sent && html`<p class="note">No destination is configured: PostHog gets nothing.</p>`}
    <${Pairs} event=${event} sent=${sent} words=${words} />
  </section>`;
}

function Destinations({ pane, all, chosen }) {
  return html`<div class="segments" role="group" aria-label="Destination">
    ${all.map(
      (each, at) => html`<button
        type="button"
        key=${at}
        class=${classes(each === chosen && "is-chosen")}
        aria-pressed=${each === chosen ? "true" : "false"}
        onClick=${() => pane.setState({ destination: at })}
      >
        ${plain(each.destination)}
      </button>`,
    )}
  </div>`;
}

function NoEvent({ item, words }) {
  const dropped = item.dropped ?? [];
  return html`<section class="side" aria-label="PostHog">
    <p class="note"><strong>PostHog gets nothing${dropped.length ? ":" : "."}</strong> ${dropped.map((each) => dropInWords(each, words)).join(", ")}</p>
  </section>`;
}
