// Whether keys of one character do anything: who speaks to the page, or types by accident, can switch them off.

const KEY = "otel-posthog-inspector-shortcuts";
let areOn = true;
try {
  areOn = localStorage.getItem(KEY) !== "off";
} catch {
  // They are on until the page is left.
}

export const areShortcutsOn = () => areOn;

export function setShortcuts(on) {
  areOn = on;
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // As above.
  }
}
