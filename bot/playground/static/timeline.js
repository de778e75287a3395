// A list of messages that changes only where something has changed, and stays at its end if it was there.

import { day } from "./dates.js";
import { h } from "./dom.js";
import { continues, messageItem } from "./message.js";

const NEAR_END = 60; // pixels

export class Timeline {
  constructor({ label, inThread = false, onseen = () => {} }) {
    this.inThread = inThread;
    this.list = h("ol", { class: "timeline", "aria-label": label });
    this.jump = h("button", { type: "button", class: "jump", hidden: true, onclick: () => this.toEnd() }, "New messages ↓");
    this.scroller = h("div", { class: "scroller" }, this.list);
    this.node = h("div", { class: "timeline-box" }, this.scroller, this.jump);
    this.scroller.addEventListener("scroll", () => {
      if (!this.atEnd) return;
      this.jump.hidden = true;
      onseen();
    });
    // A narrower page or a taller composer must not push the newest message out of sight.
    let wasAtEnd = true;
    this.scroller.addEventListener("scroll", () => (wasAtEnd = this.atEnd));
    const observer = new ResizeObserver(() => wasAtEnd && !this.inThread && this.toEnd());
    observer.observe(this.scroller);
    observer.observe(this.list);
    this.list.addEventListener("focusin", (event) => this.#rove(event.target.closest("li.message")));
  }

  get atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_END;
  }

  get items() {
    return [...this.list.querySelectorAll("li.message")];
  }

  /** Show these messages; `unreadFrom` is the id after which the line "New" stands. */
  show(messages, { unreadFrom = "", before = [] } = {}) {
    const rows = [...before];
    let previous = null;
    let marked = false;
    for (const message of messages) {
      const newDay = !previous || day(previous.ts) !== day(message.ts);
      if (newDay && !this.inThread) rows.push(divider(day(message.ts)));
      if (unreadFrom && !marked && message.ts > unreadFrom) {
        marked = true;
        rows.push(newLine());
        previous = null;
      }
      rows.push(this.#item(message, !newDay && continues(previous, message)));
      previous = message;
    }
    this.list.replaceChildren(...rows);
    this.toEnd();
    this.#rove(this.items.at(-1));
  }

  /** Add a message that has just come. */
  add(message) {
    const stay = this.atEnd;
    const last = this.items.at(-1)?.message;
    if (this.#find(message.ts)) {
      this.change(message);
      return;
    }
    if (!this.inThread && (!last || day(last.ts) !== day(message.ts))) this.list.append(divider(day(message.ts)));
    const item = this.#item(message, continues(last, message));
    item.classList.add("arrived");
    this.list.append(item);
    if (stay) this.toEnd();
    else this.jump.hidden = false;
    if (!this.list.querySelector('li[tabindex="0"]')) this.#rove(item);
  }

  /** Show a message's new state; the focus stays where it was, or on the message when what had it is gone. */
  change(message) {
    const old = this.#find(message.ts);
    if (!old) return false;
    const stay = this.atEnd;
    const focused = old.contains(document.activeElement) ? document.activeElement.closest("[data-key]")?.dataset.key : null;
    const item = this.#item(message, old.classList.contains("compact"));
    item.tabIndex = old.tabIndex;
    old.replaceWith(item);
    if (focused) (item.querySelector(`[data-key="${CSS.escape(focused)}"]`) ?? item).focus({ preventScroll: true });
    if (stay) this.toEnd();
    return true;
  }

  remove(ts) {
    this.#find(ts)?.remove();
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.jump.hidden = true;
  }

  /** Bring a message into view and let it flash. */
  reveal(ts) {
    const item = this.#find(ts);
    if (!item) return;
    item.scrollIntoView({ block: "center" });
    item.classList.add("revealed");
    item.focus({ preventScroll: true });
  }

  /** Move the focus by `step` messages. */
  move(step) {
    const items = this.items;
    const at = items.indexOf(document.activeElement?.closest("li.message"));
    const next = at < 0 ? items.find((item) => item.tabIndex === 0) ?? items.at(-1) : items[Math.max(0, Math.min(items.length - 1, at + step))];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }

  #item(message, compact) {
    return messageItem(message, { inThread: this.inThread, compact });
  }

  #find(ts) {
    return this.list.querySelector(`li.message[data-ts="${CSS.escape(ts)}"]`);
  }

  /** One message at a time is in the tab order; arrows move among them. */
  #rove(item) {
    if (!item) return;
    for (const other of this.list.querySelectorAll('li.message[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
  }
}

function divider(text) {
  return h("li", { class: "day", role: "separator", "aria-label": text }, h("span", {}, text));
}

function newLine() {
  return h("li", { class: "new-line", role: "separator", "aria-label": "New messages" }, h("span", {}, "New"));
}
