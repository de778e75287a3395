// The way around: channels, the app, activity; and who we are.

import { avatar } from "./avatar.js";
import { fill, h, icon } from "./dom.js";
import { openMenu } from "./popover.js";
import { goTo, route } from "./route.js";
import { store } from "./store.js";

export class Sidebar {
  constructor() {
    this.node = h("nav", { class: "sidebar", "aria-label": "Workspace" });
    this.bottom = h("nav", { class: "bottom-bar", "aria-label": "Main" });
  }

  show() {
    const at = route();
    const channels = [...store.channels.values()].filter((channel) => !channel.is_im);
    const direct = store.channel(store.app.channel);
    const me = store.users.get(store.me);
    fill(
      this.node,
      h("div", { class: "workspace-head" }, h("span", { class: "workspace-mark", "aria-hidden": "true" }, store.team.name[0]),
        h("div", {}, h("strong", {}, store.team.name), h("small", {}, "socmon playground"))),
      h(
        "div",
        { class: "sidebar-scroll" },
        entry({ key: "activity", href: goTo.activity(), glyph: icon("bell"), label: "Activity", current: at.page === "activity", badge: me.unseen }),
        group("Channels"),
        channels.map((channel) =>
          entry({
            key: channel.id, href: goTo.channel(channel.id), glyph: icon(channel.is_archived ? "archive" : "hash"), label: channel.name,
            current: at.page === "channel" && at.channel === channel.id, unread: channel.unread > 0, badge: channel.mentions,
          }),
        ),
        group("Apps"),
        entry({
          key: "app", href: goTo.home(), glyph: avatar(store.app.user, "tiny"), label: "socmon", current: at.page === "home" || at.channel === store.app.channel,
          unread: direct?.unread > 0, badge: direct?.mentions,
        }),
      ),
      personaButton(me),
    );
    fill(
      this.bottom,
      tab({ key: "b-channels", href: goTo.channels(), name: "hash", label: "Channels", current: ["channels", "channel"].includes(at.page) && at.channel !== store.app.channel }),
      tab({ key: "b-activity", href: goTo.activity(), name: "bell", label: "Activity", current: at.page === "activity", badge: me.unseen }),
      tab({ key: "b-home", href: goTo.home(), name: "home", label: "Home", current: at.page === "home" || at.channel === store.app.channel, badge: direct?.mentions }),
      tab({ key: "b-lab", href: goTo.lab(), name: "bolt", label: "Lab", current: at.page === "lab" }),
    );
  }
}

function group(label) {
  return h("p", { class: "sidebar-group" }, label);
}

function entry({ key, href, glyph, label, current, unread, badge }) {
  return h(
    "a",
    { class: unread ? "sidebar-entry unread" : "sidebar-entry", href, "aria-current": current ? "page" : undefined, dataset: { key } },
    h("span", { class: "glyph" }, glyph),
    h("span", { class: "label" }, label),
    badge > 0 && h("span", { class: "badge", "aria-label": `${badge} new` }, String(badge)),
    unread && !badge && h("span", { class: "dot", "aria-label": "unread" }),
  );
}

function tab({ key, href, name, label, current, badge }) {
  return h("a", { class: "bottom-tab", href, "aria-current": current ? "page" : undefined, dataset: { key } },
    h("span", { class: "bottom-glyph" }, icon(name, 21), badge > 0 && h("span", { class: "badge" }, String(badge))), label);
}

function personaButton(me) {
  const others = [...store.users.values()].filter((user) => user.persona && user.id !== me.id).reduce((sum, user) => sum + user.unseen, 0);
  const node = h(
    "button",
    { type: "button", class: "persona", "aria-haspopup": "menu", "aria-expanded": "false", dataset: { key: "persona" }, "aria-label": `Acting as ${me.real_name}, ${me.title}. Switch person`, onclick: () => choosePersona(node) },
    h("span", { class: "face" }, avatar(me.id), h("span", { class: "presence" })),
    h("span", { class: "persona-text" }, h("strong", {}, me.real_name), h("small", {}, me.title)),
    others > 0 && h("span", { class: "badge soft", title: "New for the others" }, String(others)),
    icon("down", 16),
  );
  return node;
}

export function choosePersona(anchor) {
  const people = [...store.users.values()].filter((user) => user.persona);
  openMenu(
    anchor,
    people.map((user) => ({
      label: user.real_name, detail: user.title, icon: avatar(user.id, "small"), checked: user.id === store.me, badge: user.unseen,
      act: () => store.become(user.id),
    })),
    { label: "Act as" },
  );
}
