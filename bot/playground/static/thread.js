// A thread: its parent, its replies, its composer.

import { get } from "./api.js";
import { composer } from "./composer.js";
import { h, icon, iconButton } from "./dom.js";
import { goTo } from "./route.js";
import { store } from "./store.js";
import { Timeline } from "./timeline.js";

export class ThreadPane {
  constructor(channel, ts) {
    this.channel = channel;
    this.ts = ts;
    this.timeline = new Timeline({ label: "Thread", inThread: true });
    this.replies = h("span", { class: "muted" });
    const name = store.channel(channel)?.is_im ? "socmon" : `#${store.channel(channel)?.name}`;
    const open = store.channel(channel)?.members.includes(store.me) && !store.channel(channel)?.is_archived;
    this.node = h(
      "aside",
      { class: "pane thread-pane", "aria-label": "Thread" },
      h(
        "header",
        { class: "page-head" },
        h("a", { class: "icon-button back", href: goTo.channel(channel), "aria-label": "Back to the channel" }, icon("back")),
        h("div", { class: "page-title" }, h("h2", {}, "Thread"), h("p", { class: "muted" }, name)),
        iconButton("close", "Close thread", () => (location.hash = goTo.channel(channel)), { class: "icon-button close-pane" }),
      ),
      this.timeline.node,
      open && h("div", { class: "foot" }, composer({ channel, thread: ts, placeholder: "Reply…" })),
    );
    this.load();
  }

  async load() {
    const answer = await get(`thread?channel=${this.channel}&ts=${this.ts}`);
    if (!answer.messages) {
      this.timeline.list.replaceChildren(h("li", { class: "quiet" }, h("p", {}, "This thread is gone.")));
      return;
    }
    const mine = store.ephemerals.filter((message) => message.channel === this.channel && message.thread_ts === this.ts);
    this.timeline.show([...answer.messages, ...mine].sort((a, b) => (a.ts < b.ts ? -1 : 1)));
    this.#count();
    this.#seen();
  }

  heard({ kind, message, channel, ts }) {
    const here = message?.channel === this.channel && (message.thread_ts ?? message.ts) === this.ts;
    if ((kind === "message" || kind === "ephemeral") && here && message.ts !== this.ts) this.timeline.add(message);
    else if (kind === "message_changed" && here) this.timeline.change(message);
    else if (kind === "message_deleted" && channel === this.channel) this.timeline.remove(ts);
    this.#count();
    this.#seen();
  }

  /** What rang in this thread has been read. */
  #seen() {
    const waits = store.notifications.some((item) => !item.seen && item.channel === this.channel && item.thread_ts === this.ts);
    const last = this.timeline.items.at(-1)?.message;
    if (waits && last && document.visibilityState === "visible") {
      store.act("read", { channel: this.channel, ts: last.ts, thread_ts: this.ts });
    }
  }

  #count() {
    const count = this.timeline.items.length - 1;
    this.replies.textContent = count === 1 ? "1 reply" : `${count} replies`;
    if (count > 0 && !this.replies.isConnected) this.timeline.items[0].after(h("li", { class: "replies-line" }, this.replies));
  }
}
