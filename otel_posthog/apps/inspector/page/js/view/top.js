// The top of the page: what it shows, whether it is connected, pause, theme, help.
import { Component, classes, html } from "../dom.js";
import { count, plain } from "../text.js";
import { choose, next, theme } from "../theme.js";

const PHASES = {
  connecting: "Connecting",
  live: "Live",
  paused: "Paused",
  over: "Ended",
  retrying: "Connecting",
  lost: "Offline",
  refused: "Offline",
};
const THEMES = { system: "Auto", light: "Light", dark: "Dark" };

export function Top({ store, state }) {
  const { isPaused, waited } = state;
  return html`
    <header class="top">
      <h1 class="brand"><${Mark} />otel-posthog <span>inspector</span></h1>
      <${Connection} state=${state} />
      <div class="top-end">
        <button
          id="pause"
          type="button"
          class=${classes("button", isPaused && "is-accent")}
          onClick=${() => (isPaused ? store.resume() : store.pause())}
        >
          ${isPaused ? html`Resume${waited > 0 && html` <span class="figure">${count(waited)} waiting</span>`}` : "Pause"}
        </button>
        <${Theme} store=${store} />
        <button type="button" class="button is-quiet" aria-label="Help: keys and marks" onClick=${() => store.set({ isHelpOpen: true })}>?</button>
      </div>
    </header>
  `;
}

/** One line that becomes two: what goes to PostHog, and what goes on. */
function Mark() {
  return html`<svg class="mark" viewBox="0 0 20 20" aria-hidden="true">
    <path d="M1.5 10H7M7 10c4 0 3-5.5 7-5.5h2.5M7 10c4 0 3 5.5 7 5.5h2.5" />
    <circle cx="17" cy="4.500" r="1.700" />
  </svg>`;
}

function Connection({ state }) {
  const { connection, isPaused, status } = state;
  const isLive = connection.phase === "live";
  const source = status?.source;
  const isFile = isLive && source && source.kind !== "live";
  const apps = status?.processes ?? [];
  const isOver = isLive && apps.length > 0 && !apps.some((each) => each.connected);
  const phase = isOver ? "over" : isLive && isPaused ? "paused" : connection.phase;
  return html`<p class=${classes("connection", `is-${phase}`)}>
    <span class="dot" aria-hidden="true"></span>${isFile ? fileText(source) : PHASES[phase]}
  </p>`;
}

function fileText(source) {
  const name = plain(source.name ?? "").split(/[\\/]/).at(-1);
  const what = source.kind === "spool" ? "What waits in the spool" : `File ${name}`;
  return `${what}${source.complete ? "" : ", reading"}`;
}

class Theme extends Component {
  constructor(props) {
    super(props);
    this.state = { name: theme() };
  }

  render({ store }, { name }) {
    const change = () => {
      const chosen = next(name);
      choose(chosen);
      this.setState({ name: chosen });
      store.set({ said: `Theme: ${THEMES[chosen]}.` });
    };
    return html`<button id="theme" type="button" class="button is-quiet" aria-label=${`Theme: ${THEMES[name]}. Change`} onClick=${change}>
      ${THEMES[name]}
    </button>`;
  }
}

/** Where there is room for one pane only: which. */
export function Tabs({ store, state }) {
  if (state.open) return null;
  const tab = (name, text) => html`
    <button type="button" aria-pressed=${state.tab === name ? "true" : "false"} onClick=${() => store.set({ tab: name })}>${text}</button>
  `;
  return html`<nav class="tabs" aria-label="Panes">${tab("stream", "Events")}${tab("totals", "Totals and delivery")}</nav>`;
}
