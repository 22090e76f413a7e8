// The stream without a line: what to start to see some, or that nothing passes the filters.
import { html } from "../dom.js";
import { NO_FILTER } from "../filter.js";
import { counted } from "../text.js";
import { VALUES_SWITCH } from "./banner.js";

export function Empty({ state }) {
  const { connection, status } = state;
  if (connection.phase !== "live" || !status) return html`<div class="empty"><p>${connection.phase === "connecting" ? "Connecting to the inspector." : ""}</p></div>`;
  if (status.source?.kind !== "live") return html`<${EmptyFile} source=${status.source} />`;
  const connected = (status.processes ?? []).filter((each) => each.connected);
  if (connected.length) {
    return html`<div class="empty">
      <h2>${counted(connected.length, "app is", "apps are")} connected</h2>
      <p>The next product event shows here as soon as it is made. Click through the app, or send it a request.</p>
    </div>`;
  }
  return html`<div class="empty">
    <h2>Waiting for an app</h2>
    <p>An app shows its events here when it is started with a variable that says so:</p>
    <ol>
      <li><pre class="code">OTEL_POSTHOG_INSPECT=1 \\
  opentelemetry-instrument python app.py</pre></li>
      <li>Click through it. Each event shows what the app wrote, what PostHog gets, and the rule behind each difference.</li>
      <li>Values before filtering need one more: <code>${VALUES_SWITCH}</code></li>
    </ol>
    <p>No app at hand? <code>otel-posthog demo</code> starts a help desk full of made-up personal data.</p>
  </div>`;
}

function EmptyFile({ source }) {
  // The notice above says what is wrong.
  if (source?.problem) return html`<div class="empty"><h2>There is nothing to show</h2></div>`;
  const isRead = source?.complete;
  const what = source?.kind === "spool" ? "The spool" : "The file";
  return html`<div class="empty">
    <h2>${isRead ? `${what} is empty` : "Reading"}</h2>
    <p>${isRead ? (source.kind === "spool" ? "Every event has been delivered: nothing waits on disk." : "There are no spans, log records or events in it.") : "Events show as they are read."}</p>
  </div>`;
}

export function NothingFound({ store, isSet }) {
  if (!isSet) {
    return html`<div class="empty">
      <h2>No product event yet</h2>
      <p>What came so far is operational only: it goes on over OTLP, and PostHog gets nothing of it.</p>
      <p><button type="button" class="button" onClick=${() => store.narrowTo({ withOperational: true })}>Show operational items</button></p>
    </div>`;
  }
  return html`<div class="empty">
    <h2>No event passes these filters</h2>
    <p><button type="button" class="button" onClick=${() => store.narrowTo(NO_FILTER)}>Clear filters</button></p>
  </div>`;
}
