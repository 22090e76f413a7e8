// The live feed: server-sent events, taken up again where they broke off.
import { parsed } from "./answer.js";
import * as api from "./api.js";
import { isOf } from "./entry.js";
import { MAX_ITEMS } from "./store.js";

const FLUSH_MS = 80;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const OLDER = 200;

export class Feed {
  constructor(store) {
    this.store = store;
    this.last = -1;
    this.attempts = 0;
    this.items = [];
    this.forgets = 0;
    this.source = null;
    this.retryTimer = null;
    this.flushTimer = null;
  }

  /** Connects, or connects again at once. */
  open() {
    clearTimeout(this.retryTimer);
    this.source?.close();
    if (this.attempts === 0) this.store.set({ connection: { phase: "connecting" } });
    else this.store.set({ connection: { phase: "retrying", attempt: this.attempts } });
    const source = new EventSource(api.streamAddress(this.last));
    source.onopen = () => this.opened();
    source.onmessage = (message) => this.received(message);
    source.onerror = () => this.broken(source);
    this.source = source;
  }

  opened() {
    const wasLost = this.attempts > 0;
    this.attempts = 0;
    this.store.set({ connection: { phase: "live" }, ...(wasLost ? { said: "Connected again." } : {}) });
  }

  received({ data, lastEventId }) {
    const message = parsed(data);
    const seq = message?.seq ?? Number.parseInt(lastEventId, 10);
    if (message?.type === "item" ? Number.isInteger(seq) : message) this.message(message);
    else if (message || seq > this.last) {
      // An item is numbered also where nothing else of it can be read, so that it is not asked for again.
      this.store.noteUnread([seq > this.last ? seq : undefined]);
      if (seq > this.last) this.last = seq;
      this.flushTimer ??= setTimeout(() => this.flush(), FLUSH_MS);
    }
  }

  message(message) {
    if (message.type === "item") this.item(message);
    else if (message.type === "state") this.status(message);
    else if (message.type === "summary") this.store.set({ summary: message });
    else if (message.type === "gap") this.store.set({ missed: this.store.state.missed + message.to - message.from + 1 });
    else if (message.type === "forgotten") this.forgotten(message.process ?? {});
    else if (message.type === "end") this.ended(message);
  }

  item(item) {
    this.last = Math.max(this.last, item.seq);
    this.items.push(item);
    this.flushTimer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  /** Hands what came in a moment on together, so that the page is drawn once for it. */
  flush() {
    this.flushTimer = null;
    const isFirst = !this.store.state.entries.length;
    this.store.take(this.items.splice(0));
    if (isFirst) this.fillUp();
  }

  /** Lets go of all that a process has told: its user has opted out. */
  forgotten(process) {
    this.forgets += 1;
    this.items = this.items.filter((item) => !isOf(item, process));
    this.store.forgetProcess(process);
  }

  /** Fetches the older ones that the server still keeps. */
  async fillUp() {
    const { entries, unread: lost } = this.store.state;
    const held = new Set([...entries.map((each) => each.seq), ...[...lost].filter(Number.isInteger)]);
    let [first, count] = [Math.min(...held), held.size];
    try {
      while (held.size && first > 1 && count < MAX_ITEMS) {
        const { forgets } = this;
        const { items, unread, has_more: hasMore } = await api.olderThan(first, Math.min(OLDER, MAX_ITEMS - count));
        // What was asked for before an opt-out may still hold what is forgotten since.
        if (forgets !== this.forgets) continue;
        const seqs = [...items.map((item) => item.seq), ...unread].filter(Number.isInteger);
        if (!seqs.length) return;
        this.store.noteUnread(unread);
        this.store.takeOlder(items);
        first = Math.min(...seqs);
        count += seqs.length;
        if (!hasMore) return;
      }
    } catch {
      // What is live goes on; the older ones are fetched with the next connection's first item, or not at all.
    }
  }

  status(status) {
    const newest = status.totals?.last_seq ?? this.last;
    if (newest < this.last) {
      this.last = newest;
      this.items = [];
      this.store.forget();
    }
    this.store.set({ status });
  }

  ended() {
    this.source.close();
    this.flush();
    this.retry("The inspector was stopped.");
  }

  async broken(source) {
    if (source !== this.source) return;
    source.close();
    try {
      await api.words();
      this.retry("");
    } catch (error) {
      if (error.status === 403 || error.status === 404) this.refused();
      else this.retry("");
    }
  }

  refused() {
    this.store.set({ connection: { phase: "refused" }, said: "This address is no longer valid." });
  }

  retry(why) {
    const wait = RETRY_MS[Math.min(this.attempts, RETRY_MS.length - 1)];
    if (this.attempts === 0) this.store.set({ said: why || "The connection to the inspector is lost." });
    this.attempts += 1;
    this.store.set({ connection: { phase: "lost", why, retryAt: Date.now() + wait, attempt: this.attempts } });
    this.retryTimer = setTimeout(() => this.open(), wait);
  }
}
