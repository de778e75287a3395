// Times as people read them, and Slack's <!date> tokens.

const SHOWN = {
  "{date}": { year: "numeric", month: "long", day: "numeric" },
  "{date_short}": { year: "numeric", month: "short", day: "numeric" },
  "{date_long}": { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  "{time}": { hour: "2-digit", minute: "2-digit" },
  "{time_secs}": { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

let ahead = 0;

/** The playground's clock is so many milliseconds ahead of this machine's. */
export function turnOn(milliseconds) {
  ahead = milliseconds;
}

export function now() {
  return Date.now() + ahead;
}

export function clock(ts) {
  return moment(ts).toLocaleTimeString([], SHOWN["{time}"]);
}

export function fullDate(ts) {
  return moment(ts).toLocaleString([], { dateStyle: "full", timeStyle: "medium" });
}

export function day(ts) {
  return relativeDay(moment(ts)) ?? moment(ts).toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" });
}

/** "just now", "5 min ago", "yesterday" … */
export function ago(ts) {
  const seconds = Math.round((now() - moment(ts).getTime()) / 1000);
  const away = Math.abs(seconds);
  const words = (amount, unit) => (seconds < 0 ? `in ${amount} ${unit}` : `${amount} ${unit} ago`);
  if (away < 45) return seconds < 0 ? "in a moment" : "just now";
  if (away < 3600) return words(Math.round(away / 60), "min");
  if (away < 86400) return words(Math.round(away / 3600), "h");
  return words(Math.round(away / 86400), away < 129600 ? "day" : "days");
}

/** `<!date^epoch^format^link|fallback>`: the format's tokens in the reader's own time zone. */
export function slackDate(epoch, format, fallback) {
  const time = new Date(Number(epoch) * 1000);
  if (Number.isNaN(time.getTime())) return fallback;
  return format.replace(/\{[a-z_]+\}/g, (token) => {
    if (token === "{date_num}") return time.toLocaleDateString("sv-SE");
    if (token === "{ago}") return ago(String(epoch));
    if (token.endsWith("_pretty}")) {
      return relativeDay(time)?.toLowerCase() ?? time.toLocaleDateString([], SHOWN[token.replace("_pretty", "")]);
    }
    return SHOWN[token] ? time.toLocaleString([], SHOWN[token]) : token;
  });
}

function moment(ts) {
  return new Date(Number(ts) * 1000);
}

function relativeDay(time) {
  const midnight = new Date(now()).setHours(0, 0, 0, 0);
  const days = Math.round((new Date(time).setHours(0, 0, 0, 0) - midnight) / 86_400_000);
  return { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[days];
}
