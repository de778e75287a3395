// Short notices in the corner. They go by themselves; a notice of trouble stays longer.

import { h, iconButton } from "./dom.js";

const SECONDS = { info: 6, danger: 10 };

export function toast({ title, text, tone = "info", picture = null, onclick = null }) {
  const area = document.getElementById("toasts");
  const node = h(
    "div",
    { class: `toast ${tone}` },
    picture,
    h(onclick ? "button" : "div", { class: "toast-text", type: onclick ? "button" : undefined, onclick: onclick && (() => (node.remove(), onclick())) },
      h("strong", {}, title), text && h("span", {}, text)),
    iconButton("close", "Dismiss", () => node.remove()),
  );
  area.append(node);
  while (area.children.length > 3) area.firstChild.remove();
  setTimeout(() => node.remove(), SECONDS[tone] * 1000);
}
