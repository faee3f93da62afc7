// Tell the application that opened this window to go on: what every Matrix client waits for in
// user-interactive authentication (Client-Server API, "Fallback"). The message carries no secret.
if (window.opener) {
  window.opener.postMessage("authDone", "*");
}
