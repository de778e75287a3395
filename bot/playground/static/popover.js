// Little windows that open beside a button: menus and lists of options. Esc and a click elsewhere close them.

import { h, icon, uniqueId } from "./dom.js";

const GAP = 6;
const FILTER_FROM = 9; // options from which on there is a field to search them

/** Open a popover at `anchor` with this content; returns it. `onclose` hears when it goes. */
export function openPopover(anchor, content, { label, wide = false, onclose = () => {} } = {}) {
  const box = h("div", { class: wide ? "popover wide" : "popover", popover: "auto", role: "presentation", "aria-label": label }, content);
  (anchor.closest("dialog") ?? document.body).append(box);
  anchor.setAttribute("aria-expanded", "true");
  box.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    anchor.setAttribute("aria-expanded", "false");
    const inside = box.contains(document.activeElement) || document.activeElement === document.body;
    box.remove();
    if (inside) anchor.focus({ preventScroll: true });
    onclose();
  });
  box.showPopover();
  place(box, anchor);
  return box;
}

/** A menu of acts: `items` are {label, detail, icon, href, danger, act}. */
export function openMenu(anchor, items, { label } = {}) {
  const list = h("div", { class: "menu", role: "menu", "aria-label": label });
  const box = openPopover(anchor, list, { label });
  const rows = items.map((item) => {
    const content = [item.icon && (typeof item.icon === "string" ? icon(item.icon, 16) : item.icon)];
    content.push(h("span", { class: "menu-text" }, item.label, item.detail && h("small", {}, item.detail)));
    if (item.badge) content.push(h("span", { class: "badge" }, String(item.badge)));
    if (item.checked) content.push(icon("check", 16));
    const attributes = { class: item.danger ? "menu-item danger" : "menu-item", role: "menuitem", tabindex: "-1" };
    const choose = () => {
      box.hidePopover();
      item.act?.();
    };
    if (item.href) return h("a", { ...attributes, href: item.href, target: "_blank", rel: "noopener noreferrer", onclick: choose }, content);
    return h("button", { ...attributes, type: "button", onclick: choose }, content);
  });
  list.append(...rows);
  list.addEventListener("keydown", (event) => moveFocus(event, rows));
  (rows[items.findIndex((item) => item.checked)] ?? rows[0])?.focus();
  place(box, anchor);
}

/**
 * A list to choose from. `find(query)` gives groups of {label, options: [{text, detail, value}]}, or a promise of them.
 * `chosen` is a Set of values; `onchoose(option)` hears of each choice; with `many` the list stays open.
 */
export function openChoices(anchor, { label, find, chosen, onchoose, many = false, searchable = false }) {
  const id = uniqueId("choices");
  const list = h("div", { class: "choices", role: "listbox", id, "aria-label": label, "aria-multiselectable": String(many), tabindex: "-1" });
  const filter = h("input", {
    class: "filter", type: "text", placeholder: "Search…", role: "combobox", "aria-expanded": "true",
    "aria-controls": id, "aria-label": `Search ${label}`, autocomplete: "off",
  });
  const box = openPopover(anchor, [filter, list], { label, wide: true });
  let rows = [];
  let active = 0;
  const show = async () => {
    const groups = await find(filter.value);
    const total = groups.reduce((sum, group) => sum + group.options.length, 0);
    filter.hidden = !searchable && total < FILTER_FROM && !filter.value;
    rows = [];
    list.replaceChildren(...groups.flatMap(groupNodes));
    if (!total) list.append(h("p", { class: "nothing" }, "Nothing found"));
    active = Math.max(0, rows.findIndex((row) => row.getAttribute("aria-selected") === "true"));
    mark();
    (filter.hidden ? list : filter).focus();
    place(box, anchor);
  };
  const groupNodes = (group) => [
    group.label && h("p", { class: "group-label" }, group.label),
    ...group.options.map((option) => {
      const row = h(
        "div",
        { class: "choice", role: "option", id: uniqueId("option"), "aria-selected": String(chosen.has(option.value)), onclick: () => choose(row, option) },
        h("span", { class: "menu-text" }, option.text, option.detail && h("small", {}, option.detail)),
        icon("check", 16),
      );
      row.option = option;
      rows.push(row);
      return row;
    }),
  ].filter(Boolean);
  const choose = (row, option) => {
    onchoose(option);
    if (many) row.setAttribute("aria-selected", String(chosen.has(option.value)));
    else box.hidePopover();
  };
  const mark = () => {
    rows.forEach((row, index) => row.classList.toggle("active", index === active));
    for (const target of [filter, list]) target.setAttribute("aria-activedescendant", rows[active]?.id ?? "");
    rows[active]?.scrollIntoView({ block: "nearest" });
  };
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) active = Math.min(rows.length - 1, Math.max(0, active + step));
    else if (event.key === "Home" && filter.hidden) active = 0;
    else if (event.key === "End" && filter.hidden) active = rows.length - 1;
    else if (event.key === "Enter" && !event.metaKey && !event.ctrlKey) rows[active] && choose(rows[active], rows[active].option);
    else return;
    event.preventDefault();
    event.stopPropagation();
    mark();
  });
  filter.addEventListener("input", show);
  show();
}

function moveFocus(event, rows) {
  const index = rows.indexOf(document.activeElement);
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
  const letter = event.key.length === 1 ? rows.find((row, i) => i > index && startsWith(row, event.key)) ?? rows.find((row) => startsWith(row, event.key)) : null;
  if (next === undefined && !letter) return;
  event.preventDefault();
  (letter ?? rows[(next + rows.length) % rows.length])?.focus();
}

function startsWith(row, letter) {
  return row.textContent.trim().toLowerCase().startsWith(letter.toLowerCase());
}

/** Below the anchor if there is room, else above; never outside the window. */
function place(box, anchor) {
  const at = anchor.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const below = at.bottom + GAP + size.height <= innerHeight || at.top < size.height + GAP;
  const top = below ? Math.min(at.bottom + GAP, innerHeight - size.height - GAP) : at.top - size.height - GAP;
  box.style.top = `${Math.max(GAP, top)}px`;
  box.style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - size.width - GAP))}px`;
  box.style.minWidth = `${Math.min(at.width, 320)}px`;
}
