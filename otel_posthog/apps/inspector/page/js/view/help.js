// Keys and marks, in a dialog.
import { Component, createRef, html } from "../dom.js";
import { KEYS } from "../keyboard.js";
import { areShortcutsOn, setShortcuts } from "../shortcuts.js";

export class Help extends Component {
  constructor(props) {
    super(props);
    this.dialog = createRef();
  }

  componentDidMount() {
    this.before = document.activeElement;
    this.dialog.current.showModal();
  }

  componentWillUnmount() {
    this.before?.focus?.();
  }

  render({ store }) {
    const close = () => store.set({ isHelpOpen: false });
    return html`
      <dialog ref=${this.dialog} class="help" aria-labelledby="help-title" onClose=${close} onCancel=${close}>
        <header>
          <h2 id="help-title">Keys and marks</h2>
          <button type="button" class="button is-quiet" aria-label="Close" onClick=${close}>Close</button>
        </header>
        <dl class="keys">
          ${KEYS.map(([one, other, text]) => html`<div key=${one}><dt><kbd>${one}</kbd>${other && html` <kbd>${other}</kbd>`}</dt><dd>${text}</dd></div>`)}
        </dl>
        <label class="check">
          <input type="checkbox" checked=${areShortcutsOn()} onChange=${(event) => setShortcuts(event.target.checked)} />
          Keys of one character are on
        </label>
        <dl class="marks">
          <div><dt><span class="badge is-sent">PostHog</span></dt><dd>It passed the filters and was handed to delivery; the figures above say what has arrived.</dd></div>
          <div><dt><span class="badge is-dropped">dropped</span></dt><dd>A destination does not get it; the open event says why.</dd></div>
          <div><dt><span class="gone">removed</span></dt><dd>The property does not leave. The rule beside it did that.</dd></div>
          <div><dt><mark class="is-changed">[email]</mark></dt><dd>What was found stands no longer there; the rest of the text goes on.</dd></div>
        </dl>
        <p class="soft">Nothing on this page is kept on disk or sent anywhere. It holds the last 1,000 items in memory.</p>
      </dialog>
    `;
  }
}
