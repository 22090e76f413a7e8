// The page as a whole: what is above, the stream, and beside it the open event or the totals.
import { classes, html } from "../dom.js";
import { hasEnded } from "../entry.js";
import { Banner } from "./banner.js";
import { Boundary } from "./boundary.js";
import { EventPane } from "./event.js";
import { Filters } from "./filters.js";
import { Help } from "./help.js";
import { Overview } from "./overview.js";
import { Stream } from "./stream.js";
import { Strip } from "./strip.js";
import { Tabs, Top } from "./top.js";

export function App({ store, state, feed }) {
  const { open, tab } = state;
  return html`
    <a class="skip" href="#stream">Skip to the events</a>
    <${Top} store=${store} state=${state} />
    <${Strip} status=${state.status} />
    <${Banner} state=${state} feed=${feed} />
    <${Tabs} store=${store} state=${state} />
    <main class=${classes("main", open && "has-event", `tab-${tab}`)}>
      <section class="pane pane-stream" aria-label="Stream">
        <${Filters} store=${store} state=${state} />
        <${Stream} store=${store} state=${state} shown=${store.shown} />
      </section>
      <section class="pane pane-side" aria-label=${open ? "The open event" : "Totals and delivery"}>
        ${open
          ? html`<${Boundary} key=${open.id}><${EventPane} store=${store} entry=${open} words=${state.words} isRuleOpen=${state.isRuleOpen} isOver=${hasEnded(open.item, state.status)} isLast=${state.status?.source?.complete === true} /><//>`
          : html`<${Overview} store=${store} state=${state} />`}
      </section>
    </main>
    <div class="unseen" role="status" aria-live="polite">${state.said}</div>
    ${state.isHelpOpen && html`<${Help} store=${store} />`}
  `;
}
