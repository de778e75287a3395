// Block Kit blocks as DOM.

import { h, icon, uniqueId } from "./dom.js";
import { element, plain } from "./elements.js";
import { emoji, emojify } from "./emoji.js";
import { slackDate } from "./dates.js";
import { link, mention, mrkdwn, spoken } from "./mrkdwn.js";
import { store } from "./store.js";

/** All blocks, with `errors` (block id → text) shown at their inputs. */
export function blocks(list, surface, errors = {}) {
  return list.map((block) => {
    const build = BUILDERS[block.type];
    const node = build ? build(block, surface, errors) : h("p", { class: "unknown" }, `(${block.type} block)`);
    node.classList.add("block");
    node.dataset.block = block.block_id ?? "";
    return node;
  });
}

/** A text object. */
function text(spec) {
  return spec.type === "mrkdwn" ? mrkdwn(spec.text) : emojify(spec.text).split(/(\n)/).map((part) => (part === "\n" ? h("br") : part));
}

function section(block, surface) {
  const body = h("div", { class: "section-body" });
  if (block.text) body.append(h("div", { class: "text" }, text(block.text)));
  if (block.fields) body.append(h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "text" }, text(field)))));
  return h("div", { class: "section" }, body, block.accessory && h("div", { class: "accessory" }, part(block.accessory, block, surface)));
}

function part(spec, block, surface) {
  return spec.type === "image" ? picture(spec) : element(spec, block.block_id, surface);
}

function context(block, surface) {
  return h(
    "div",
    { class: "context" },
    block.elements.map((item) => (item.type === "image" ? part(item, block, surface) : h("span", { class: "text" }, text(item)))),
  );
}

function actions(block, surface) {
  return h("div", { class: "actions" }, block.elements.map((spec) => element(spec, block.block_id, surface)));
}

function image(block) {
  const title = block.title && h("figcaption", {}, plain(block.title));
  return h("figure", { class: "image", dataset: { words: block.alt_text } }, title, picture(block));
}

/** Pictures come from this workspace only; one from elsewhere is named, not fetched. */
function picture(spec) {
  const address = spec.slack_file ? fileAddress(spec.slack_file) : spec.image_url;
  const own = address.startsWith("data:image/") || new URL(address, location.href).origin === location.origin;
  if (!own) return h("span", { class: "no-picture" }, icon("eye", 16), spec.alt_text);
  return h("img", { src: address, alt: spec.alt_text, loading: "lazy" });
}

function fileAddress(file) {
  return file.id ? `/playground/files/${file.id}/picture` : file.url;
}

function input(block, surface, errors) {
  const id = uniqueId("label");
  const spec = { ...block.element, dispatch: block.dispatch_action };
  const control = element(spec, block.block_id, surface, true, id);
  const error = errors[block.block_id];
  if (error) {
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", `${id}-error`);
  }
  const label = h("div", { class: "input-label", id, onclick: () => control.focus() }, plain(block.label), block.optional && h("small", {}, " (optional)"));
  return h(
    "div",
    { class: error ? "input wrong" : "input" },
    label,
    control,
    block.hint && h("p", { class: "hint" }, plain(block.hint)),
    h("p", { class: "error", id: `${id}-error`, role: "alert" }, error ?? ""),
  );
}

// Tables, rich text, markdown
function table(block, surface) {
  const columns = block.column_settings ?? [];
  const cell = (tag, spec, index) => {
    const align = columns[index]?.align ?? "left";
    const classes = columns[index]?.is_wrapped ? `${align} wrapped` : align;
    return h(tag, { class: classes, scope: tag === "th" ? "col" : undefined }, cellContent(spec, surface));
  };
  const [head, ...rows] = block.rows;
  return h(
    "div",
    { class: "table", tabindex: "0", role: "region", "aria-label": "Table" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map((spec, index) => cell("th", spec, index)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((spec, index) => cell("td", spec, index))))),
    ),
  );
}

function cellContent(spec) {
  if (spec.type === "rich_text") return spec.elements.map(richElement);
  return emojify(String(spec.text ?? spec.value ?? ""));
}

function richText(block) {
  return h("div", { class: "rich" }, block.elements.map(richElement));
}

function richElement(spec) {
  switch (spec.type) {
    case "rich_text_list":
      return h(spec.style === "ordered" ? "ol" : "ul", {}, spec.elements.map((item) => h("li", {}, item.elements.map(richPart))));
    case "rich_text_preformatted":
      return h("pre", {}, h("code", {}, spec.elements.map((item) => item.text ?? item.url ?? "")));
    case "rich_text_quote":
      return h("blockquote", {}, spec.elements.map(richPart));
    default:
      return h("div", {}, spec.elements.map(richPart));
  }
}

function richPart(spec) {
  switch (spec.type) {
    case "text":
      return styled(spec.text.split(/(\n)/).map((words) => (words === "\n" ? h("br") : words)), spec.style);
    case "link":
      return link(spec.url, [spec.text || spec.url]);
    case "emoji":
      return emoji(spec.name) ?? `:${spec.name}:`;
    case "user":
      return mention(spec.user_id);
    case "usergroup":
      return h("span", { class: "mention" }, `@${store.groups.get(spec.usergroup_id)?.handle ?? spec.usergroup_id}`);
    case "channel":
      return h("a", { class: "mention", href: `#/archives/${spec.channel_id}` }, `#${store.channel(spec.channel_id)?.name ?? spec.channel_id}`);
    case "date":
      return slackDate(spec.timestamp, spec.format, spec.fallback ?? "");
    default:
      return `(${spec.type})`;
  }
}

function styled(content, style = {}) {
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  return Object.keys(tags).filter((name) => style[name]).reduce((inner, name) => h(tags[name], {}, inner), content);
}

/** A little of Markdown: headings, lists, and what mrkdwn has too. */
function markdown(block) {
  const nodes = [];
  for (const line of block.text.split("\n")) {
    const heading = line.match(/^#{1,6} (.*)$/);
    const item = line.match(/^\s*[-*] (.*)$/);
    const content = mrkdwn(fromMarkdown((heading ?? item)?.[1] ?? line));
    if (heading) nodes.push(h("h4", {}, content));
    else if (item && nodes[nodes.length - 1]?.nodeName === "UL") nodes[nodes.length - 1].append(h("li", {}, content));
    else if (item) nodes.push(h("ul", {}, h("li", {}, content)));
    else if (content.length) nodes.push(h("p", {}, content));
  }
  return h("div", { class: "rich" }, nodes);
}

function fromMarkdown(line) {
  return line
    .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, "<$2|$1>")
    .replace(/\*\*(.+?)\*\*/g, "*$1*")
    .replace(/~~(.+?)~~/g, "~$1~");
}

const BUILDERS = {
  section,
  context,
  actions,
  image,
  input,
  table,
  markdown,
  rich_text: richText,
  header: (block) => h("h3", { class: "header" }, plain(block.text)),
  divider: () => h("hr", {}),
};

/** What a screen reader and a notification say about a message. */
export function fallback(message) {
  return spoken(message.text) || "(no fallback text)";
}
