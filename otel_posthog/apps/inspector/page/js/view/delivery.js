// Where events wait, what has arrived, and why others were dropped.
import { html } from "../dom.js";
import { bytes, clock, count, counted, duration, plain } from "../text.js";
import { dropInWords, outcomeInWords } from "../wording.js";

// What went as it should; any other outcome has a reason to be shown.
const FINE = new Set(["received", "delivered", "previewed"]);

export function Delivery({ status, words }) {
  if (!status?.delivery || status.source?.kind !== "live") return null;
  const { queue = {}, delivery, spool = [] } = status;
  const reasons = delivery.reasons ?? [];
  const received = reasons.filter((each) => each.outcome === "received");
  const previewed = reasons.filter((each) => each.outcome === "previewed");
  const others = reasons.filter((each) => !FINE.has(each.outcome));
  const last = delivery.last_attempt;
  return html`<section class="card" aria-labelledby="totals-delivery">
    <h3 id="totals-delivery">Delivery</h3>
    <dl class="figures">
      <${Figure} name="Received" value=${count(delivery.received)} />
      ${received.map((each) => html`<${Figure} key=${each.reason} name=${dropInWords(each.reason, words)} value=${count(each.count)} isInner />`)}
      <${Figure} name="Delivered" value=${count(delivery.delivered)} />
      ${delivery.previewed > 0 && html`<${Figure} name="Previewed, not sent" value=${count(delivery.previewed)} />`}
      ${previewed.length > 1 && previewed.map((each) => html`<${Figure} key=${each.reason} name=${plain(each.reason)} value=${count(each.count)} isInner />`)}
      <${Figure} name="Dropped" value=${count(delivery.dropped)} />
      ${others.map((each) => html`<${Figure} key=${keyOf(each)} name=${outcomeInWords(keyOf(each), words)} value=${count(each.count)} isInner />`)}
      <${Figure} name="Queue and buffer" value=${bytes((queue.worker_bytes ?? 0) + (queue.buffer_bytes ?? 0))} />
      ${spool.map((each) => html`<${Figure} key=${each.destination} name=${`Spool of ${plain(each.destination)}`} value=${levelText(each)} />`)}
      <${Figure} name="Requests to PostHog" value=${count(delivery.attempts)} />
      ${last && html`<${Figure} name="Last request" value=${lastText(last)} />`}
    </dl>
  </section>`;
}

const keyOf = ({ outcome, reason }) => `${outcome}:${reason}`;

const levelText = ({ events, bytes: size, oldest_age_s: age }) =>
  events ? `${counted(events, "event")}, ${bytes(size)}, ${duration(age)} old` : "empty";

const lastText = ({ outcome, duration_s: took, time }) =>
  `${plain(outcome)}, ${duration(took)}, ${clock(time).slice(0, 8)}`;

const Figure = ({ name, value, isInner }) =>
  html`<div class=${isInner ? "is-inner" : ""}><dt>${name}</dt><dd>${value}</dd></div>`;
