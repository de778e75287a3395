// Where people write: messages, and slash commands with their help. Drafts stay while the page is open.

import { avatar } from "./avatar.js";
import { h, icon, iconButton, uniqueId } from "./dom.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const drafts = new Map();

export function composer({ channel, thread = null, placeholder }) {
  const draftKey = `${store.me}/${channel}/${thread ?? ""}`;
  const id = uniqueId("suggestions");
  const area = h("textarea", {
    rows: "1", placeholder, "aria-label": placeholder, value: drafts.get(draftKey) ?? "", dataset: { composer: thread ? "thread" : "channel" },
    "aria-autocomplete": "list", "aria-controls": id,
  });
  const suggestions = h("div", { class: "suggestions", role: "listbox", id, hidden: true, "aria-label": "Suggestions" });
  const send = iconButton("send", "Send", () => submit(), { class: "icon-button send" });
  let offers = [];
  let active = 0;

  const grow = () => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 200)}px`;
    send.disabled = !area.value.trim();
  };
  const changed = () => {
    drafts.set(draftKey, area.value);
    grow();
    offers = suggest(area.value.slice(0, area.selectionStart), thread);
    active = 0;
    showOffers();
  };
  const showOffers = () => {
    suggestions.hidden = !offers.length;
    suggestions.replaceChildren(
      ...offers.map((offer, index) =>
        h(
          "div",
          { class: index === active ? "suggestion active" : "suggestion", role: "option", id: `${id}-${index}`, "aria-selected": String(index === active),
            onmousedown: (event) => (event.preventDefault(), take(offer)) },
          offer.face ?? icon(offer.icon, 18),
          h("span", { class: "menu-text" }, h("b", {}, offer.label), h("small", {}, offer.detail)),
        ),
      ),
    );
    area.setAttribute("aria-activedescendant", offers.length ? `${id}-${active}` : "");
  };
  const take = (offer) => {
    const before = area.value.slice(0, area.selectionStart).replace(/\S*$/, offer.insert);
    area.value = before + area.value.slice(area.selectionStart);
    area.setSelectionRange(before.length, before.length);
    offers = [];
    showOffers();
    drafts.set(draftKey, area.value);
    grow();
  };
  const submit = async () => {
    const text = area.value.trim();
    if (!text) return;
    area.value = "";
    changed();
    const result = await store.act("write", { channel, text, thread_ts: thread });
    if (!result.ok && !text.startsWith("/")) {
      area.value = text;
      changed();
      toast({ title: "The message was not sent", text: result.text ?? result.error, tone: "danger" });
    }
  };
  const insert = (text) => {
    area.focus();
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    changed();
  };
  area.addEventListener("input", changed);
  area.addEventListener("blur", () => (suggestions.hidden = true));
  area.addEventListener("keydown", (event) => {
    if (offers.length) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) active = (active + step + offers.length) % offers.length;
      else if (event.key === "Tab" || (event.key === "Enter" && offers[active].insert.trim() !== area.value.trim())) take(offers[active]);
      else if (event.key === "Escape") offers = [];
      else if (event.key !== "Enter") return;
      else {
        event.preventDefault();
        submit();
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      showOffers();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  requestAnimationFrame(grow);
  return h(
    "div",
    { class: "composer" },
    suggestions,
    h(
      "div",
      { class: "composer-box" },
      area,
      h(
        "div",
        { class: "composer-bar" },
        !thread && iconButton("slash", "Slash command", () => insert("/socmon ")),
        iconButton("at", "Mention somebody", () => insert("@")),
        h("span", { class: "composer-hint" }, h("kbd", {}, "Enter"), " to send"),
        send,
      ),
    ),
  );
}

/** What could be meant by what stands before the cursor. */
function suggest(before, thread) {
  if (!thread && /^\/\S*$/.test(before)) {
    const commands = [
      { label: store.app.command, detail: `${store.app.help} · ${store.app.hint}`, insert: `${store.app.command} `, icon: "shield" },
      { label: "/invite @socmon", detail: "Bring socmon into this channel", insert: "/invite @socmon", icon: "people" },
      { label: "/remove @socmon", detail: "Take socmon out of this channel", insert: "/remove @socmon", icon: "close" },
    ];
    return commands.filter((command) => command.label.startsWith(before) && command.insert !== before);
  }
  const typed = before.match(/(?:^|\s)@([\w.-]*)$/)?.[1];
  if (typed === undefined) return [];
  return [...store.users.values()]
    .filter((user) => user.id !== "USLACKBOT" && `${user.name} ${user.real_name}`.toLowerCase().includes(typed.toLowerCase()))
    .slice(0, 6)
    .map((user) => ({ label: user.real_name, detail: `@${user.name} · ${user.title}`, insert: `@${user.name} `, face: avatar(user.id, "small") }));
}
