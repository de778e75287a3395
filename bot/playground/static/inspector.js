// What is inside a message or a view: the text a notification shows, the metadata, the raw JSON.

import { h, icon } from "./dom.js";
import { spoken } from "./mrkdwn.js";
import { store } from "./store.js";

const PAGE_ONLY = new Set(["edits", "only_for"]); // what the playground adds for its own page
let inspected = null;
let opened = () => {};

export function onInspect(listener) {
  opened = listener;
}

export function inspect(thing, title) {
  inspected = { thing, title };
  opened();
}

export function inspectorPanel() {
  const node = h("div", { class: "panel-body" });
  const show = () => node.replaceChildren(...(inspected ? details(inspected) : [h("p", { class: "panel-lead" }, "Choose “Inspect” at a message, a modal or App Home.")]));
  show();
  return {
    node,
    heard({ kind, message }) {
      if (kind !== "message_changed" || message.ts !== inspected?.thing.ts || message.channel !== inspected.thing.channel) return;
      inspected = { ...inspected, thing: message };
      show();
    },
  };
}

function details({ thing, title }) {
  const raw = Object.fromEntries(Object.entries(thing).filter(([name]) => !PAGE_ONLY.has(name)));
  const isMessage = Boolean(thing.ts);
  const builder = `https://app.slack.com/block-kit-builder/#${encodeURIComponent(JSON.stringify(isMessage ? { blocks: thing.blocks } : viewPayload(thing)))}`;
  return [
    h("h3", {}, title),
    isMessage && facts([["Author", store.nameOf(thing.user)], ["Message id", thing.ts], ["Edited", `${thing.edits ?? 0} times`]]),
    isMessage && part("Fallback text", "What a notification and a screen reader say", h("p", { class: "quoted" }, spoken(thing.text) || "(none)")),
    isMessage && part("Metadata", "", thing.metadata ? code(thing.metadata) : h("p", { class: "muted" }, "None")),
    thing.private_metadata && part("Private metadata", "", h("pre", { class: "json" }, thing.private_metadata)),
    part("Raw JSON", "", code(raw)),
    h("p", {}, h("a", { href: builder, target: "_blank", rel: "noopener noreferrer" }, "Open in Slack's Block Kit Builder ", icon("right", 13))),
  ].filter(Boolean);
}

function viewPayload(view) {
  const { type, title, submit, close, blocks } = view;
  return view.type === "home" ? { type, blocks } : { type, title, submit: submit ?? undefined, close: close ?? undefined, blocks };
}

function facts(rows) {
  return h("dl", { class: "facts" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function part(title, help, content) {
  return h("section", { class: "inspect-part" }, h("h4", {}, title, help && h("small", {}, help)), content);
}

function code(value) {
  return h("pre", { class: "json", tabindex: "0" }, JSON.stringify(value, null, 2));
}
