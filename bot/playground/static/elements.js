// Block Kit's interactive elements. Each keeps its value in `surface.values`, and tells the bot where it should.

import { h, icon, safeAddress, uniqueId } from "./dom.js";
import { emojify } from "./emoji.js";
import { mrkdwn, spoken } from "./mrkdwn.js";
import { openChoices, openMenu } from "./popover.js";
import { confirmFirst } from "./confirm.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

/**
 * Where elements live: `place` is {channel, ts} or {view_id}; `values` is block id → action id → value.
 * It sends what people do, and knows whether something is under way.
 */
export class Surface {
  constructor(place, values = {}) {
    this.place = place;
    this.values = values;
  }

  get(block, element) {
    return this.values[block]?.[element.action_id];
  }

  set(block, element, value) {
    (this.values[block] ??= {})[element.action_id] = value;
  }

  async click(block, element, value, node) {
    if (element.confirm && !(await confirmFirst(element.confirm))) return;
    node?.setAttribute("aria-busy", "true");
    const result = await store.act("click", {
      ...this.place, block_id: block, action_id: element.action_id, value, values: this.values,
    });
    node?.removeAttribute("aria-busy");
    if (!result.ok) {
      node?.classList.add("failed");
      toast({ title: failure(result.error), text: result.text, tone: "danger" });
    }
  }
}

function failure(error) {
  if (error === "operation_timeout") return "socmon did not answer within 3 seconds";
  if (error === "dispatch_failed") return "socmon could not be reached";
  return `That did not work (${error})`;
}

/** The element as DOM; `inForm` when it stands in an input block, whose label then is its name. */
export function element(spec, block, surface, inForm = false, labelId = undefined) {
  const build = BUILDERS[spec.type];
  if (!build) return h("span", { class: "unknown" }, `(${spec.type})`);
  return build(spec, block, surface, { inForm, labelId });
}

export function plain(text) {
  return text ? emojify(text.text) : "";
}

function rich(text) {
  return text.type === "mrkdwn" ? mrkdwn(text.text) : emojify(text.text);
}

function button(spec, block, surface) {
  const label = spec.accessibility_label;
  const attributes = {
    class: `button ${spec.style ?? ""}`, "aria-label": label, dataset: { key: `${block}/${spec.action_id}`, ...(label && { words: label }) },
    onclick: (event) => surface.click(block, spec, spec.value, event.currentTarget),
  };
  if (spec.url) return h("a", { ...attributes, href: safeAddress(spec.url), target: "_blank", rel: "noopener noreferrer" }, plain(spec.text));
  return h("button", { ...attributes, type: "button" }, plain(spec.text));
}

function overflow(spec, block, surface) {
  const node = h(
    "button",
    {
      type: "button", class: "button overflow", "aria-label": "More actions", title: "More actions", "aria-haspopup": "menu",
      "aria-expanded": "false", dataset: { key: `${block}/${spec.action_id}` },
      onclick: () =>
        openMenu(node, spec.options.map((option) => ({
          label: plain(option.text), detail: plain(option.description), href: safeAddress(option.url),
          act: () => surface.click(block, spec, option.value, node),
        })), { label: "More actions" }),
    },
    icon("dots"),
  );
  return node;
}

// Menus
const PEOPLE = { users_select: false, multi_users_select: true };
const CHANNELS = new Set(["channels_select", "conversations_select"]);

function select(spec, block, surface, { inForm, labelId }) {
  const many = spec.type.startsWith("multi_");
  const external = spec.type.endsWith("external_select");
  const known = new Map(); // value → option, so that the button can name what is chosen
  const remember = (options) => options.forEach((option) => known.set(option.value, option));
  const find = async (query) => {
    const groups = external ? await findOutside(spec, block, surface, query) : matching(offered(spec), query);
    groups.forEach((group) => remember(group.options));
    return groups;
  };
  if (!external) offered(spec).forEach((group) => remember(group.options));
  const initial = initialValues(spec);
  remember(initial.filter((item) => typeof item === "object").map(asOption));
  let chosen = surface.get(block, spec) ?? initial.map((item) => (typeof item === "object" ? item.value : item));
  chosen = new Set([chosen].flat().filter(Boolean).map((item) => (typeof item === "object" ? (remember([asOption(item)]), item.value) : item)));

  const shown = h("span", { class: "select-text" });
  const node = h(
    "button",
    {
      type: "button", class: "select", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false",
      "aria-labelledby": labelId && `${labelId} ${labelId}-value`, "aria-label": labelId ? undefined : plain(spec.placeholder) || "Choose",
      dataset: { key: `${block}/${spec.action_id}` },
      onclick: () => openChoices(node, { label: plain(spec.placeholder) || "options", find, chosen, onchoose: choose, many, searchable: external }),
    },
    shown,
    icon("down", 16),
  );
  if (labelId) shown.id = `${labelId}-value`;
  const raw = (value) => (external ? known.get(value)?.raw : value);
  const keep = () => {
    const values = [...chosen].map(raw);
    surface.set(block, spec, many ? values : values[0] ?? null);
    shown.textContent = [...chosen].map((value) => known.get(value)?.text ?? value).join(", ") || plain(spec.placeholder) || "Choose…";
    node.classList.toggle("empty", chosen.size === 0);
  };
  const choose = (option) => {
    if (many && chosen.has(option.value)) chosen.delete(option.value);
    else {
      if (!many) chosen.clear();
      chosen.add(option.value);
    }
    keep();
    if (!inForm || spec.dispatch) surface.click(block, spec, surface.get(block, spec), node);
  };
  keep();
  return node;
}

function initialValues(spec) {
  const one = spec.initial_option ?? spec.initial_user ?? spec.initial_channel ?? spec.initial_conversation;
  return one ? [one] : (spec.initial_options ?? spec.initial_users ?? []);
}

function asOption(option) {
  return { text: spokenText(option.text), detail: plain(option.description), value: option.value, raw: option };
}

function spokenText(text) {
  return text.type === "mrkdwn" ? spoken(text.text) : emojify(text.text);
}

function offered(spec) {
  if (spec.type in PEOPLE) {
    const people = [...store.users.values()].filter((user) => !user.is_bot);
    return [{ options: people.map((user) => ({ text: user.real_name, detail: user.title, value: user.id })) }];
  }
  if (CHANNELS.has(spec.type)) {
    const channels = [...store.channels.values()].filter((channel) => !channel.is_im && !channel.is_archived);
    return [{ options: channels.map((channel) => ({ text: `#${channel.name}`, value: channel.id })) }];
  }
  if (spec.option_groups) {
    return spec.option_groups.map((group) => ({ label: plain(group.label), options: group.options.map(asOption) }));
  }
  return [{ options: (spec.options ?? []).map(asOption) }];
}

function matching(groups, query) {
  const wanted = query.trim().toLowerCase();
  const fits = (option) => `${option.text} ${option.detail ?? ""}`.toLowerCase().includes(wanted);
  return groups.map((group) => ({ ...group, options: group.options.filter(fits) })).filter((group) => group.options.length);
}

async function findOutside(spec, block, surface, query) {
  const answer = await store.act("options", { ...surface.place, block_id: block, action_id: spec.action_id, query });
  if (answer.option_groups) return answer.option_groups.map((group) => ({ label: plain(group.label), options: group.options.map(asOption) }));
  return [{ options: (answer.options ?? []).map(asOption) }];
}

// Boxes
function boxes(spec, block, surface, { inForm, labelId }) {
  const many = spec.type === "checkboxes";
  const before = (spec.initial_options ?? (spec.initial_option ? [spec.initial_option] : [])).map((option) => option.value);
  const stored = surface.get(block, spec);
  const chosen = new Set(stored === undefined ? before : [stored].flat().filter(Boolean));
  const name = uniqueId("box");
  const keep = () => surface.set(block, spec, many ? [...chosen] : [...chosen][0] ?? null);
  const node = h("div", { class: "boxes", role: many ? "group" : "radiogroup", "aria-labelledby": labelId });
  for (const option of spec.options) {
    const input = h("input", {
      type: many ? "checkbox" : "radio", name, checked: chosen.has(option.value), dataset: { key: `${block}/${spec.action_id}/${option.value}` },
      onchange: () => {
        if (!many) chosen.clear();
        if (input.checked) chosen.add(option.value);
        else chosen.delete(option.value);
        keep();
        if (!inForm || spec.dispatch) surface.click(block, spec, surface.get(block, spec), node);
      },
    });
    const detail = option.description && h("small", {}, rich(option.description));
    node.append(h("label", { class: "box" }, input, h("span", {}, rich(option.text), detail)));
  }
  keep();
  return node;
}

// Fields
const FIELD_TYPES = { url_text_input: "url", email_text_input: "email", number_input: "text", datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" };

function field(spec, block, surface, { inForm, labelId }) {
  const initial = spec.initial_value ?? spec.initial_date ?? spec.initial_time ?? spec.initial_date_time;
  const stored = surface.get(block, spec);
  const moment = spec.type === "datetimepicker";
  const first = stored === undefined ? initial : stored;
  const attributes = {
    class: "field", "aria-labelledby": labelId, "aria-label": labelId ? undefined : plain(spec.placeholder) || "Date",
    placeholder: plain(spec.placeholder) || undefined, dataset: { key: `${block}/${spec.action_id}` },
    value: moment && first ? localTime(first) : (first ?? ""),
  };
  const node = spec.multiline
    ? h("textarea", { ...attributes, rows: "4" })
    : h("input", { ...attributes, type: FIELD_TYPES[spec.type] ?? "text", inputmode: spec.type === "number_input" ? "decimal" : undefined, autocomplete: "off" });
  const keep = () => surface.set(block, spec, moment ? epoch(node.value) : node.value || null);
  const send = () => surface.click(block, spec, surface.get(block, spec), node);
  node.addEventListener("input", keep);
  if (!inForm) node.addEventListener("change", send);
  if (inForm && spec.dispatch && !spec.multiline) node.addEventListener("change", send);
  keep();
  return node;
}

function localTime(seconds) {
  const time = new Date(seconds * 1000);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function epoch(text) {
  return text ? Math.round(new Date(text).getTime() / 1000) : null;
}

const BUILDERS = {
  button, overflow, checkboxes: boxes, radio_buttons: boxes,
  static_select: select, multi_static_select: select, external_select: select, multi_external_select: select,
  users_select: select, multi_users_select: select, channels_select: select, conversations_select: select,
  plain_text_input: field, url_text_input: field, email_text_input: field, number_input: field,
  datepicker: field, timepicker: field, datetimepicker: field,
};
