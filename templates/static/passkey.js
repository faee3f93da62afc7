// Ask the browser for a passkey, or for a new one, and send its answer with the form around the button.
// What to ask stands in the page (JSON); without this script the page has other ways.
const box = document.querySelector("[data-passkey]");
const STALE_MS = 280_000;

function bytes(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const raw = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function question() {
  const asked = JSON.parse(box.dataset.passkey);
  const keys = (list) => (list ?? []).map((key) => ({ ...key, id: bytes(key.id) }));
  asked.challenge = bytes(asked.challenge);
  if (asked.user) {
    asked.user.id = bytes(asked.user.id);
    asked.excludeCredentials = keys(asked.excludeCredentials);
  } else {
    asked.allowCredentials = keys(asked.allowCredentials);
  }
  return asked;
}

function answer(key) {
  const said = { clientDataJSON: text(key.response.clientDataJSON) };
  if (key.response.attestationObject) {
    said.attestationObject = text(key.response.attestationObject);
    said.transports = key.response.getTransports?.() ?? [];
  } else {
    said.authenticatorData = text(key.response.authenticatorData);
    said.signature = text(key.response.signature);
    said.userHandle = key.response.userHandle ? text(key.response.userHandle) : null;
  }
  const id = text(key.rawId);
  const { credProps } = key.getClientExtensionResults();
  return JSON.stringify({ id, rawId: id, type: key.type, clientExtensionResults: { credProps }, response: said });
}

function say(name) {
  const word = box.querySelector(`template[data-word="${name}"]`);
  box.querySelector("[data-said]").textContent = word ? word.content.textContent.trim() : "";
}

let offer = new AbortController();

async function ask(form, button) {
  offer.abort();
  say("");
  const publicKey = question();
  try {
    const key = await (publicKey.user
      ? navigator.credentials.create({ publicKey })
      : navigator.credentials.get({ publicKey }));
    send(form, button, key);
  } catch (error) {
    say(error.name === "InvalidStateError" ? "known" : error.name === "SecurityError" ? "cannot" : "failed");
    propose(form, button);
  }
}

function send(form, button, key) {
  form.elements.passkey.value = answer(key);
  form.requestSubmit(button);
}

// The browser names passkeys beside usernames that it knows, as soon as somebody types there.
async function propose(form, button) {
  if (!("offers" in box.dataset) || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    return;
  }
  offer = new AbortController();
  try {
    const key = await navigator.credentials.get({
      publicKey: { ...question(), allowCredentials: [] },
      mediation: "conditional",
      signal: offer.signal,
    });
    send(form, button, key);
  } catch {
    // Nobody took it.
  }
}

// The style sheet shows the box before this script has come.
if (box && !window.PublicKeyCredential) {
  delete box.dataset.scripted;
} else if (box) {
  const form = box.querySelector("form");
  const button = form.querySelector('button[value="passkey"]');
  const since = performance.now();
  box.hidden = false;
  form.addEventListener("submit", (event) => {
    if (event.submitter !== button || form.elements.passkey.value) {
      return;
    }
    event.preventDefault();
    // Before the one that lets a button rest once its form is sent.
    event.stopImmediatePropagation();
    ask(form, button);
  });
  window.addEventListener("pageshow", () => {
    form.elements.passkey.value = "";
  });
  // An old question is answered for nothing: whoever comes back to a page that nobody typed into gets it anew.
  document.addEventListener("visibilitychange", () => {
    const isEmpty = [...document.querySelectorAll("input:not([type=hidden])")].every((field) => !field.value);
    if (!document.hidden && isEmpty && performance.now() - since > STALE_MS) {
      location.reload();
    }
  });
  propose(form, button);
}
