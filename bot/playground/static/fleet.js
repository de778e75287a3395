// The fleet: what socmon says of its coverage, and ways to break it.

import { get, post } from "./api.js";
import { clock } from "./dates.js";
import { fill, h } from "./dom.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const WAITS = [[15, "15 min"], [60, "1 h"], [240, "4 h"], [1440, "1 day"]];
const MONITOR_ACTS = [
  ["mute", "Mute", "A downtime without an end"],
  ["weaken", "Weaken", "A threshold that is nearly never reached"],
  ["unroute", "Unroute", "It tells nobody any more"],
  ["draft", "Disable", "It becomes a draft"],
  ["delete", "Delete", "It is gone"],
];
const SOON = 150; // milliseconds: several changes are one look

// What a visitor has chosen, kept while the page is open.
const chosen = { component: null, host: null, monitor: null, minutes: 15, name: "" };

export function fleetPanel() {
  const body = h("div", { class: "fleet" });
  const node = h(
    "div",
    { class: "panel-body" },
    h("p", { class: "panel-lead" }, "Northwind's fleet, in a Datadog of the playground's own. Break something, let socmon look, and see what it says in #soc2-monitoring and on ", h("code", {}, "/socmon coverage"), ". Some things take time: an agent counts as silent after 10 minutes, Slack is asked about a person every 5, the tools once an hour what exists, and you once a day about what they found."),
    body,
  );
  const show = (desk) => desk.hosts && fill(body, drawn(desk, act, redraw));
  const look = async () => show((last = await get("fleet")));
  let last = null;
  let waiting = null;
  const redraw = () => show(last);
  const act = async (name, given) => {
    const within = body.contains(document.activeElement);
    body.setAttribute("aria-busy", "true");
    const answer = await post(`fleet/${name}`, given);
    body.removeAttribute("aria-busy");
    if (answer.ok) show((last = answer));
    else toast({ title: "That did not work", text: answer.text ?? answer.error, tone: "danger" });
    // The button of what was undone is gone: what comes next is a look.
    if (within && !body.contains(document.activeElement)) body.querySelector("[data-key=look]").focus({ preventScroll: true });
  };
  look();
  const heard = ({ kind }) => {
    if (!["fleet", "loaded"].includes(kind)) return;
    clearTimeout(waiting);
    waiting = setTimeout(look, SOON);
  };
  return { node, heard };
}

function drawn(desk, act, redraw) {
  return [
    verdict(desk, act),
    desk.coverage && map(desk.coverage, redraw),
    desk.broken.length > 0 && brokenList(desk.broken, act),
    machines(desk, act, redraw),
    alertRules(desk, act, redraw),
    company(desk, act),
  ];
}

// What socmon says
function verdict(desk, act) {
  const { coverage, touched } = desk;
  const cells = coverage?.rows.flatMap((row) => row.cells.map(([, state]) => state)) ?? [];
  const count = (state) => cells.filter((each) => each === state).length;
  const [gaps, unknown] = [count("gap"), count("unknown")];
  const says = coverage
    ? [h("span", { class: `status ${gaps || unknown ? "bad" : "good"}` }, `${cells.length - gaps - unknown} of ${cells.length} covered`),
      ` ${gaps} ${gaps === 1 ? "gap" : "gaps"}${unknown ? `, ${unknown} unknown` : ""}, as of ${clock(coverage.assessed_at)}`]
    : ["socmon has not looked yet."];
  const minutes = h("select", { class: "field", "aria-label": "How long to wait", dataset: { key: "minutes" }, onchange: () => { chosen.minutes = Number(minutes.value); } },
    WAITS.map(([value, label]) => h("option", { value: String(value), selected: value === chosen.minutes }, label)));
  return h("section", { class: "source fleet-verdict", "aria-label": "What socmon says" },
    h("p", { class: "fleet-says", role: "status" }, says, touched && " (something was changed since)"),
    h("div", { class: "source-buttons" },
      button("Look now", () => act("look", { minutes: 0 }), { primary: touched, key: "look" }),
      minutes,
      button("Wait, then look", () => act("look", { minutes: chosen.minutes }), { key: "wait", help: "Turns the playground's clock on" })));
}

function brokenList(broken, act) {
  return h("section", { class: "fleet-broken", "aria-label": "What is broken" },
    broken.map((one) => h("div", { class: "active-fault" }, h("span", {}, one.says),
      button("Undo", () => act(one.act, { on: one.on }), { key: `undo-${one.act}-${one.on}`, label: `Undo: ${one.says}` }))));
}

function map(coverage, redraw) {
  const kinds = Map.groupBy(coverage.rows, (row) => row.kind);
  return h("section", { class: "source", "aria-label": "Heat map" },
    h("h3", {}, "Heat map"),
    [...kinds].map(([kind, rows]) => [
      h("p", { class: "muted" }, `${kind}s: ${rows[0].cells.map(([measure]) => measure).join(", ")}`),
      h("div", { class: "fleet-map" }, rows.map((row) => tile(row, redraw))),
    ]),
    detail(coverage));
}

function tile(row, redraw) {
  const said = row.cells.map(([measure, state]) => `${measure} ${state}`).join(", ");
  const choose = () => {
    chosen.component = chosen.component === row.name ? null : row.name;
    if (row.kind === "host") chosen.host = row.name;
    redraw();
  };
  return h("button", { type: "button", class: "fleet-tile", "aria-pressed": String(chosen.component === row.name), "aria-label": `${row.name}: ${said}`, title: said, dataset: { key: `tile-${row.name}` }, onclick: choose },
    h("span", {}, row.name),
    h("span", { class: "fleet-cells" }, row.cells.map(([, state]) => h("span", { class: `fleet-cell ${state}` }))));
}

function detail({ rows, gaps }) {
  const names = chosen.component ? [chosen.component] : [];
  const shown = gaps.filter(({ name }) => names.includes(name));
  if (!rows.some(({ name }) => names.includes(name))) return h("p", { class: "muted" }, "Choose a component to read why.");
  const lines = shown.map(({ measure, why }) => h("li", {}, h("b", {}, measure), ` ${why}`));
  return h("div", { class: "fleet-detail", role: "status" }, h("b", {}, chosen.component), lines.length ? h("ul", {}, lines) : " is covered.");
}

// What can be broken
function machines(desk, act, redraw) {
  const known = desk.hosts.map(({ name }) => name);
  if (!known.includes(chosen.host)) chosen.host = known.find((name) => name.includes("web")) ?? known[0];
  const host = desk.hosts.find(({ name }) => name === chosen.host);
  const name = h("input", { class: "field", "aria-label": "A host's name", placeholder: "prod-web-5", maxlength: "40", value: chosen.name, oninput: () => { chosen.name = name.value; }, dataset: { key: "name" } });
  return h("section", { class: "source", "aria-label": "Hosts" },
    h("h3", {}, "Hosts"),
    choice("Host", known.map((each) => [each, each]), chosen.host, (value) => { chosen.host = value; redraw(); }),
    h("div", { class: "source-buttons" },
      host.stopped
        ? button("Start its agent", () => act("start", { on: host.name }), { key: "agent" })
        : button("Stop its agent", () => act("stop", { on: host.name }), { key: "agent" })),
    h("form", { class: "pd-noting", onsubmit: (event) => { event.preventDefault(); act("add", { on: name.value.trim() }); } }, name,
      h("button", { type: "submit", class: "button" }, "Add"),
      button("Rename", () => act("rename", { on: host.name, to: name.value.trim() }), { key: "rename", label: `Rename ${host.name}` })));
}

function alertRules(desk, act, redraw) {
  const monitor = desk.monitors.find(({ id }) => id === chosen.monitor) ?? desk.monitors[0];
  return h("section", { class: "source", "aria-label": "Monitors" },
    h("h3", {}, "Monitors"),
    choice("Monitor", desk.monitors.map(({ id, name, signs }) => [id, signs.length ? `${name} (${signs.join(", ")})` : name]), monitor.id, (value) => { chosen.monitor = value; redraw(); }),
    h("code", { class: "answer" }, monitor.query),
    h("p", { class: "muted" }, monitor.message),
    h("div", { class: "source-buttons" },
      MONITOR_ACTS.map(([name, label, help]) => button(label, () => act(name, { on: monitor.id }), { key: name, help, label: `${label}: ${monitor.name}` }))));
}

function company(desk, act) {
  const row = (says, label, name, on = "") =>
    h("div", { class: "pd-outage" }, h("span", {}, says), button(label, () => act(name, { on }), { key: `${name}-${on}`, label: `${label}: ${says}` }));
  return h("section", { class: "source", "aria-label": "People, Slack and Datadog" },
    h("h3", {}, "People, Slack and Datadog"),
    desk.people.map(({ id, name, deactivated }) => row(`${name}'s Slack account`, ...(deactivated ? ["Reactivate", "reactivate"] : ["Deactivate", "deactivate"]), id)),
    row("#ops, where batch and data alert", ...(desk.archived ? ["Unarchive", "unarchive"] : ["Archive", "archive"])),
    row("Datadog knows socmon's keys", ...(desk.refuses ? ["Accept them", "accept"] : ["Revoke them", "refuse"])),
    row("Datadog lists all its hosts", ...(desk.loses_a_page ? ["Find the page", "find"] : ["Lose a page", "lose"])));
}

function choice(label, options, value, choose) {
  const control = h("select", { class: "field", dataset: { key: label }, onchange: () => choose(control.value) },
    options.map(([id, text]) => h("option", { value: id, selected: id === value }, text)));
  return h("label", { class: "pd-who" }, h("span", {}, label), control);
}

function button(text, onclick, { key, label, help, primary } = {}) {
  return h("button", { type: "button", class: primary ? "button primary" : "button", "aria-label": label, title: help, dataset: { key }, onclick }, text);
}
