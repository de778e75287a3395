// The app's own place: its Home tab, and the messages it sent.

import { avatar } from "./avatar.js";
import { blocks } from "./blocks.js";
import { ChannelPage } from "./channel.js";
import { h, icon, iconButton } from "./dom.js";
import { Surface } from "./elements.js";
import { inspect } from "./inspector.js";
import { goTo } from "./route.js";
import { store } from "./store.js";

export class HomePage {
  constructor(tab) {
    this.tab = tab;
    this.surface = store.home ? new Surface({ view_id: store.home.id }) : null;
    this.messages = tab === "messages" ? new ChannelPage(store.app.channel) : null;
    this.body = h("div", { class: "home-body" });
    this.node = h(
      "section",
      { class: "page home-page", "aria-label": "socmon" },
      h(
        "header",
        { class: "page-head" },
        h("a", { class: "icon-button back", href: goTo.channels(), "aria-label": "All channels" }, icon("back")),
        avatar(store.app.user, "small"),
        h("div", { class: "page-title" }, h("h1", {}, "socmon"), h("p", { class: "muted" }, "App")),
        tab === "home" && iconButton("code", "Inspect", () => store.home && inspect(store.home, "App Home")),
      ),
      h("nav", { class: "tabs", "aria-label": "socmon" }, this.#tab("home", "Home", goTo.home()), this.#tab("messages", "Messages", goTo.channel(store.app.channel))),
      this.messages ? this.messages.node : this.body,
    );
    if (tab === "home") this.#show();
    store.act("home", { tab });
  }

  get timeline() {
    return this.messages?.timeline;
  }

  leave() {
    this.messages?.leave();
  }

  heard(change) {
    this.messages?.heard(change);
    if (change.kind === "home" && this.tab === "home") this.#show();
  }

  reveal(ts) {
    return this.messages?.reveal(ts);
  }

  #tab(tab, label, href) {
    return h("a", { href, class: "tab", "aria-current": tab === this.tab ? "page" : undefined }, label);
  }

  #show() {
    const view = store.home;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest("[data-key]")?.dataset.key : null;
    if (!view) {
      this.body.replaceChildren(h("div", { class: "quiet" }, h("span", { class: "quiet-picture" }, icon("home", 40)), h("h2", {}, "Nothing here yet"), h("p", {}, "socmon fills this page when it is opened.")));
      return;
    }
    this.surface = this.surface?.place.view_id === view.id ? this.surface : new Surface({ view_id: view.id });
    this.body.replaceChildren(h("div", { class: "home-blocks" }, blocks(view.blocks, this.surface)));
    if (focused) this.body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}
