// Around a view: what goes wrong in it leaves the rest of the page as it is.
import { Component, html } from "../dom.js";
import { plain } from "../text.js";

export class Boundary extends Component {
  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render({ children }, { error }) {
    return error ? html`<p class="note is-bad">This cannot be shown: ${plain(error.message)}</p>` : children;
  }
}
