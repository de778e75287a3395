// The open modal: the topmost of up to three. What was typed stays when the bot updates the view.

import { blocks } from "./blocks.js";
import { h, icon, iconButton, uniqueId } from "./dom.js";
import { Surface, plain } from "./elements.js";
import { inspect } from "./inspector.js";
import { store } from "./store.js";

let dialog = null;
let shown = null; // {id, hash}
const surfaces = new Map(); // view id → Surface

/** Show what the store says is open. */
export function showModal() {
  const view = store.views.at(-1);
  for (const id of surfaces.keys()) if (!store.views.some((open) => open.id === id)) surfaces.delete(id);
  if (!view) {
    dialog?.close();
    dialog?.remove();
    dialog = shown = null;
    return;
  }
  if (shown?.id === view.id && shown.hash === view.hash) return;
  if (!surfaces.has(view.id)) surfaces.set(view.id, new Surface({ view_id: view.id }));
  render(view, {});
}

function render(view, errors, trouble = "") {
  const sameView = shown?.id === view.id;
  shown = { id: view.id, hash: view.hash };
  const surface = surfaces.get(view.id);
  keepOnly(surface, view);
  const title = uniqueId("modal");
  if (!dialog) {
    dialog = h("dialog", { class: "modal" });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close();
    });
    document.body.append(dialog);
  }
  const focused = sameView ? document.activeElement?.closest("[data-key]")?.dataset.key : null;
  const depth = store.views.length;
  dialog.setAttribute("aria-labelledby", title);
  dialog.replaceChildren(
    h(
      "form",
      { method: "dialog", novalidate: true, onsubmit: (event) => (event.preventDefault(), submit(view)) },
      h(
        "header",
        {},
        depth > 1 ? iconButton("back", "Back", close) : h("span", { class: "avatar is-app small", "aria-hidden": "true" }, icon("shield", 16)),
        h("h2", { id: title }, plain(view.title)),
        iconButton("code", "Inspect", () => inspect(store.views.at(-1), "Modal"), { class: "icon-button quiet-button" }),
        iconButton("close", "Close", close),
      ),
      h("div", { class: "modal-body" }, blocks(view.blocks, surface, errors)),
      trouble && h("p", { class: "trouble", role: "alert" }, icon("alert", 16), trouble),
      h(
        "footer",
        {},
        h("button", { type: "button", class: "button", onclick: close }, view.close ? plain(view.close) : view.submit ? "Cancel" : "Close"),
        view.submit && h("button", { type: "submit", class: "button primary" }, plain(view.submit)),
      ),
    ),
  );
  dialog.onkeydown = (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && view.submit) {
      event.preventDefault();
      submit(view);
    }
  };
  if (!dialog.open) dialog.showModal();
  focusFirst(view, focused, errors);
}

function focusFirst(view, focused, errors) {
  const wrong = dialog.querySelector('[aria-invalid="true"]');
  const wanted = view.blocks.find((block) => block.element?.focus_on_load);
  const key = focused ?? (wanted && `${wanted.block_id}/${wanted.element.action_id}`);
  const kept = key && dialog.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const first = dialog.querySelector(".modal-body :is(input, textarea, .select, .button)");
  const target = (Object.keys(errors).length && wrong) || kept || first || dialog.querySelector("footer .button:last-child");
  (target.matches(".boxes") ? target.querySelector("input") : target).focus();
}

/** Values of blocks that the view no longer has are forgotten. */
function keepOnly(surface, view) {
  const known = new Set(view.blocks.map((block) => block.block_id));
  for (const block of Object.keys(surface.values)) if (!known.has(block)) delete surface.values[block];
}

async function submit(view) {
  const button = dialog.querySelector("footer .primary");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  const result = await store.act("submit", { view_id: view.id, values: surfaces.get(view.id).values });
  button.removeAttribute("aria-busy");
  const current = store.views.at(-1);
  if (result.ok || current?.id !== view.id || !dialog) return;
  render(current, result.errors ?? {}, result.errors ? "" : result.text || "We had some trouble connecting. Try again?");
}

function close() {
  const view = store.views.at(-1);
  if (view) store.act("close", { view_id: view.id });
}
