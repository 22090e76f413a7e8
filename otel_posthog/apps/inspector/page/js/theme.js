// Dark, light, or as the system has it; kept for the next visit where the browser allows that.

const KEY = "otel-posthog-inspector-theme";
const ORDER = ["system", "light", "dark"];

const kept = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

/** The theme that is chosen: `system`, `light` or `dark`. */
export const theme = () => (ORDER.includes(kept()) ? kept() : "system");

/** Chooses a theme. */
export function choose(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // It holds until the page is left.
  }
  apply(name);
}

/** The theme after this one. */
export const next = (name) => ORDER[(ORDER.indexOf(name) + 1) % ORDER.length];

export function apply(name = theme()) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
}
