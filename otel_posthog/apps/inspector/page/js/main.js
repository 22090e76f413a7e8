// Starts the page: the store, the feed, the keys, and one drawing for each change.
import * as api from "./api.js";
import { html, render } from "./dom.js";
import { Feed } from "./feed.js";
import { NO_FILTER, isSet } from "./filter.js";
import { listen } from "./keyboard.js";
import { Store } from "./store.js";
import { apply } from "./theme.js";
import { areShortcutsOn } from "./shortcuts.js";
import { App } from "./view/app.js";

const root = document.getElementById("app");
const store = new Store();
const feed = new Feed(store);
let isDue = false;

store.tell = () => {
  if (isDue) return;
  isDue = true;
  queueMicrotask(draw);
};

function draw() {
  isDue = false;
  render(html`<${App} store=${store} state=${store.state} feed=${feed} />`, root);
}

const focus = (selector) => document.querySelector(selector)?.focus();

listen({
  areOn: areShortcutsOn,
  move: (step) => store.move(step),
  enter: () => {
    store.show(store.state.cursor ?? store.shown[0]?.id ?? null);
    queueMicrotask(() => focus("#event-title"));
  },
  escape: () => {
    const { state } = store;
    if (state.isHelpOpen) store.set({ isHelpOpen: false });
    else if (state.isRuleOpen) store.set({ isRuleOpen: false });
    else if (state.open) {
      store.close();
      queueMicrotask(() => focus("#stream"));
    } else if (isSet(state.filter)) store.narrowTo(NO_FILTER);
    else focus("#stream");
  },
  search: () => {
    store.set({ tab: "stream" });
    queueMicrotask(() => focus("#search"));
  },
  pause: () => (store.state.isPaused ? store.resume() : store.pause()),
  rule: () => store.state.open && store.set({ isRuleOpen: !store.state.isRuleOpen }),
  theme: () => document.getElementById("theme")?.click(),
  help: () => store.set({ isHelpOpen: !store.state.isHelpOpen }),
});

apply();
root.replaceChildren();
draw();
feed.open();
api.words().then((words) => store.set({ words }), () => {});
