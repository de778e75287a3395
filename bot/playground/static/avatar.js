// Faces: initials on a colour for people, a shield for the app.

import { h, icon } from "./dom.js";
import { store } from "./store.js";

export function avatar(userId, size = "") {
  const user = store.users.get(userId);
  const isApp = userId === store.app.user;
  const node = h("span", { class: `avatar ${size} ${isApp ? "is-app" : ""}`, "aria-hidden": "true" }, isApp ? icon("shield", 20) : initials(user));
  if (user && !isApp) node.style.setProperty("--face", `#${user.color}`);
  return node;
}

function initials(user) {
  const words = (user?.real_name ?? "?").split(" ");
  return words.length > 1 ? words[0][0] + words[words.length - 1][0] : words[0][0].toUpperCase();
}
