// A browser starts no worker from a file. There the search works in a hidden frame instead, so that a copy of this site on
// a disk can be searched too; Zensical would take such a script from another host.
"use strict";

if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.appendChild(this.frame);
      const inside = this.frame.contentWindow;
      addEventListener("message", (event) => {
        if (event.source === inside) {
          const message = new MessageEvent("message", { data: event.data });
          this.dispatchEvent(message);
          this.onmessage?.(message);
        }
      });
      inside.document.open();
      inside.document.write(
        `<script>
           self.postMessage = (data) => parent.postMessage(data, "*");
           self.importScripts = (...urls) => urls.reduce((before, url) => before.then(() => new Promise((loaded) => {
             const script = document.createElement("script");
             script.src = url;
             script.onload = loaded;
             document.body.appendChild(script);
           })), Promise.resolve());
         </` + `script><body><script src="${url}"></` + `script></body>`,
      );
      inside.document.close();
      this.ready = new Promise((resolve) => inside.addEventListener("load", resolve));
    }

    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
