// What a person should know before they read on: not connected, or values that are not shown.
import { Component, html } from "../dom.js";
import { count, counted, plain } from "../text.js";

export const VALUES_SWITCH = "OTEL_POSTHOG_INSPECT_VALUES=1";

export function Banner({ state, feed }) {
  const { connection, status, missed, unread, forgotten } = state;
  const notices = [
    ["lost", "retrying"].includes(connection.phase) && html`<${Lost} connection=${connection} feed=${feed} />`,
    connection.phase === "refused" && html`<${Refused} />`,
    status?.source?.problem && html`<${Problem} text=${status.source.problem} />`,
    areHidden(state) && html`<${Values} status=${status} />`,
    skippedOf(status) > 0 && html`<${Skipped} items=${skippedOf(status)} />`,
    missed > 0 && html`<${Missed} items=${missed} />`,
    unread.size > 0 && html`<${Unread} items=${unread.size} />`,
    forgotten.length > 0 && html`<${Forgotten} names=${forgotten} />`,
  ].filter(Boolean);
  return notices.length ? html`<section class="banners" aria-label="Notices">${notices}</section>` : null;
}

const areHidden = ({ status, entries }) => status && !status.values_shown && (entries.length > 0 || status.processes?.length > 0);

const Refused = () => html`<div class="banner is-bad">
  <p><strong>This address is no longer valid.</strong> Open the one that <code>otel-posthog inspect</code> printed when it was started last.</p>
</div>`;

const Problem = ({ text }) => html`<div class="banner is-bad" id="problem">
  <p><strong>It could not be read to its end.</strong> ${plain(text)}</p>
</div>`;

const Missed = ({ items }) => html`<div class="banner">
  <p>${counted(items, "item")} came while this page was away and ${items === 1 ? "is" : "are"} no longer kept.</p>
</div>`;

const skippedOf = (status) => (status?.processes ?? []).reduce((sum, each) => sum + (each.skipped ?? 0), 0);

const Skipped = ({ items }) => html`<div class="banner" id="skipped">
  <p><strong>Not shown: ${counted(items, "item")}, too many at once.</strong> What is sent is the same.</p>
</div>`;

const Unread = ({ items }) => html`<div class="banner is-bad" id="unread">
  <p><strong>${counted(items, "item")} could not be shown:</strong> the page cannot read ${items === 1 ? "it" : "them"}. All others are here.</p>
</div>`;

const Forgotten = ({ names }) => html`<div class="banner" id="forgotten">
  <p><strong>The user has opted out:</strong> the items of ${plain(names.join(", "))} are gone from this page.</p>
</div>`;

class Lost extends Component {
  componentDidMount() {
    this.timer = setInterval(() => this.setState({}), 500);
  }

  componentWillUnmount() {
    clearInterval(this.timer);
  }

  render({ connection, feed }) {
    const seconds = Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000));
    const when = connection.phase === "retrying" ? "Trying now." : seconds ? `Trying again in ${seconds} s.` : "Trying now.";
    return html`<div class="banner is-bad" id="lost">
      <p>
        <strong>${connection.why || "The connection to the inspector is lost."}</strong> What is here stays. <span class="figure">${when}</span>
      </p>
      <button type="button" class="button" onClick=${() => feed.open()}>Try now</button>
    </div>`;
  }
}

function Values({ status }) {
  if (status.source?.kind === "spool") {
    return html`<div class="banner" id="values-hidden">
      <p><strong>What waits on disk is filtered already.</strong> What was there before is not kept anywhere: look at the running app to see it.</p>
    </div>`;
  }
  const isLive = status.source?.kind !== "file";
  const shut = (status.processes ?? []).filter((each) => !each.values_shown).length;
  const some = shut && shut < (status.processes ?? []).length ? ` of ${count(shut)} of the apps` : "";
  return html`<div class="banner" id="values-hidden">
    <p>
      <strong>Values before filtering${some} are not shown.</strong> ${isLive
        ? html`Keys, rules and what PostHog gets are. To see the values, start the app with <code>${VALUES_SWITCH}</code>; they stay in memory on this machine.`
        : html`Keys, rules and what PostHog gets are. To see the values, open the file without <code>--no-values</code>.`}
    </p>
  </div>`;
}
