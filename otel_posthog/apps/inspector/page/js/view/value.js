// A value as text: never as markup, characters that nobody sees as their codes, long ones cut until asked for.
import { Component, html } from "../dom.js";
import { GONE, HIDDEN, UNKNOWN } from "../pairs.js";
import { count, pieces, shown } from "../text.js";

const CUT_CHARS = 600;

const marked = (text) => pieces(text).map((each) => (each.code ? html`<span class="code-point">${each.code}</span>` : each.text));

/** A value, or what stands for one that is not there. */
export function Value({ value, parts }) {
  if (value === GONE) return null;
  if (value === HIDDEN || value === UNKNOWN) return html`<${Unseen} value=${value} />`;
  return html`<${Text} text=${shown(value)} parts=${parts} isText=${typeof value === "string"} />`;
}

export const Unseen = ({ value }) => html`<span class="hidden-value">${value === HIDDEN ? "not shown" : "not kept"}</span>`;

class Text extends Component {
  render({ text, parts, isText }, { isWhole }) {
    if (isText && text === "") return html`<span class="hidden-value">empty</span>`;
    const isCut = !isWhole && text.length > CUT_CHARS;
    if (!isCut && parts) return html`<bdi class="value">${parts.map((each) => (each.isNew ? html`<mark>${marked(each.text)}</mark>` : marked(each.text)))}</bdi>`;
    return html`<bdi class=${isWhole ? "value is-whole" : "value"}>${marked(isCut ? text.slice(0, CUT_CHARS) : text)}</bdi>${isCut &&
      html`<button type="button" class="link" onClick=${() => this.setState({ isWhole: true })}>… show all ${count(text.length)} characters</button>`}`;
  }
}

/** A key, which may be as long and as odd as a value. */
export function Key({ name, title }) {
  const text = name.length > 160 ? `${name.slice(0, 160)}…` : name;
  const parts = text.split(/(?<=[._])/);
  return html`<bdi class="key" title=${title && title !== name ? title.slice(0, 300) : undefined}>${parts.map((part, at) => [at > 0 && html`<wbr />`, marked(part)])}</bdi>`;
}
