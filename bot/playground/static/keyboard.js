// Keys: everything can be reached without a mouse. `?` lists them.

import { h, iconButton } from "./dom.js";
import { togglePanel } from "./lab.js";
import { messageMenu } from "./message.js";
import { goTo, route } from "./route.js";
import { choosePersona } from "./sidebar.js";
import { store } from "./store.js";

const KEYS = [
  ["j or ↓, k or ↑", "Next or previous message"],
  ["Enter", "Open the message's thread"],
  ["m", "Message menu"],
  ["c or /", "Write a message or a command"],
  ["[ and ]", "Previous or next channel"],
  ["h", "App Home"],
  ["a", "Activity"],
  ["p", "Act as somebody else"],
  ["s", "Sources"],
  ["l", "Fleet"],
  ["f", "Faults"],
  ["t", "Clock"],
  ["Esc", "Close thread, panel or window"],
  ["Ctrl or ⌘ + Enter", "Submit a form"],
  ["?", "This list"],
];

/** `page()` is what is shown: it has a `timeline`, perhaps a `thread`. */
export function listen(page) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const writing = event.target.closest?.("input, textarea, select, [role=listbox], [role=menu]");
    if (event.key === "Escape") {
      escape(event, writing);
      return;
    }
    if (writing || event.metaKey || event.ctrlKey || event.altKey) return;
    const act = ACTS[event.key];
    if (!act || act(page(), event) === false) return;
    event.preventDefault();
  });
}

const ACTS = {
  j: (page) => page.focused().move(1),
  ArrowDown: (page) => page.focused().move(1),
  k: (page) => page.focused().move(-1),
  ArrowUp: (page) => page.focused().move(-1),
  Enter(_, event) {
    const item = event.target.closest("li.message");
    if (!item || event.target !== item || item.message.only_for) return false;
    location.hash = goTo.thread(item.message.channel, item.message.thread_ts ?? item.message.ts);
    return true;
  },
  m(_, event) {
    const item = event.target.closest("li.message");
    if (!item) return false;
    messageMenu(item.querySelector(".tools button:last-child") ?? item, item.message);
    return true;
  },
  c: write,
  "/": write,
  "[": () => walk(-1),
  "]": () => walk(1),
  h: () => (location.hash = goTo.home()),
  a: () => (location.hash = goTo.activity()),
  p: () => choosePersona(document.querySelector(".persona")),
  s: () => togglePanel("sources"),
  l: () => store.fleet && togglePanel("fleet"),
  f: () => togglePanel("faults"),
  t: () => togglePanel("clock"),
  "?": () => showShortcuts(),
};

function write() {
  const areas = [...document.querySelectorAll("textarea[data-composer]")];
  const area = areas.find((each) => each.dataset.composer === "thread") ?? areas[0];
  area?.focus();
  return Boolean(area);
}

function walk(step) {
  const ids = [...store.channels.values()].filter((channel) => !channel.is_im).map((channel) => channel.id);
  const at = ids.indexOf(route().channel);
  location.hash = goTo.channel(ids[(at + step + ids.length) % ids.length]);
}

function escape(event, writing) {
  if (document.querySelector(".popover:popover-open")) return;
  if (writing) {
    writing.blur();
    return;
  }
  const at = route();
  if (at.thread) location.hash = goTo.channel(at.channel);
  else if (document.body.classList.contains("lab-open")) closePanel();
  else return;
  event.preventDefault();
}

function closePanel() {
  if (route().page === "lab") history.back();
  else togglePanel(null);
}

export function showShortcuts() {
  const dialog = h("dialog", { class: "modal", "aria-label": "Keyboard shortcuts" });
  const close = () => (dialog.close(), dialog.remove());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(
    h("header", {}, h("h2", {}, "Keyboard shortcuts"), iconButton("close", "Close", close)),
    h("div", { class: "modal-body" }, h("dl", { class: "keys" }, KEYS.map(([keys, what]) => h("div", {}, h("dt", {}, h("kbd", {}, keys)), h("dd", {}, what))))),
  );
  document.body.append(dialog);
  dialog.showModal();
}
