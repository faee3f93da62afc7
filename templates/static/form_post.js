// Send the answer on to the application at once; without JavaScript the button does it.
// Not after "back": that would trap the person on this page and send the same answer twice.
const [arrival] = performance.getEntriesByType("navigation");
if (!arrival || arrival.type !== "back_forward") {
  // A field called "submit" would hide the form's own method, so take it from the prototype.
  HTMLFormElement.prototype.submit.call(document.querySelector("form"));
}
