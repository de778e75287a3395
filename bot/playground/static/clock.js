// The clock: what waits for a time comes when somebody turns it on.

import { post } from "./api.js";
import { day, clock as time, now } from "./dates.js";
import { h } from "./dom.js";
import { toast } from "./toast.js";

const STEPS = [
  ["5 minutes", 5],
  ["30 minutes", 30],
  ["2 hours", 120],
  ["8 hours", 480],
  ["1 day", 1440],
  ["1 week", 10080],
];

export function clockPanel() {
  const face = h("p", { class: "clock-face", role: "status" });
  const show = () => face.replaceChildren(h("b", {}, time(now() / 1000)), h("span", { class: "muted" }, day(now() / 1000)));
  show();
  const node = h(
    "div",
    { class: "panel-body" },
    h("p", { class: "panel-lead" }, "Turn the clock on: reminders, snoozes and everything else that waits for a time comes within seconds. Time goes forward only."),
    face,
    h("div", { class: "clock-steps" }, STEPS.map(([label, minutes]) =>
      h("button", { type: "button", class: "button", "aria-label": `Turn the clock on: ${label}`, onclick: () => turn(minutes) }, `+ ${label}`))),
  );
  return { node, heard: ({ kind }) => ["clock", "message", "loaded"].includes(kind) && show() };
}

async function turn(minutes) {
  const answer = await post("clock", { minutes });
  if (!answer.ok) toast({ title: "The clock was not turned on", text: answer.text ?? answer.error, tone: "danger" });
}
