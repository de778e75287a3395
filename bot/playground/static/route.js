// Where we are, in the address: a channel, a thread in it, one message, App Home, …

export const goTo = {
  channel: (channel) => `#/archives/${channel}`,
  message: (channel, ts) => `#/archives/${channel}/p${ts.replace(".", "")}`,
  thread: (channel, ts) => `#/archives/${channel}/thread/${ts}`,
  home: () => "#/home",
  activity: () => "#/activity",
  channels: () => "#/channels",
  lab: (panel = "sources") => `#/lab/${panel}`,
};

const START = "C0ALERTS";

/** {page: channel | home | activity | channels | lab, channel, thread, message, panel}. */
export function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [page, ...rest] = path.split("/");
  if (page === "archives" && rest[0]) {
    const message = rest[1]?.startsWith("p") ? toTs(rest[1].slice(1)) : null;
    const thread = rest[1] === "thread" ? rest[2] : new URLSearchParams(query).get("thread_ts");
    return { page: "channel", channel: rest[0], thread, message };
  }
  if (page === "lab") return { page, panel: rest[0] || "sources" };
  if (["home", "activity", "channels"].includes(page)) return { page };
  return { page: "channel", channel: START, thread: null, message: null };
}

function toTs(digits) {
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
