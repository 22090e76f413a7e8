// One line on delivery: what waits where, and what PostHog has.
import { classes, html } from "../dom.js";
import { bytes, count, counted, duration, plain } from "../text.js";

const FINE = new Set(["ok", "done"]);

export function Strip({ status }) {
  // Nothing runs where a file or the spool is shown.
  if (!status?.delivery || status.source?.kind !== "live") return null;
  const { queue = {}, delivery } = status;
  const spool = (status.spool ?? []).reduce(
    (sum, each) => ({ events: sum.events + (each.events ?? 0), bytes: sum.bytes + (each.bytes ?? 0), age: Math.max(sum.age, each.oldest_age_s ?? 0) }),
    { events: 0, bytes: 0, age: 0 },
  );
  const waits = spool.events ? `${counted(spool.events, "event")}, ${duration(spool.age)} old` : "empty";
  const last = delivery.last_attempt;
  return html`
    <section class="strip" aria-label="Delivery at a glance" tabindex="0">
      <dl>
        <${Figure} name="Queue" value=${bytes(queue.worker_bytes)} />
        <${Figure} name="Buffer" value=${bytes(queue.buffer_bytes)} />
        <${Figure} name="Spool" value=${waits} />
        ${delivery.previewed > 0 && html`<${Figure} name="Previewed, not sent" value=${count(delivery.previewed)} isStrong=${true} />`}
        ${!(delivery.previewed > 0 && !delivery.delivered) && html`<${Figure} name="Delivered" value=${count(delivery.delivered)} isStrong=${true} />`}
        <${Figure} name="Dropped" value=${count(delivery.dropped)} />
        ${delivery.dead_lettered > 0 && html`<${Figure} name="Dead letters" value=${count(delivery.dead_lettered)} isBad=${true} />`}
        ${delivery.retried > 0 && html`<${Figure} name="Retried" value=${count(delivery.retried)} />`}
        ${delivery.faults > 0 && html`<${Figure} name="Faults" value=${count(delivery.faults)} isBad=${true} />`}
        ${last && html`<${Figure} name="Last request" value=${`${plain(last.outcome)}, ${duration(last.duration_s)}`} isBad=${!FINE.has(last.outcome)} />`}
      </dl>
    </section>
  `;
}

function Figure({ name, value, isStrong, isBad }) {
  return html`<div class=${classes("strip-figure", isStrong && "is-strong", isBad && "is-bad")}><dt>${name}</dt><dd>${value}</dd></div>`;
}
