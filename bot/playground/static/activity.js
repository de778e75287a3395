// What rang: every new message that mentions this person or was sent to them, as a phone would show it.

import { avatar } from "./avatar.js";
import { ago } from "./dates.js";
import { h, icon } from "./dom.js";
import { spoken } from "./mrkdwn.js";
import { goTo } from "./route.js";
import { store } from "./store.js";

export class ActivityPage {
  constructor() {
    this.list = h("ol", { class: "activity" });
    this.node = h(
      "section",
      { class: "page", "aria-label": "Activity" },
      h("header", { class: "page-head" },
        h("a", { class: "icon-button back", href: goTo.channels(), "aria-label": "All channels" }, icon("back")),
        h("div", { class: "page-title" }, h("h1", {}, "Activity"), h("p", { class: "muted" }, "What notified you"))),
      h("div", { class: "scroller" }, this.list),
    );
    this.#show();
  }

  leave() {}

  heard({ kind }) {
    if (kind === "notification" || kind === "read") this.#show();
  }

  #show() {
    const items = store.notifications.toReversed();
    if (!items.length) {
      this.list.replaceChildren(h("li", { class: "quiet" }, h("span", { class: "quiet-picture" }, icon("bell", 40)), h("h2", {}, "Nothing has rung"), h("p", {}, "New messages that mention you arrive here. Edits never ring.")));
      return;
    }
    this.list.replaceChildren(...items.map(row));
  }
}

function row(item) {
  const channel = store.channel(item.channel);
  const where = channel?.is_im ? "Direct message" : `#${channel?.name}`;
  const href = item.thread_ts ? goTo.thread(item.channel, item.thread_ts) : goTo.message(item.channel, item.ts);
  return h(
    "li",
    {},
    h("a", { class: item.seen ? "notice" : "notice unseen", href },
      avatar(item.author),
      h("span", { class: "notice-text" },
        h("span", { class: "notice-head" }, h("strong", {}, store.nameOf(item.author)), h("span", { class: "muted" }, where), h("time", { class: "muted" }, ago(item.ts))),
        h("span", {}, spoken(item.text)))),
  );
}
