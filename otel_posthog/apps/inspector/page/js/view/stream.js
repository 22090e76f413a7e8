// The stream: a list of which only the lines in sight are in the document, the newest on top.
import { Component, classes, createRef, html } from "../dom.js";
import { isSet } from "../filter.js";
import { MARKS, whereOf } from "../entry.js";
import { clock, counted, plain } from "../text.js";
import { routeInWords } from "../wording.js";
import { Empty, NothingFound } from "./empty.js";

const ROW_PX = 54;
const SPARE_ROWS = 6;

export class Stream extends Component {
  constructor(props) {
    super(props);
    this.state = { top: 0, height: 800 };
    this.box = createRef();
  }

  componentDidMount() {
    this.sizes = new ResizeObserver(() => this.measure());
    this.sizes.observe(this.box.current);
    this.measure();
  }

  componentWillUnmount() {
    this.sizes.disconnect();
  }

  measure() {
    const { clientHeight } = this.box.current;
    if (clientHeight && clientHeight !== this.state.height) this.setState({ height: clientHeight });
  }

  /** What is read stays where it is: lines that come in above it move the view by as much. */
  componentDidUpdate(before) {
    const { shown, state } = this.props;
    const box = this.box.current;
    if (before.shown !== shown && box.scrollTop > 0 && before.shown.length) {
      const came = shown.findIndex((each) => each.id === before.shown[0].id);
      if (came > 0) box.scrollTop += came * ROW_PX;
    }
    if (before.state.cursor !== state.cursor) this.bringIntoView(shown.findIndex((each) => each.id === state.cursor));
  }

  bringIntoView(at) {
    const box = this.box.current;
    if (at < 0) return;
    const top = at * ROW_PX;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_PX - box.clientHeight;
  }

  render({ store, state, shown }, { top, height }) {
    const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE_ROWS);
    const last = Math.min(shown.length, Math.ceil((top + height) / ROW_PX) + SPARE_ROWS);
    const isThere = shown.slice(first, last).some((each) => each.id === state.cursor);
    return html`<div class="stream-box">
      <div
        id="stream"
        class="stream"
        ref=${this.box}
        role="listbox"
        tabindex="0"
        aria-label="Events, the newest first"
        aria-activedescendant=${isThere ? rowId(state.cursor) : undefined}
        onScroll=${(event) => this.setState({ top: event.currentTarget.scrollTop })}
      >
        <div class="stream-all" role="presentation" style=${{ height: `${shown.length * ROW_PX}px` }}>
          ${shown
            .slice(first, last)
            .map(
              (entry, at) => html`<${Row}
                key=${entry.id}
                entry=${entry}
                at=${first + at}
                of=${shown.length}
                isCursor=${entry.id === state.cursor}
                isOpen=${entry.id === state.open?.id}
                store=${store}
              />`,
            )}
        </div>
      </div>
      <div class="stream-ring" aria-hidden="true"></div>
      ${!shown.length && (state.entries.length ? html`<${NothingFound} store=${store} isSet=${isSet(state.filter)} />` : html`<${Empty} state=${state} />`)}
    </div>`;
  }
}

const rowId = (id) => `row-${id}`;

class Row extends Component {
  shouldComponentUpdate(next) {
    return ["entry", "at", "of", "isCursor", "isOpen"].some((name) => this.props[name] !== next[name]);
  }

  render({ entry, at, of, isCursor, isOpen, store }) {
    const { state } = entry.outcome;
    return html`
      <div
        id=${rowId(entry.id)}
        class=${classes("row", `is-${state}`, isCursor && "is-cursor", isOpen && "is-open")}
        style=${{ transform: `translateY(${at * ROW_PX}px)` }}
        role="option"
        aria-selected=${isOpen ? "true" : "false"}
        aria-posinset=${at + 1}
        aria-setsize=${of}
        onClick=${() => store.show(entry.id)}
      >
        <span class="row-line">
          <span class="row-mark" aria-hidden="true"></span>
          <span class="row-name">${plain(entry.name).slice(0, 200)}</span>
          <span class="row-state">${routeInWords(entry)}</span>
        </span>
        <span class="row-line row-second">
          <time class="row-time" datetime=${entry.time}>${clock(entry.time)}</time>
          <span class="row-where">${plain(whereOf(entry)).slice(0, 200)}${ruleText(entry)}</span>
          <${Marks} entry=${entry} />
        </span>
      </div>
    `;
  }
}

/** The rule of the policy that made it an event, where the app did not mark it itself. */
const ruleText = ({ event }) => (event?.rule && !MARKS.has(event.rule) ? ` · ${plain(event.rule).slice(0, 60)}` : "");

/** How many parts the filters removed or changed. */
function Marks({ entry }) {
  return html`<span class="row-marks">
    ${entry.removed > 0 && html`<span class="is-removed">${counted(entry.removed, "removed", "removed")}</span>`}
    ${entry.changed > 0 && html`<span class="is-changed">${counted(entry.changed, "changed", "changed")}</span>`}
  </span>`;
}
