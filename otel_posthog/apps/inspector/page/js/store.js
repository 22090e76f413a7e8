// What the page knows: the newest lines, what waits while it is paused, filters, what is open. One object, replaced as a
// whole at each change; whoever listens is told once for many changes.
import { entriesOf, isOf, processOf } from "./entry.js";
import { NO_FILTER, passing } from "./filter.js";

export const MAX_ITEMS = 1000;

const START = Object.freeze({
  entries: [],
  waiting: [],
  waited: 0,
  missed: 0,
  unread: new Set(),
  forgotten: [],
  isPaused: false,
  filter: NO_FILTER,
  cursor: null,
  open: null,
  isRuleOpen: false,
  tab: "stream",
  isHelpOpen: false,
  connection: { phase: "connecting" },
  status: null,
  summary: null,
  words: { rules: {}, drops: {} },
  said: "",
});

export class Store {
  #shown = { entries: null, filter: null, found: [] };

  constructor() {
    this.state = START;
    this.tell = () => {};
  }

  /** Changes some parts of the state. */
  set(parts) {
    this.state = { ...this.state, ...parts };
    this.tell();
  }

  /** Takes items in, the oldest first; those that are there already are left out. */
  take(items) {
    const { entries, waiting, isPaused, waited } = this.state;
    const last = waiting.at(-1)?.seq ?? entries.at(-1)?.seq ?? -1;
    const fresh = items.filter((item) => item.seq > last);
    const made = this.#madeOf(fresh);
    if (!made.length) return;
    if (isPaused) this.set({ waiting: newest([...waiting, ...made]), waited: waited + fresh.length });
    else this.set({ entries: newest([...entries, ...made]) });
  }

  /** Takes in items from before those that are there. */
  takeOlder(items) {
    const { entries } = this.state;
    const first = entries[0]?.seq ?? Infinity;
    const made = this.#madeOf(items.filter((item) => item.seq < first));
    this.set({ entries: newest([...made, ...entries]) });
  }

  /** The lines of items; those that cannot be shown are counted. */
  #madeOf(items) {
    const made = items.map(entriesOf);
    this.noteUnread(items.filter((_, at) => !made[at].length).map((item) => item.seq));
    return made.flat();
  }

  /** Counts items that cannot be shown, by their numbers: each once, also where it comes twice. */
  noteUnread(seqs) {
    const { unread } = this.state;
    if (seqs.length) this.set({ unread: new Set([...unread, ...seqs.map((seq) => seq ?? Symbol("no number"))]) });
  }

  /** Drops every line of a process, also the open one: its user has opted out. */
  forgetProcess(process) {
    const { entries, waiting, waited, open, cursor, filter, forgotten, status } = this.state;
    const isGone = (entry) => isOf(entry.item, process);
    const gone = waiting.filter(isGone);
    const known = [...entries, ...gone].find(isGone)?.item.process ?? status?.processes?.find((each) => each.pid === process.pid);
    const name = processOf(known ?? process);
    const left = entries.filter((entry) => !isGone(entry));
    this.set({
      entries: left,
      waiting: waiting.filter((entry) => !isGone(entry)),
      waited: Math.max(0, waited - new Set(gone.map((entry) => entry.seq)).size),
      cursor: left.some((entry) => entry.id === cursor) ? cursor : null,
      filter: filter.process === name ? { ...filter, process: "" } : filter,
      forgotten: [...forgotten.filter((each) => each !== name), name],
      said: `${name} has opted out. Its items are gone from this page.`,
    });
    if (open && isGone(open)) this.close();
  }

  /** Forgets every line: the feed began anew. */
  forget() {
    this.set({ entries: [], waiting: [], waited: 0, unread: new Set(), forgotten: [], cursor: null, open: null, summary: null });
  }

  pause() {
    this.set({ isPaused: true, said: "Paused." });
  }

  resume() {
    const { entries, waiting, waited } = this.state;
    const said = `Resumed. ${waited} came meanwhile.`;
    this.set({ isPaused: false, entries: newest([...entries, ...waiting]), waiting: [], waited: 0, said });
  }

  /** Changes some filters. */
  narrowTo(parts) {
    this.set({ filter: { ...this.state.filter, ...parts } });
  }

  /** The lines that pass the filters, the newest first. */
  get shown() {
    const { entries, filter } = this.state;
    if (this.#shown.entries !== entries || this.#shown.filter !== filter) {
      this.#shown = { entries, filter, found: [...passing(entries, filter)].reverse() };
    }
    return this.#shown.found;
  }

  /** The line of an id, also where a filter leaves it out. */
  entry(id) {
    return this.state.entries.find((each) => each.id === id) ?? null;
  }

  /** Moves the cursor by so many lines, or to one of the ends; what is open follows it. */
  move(step) {
    const { shown } = this;
    if (!shown.length) return;
    const at = shown.findIndex((each) => each.id === this.state.cursor);
    // Where there is no cursor yet, each step but that to the end leads to the first line.
    const from = at < 0 && step !== Infinity ? -step : at;
    const to = Math.min(shown.length - 1, Math.max(0, step === -Infinity ? 0 : from + step));
    const entry = shown[to];
    this.set(this.state.open === null ? { cursor: entry.id } : { cursor: entry.id, open: entry });
  }

  /** Opens the line of an id; the one that is open stays, also when newer ones have pushed it out. */
  show(id) {
    const entry = this.entry(id);
    if (entry) this.set({ cursor: id, open: entry, isRuleOpen: false });
  }

  close() {
    this.set({ open: null, isRuleOpen: false });
  }
}

/** The lines of the newest items. */
function newest(entries) {
  if (entries.length <= MAX_ITEMS) return entries;
  let items = 0;
  let at = entries.length;
  let seq = null;
  while (at > 0) {
    if (entries[at - 1].seq !== seq) {
      items += 1;
      seq = entries[at - 1].seq;
    }
    if (items > MAX_ITEMS) break;
    at -= 1;
  }
  return entries.slice(at);
}
