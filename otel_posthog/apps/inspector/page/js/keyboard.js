// The keys. None of them does anything while somebody types, or with Ctrl, Alt or Meta.

const PAGE = 10;

export const KEYS = [
  ["j", "k", "next and previous event; the arrow keys too"],
  ["g", "G", "newest and oldest event"],
  ["Enter", "", "open the event"],
  ["Esc", "", "close it; then clear the filters"],
  ["/", "", "search"],
  ["p", "", "pause and resume"],
  ["r", "", "make a rule of the open event"],
  ["t", "", "dark, light, as the system"],
  ["?", "", "this list"],
];

const isTyping = (target) => target.closest?.("input, select, textarea, [contenteditable]") !== null;

/** Has keys do what `actions` say. */
export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.key === "Escape") {
      actions.escape();
      return;
    }
    if (isTyping(event.target) || !actions.areOn()) return;
    const isControl = event.target.closest?.("button, a, summary") !== null;
    const action = of(event.key, actions, isControl, event.target.closest?.("[role=listbox]") !== null);
    if (action) {
      event.preventDefault();
      action();
    }
  });
}

function of(key, actions, isControl, isList) {
  if (key === "Enter") return isControl ? null : actions.enter;
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -Infinity, End: Infinity };
  if (key in moves) return isList ? () => actions.move(moves[key]) : null;
  return {
    j: () => actions.move(1),
    k: () => actions.move(-1),
    g: () => actions.move(-Infinity),
    G: () => actions.move(Infinity),
    "/": actions.search,
    p: actions.pause,
    r: actions.rule,
    t: actions.theme,
    "?": actions.help,
  }[key];
}
