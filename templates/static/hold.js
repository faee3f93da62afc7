// Refuse to approve anything in the first half second after the page comes into view, so that the
// second half of a double click made elsewhere cannot do it (C178).
const HOLD_MS = 500;
const buttons = document.querySelectorAll("button[data-hold]");
let release;

function hold() {
  clearTimeout(release);
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  release = setTimeout(() => {
    buttons.forEach((button) => button.removeAttribute("aria-disabled"));
  }, HOLD_MS);
}

buttons.forEach((button) => {
  button.addEventListener("click", (event) => {
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
    }
  });
});
window.addEventListener("focus", hold);
window.addEventListener("pageshow", hold);
document.addEventListener("visibilitychange", hold);
hold();
