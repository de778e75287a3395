// The monitoring tools: each button sends genuine, signed deliveries to socmon's webhook and shows what it answered.

import { post } from "./api.js";
import { h } from "./dom.js";
import { store } from "./store.js";

const ACTIONS = [
  ["trigger", "Trigger", "A new problem begins"],
  ["recover", "Recover", "The newest problem ends"],
  ["flap", "Flap", "The newest problem comes and goes, three times"],
  ["storm", "Storm × 50", "Fifty problems at once"],
  ["test", "Test", "The tool's own test notification"],
  ["no_data", "No data", "The tool has lost the signal"],
  ["forged", "Forged", "Genuine, but with a broken signature: socmon must refuse it"],
  ["garbage", "Garbage", "Signed, and unreadable: socmon keeps it as an intake gap"],
];
const TITLES = {
  alertmanager: "Alertmanager", cloudwatch: "CloudWatch", datadog: "Datadog", email: "E-mail", generic: "Generic webhook",
  grafana: "Grafana", newrelic: "New Relic", pagerduty: "PagerDuty",
};
const COLORS = {
  alertmanager: "#e6522c", cloudwatch: "#d6336c", datadog: "#632ca6", grafana: "#f46800", newrelic: "#00875a", pagerduty: "#06ac38", generic: "#475569", email: "#0369a1",
};
const results = new Map(); // provider → the last result, kept while the page is open

export function sourcesPanel() {
  const cards = store.sources.map(card);
  const none = h("p", { class: "muted" }, "No monitoring tool is connected to this playground.");
  return { node: h("div", { class: "panel-body" }, h("p", { class: "panel-lead" }, "Play the monitoring tools. Every delivery is signed and sent to socmon over HTTP, as the vendor would."), cards.length ? cards : none) };
}

function card(provider) {
  const result = h("p", { class: "source-result", role: "status" });
  showResult(result, results.get(provider));
  const mark = h("span", { class: "source-mark", "aria-hidden": "true" }, (TITLES[provider] ?? provider)[0]);
  mark.style.setProperty("--face", COLORS[provider] ?? "#475569");
  const buttons = ACTIONS.map(([action, label, help]) =>
    h("button", { type: "button", class: action === "trigger" ? "button primary" : "button", title: help, "aria-label": `${TITLES[provider] ?? provider}: ${label}`,
      onclick: (event) => use(event.currentTarget, provider, action, label, result) }, label));
  return h("section", { class: "source", "aria-label": TITLES[provider] ?? provider },
    h("h3", {}, mark, TITLES[provider] ?? provider, h("code", {}, `/webhooks/${provider}`)),
    h("div", { class: "source-buttons" }, buttons), result);
}

async function use(button, provider, action, label, result) {
  button.setAttribute("aria-busy", "true");
  result.replaceChildren(h("span", { class: "muted" }, `${label}…`));
  await send(provider, action, label);
  button.removeAttribute("aria-busy");
  showResult(result, results.get(provider));
}

async function send(provider, action, label) {
  const started = performance.now();
  const answer = await post(`sources/${provider}/${action}`);
  results.set(provider, { label, answer, took: Math.round(performance.now() - started) });
  return answer.ok && answer.answers.every(({ status }) => status >= 200 && status < 300);
}

/** A visitor's first alert, from Datadog where it is connected; false when none could be raised. */
export async function raiseFirstAlert() {
  const provider = store.sources.includes("datadog") ? "datadog" : store.sources[0];
  return provider !== undefined && send(provider, "trigger", "Trigger");
}

function showResult(node, result) {
  if (!result) return;
  const { label, answer, took } = result;
  if (!answer.ok) {
    node.replaceChildren(h("span", { class: "status bad" }, "Failed"), ` ${label}: ${answer.text ?? answer.error}`);
    return;
  }
  const counts = new Map();
  for (const one of answer.answers) counts.set(one.status, (counts.get(one.status) ?? 0) + 1);
  const chips = [...counts].map(([status, count]) =>
    h("span", { class: status >= 200 && status < 300 ? "status good" : status >= 400 && status < 500 ? "status refused" : "status bad" }, `${count > 1 ? `${count} × ` : ""}${status || "no answer"}`));
  const text = answer.answers.length === 1 ? answer.answers[0].text : "";
  node.replaceChildren(...chips, h("b", {}, label), h("span", { class: "muted" }, ` · ${took} ms`), text ? h("code", { class: "answer" }, text) : "");
}
