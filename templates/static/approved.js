// Tell the application that opened this window to go on: what Matrix clients wait for at the end of a
// page of user-interactive authentication (Client-Server API, "Fallback"). An application that shows
// the page in a view of its own has put a function there. The message carries no secret.
if (window.onAuthDone) {
  window.onAuthDone();
} else if (window.opener && window.opener.postMessage) {
  window.opener.postMessage("authDone", "*");
}
