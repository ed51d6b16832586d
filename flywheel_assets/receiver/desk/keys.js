// Keys for the item in focus. Every one of them has a button or a link, which work without this script.
"use strict";
const items = [...document.querySelectorAll("article")];
const open = items.filter((item) => item.querySelector("form"));
const here = () => document.activeElement?.closest?.("article");

function move(step) {
  const at = items.indexOf(here());
  const next = items[at < 0 ? 0 : Math.min(Math.max(at + step, 0), items.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

// What is grave unfolds first, and is confirmed by Return.
function press(button) {
  button.click();
  button.closest("details[open]")?.querySelector("button").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") here()?.focus();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const pressed = here()?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "c") here()?.querySelector(".comment")?.focus();
  else if (event.key === "w") here()?.querySelector(".correction")?.focus();
  else if (pressed) press(pressed);
  else return;
  event.preventDefault();
});

// After an answer the page comes back at the item that was answered, which the browser puts in focus itself
// once all is loaded; then it is the next open one's turn.
window.addEventListener("load", () => setTimeout(() => {
  const answered = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const after = answered && open.find((item) => items.indexOf(item) > items.indexOf(answered));
  (after || open[0])?.focus({ preventScroll: !after });
}));
