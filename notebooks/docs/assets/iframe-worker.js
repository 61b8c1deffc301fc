// A Worker for pages opened from a folder, where browsers refuse real ones: the script runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inner = this.frame.contentWindow;
      this.ready = new Promise((done, failed) => {
        const script = inner.document.createElement("script");
        inner.postMessage = data => this.deliver(data);
        inner.importScripts = (...urls) => urls.reduce((last, one) => last.then(() => new Promise((ok, no) => {
          const more = inner.document.createElement("script");
          more.src = new URL(one, new URL(url, location.href)).href;
          more.onload = ok;
          more.onerror = no;
          inner.document.body.append(more);
        })), Promise.resolve());
        script.src = new URL(url, location.href).href;
        script.onload = done;
        script.onerror = failed;
        inner.document.body.append(script);
      });
    }
    deliver(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (typeof this.onmessage === "function") this.onmessage(event);
    }
    postMessage(data) {
      this.ready.then(() => {
        const inner = this.frame.contentWindow;
        inner.dispatchEvent(new inner.MessageEvent("message", { data }));
      });
    }
    terminate() {
      this.frame.remove();
    }
  };
}
