// The laboratory beside the chat: what the tools send, what goes wrong, what goes over the wire, what is inside.

import { h, icon, iconButton } from "./dom.js";
import { clockPanel } from "./clock.js";
import { faultsPanel } from "./faults.js";
import { fleetPanel } from "./fleet.js";
import { inspectorPanel, onInspect } from "./inspector.js";
import { showShortcuts } from "./keyboard.js";
import { logPanel } from "./log.js";
import { pagerdutyPanel } from "./pagerduty.js";
import { sourcesPanel } from "./sources.js";
import { store } from "./store.js";

const PANELS = {
  sources: { label: "Sources", glyph: "bolt", build: sourcesPanel },
  pagerduty: { label: "PagerDuty", glyph: "pager", build: pagerdutyPanel },
  fleet: { label: "Fleet", glyph: "pulse", build: fleetPanel },
  faults: { label: "Faults", glyph: "flask", build: faultsPanel },
  clock: { label: "Clock", glyph: "clock", build: clockPanel },
  log: { label: "Requests", glyph: "list", build: logPanel },
  inspect: { label: "Inspect", glyph: "code", build: inspectorPanel },
};

const panels = () => Object.entries(PANELS).filter(([name]) => store[name] ?? true); // some playgrounds have no PagerDuty and no fleet

let lab = null;

export class Lab {
  constructor() {
    this.open = null;
    this.panel = null;
    this.rail = h("nav", { class: "rail", "aria-label": "Laboratory" });
    this.node = h("aside", { class: "lab-panel", hidden: true });
    this.tabs = h("div", { class: "lab-tabs" });
    lab = this;
    onInspect(() => this.show("inspect"));
    this.#drawRail();
  }

  show(name) {
    this.open = name;
    this.panel = name ? PANELS[name].build() : null;
    this.node.hidden = !name;
    document.body.classList.toggle("lab-open", Boolean(name));
    if (name) {
      this.node.setAttribute("aria-label", PANELS[name].label);
      this.node.replaceChildren(
        h("header", { class: "page-head" },
          h("div", { class: "page-title" }, h("h2", {}, PANELS[name].label)),
          iconButton("close", "Close panel", () => this.show(null), { class: "icon-button close-pane" })),
        this.#drawTabs(),
        this.panel.node,
      );
    }
    this.#drawRail();
  }

  heard(change) {
    this.panel?.heard?.(change);
    if (["faults", "clock", "loaded"].includes(change.kind)) this.#drawRail();
  }

  #drawTabs() {
    const tab = ([name, { label }]) =>
      h("button", { type: "button", class: "lab-tab", "aria-pressed": String(this.open === name), onclick: () => this.show(name) }, label);
    const switches = [
      h("button", { type: "button", class: "lab-tab", onclick: () => toggle("reader") }, "Reader text"),
      h("button", { type: "button", class: "lab-tab", onclick: switchTheme }, "Theme"),
    ];
    return h("div", { class: "lab-tabs" }, panels().map(tab), switches);
  }

  #drawRail() {
    const button = (name, glyph, label, onclick, pressed) =>
      h("button", { type: "button", class: "rail-button", "aria-pressed": String(pressed), onclick, title: label },
        h("span", { class: "rail-glyph" }, icon(glyph, 20), (name === "faults" ? store.faults.length > 0 : name === "clock" && store.ahead > 0) && h("span", { class: "rail-dot" })),
        label);
    this.rail.replaceChildren(
      h("span", { class: "rail-title" }, "Lab"),
      ...panels().map(([name, { label, glyph }]) =>
        button(name, glyph, label, () => this.show(this.open === name ? null : name), this.open === name)),
      h("span", { class: "rail-space" }),
      button("", "phone", "Phone", () => toggle("phone"), document.body.classList.contains("phone")),
      button("", "reader", "Reader", () => toggle("reader"), document.body.classList.contains("reader")),
      button("", "sun", "Theme", switchTheme, false),
      button("", "help", "Keys", showShortcuts, false),
    );
  }
}

export function openPanel(name) {
  if (matchMedia("(max-width: 600px)").matches) location.hash = `#/lab/${name}`;
  else lab.show(name);
}

export function togglePanel(name) {
  lab.show(lab.open === name ? null : name); // null closes whatever is open
}

/** Phone width, or the words a screen reader hears: a class on the body. */
export function toggle(name) {
  const on = document.body.classList.toggle(name);
  localStorage.setItem(name, on ? "1" : "");
  lab.show(lab.open);
}

export function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

export function restoreSwitches() {
  for (const name of ["phone", "reader"]) document.body.classList.toggle(name, Boolean(localStorage.getItem(name)));
  if (localStorage.getItem("theme")) document.documentElement.dataset.theme = localStorage.getItem("theme");
}
