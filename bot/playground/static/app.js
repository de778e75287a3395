// The page as a whole: what is shown where, and who hears of which change.

import { ActivityPage } from "./activity.js";
import { avatar } from "./avatar.js";
import { ChannelPage } from "./channel.js";
import { ago } from "./dates.js";
import { h } from "./dom.js";
import { HomePage } from "./home.js";
import { listen } from "./keyboard.js";
import { Lab, restoreSwitches } from "./lab.js";
import { showModal } from "./modal.js";
import { spoken } from "./mrkdwn.js";
import { goTo, route } from "./route.js";
import { Sidebar } from "./sidebar.js";
import { store } from "./store.js";
import { ThreadPane } from "./thread.js";
import { toast } from "./toast.js";

const sidebar = new Sidebar();
const lab = new Lab();
const main = h("main", { class: "main", id: "main", tabindex: "-1" });
const offline = h("p", { class: "offline", role: "status", hidden: true });
const app = h("div", { class: "app" }, sidebar.node, main, sidebar.bottom);

let page = null; // what fills the middle
let thread = null;
let key = ""; // which page that is, so that the same one is not built again

function start() {
  restoreSwitches();
  document.getElementById("stage").replaceChildren(h("div", { class: "frame" }, app), lab.node, lab.rail);
  document.body.append(offline);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address after # says where we are
    main.focus();
  });
  store.addEventListener("change", (event) => heard(event.detail));
  addEventListener("hashchange", show);
  listen(() => ({ focused: () => (thread?.node.contains(document.activeElement) ? thread.timeline : page?.timeline) ?? NOTHING }));
  setInterval(refreshTimes, 30_000);
  store.load();
}

const NOTHING = { move() {} };

function heard(change) {
  if (change.kind === "offline" || change.kind === "online") {
    offline.hidden = change.kind === "online";
    offline.textContent = change.text ?? "";
    return;
  }
  if (change.kind === "loaded") {
    key = "";
    thread?.node.remove();
    thread = null;
    show();
  } else if (change.kind === "clock") {
    key = ""; // what was today may be last week now
    show();
  } else {
    page?.heard(change);
    thread?.heard(change);
  }
  lab.heard(change);
  if (["message", "notification", "read"].includes(change.kind)) sidebar.show();
  if (["loaded", "views"].includes(change.kind)) showModal();
  if (change.kind === "notification" && change.mine) ring(change.notification);
}

/** Show what the address says. */
function show() {
  if (!store.channels.size) return;
  const at = route();
  const wanted = at.page === "channel" ? `channel ${at.channel}` : at.page;
  document.body.dataset.page = at.page;
  if (at.page === "lab") {
    if (lab.open !== at.panel) lab.show(at.panel); // or whoever reads there would be back at its top
  } else if (document.body.dataset.lab) lab.show(null);
  document.body.dataset.lab = at.page === "lab" ? "1" : "";
  if (!page || (wanted !== key && at.page !== "lab")) { // beside the laboratory stays what was there; at first a channel
    page?.leave();
    page = build(at);
    main.replaceChildren(page.node);
    key = wanted;
  }
  showThread(at);
  sidebar.show();
  if (at.message) page.reveal?.(at.message);
}

function build(at) {
  if (at.page === "home") return new HomePage("home");
  if (at.page === "activity") return new ActivityPage();
  if (at.channel === store.app.channel) return new HomePage("messages");
  return new ChannelPage(store.channel(at.channel) ? at.channel : store.channels.keys().next().value);
}

function showThread(at) {
  const same = thread && at.thread === thread.ts && at.channel === thread.channel && thread.node.isConnected;
  if (!at.thread || at.page !== "channel") {
    if (thread) document.querySelector(`li.message[data-ts="${CSS.escape(thread.ts)}"]`)?.focus({ preventScroll: true });
    thread?.node.remove();
    thread = null;
  } else if (!same) {
    thread?.node.remove();
    thread = new ThreadPane(at.channel, at.thread);
    main.after(thread.node);
    if (!matchMedia("(max-width: 600px)").matches) thread.node.querySelector("textarea")?.focus();
  }
  app.classList.toggle("with-thread", Boolean(thread));
}

/** A message rang this person: a notice, as a phone would show it. */
function ring(item) {
  const at = route();
  const channel = store.channel(item.channel);
  const inView = item.thread_ts ? at.thread === item.thread_ts : at.channel === item.channel;
  if (inView && document.hasFocus()) return;
  toast({
    title: `${store.nameOf(item.author)} ${channel?.is_im ? "to you" : `in #${channel?.name}`}`,
    text: spoken(item.text),
    picture: avatar(item.author, "small"),
    onclick: () => (location.hash = item.thread_ts ? goTo.thread(item.channel, item.thread_ts) : goTo.message(item.channel, item.ts)),
  });
}

function refreshTimes() {
  for (const node of document.querySelectorAll(".ago")) node.textContent = `Last reply ${ago(node.dataset.ts)}`;
}

start();
