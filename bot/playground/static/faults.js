// The faults: ways in which Slack and PagerDuty can fail, each to be switched on for a while.

import { post } from "./api.js";
import { h, icon } from "./dom.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

// Each offers fields: [name, label, kind or choices, default].
const FAULTS = [
  { kind: "rate_limit", title: "Rate limited", help: "Slack answers 429 with Retry-After.", fields: [["times", "next calls", "number", 3], ["retry_after", "retry after, s", "number", 2]] },
  { kind: "down", title: "Slack is down", help: "Every call fails.", fields: [["mode", "how", ["error", "close", "timeout"], "error"], ["seconds", "seconds", "number", 15]] },
  { kind: "lose_answer", title: "Answer lost", help: "The message is stored, but socmon never hears of it.", fields: [["times", "next posts", "number", 1]] },
  { kind: "slow", title: "Slow", help: "Each call takes longer.", fields: [["delay", "delay, s", "number", 2], ["seconds", "seconds", "number", 30]] },
  { kind: "revoked_token", title: "Token revoked", help: "Somebody uninstalled the app.", fields: [["seconds", "seconds", "number", 30]] },
  { kind: "missing_scope", title: "Scope withdrawn", help: "Calls that need it are refused.", fields: [["scope", "scope", ["channels:history", "groups:history", "users:read", "chat:write", "files:write"], "channels:history"]] },
  { kind: "archive_channel", title: "Channel archived", help: "Nobody can write there.", fields: [["channel", "channel", "channel", "C0ALERTS"]] },
  { kind: "remove_bot", title: "Bot removed", help: "socmon is no member any more.", fields: [["channel", "channel", "channel", "C0ALERTS"]] },
  { kind: "pagerduty_down", title: "PagerDuty is down", help: "It answers 503, and tells of nothing.", fields: [["seconds", "seconds", "number", 7200]] },
];

export function faultsPanel() {
  const active = h("div", { class: "active-faults", "aria-live": "polite" });
  const node = h(
    "div",
    { class: "panel-body" },
    h("p", { class: "panel-lead" }, "Break Slack or PagerDuty on purpose. The records must not suffer, and they must catch up afterwards."),
    active,
    FAULTS.filter(({ kind }) => kind !== "pagerduty_down" || store.pagerduty).map(card),
    h("button", { type: "button", class: "button", onclick: startOver }, icon("restart", 16), "Empty the workspace"),
  );
  const show = () => active.replaceChildren(...activeRows());
  show();
  return { node, heard: ({ kind }) => (kind === "faults" || kind === "loaded") && show() };
}

function card(fault) {
  const inputs = fault.fields.map(([name, label, kind, value]) => [name, field(label, kind, value)]);
  const start = async () => {
    const given = Object.fromEntries(inputs.map(([name, { control }]) => [name, control.type === "number" ? Number(control.value) : control.value]));
    const answer = await post("faults", { kind: fault.kind, ...given });
    if (!answer.faults) toast({ title: "The fault did not start", text: answer.text, tone: "danger" });
  };
  return h("section", { class: "fault", "aria-label": fault.title },
    h("div", {}, h("h3", {}, fault.title), h("p", { class: "muted" }, fault.help)),
    h("div", { class: "fault-fields" }, inputs.map(([, { node }]) => node),
      h("button", { type: "button", class: "button", "aria-label": `Start: ${fault.title}`, onclick: start }, "Start")));
}

function field(label, kind, value) {
  const channels = [...store.channels.values()].filter((channel) => !channel.is_im).map((channel) => [channel.id, `#${channel.name}`]);
  const choices = kind === "channel" ? channels : Array.isArray(kind) ? kind.map((choice) => [choice, choice]) : null;
  const control = choices
    ? h("select", { class: "field" }, choices.map(([id, text]) => h("option", { value: id, selected: id === value }, text)))
    : h("input", { class: "field", type: "number", min: "1", value: String(value) });
  return { control, node: h("label", {}, h("span", {}, label), control) };
}

function activeRows() {
  return store.faults.map((fault) => {
    const title = FAULTS.find((known) => known.kind === fault.kind)?.title ?? fault.kind;
    const detail = [fault.times && `${fault.times} left`, fault.seconds_left !== null && `${fault.seconds_left} s`, fault.method].filter(Boolean).join(" · ");
    return h("div", { class: "active-fault" }, icon("alert", 16), h("span", {}, h("b", {}, title), detail && h("small", {}, ` ${detail}`)),
      h("button", { type: "button", class: "button", "aria-label": `Switch off: ${title}`, onclick: () => post("faults", { ...fault, off: true }) }, "Switch off"));
  });
}

async function startOver() {
  await post("reset");
  toast({ title: "The workspace is empty again", text: "socmon's own records are untouched." });
}
