// Keep clicks from doing more than people mean. A button that rests is `aria-disabled`.
const HOLD_MS = 500;
const SENT_MS = 5000;
let restsUntil = new WeakMap();

function rest(selector, ms) {
  const end = performance.now() + ms;
  document.querySelectorAll(selector).forEach((button) => {
    if (restsUntil.get(button) > end) {
      return;
    }
    restsUntil.set(button, end);
    button.setAttribute("aria-disabled", "true");
    setTimeout(() => {
      if (restsUntil.get(button) === end) {
        button.removeAttribute("aria-disabled");
      }
    }, ms);
  });
}

// Nothing is approved in the first half second after the page comes into view, so that the second
// half of a double click made elsewhere cannot do it (C178).
function hold() {
  rest("button[data-hold]", HOLD_MS);
}

// A form is sent once: a second press would make the browser drop the answer that is on its way,
// with the cookie or the code in it, for one that can only say that it is done already. Not for
// ever: a page stays where it is when its answer opens an app.
document.addEventListener("submit", () => rest("button", SENT_MS));

document.addEventListener("click", (event) => {
  if (event.target.closest('button[aria-disabled="true"]')) {
    event.preventDefault();
  }
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    restsUntil = new WeakMap();
    document.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-disabled"));
  }
  hold();
});
window.addEventListener("focus", hold);
document.addEventListener("visibilitychange", hold);
hold();
