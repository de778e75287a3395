// What the page knows: the state as it was fetched, kept up to date by the stream of changes.

import { get, post } from "./api.js";
import { turnOn } from "./dates.js";

const MOST_REQUESTS = 200;

class Store extends EventTarget {
  me = localStorage.getItem("persona") || "U0SAM";
  users = new Map();
  channels = new Map();
  groups = new Map();
  shortcuts = [];
  ephemerals = [];
  notifications = [];
  views = [];
  home = null;
  faults = [];
  sources = [];
  pagerduty = false; // whether this playground has one
  fleet = false; // likewise
  requests = [];
  ahead = 0; // milliseconds that the playground's clock has been turned on
  app = {};
  team = {};
  #stream = null;

  /** Fetch everything anew and follow the changes from there. */
  async load() {
    const state = await get(`state?user=${this.me}`);
    if (!state.me) {
      if (state.error === "user_not_found") this.become("U0SAM");
      else setTimeout(() => this.load(), 1500);
      this.say("offline", { text: state.text });
      return;
    }
    this.users = new Map(state.users.map((user) => [user.id, user]));
    this.groups = new Map(state.groups.map((group) => [group.id, group]));
    this.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
    for (const name of ["shortcuts", "ephemerals", "notifications", "views", "home", "faults", "sources", "pagerduty", "fleet", "app", "team"]) {
      this[name] = state[name];
    }
    this.setClock(state.now);
    this.#follow(state.number);
    this.say("loaded", {});
  }

  setClock(epoch) {
    const ahead = epoch * 1000 - Date.now();
    this.ahead = Math.abs(ahead) < 60_000 ? 0 : ahead;
    turnOn(this.ahead);
  }

  become(user) {
    this.me = user;
    localStorage.setItem("persona", user);
    return this.load();
  }

  act(name, body) {
    return post(`act/${name}`, { user: this.me, ...body });
  }

  channel(id) {
    return this.channels.get(id);
  }

  /** Someone's name; the app's and the unknown ones' too. */
  nameOf(id) {
    return this.users.get(id)?.real_name ?? id;
  }

  message(channel, ts) {
    return this.channels.get(channel)?.messages.find((message) => message.ts === ts);
  }

  say(kind, detail) {
    this.dispatchEvent(new CustomEvent("change", { detail: { kind, ...detail } }));
  }

  #follow(number) {
    this.#stream?.close();
    const stream = new EventSource(`/playground/events?user=${this.me}&since=${number}`);
    this.#stream = stream;
    for (const kind of Object.keys(CHANGES)) {
      stream.addEventListener(kind, (event) => CHANGES[kind](this, JSON.parse(event.data)));
    }
    stream.onerror = () => {
      stream.close();
      if (this.#stream !== stream) return;
      this.say("offline", { text: "Connection lost. Trying again…" });
      setTimeout(() => this.load(), 1000);
    };
  }
}

const CHANGES = {
  hello: (store) => store.say("online", {}),
  stale: (store) => store.load(),
  channel: (store) => store.load(),
  clock(store, { now }) {
    store.setClock(now);
    store.say("clock", {});
  },
  message(store, message) {
    const channel = store.channels.get(message.channel);
    if (!channel) {
      store.load(); // a direct message has just begun
      return;
    }
    if (inTimeline(message)) {
      upsert(channel.messages, message);
      if (message.user !== store.me) channel.unread += 1;
    }
    store.say("message", { message });
  },
  message_changed(store, message) {
    const list = store.channels.get(message.channel)?.messages ?? [];
    if (list.some((known) => known.ts === message.ts)) upsert(list, message);
    store.say("message_changed", { message });
  },
  message_deleted(store, gone) {
    const channel = store.channels.get(gone.channel);
    if (channel) channel.messages = channel.messages.filter((message) => message.ts !== gone.ts);
    store.say("message_deleted", gone);
  },
  ephemeral(store, message) {
    upsert(store.ephemerals, message);
    store.say("ephemeral", { message });
  },
  ephemeral_gone(store, gone) {
    store.ephemerals = store.ephemerals.filter((message) => message.ts !== gone.ts);
    store.say("message_deleted", gone);
  },
  notification(store, notification) {
    const user = store.users.get(notification.for);
    if (user) user.unseen += 1;
    const mine = notification.for === store.me;
    if (mine) {
      store.notifications.push({ ...notification, seen: false });
      const channel = store.channels.get(notification.channel);
      if (channel && !notification.thread_ts) channel.mentions += 1;
    }
    store.say("notification", { notification, mine });
  },
  read(store, { channel: id, ts, thread_ts: thread }) {
    const channel = store.channels.get(id);
    if (!channel) return;
    if (!thread) {
      channel.read_to = ts;
      channel.unread = channel.messages.filter((m) => m.ts > ts && m.user !== store.me && inTimeline(m)).length;
    }
    for (const notification of store.notifications) {
      const samePlace = notification.channel === id && notification.thread_ts === thread;
      if (samePlace && notification.ts <= ts) notification.seen = true;
    }
    const unseen = store.notifications.filter((notification) => !notification.seen);
    channel.mentions = unseen.filter((notification) => notification.channel === id && !notification.thread_ts).length;
    store.users.get(store.me).unseen = unseen.length;
    store.say("read", { channel: id });
  },
  views(store, { stack }) {
    store.views = stack;
    store.say("views", {});
  },
  home(store, { view }) {
    store.home = view;
    store.say("home", {});
  },
  faults(store, { faults }) {
    store.faults = faults;
    store.say("faults", {});
  },
  pagerduty(store) {
    store.say("pagerduty", {});
  },
  fleet(store) {
    store.say("fleet", {});
  },
  request(store, entry) {
    store.requests.unshift(entry);
    store.requests.length = Math.min(store.requests.length, MOST_REQUESTS);
    store.say("request", { entry });
  },
};

export function inTimeline(message) {
  return !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast";
}

function upsert(list, message) {
  const index = list.findIndex((known) => known.ts === message.ts);
  if (index >= 0) list[index] = message;
  else list.push(message);
  if (index < 0 && list.length > 1 && list[list.length - 2].ts > message.ts) list.sort((a, b) => (a.ts < b.ts ? -1 : 1));
}

export const store = new Store();
