// A channel: its head, its timeline, its composer. The direct messages with the app look much the same.

import { get } from "./api.js";
import { avatar } from "./avatar.js";
import { composer } from "./composer.js";
import { h, icon } from "./dom.js";
import { link } from "./mrkdwn.js";
import { openPanel } from "./lab.js";
import { goTo } from "./route.js";
import { raiseFirstAlert } from "./sources.js";
import { inTimeline, store } from "./store.js";
import { Timeline } from "./timeline.js";

export class ChannelPage {
  constructor(id) {
    this.id = id;
    const channel = store.channel(id);
    this.timeline = new Timeline({ label: `Messages in ${channel.is_im ? "socmon" : `#${channel.name}`}`, onseen: () => this.seen() });
    this.node = h("section", { class: "page channel-page", "aria-label": channel.is_im ? "socmon messages" : `Channel ${channel.name}` },
      channel.is_im ? null : head(channel), this.timeline.node, foot(channel));
    this.#show(channel.read_to);
    addEventListener("focus", this.wake = () => this.seen());
  }

  leave() {
    removeEventListener("focus", this.wake);
  }

  /** Take notice of a change in the store. */
  heard({ kind, message, channel, ts }) {
    if (kind === "message" && message.channel === this.id && inTimeline(message)) {
      if (this.node.querySelector(".quiet")) this.#show("");
      else this.timeline.add(message);
      this.seen();
    } else if (kind === "ephemeral" && message.channel === this.id && !message.thread_ts) {
      if (!this.timeline.change(message)) this.timeline.add(message);
    } else if (kind === "message_changed" && message.channel === this.id) {
      this.timeline.change(message);
    } else if (kind === "message_deleted" && channel === this.id) {
      this.timeline.remove(ts);
    }
  }

  /** What is at the end and on the screen has been read. */
  seen() {
    const channel = store.channel(this.id);
    const last = channel?.messages.filter(inTimeline).at(-1);
    const unread = channel && (channel.unread > 0 || channel.mentions > 0);
    if (last && unread && document.visibilityState === "visible" && this.timeline.atEnd) {
      store.act("read", { channel: this.id, ts: last.ts });
    }
  }

  async reveal(ts) {
    while (!store.message(this.id, ts) && store.channel(this.id).has_older) await this.#older();
    this.timeline.reveal(ts);
  }

  #show(unreadFrom) {
    const channel = store.channel(this.id);
    const mine = store.ephemerals.filter((message) => message.channel === this.id && !message.thread_ts);
    const all = [...channel.messages, ...mine].sort((a, b) => (a.ts < b.ts ? -1 : 1));
    const hasUnread = channel.unread > 0 && channel.messages.some((message) => message.ts <= unreadFrom);
    const before = channel.has_older ? [this.#olderButton()] : [beginning(channel, all.length === 0)];
    this.timeline.show(all, { unreadFrom: hasUnread ? unreadFrom : "", before });
    requestAnimationFrame(() => (this.timeline.toEnd(), this.seen()));
  }

  #olderButton() {
    return h("li", { class: "older" }, h("button", { type: "button", class: "button", onclick: () => this.#older() }, "Show older messages"));
  }

  async #older() {
    const channel = store.channel(this.id);
    const height = this.timeline.scroller.scrollHeight;
    const page = await get(`older?channel=${this.id}&before=${channel.messages[0]?.ts ?? ""}`);
    channel.messages.unshift(...page.messages);
    channel.has_older = page.has_older;
    this.#show("");
    this.timeline.scroller.scrollTop = this.timeline.scroller.scrollHeight - height;
  }
}

function head(channel) {
  const members = channel.members;
  return h(
    "header",
    { class: "page-head" },
    h("a", { class: "icon-button back", href: goTo.channels(), "aria-label": "All channels" }, icon("back")),
    h("div", { class: "page-title" },
      h("h1", {}, icon(channel.is_archived ? "archive" : "hash", 18), channel.name),
      h("p", { class: "muted" }, channel.topic?.value)),
    (channel.bookmarks ?? []).length > 0 && h("div", { class: "bookmarks" }, channel.bookmarks.map((mark) => link(mark.link, [mark.title]))),
    h("div", { class: "members", title: members.map((user) => store.nameOf(user)).join(", ") },
      h("span", { class: "faces" }, members.slice(0, 3).map((user) => avatar(user, "tiny"))),
      h("span", { "aria-label": `${members.length} members` }, String(members.length))),
  );
}

function foot(channel) {
  if (channel.is_archived) return note("archive", "This channel is archived. Nobody can write here.");
  if (!channel.members.includes(store.me)) return note("people", `${store.nameOf(store.me)} is not a member of #${channel.name}.`);
  if (channel.is_im && store.app.read_only) return note("bell", "socmon writes here. To ask it something, use /socmon in a channel.");
  const absent = !channel.is_im && !channel.members.includes(store.app.user);
  const name = channel.is_im ? "socmon" : `#${channel.name}`;
  return h("div", { class: "foot" },
    absent && h("p", { class: "foot-hint" }, icon("shield", 15), "socmon is not in this channel. ", h("code", {}, "/invite @socmon"), " brings it in."),
    composer({ channel: channel.id, placeholder: `Message ${name}` }));
}

function note(name, text) {
  return h("p", { class: "foot closed" }, icon(name, 16), text);
}

function beginning(channel, empty) {
  const name = channel.is_im ? "socmon" : `#${channel.name}`;
  const isAlerts = channel.id === "C0ALERTS";
  if (!empty) {
    return h("li", { class: "beginning" }, h("h2", {}, name), h("p", { class: "muted" }, channel.topic?.value || "This is where it begins."));
  }
  return h(
    "li",
    { class: "quiet" },
    h("span", { class: "quiet-picture" }, icon(isAlerts ? "pulse" : channel.is_im ? "shield" : "hash", 40)),
    h("h2", {}, isAlerts ? "All quiet in #alerts" : `Nothing in ${name} yet`),
    h("p", {}, isAlerts ? "Let a monitoring tool raise an alert, and see what your on-call engineer sees." : channel.topic?.value || "Messages from socmon arrive here."),
    isAlerts && h("button", { type: "button", class: "button primary", onclick: raiseOne }, icon("bolt", 16), "Trigger an alert"),
    isAlerts && h("p", { class: "muted" }, "Datadog, CloudWatch, PagerDuty and the rest are under ", h("button", { type: "button", class: "link", onclick: () => openPanel("sources") }, "Sources"), "."),
  );
}

async function raiseOne(event) {
  event.currentTarget.setAttribute("aria-busy", "true");
  if (!(await raiseFirstAlert())) openPanel("sources"); // which says what went wrong
}
