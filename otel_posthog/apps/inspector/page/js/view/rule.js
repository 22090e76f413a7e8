// "Make a rule": the lines of a policy, and what they would do to the last thousand items. Nothing is saved.
import * as api from "../api.js";
import { Component, createRef, html } from "../dom.js";
import { capital, count, plain, sentence } from "../text.js";
import { Key, Value } from "./value.js";

const KINDS = [
  ["derive", "Make such requests a product event"],
  ["allow", "Let an attribute leave"],
  ["sensitive_key", "Never send a property"],
];

const MAX_EXAMPLES = 5;

export class RulePanel extends Component {
  constructor(props) {
    super(props);
    this.state = { kind: "", key: "", answer: null, error: "", isBusy: false, isCopied: false };
    this.first = createRef();
  }

  componentDidMount() {
    this.first.current?.focus();
  }

  componentWillUnmount() {
    this.isGone = true;
  }

  choose(kind) {
    const keys = keysFor(kind, this.props.entry);
    this.ask(kind, keys[0] ?? "");
  }

  async ask(kind, key) {
    this.setState({ kind, key, answer: null, error: "", isCopied: false, isBusy: true });
    const wish = { seq: this.props.entry.seq, kind, ...(kind === "derive" ? {} : { key }) };
    try {
      const answer = await api.rule(wish);
      if (this.isCurrent(kind, key)) this.setState({ answer, isBusy: false });
    } catch (error) {
      if (this.isCurrent(kind, key)) this.setState({ error: error.message, isBusy: false });
    }
  }

  isCurrent(kind, key) {
    return !this.isGone && this.state.kind === kind && this.state.key === key;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.state.answer.policy);
      this.setState({ isCopied: true });
      this.props.store.set({ said: "The lines are copied." });
    } catch {
      this.setState({ error: "The browser does not let this page copy: select the lines." });
    }
  }

  render({ store, entry, isOver, isLast }, { kind, key, answer, error, isBusy, isCopied }) {
    // Lines that are there already stay: somebody may be copying them.
    if (isOver && !answer) return html`<${Over} first=${this.first} isLast=${isLast} />`;
    const keys = keysFor(kind, entry);
    return html`
      <section class="rule" aria-label="Make a rule">
        <div class="rule-kinds" role="group" aria-label="Kind of rule">
          ${KINDS.map(
            ([name, text], at) => html`<button
              type="button"
              key=${name}
              ref=${at ? undefined : this.first}
              class="button"
              aria-pressed=${kind === name ? "true" : "false"}
              disabled=${isOver || (name !== "derive" && !keysFor(name, entry).length)}
              onClick=${() => this.choose(name)}
            >
              ${text}
            </button>`,
          )}
        </div>
        ${kind && kind !== "derive" &&
        html`<div class="rule-key">
          <label for="rule-key">${kind === "allow" ? "Attribute" : "Property"}</label>
          <select id="rule-key" value=${key} disabled=${isOver} onChange=${(event) => this.ask(kind, event.target.value)}>
            ${keys.map((each) => html`<option key=${each} value=${each}>${plain(each).slice(0, 100)}</option>`)}
          </select>
        </div>`}
        <div aria-live="polite">
          ${!kind && html`<p class="soft">Choose what should happen. You see the lines for your policy, and what they would change, before anything is saved.</p>`}
          ${isBusy && html`<p class="soft">Trying it on the last items.</p>`}
          ${error && html`<p class="note is-bad">${sentence(capital(plain(error)))}</p>`}
          ${answer && html`<${Answer} store=${store} answer=${answer} property=${key} isCopied=${isCopied} copy=${() => this.copy()} />`}
        </div>
      </section>
    `;
  }
}

/** In place of the kinds of rules, where the app has ended that would try one; `isLast`: this page waits for no other. */
const Over = ({ first, isLast }) => html`<section class="rule" aria-label="Make a rule">
  <p class="note" ref=${first} tabindex="-1"><strong>The app of this item has ended.</strong> A rule is tried in the app, on the last items that it keeps in its memory.</p>
  <p class="soft">${isLast
    ? html`Start an app of your own with <code>OTEL_POSTHOG_INSPECT=1</code> and run <code>otel-posthog inspect</code>: there this button gives the lines for your policy, and says what they would change.`
    : html`Start it again with <code>OTEL_POSTHOG_INSPECT=1</code>: this page finds it by itself, and makes rules of what comes then.`}</p>
</section>`;

function Answer({ store, answer, property, isCopied, copy }) {
  const { effect } = answer;
  return html`
    <div class="rule-lines">
      <pre class="code" tabindex="0" aria-label="Lines for the policy">${answer.policy.trimEnd()}</pre>
      <button type="button" id="copy" class="button" onClick=${copy}>${isCopied ? "Copied" : "Copy"}</button>
    </div>
    <p class="rule-effect">
      Of the last <b>${count(effect.of)}</b> items <b>${count(effect.matched)}</b> ${effect.matched === 1 ? "matches" : "match"}, <b>${count(effect.changed)}</b> would change.
    </p>
    ${answer.examples?.length > 0 &&
    html`<ul class="rule-examples">
      ${answer.examples.slice(0, MAX_EXAMPLES).map((each) => html`<${Example} key=${each.seq} store=${store} example=${each} property=${property} />`)}
    </ul>`}
    ${answer.note && html`<p class="note">${plain(answer.note)}</p>`}
    <p class="soft">Nothing is saved here. Add the lines to the file that <code>OTEL_POSTHOG_POLICY</code> names.</p>
  `;
}

function Example({ store, example, property }) {
  const has = (value) => value !== null && value !== undefined;
  const id = `${example.seq}.0`;
  const key = example.key ?? property;
  return html`<li>
    <button type="button" class="link" disabled=${!store.entry(id)} onClick=${() => store.show(id)}>${plain(example.name ?? `item ${example.seq}`).slice(0, 80)}</button>${key && html`: <code><${Key} name=${key} /></code>`}
    ${" "}${plain(example.change ?? "")}${(has(example.before) || has(example.after)) && ": "}
    ${has(example.before) && html`<${Value} value=${example.before} />`}
    ${has(example.before) && has(example.after) && html` <span aria-hidden="true">→</span> `}
    ${has(example.after) && html`<${Value} value=${example.after} />`}
  </li>`;
}

// What stands for a key or for a part of one, as `[email]`: a rule cannot name what was there.
const MASKED = /\[.*\]/s;

const named = (keys) => [...new Set(keys)].filter((key) => !MASKED.test(key)).sort();

/** The keys that a rule of this kind can be about. */
function keysFor(kind, entry) {
  const sent = entry.event?.destinations ?? [];
  if (kind === "allow") {
    const unsent = sent.flatMap((each) => each.changes ?? []).filter((each) => each.rule === "allow_list");
    return named(unsent.map((each) => each.key));
  }
  if (kind === "sensitive_key") {
    return named(sent.flatMap((each) => each.properties ?? [])).filter((key) => !key.startsWith("$"));
  }
  return [];
}
