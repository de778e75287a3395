// One message: who, when, what, its thread, and what can be done with it.

import { avatar } from "./avatar.js";
import { blocks, fallback } from "./blocks.js";
import { ago, clock, fullDate } from "./dates.js";
import { h, icon, iconButton } from "./dom.js";
import { Surface } from "./elements.js";
import { emoji } from "./emoji.js";
import { inspect } from "./inspector.js";
import { mrkdwn } from "./mrkdwn.js";
import { openMenu } from "./popover.js";
import { goTo } from "./route.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const TOGETHER = 300; // seconds within which one person's messages stand under one name

/** Whether `message` can go without a name of its own below `previous`. */
export function continues(previous, message) {
  return Boolean(
    previous && previous.user === message.user && !message.only_for && !previous.only_for && !message.bot_id &&
      message.ts - previous.ts < TOGETHER && new Date(message.ts * 1000).getDate() === new Date(previous.ts * 1000).getDate(),
  );
}

/** The message as a list item. `inThread` leaves out its thread's summary. */
export function messageItem(message, { inThread = false, compact = false } = {}) {
  const surface = new Surface({ channel: message.channel, ts: message.ts });
  const item = h(
    "li",
    { class: classes(message, compact), tabindex: "-1", dataset: { ts: message.ts, channel: message.channel, key: message.ts } },
    compact ? h("time", { class: "side-time", title: fullDate(message.ts) }, clock(message.ts)) : avatar(message.user),
    h(
      "div",
      { class: "message-body" },
      message.only_for && privateNote(message),
      !compact && byline(message),
      broadcastNote(message, inThread),
      content(message, surface, compact),
      reactions(message),
      !inThread && threadSummary(message),
      h("p", { class: "fallback", "aria-hidden": "true", dataset: { words: fallback(message) } }),
    ),
    !message.only_for && tools(message, inThread),
  );
  item.message = message;
  return item;
}

function classes(message, compact) {
  const name = ["message"];
  if (compact) name.push("compact");
  if (message.only_for) name.push("private");
  return name.join(" ");
}

function byline(message) {
  const isApp = Boolean(message.bot_id) || store.users.get(message.user)?.is_bot;
  return h(
    "div",
    { class: "byline" },
    h("strong", {}, store.nameOf(message.user)),
    isApp && h("span", { class: "chip" }, "APP"),
    h("time", { title: fullDate(message.ts), datetime: new Date(message.ts * 1000).toISOString() }, clock(message.ts)),
    editedMark(message),
  );
}

function privateNote(message) {
  return h(
    "div",
    { class: "private-note" },
    icon("eye", 14),
    "Only visible to you",
    h("button", { type: "button", class: "link", onclick: () => store.act("dismiss", { channel: message.channel, ts: message.ts }) }, "Dismiss"),
  );
}

function broadcastNote(message, inThread) {
  if (message.subtype !== "thread_broadcast" || inThread) return null;
  return h("a", { class: "replied-to", href: goTo.thread(message.channel, message.thread_ts) }, icon("reply", 14), "replied to a thread");
}

function editedMark(message) {
  return message.edited && h("span", { class: "edited", title: fullDate(message.edited.ts) }, "(edited)");
}

function content(message, surface, compact) {
  const nodes = message.blocks.length ? blocks(message.blocks, surface) : message.text ? [h("div", { class: "text" }, mrkdwn(message.text))] : [];
  // What a person types has a rich_text block that leaves out formatting; the text has it all.
  const shown = message.client_msg_id || isSmallTalk(message) ? [h("div", { class: "text" }, mrkdwn(message.text))] : nodes;
  return h(
    "div",
    { class: "content" },
    shown,
    compact && editedMark(message),
    (message.attachments ?? []).map((attachment) => attachmentNode(attachment, surface)),
    (message.files ?? []).map(fileNode),
  );
}

function isSmallTalk(message) {
  return !message.bot_id && message.blocks.every((block) => block.type === "rich_text");
}

function attachmentNode(attachment, surface) {
  const node = h("div", { class: "attachment" }, attachment.text && h("div", { class: "text" }, mrkdwn(attachment.text)), blocks(attachment.blocks ?? [], surface));
  if (/^#?[0-9a-f]{6}$/i.test(attachment.color ?? "")) node.style.setProperty("--bar", `#${attachment.color.replace("#", "")}`);
  return node;
}

function fileNode(file) {
  if (file.is_picture) {
    return h("figure", { class: "image" }, h("figcaption", {}, file.title), h("img", { src: file.url_private, alt: file.alt_txt || file.title, loading: "lazy" }));
  }
  return h("a", { class: "file", href: file.url_private, download: file.name }, icon("list"), h("span", {}, h("b", {}, file.title), h("small", {}, `${file.filetype.toUpperCase()} · ${size(file.size)}`)));
}

function size(bytes) {
  return bytes < 1024 ? `${bytes} bytes` : bytes < 1048576 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function reactions(message) {
  if (!message.reactions) return null;
  const one = (reaction) =>
    h("span", { class: "reaction", title: reaction.users.map((user) => store.nameOf(user)).join(", ") }, emoji(reaction.name) ?? `:${reaction.name}:`, h("b", {}, String(reaction.count)));
  return h("div", { class: "reactions" }, message.reactions.map(one));
}

function threadSummary(message) {
  if (!message.reply_count) return null;
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  return h(
    "a",
    { class: "thread-summary", href: goTo.thread(message.channel, message.ts) },
    h("span", { class: "faces" }, message.reply_users.slice(0, 3).map((user) => avatar(user, "tiny"))),
    h("b", {}, count),
    h("span", { class: "muted ago", dataset: { ts: message.latest_reply } }, `Last reply ${ago(message.latest_reply)}`),
    h("span", { class: "view-thread" }, "View thread", icon("right", 14)),
  );
}

// What can be done with it
function tools(message, inThread) {
  return h(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "Message actions" },
    !inThread && iconButton("thread", "Reply in thread", () => (location.hash = goTo.thread(message.channel, message.thread_ts ?? message.ts))),
    store.shortcuts.filter((shortcut) => shortcut.on_message).map((shortcut) => iconButton("bookmark", shortcut.name, () => useShortcut(message, shortcut))),
    iconButton("code", "Inspect", () => inspect(message, "Message")),
    iconButton("dots", "More message actions", (event) => messageMenu(event.currentTarget, message), { "aria-haspopup": "menu", "aria-expanded": "false" }),
  );
}

export function messageMenu(anchor, message) {
  const shortcuts = store.shortcuts.filter((shortcut) => shortcut.on_message);
  openMenu(
    anchor,
    [
      { label: "Reply in thread", icon: "thread", act: () => (location.hash = goTo.thread(message.channel, message.thread_ts ?? message.ts)) },
      ...shortcuts.map((shortcut) => ({ label: shortcut.name, detail: "socmon", icon: "bookmark", act: () => useShortcut(message, shortcut) })),
      { label: "Copy link", icon: "reply", act: () => copy(`${location.origin}/playground/${goTo.message(message.channel, message.ts)}`, "Link copied") },
      { label: "Inspect", detail: "raw JSON, fallback text, metadata", icon: "code", act: () => inspect(message, "Message") },
    ],
    { label: "Message actions" },
  );
}

async function useShortcut(message, shortcut) {
  const result = await store.act("shortcut", { callback_id: shortcut.callback_id, channel: message.channel, ts: message.ts });
  if (!result.ok) toast({ title: `“${shortcut.name}” did not work (${result.error})`, text: result.text, tone: "danger" });
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast({ title: done });
  } catch {
    toast({ title: "The browser did not allow copying", text, tone: "danger" });
  }
}
