// Slack's mrkdwn as DOM nodes. Entities are turned back only in the end, so `&lt;` can never become markup.

import { slackDate } from "./dates.js";
import { h, safeAddress } from "./dom.js";
import { emoji } from "./emoji.js";
import { store } from "./store.js";

const CODE_BLOCK = /```\n?([\s\S]*?)\n?```/g;
const INLINE =
  /`([^`\n]+)`|<([^<>\n]+)>|:([a-z0-9_+'-]+):|(?<![\p{L}\p{N}])([*_~])(?!\s)((?:(?!\4)[^\n])*[^\s\n])\4(?![\p{L}\p{N}])|\n/giu;
const STYLES = { "*": "strong", _: "em", "~": "s" };

/** The text as a list of nodes. */
export function mrkdwn(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(CODE_BLOCK)) {
    nodes.push(...paragraphs(text.slice(end, match.index)));
    nodes.push(h("pre", {}, h("code", {}, unescapeText(match[1]))));
    end = match.index + match[0].length;
  }
  nodes.push(...paragraphs(text.slice(end)));
  return nodes;
}

/** What a person would hear: the text without marks. */
export function spoken(text) {
  return mrkdwn(text ?? "").map((node) => node.textContent).join("");
}

function paragraphs(text) {
  const trimmed = text.replace(/^\n|\n$/g, "");
  if (!trimmed) return [];
  const nodes = [];
  for (const part of groupLines(trimmed.split("\n"))) {
    const content = inline(part.lines.join("\n"));
    if (part.quote) nodes.push(h("blockquote", {}, content));
    else {
      if (nodes.length && nodes[nodes.length - 1].nodeName !== "BLOCKQUOTE") nodes.push(h("br"));
      nodes.push(...content);
    }
  }
  return nodes;
}

function groupLines(lines) {
  const groups = [];
  for (const line of lines) {
    const quoted = line.match(/^(?:&gt;|>) ?(.*)$/);
    const last = groups[groups.length - 1];
    if (last && last.quote === Boolean(quoted)) last.lines.push(quoted ? quoted[1] : line);
    else groups.push({ quote: Boolean(quoted), lines: [quoted ? quoted[1] : line] });
  }
  return groups;
}

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) nodes.push(unescapeText(text.slice(end, match.index)));
    nodes.push(piece(match));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(unescapeText(text.slice(end)));
  return nodes.map((node) => (typeof node === "string" ? document.createTextNode(node) : node));
}

function piece([whole, code, reference, name, mark, marked]) {
  if (whole === "\n") return h("br");
  if (code) return h("code", {}, unescapeText(code));
  if (reference) return angle(reference);
  if (name) return emoji(name) ? h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, emoji(name)) : whole;
  return h(STYLES[mark], {}, inline(marked));
}

/** What stands in angle brackets: a person, a channel, a group, a date, or a link. */
function angle(reference) {
  const [target, label] = split(reference, "|");
  if (target.startsWith("@")) return mention(target.slice(1));
  if (target.startsWith("#")) return channelLink(target.slice(1), label);
  if (target.startsWith("!subteam^")) return groupMention(target.slice(9), label);
  if (target.startsWith("!date^")) return date(target.slice(6), label);
  if (target.startsWith("!")) return h("span", { class: "mention" }, `@${label || target.slice(1)}`);
  return link(unescapeText(target), label ? inline(label) : [unescapeText(target)]);
}

export function mention(user) {
  const mine = user === store.me;
  return h("span", { class: mine ? "mention mine" : "mention" }, `@${store.nameOf(user)}`);
}

function groupMention(id, label) {
  const group = store.groups.get(id);
  const mine = group?.users.includes(store.me);
  return h("span", { class: mine ? "mention mine" : "mention" }, label || `@${group?.handle ?? id}`);
}

function channelLink(id, label) {
  const name = store.channel(id)?.name ?? label ?? id;
  return h("a", { class: "mention", href: `#/archives/${id}` }, `#${name}`);
}

function date(reference, fallback) {
  const [epoch, format, address] = reference.split("^");
  if (!/^\d{1,12}$/.test(epoch) || !format) return fallback;
  const shown = h("time", { datetime: new Date(Number(epoch) * 1000).toISOString(), title: fallback }, slackDate(epoch, format, fallback));
  return address ? link(address, [shown]) : shown;
}

/** A link, if its address is one that is safe to follow; the text alone otherwise. */
export function link(address, content) {
  const own = address.startsWith(`${location.origin}/playground/#`);
  if (own) return h("a", { href: address.slice(address.indexOf("#")) }, content);
  if (!safeAddress(address)) return h("span", {}, content);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, content);
}

function split(text, mark) {
  const index = text.indexOf(mark);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}

export function unescapeText(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
