// Follow the way back to the application at once; without JavaScript the button does it.
// Not after "back": that would trap the person on this page and send the same answer twice.
const [arrival] = performance.getEntriesByType("navigation");
const way = document.querySelector("main a.button");
if (way && (!arrival || arrival.type !== "back_forward")) {
  location.assign(way.href);
}
