// What the pages do beyond htmx: copy, keep open what is open, keep the focus, say when the engine is silent,
// follow the engine only while they are visible.
"use strict";

const say = (text) => {
  document.getElementById("said").textContent = text;
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-code]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? button.previousElementSibling.textContent);
    say("Copied.");
    button.classList.add("copied");
  } catch {
    say("The browser does not let this page copy.");
  }
  setTimeout(() => { button.classList.remove("copied"); }, 1500);
});

// The live part is replaced as a whole; what was open in it stays open, and what had the focus has it again.
const open = new Set();
document.addEventListener("toggle", (event) => {
  const details = event.target;
  if (!details.id || details.localName !== "details") return;
  if (details.open) open.add(details.id);
  else if (details.isConnected) open.delete(details.id);
}, true);

let focused = null;
document.addEventListener("htmx:beforeSwap", () => {
  const element = document.activeElement;
  const within = element && element.closest("#live");
  focused = null;
  if (!within || element.id) return; // htmx itself finds what has an id
  const details = element.closest("details[id]");
  const scope = details ? `#${CSS.escape(details.id)} ` : "";
  const attribute = ["data-copy", "href", "data-copy-code"].find((name) => element.hasAttribute(name));
  const selector = scope + element.localName
    + (attribute ? `[${attribute}="${CSS.escape(element.getAttribute(attribute))}"]` : "");
  focused = [selector, [...within.querySelectorAll(selector)].indexOf(element)];
});
document.addEventListener("htmx:load", (event) => {
  const loaded = event.detail.elt;
  for (const details of loaded.querySelectorAll("details[id]")) {
    if (open.has(details.id)) details.open = true;
  }
  if (focused && loaded.id === "live") {
    const found = loaded.querySelectorAll(focused[0])[focused[1]];
    if (found) found.focus({ preventScroll: true });
    focused = null;
  }
});

// A file that is chosen fills the text that is sent.
document.addEventListener("change", async (event) => {
  const chosen = event.target;
  if (!chosen.dataset.into || !chosen.files.length) return;
  document.getElementById(chosen.dataset.into).value = await chosen.files[0].text();
  chosen.form.elements.namedItem("file").value = chosen.files[0].name;
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.elt.matches("form[data-clear]")) event.detail.elt.reset();
});

// Browsers open at most six connections to one host, so a page that is hidden closes its stream. When it is visible again,
// it asks for what has changed since.
class VisibleEventSource extends EventTarget {
  constructor(url) {
    super();
    this.url = new URL(url, location.href);
    this.names = new Set();
    this.source = null;
    this.pass = (event) => {
      this.url.searchParams.set("since", event.data);
      this.dispatchEvent(new MessageEvent(event.type, { data: event.data }));
    };
    this.follow = () => { if (document.hidden) this.stop(); else this.start(); };
    document.addEventListener("visibilitychange", this.follow);
    this.follow();
  }

  get readyState() {
    return this.source ? this.source.readyState : EventSource.CONNECTING;
  }

  addEventListener(name, listener) {
    super.addEventListener(name, listener);
    if (this.names.has(name)) return;
    this.names.add(name);
    if (this.source) this.source.addEventListener(name, this.pass);
  }

  start() {
    if (this.source) return;
    const source = new EventSource(this.url);
    this.source = source;
    for (const name of this.names) source.addEventListener(name, this.pass);
    source.onopen = (event) => this.onopen(event);
    source.onerror = (event) => {
      // The extension then makes another one.
      if (source.readyState === EventSource.CLOSED) this.close();
      this.onerror(event);
    };
  }

  stop() {
    if (this.source) this.source.close();
    this.source = null;
  }

  close() {
    document.removeEventListener("visibilitychange", this.follow);
    if (this.source) this.source.close();
  }
}
htmx.createEventSource = (url) => new VisibleEventSource(url);

document.addEventListener("htmx:sseError", () => {
  document.getElementById("connection").textContent =
    "The engine does not respond. When it is started again, open the address that it prints: it has a new token.";
});
document.addEventListener("htmx:sseOpen", () => {
  document.getElementById("connection").textContent = "";
});
