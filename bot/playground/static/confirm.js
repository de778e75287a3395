// The question Block Kit can put before an action.

import { h, uniqueId } from "./dom.js";
import { emojify } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

/** Ask; resolves to whether the answer was yes. */
export function confirmFirst(spec) {
  return new Promise((resolve) => {
    const title = uniqueId("confirm");
    const dialog = h("dialog", { class: "modal small", "aria-labelledby": title });
    const answer = (yes) => {
      dialog.close();
      dialog.remove();
      resolve(yes);
    };
    dialog.append(
      h("header", {}, h("h2", { id: title }, emojify(spec.title.text))),
      h("div", { class: "modal-body" }, h("p", {}, spec.text.type === "mrkdwn" ? mrkdwn(spec.text.text) : emojify(spec.text.text))),
      h(
        "footer",
        {},
        h("button", { type: "button", class: "button", onclick: () => answer(false) }, emojify(spec.deny.text)),
        h("button", { type: "button", class: `button ${spec.style ?? "primary"}`, onclick: () => answer(true) }, emojify(spec.confirm.text)),
      ),
    );
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      answer(false);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("footer .button:last-child").focus();
  });
}
