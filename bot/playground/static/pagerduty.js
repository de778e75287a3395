// PagerDuty itself: its open incidents, handled there by somebody who has an account, and an outage.

import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const DOWN = "pagerduty_down";
const SHOWN = 20;
const SOON = 150; // milliseconds: a storm is one look

const drafts = new Map(); // incident → a note that is being written while the list changes
let as = null; // who acts in PagerDuty, kept while the page is open

export function pagerdutyPanel() {
  const outage = h("div", { class: "pd-outage" });
  const who = h("select", { class: "field", onchange: () => { as = who.value; } });
  const list = h("div", { class: "pd-incidents", "aria-live": "polite" });
  const node = h(
    "div",
    { class: "panel-body" },
    h("p", { class: "panel-lead" }, "What people see in PagerDuty. What they do there it tells socmon by signed webhooks; what is done in Slack socmon tells PagerDuty."),
    outage,
    h("label", { class: "pd-who" }, h("span", {}, "Act as"), who),
    list,
  );
  const show = (desk) => {
    if (!desk.incidents) return;
    as ??= desk.people.find(({ name }) => name === store.nameOf(store.me))?.id ?? desk.people[0].id;
    who.replaceChildren(...desk.people.map(({ id, name }) => h("option", { value: id, selected: id === as }, name)));
    fill(outage, outageSwitch(desk.is_down));
    const more = desk.incidents.length - SHOWN;
    const none = h("p", { class: "muted" }, "No incident is open. Trigger one in the Sources panel, beside PagerDuty.");
    fill(list, desk.incidents.slice(0, SHOWN).map((one) => card(one, show)), more > 0 && h("p", { class: "muted" }, `and ${more} more`), desk.incidents.length === 0 && none);
  };
  const look = async () => show(await get("pagerduty"));
  let waiting = null;
  look();
  const heard = ({ kind }) => {
    if (!["pagerduty", "faults", "loaded"].includes(kind)) return;
    clearTimeout(waiting);
    waiting = setTimeout(look, SOON);
  };
  return { node, heard };
}

function outageSwitch(isDown) {
  const label = isDown ? "End the outage" : "Begin an outage";
  return [
    h("span", {}, isDown ? h("b", {}, "Out of reach. ") : null, isDown ? "It answers 503, and tells of nothing." : "In reach."),
    h("button", { type: "button", class: "button", dataset: { key: "outage" }, onclick: () => post("faults", { kind: DOWN, off: isDown }) }, label),
  ];
}

function card(incident, show) {
  const note = h("input", { class: "field", "aria-label": `Note on ${incident.id}`, placeholder: "Note", value: drafts.get(incident.id) ?? "", oninput: () => drafts.set(incident.id, note.value), dataset: { key: `note-${incident.id}` } });
  const act = async (name, more = {}) => {
    const answer = await post(`pagerduty/${name}`, { user: as, incident: incident.id, ...more });
    if (answer.ok) show(answer);
    else toast({ title: "PagerDuty says no", text: answer.text ?? answer.error, tone: "danger" });
  };
  const button = (name, label, does = () => act(name)) =>
    h("button", { type: "button", class: "button", "aria-label": `PagerDuty: ${label} ${incident.id}`, dataset: { key: `${name}-${incident.id}` }, onclick: does }, label);
  const acknowledged = incident.status === "acknowledged";
  const held = acknowledged ? `Acknowledged${incident.by && ` by ${incident.by}`}` : `Triggered${incident.assigned.length ? `, with ${incident.assigned.join(", ")}` : ""}`;
  return h("section", { class: "source", "aria-label": incident.id },
    h("h3", {}, h("span", { class: `status ${acknowledged ? "refused" : "bad"}` }, incident.id), h("code", {}, incident.service)),
    h("p", { class: "pd-title" }, incident.title),
    h("p", { class: "muted" }, held),
    incident.notes.map(({ by, text }) => h("p", { class: "pd-note" }, h("b", {}, by), ` ${text}`)),
    h("div", { class: "source-buttons" }, !acknowledged && button("acknowledge", "Acknowledge"), button("resolve", "Resolve")),
    h("form", { class: "pd-noting", onsubmit: (event) => { event.preventDefault(); drafts.delete(incident.id); act("note", { text: note.value }); } }, note,
      h("button", { type: "submit", class: "button", "aria-label": `PagerDuty: Add note to ${incident.id}` }, "Add")));
}
