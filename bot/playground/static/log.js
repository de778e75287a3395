// The request log: what socmon asked Slack, and what Slack sent to socmon.

import { get } from "./api.js";
import { h } from "./dom.js";
import { store } from "./store.js";

export function logPanel() {
  const rows = h("ol", { class: "log" });
  const counters = h("div", { class: "counters" });
  const empty = h("p", { class: "muted" }, "Nothing has gone over the wire yet.");
  const node = h("div", { class: "panel-body" }, h("p", { class: "panel-lead" }, "← socmon calls Slack · → Slack tells socmon"), counters, rows);
  const show = () => {
    rows.replaceChildren(...(store.requests.length ? store.requests.map(row) : [empty]));
  };
  const load = async () => {
    const transcript = await get("transcript");
    if (!transcript.requests) return;
    store.requests = transcript.requests.toReversed();
    counters.replaceChildren(...Object.entries(transcript.counters).map(counter));
    show();
  };
  let waiting = null;
  load();
  return {
    node,
    heard({ kind }) {
      if (kind !== "request") return;
      show();
      waiting ??= setTimeout(() => ((waiting = null), load()), 1000);
    },
  };
}

function counter([method, outcomes]) {
  return h("span", { class: "counter" }, h("code", {}, method),
    Object.entries(outcomes).map(([outcome, count]) => h("span", { class: outcome === "ok" ? "status good" : "status bad" }, outcome === "ok" ? String(count) : `${count} ${outcome}`)));
}

function row(entry) {
  const failed = entry.error || entry.status >= 400 || entry.status === 0;
  return h("li", { class: failed ? "log-row failed" : "log-row" },
    h("span", { class: "way", "aria-label": entry.way === "in" ? "to Slack" : "to socmon" }, entry.way === "in" ? "←" : "→"),
    h("code", {}, entry.method),
    h("span", { class: "about" }, entry.about),
    h("span", { class: failed ? "status bad" : "status good" }, entry.error || String(entry.status)),
    h("span", { class: "muted" }, `${entry.milliseconds} ms`));
}
