// Say whether the username is free while somebody types it; the form says so too, when it is sent.
const QUIET_MS = 400;
const input = document.getElementById("username");
const status = document.querySelector("[data-availability]");
let timer;
let asking = new AbortController();

function word(name) {
  return document.querySelector(`template[data-word="${name}"]`)?.content.textContent.trim() ?? "";
}

// As the language of the page writes lists.
function listed(names) {
  return new Intl.ListFormat(document.documentElement.lang, { type: "unit" }).format(names);
}

function say({ state, free = [] }) {
  const said = word(state);
  // Whoever is invited under one name is offered no other.
  status.textContent = free.length && word("free") ? `${said} ${word("free")} ${listed(free)}` : said;
  status.dataset.state = said ? state : "";
}

async function ask() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const url = new URL(status.dataset.availability, location.href);
  url.searchParams.set("username", input.value);
  try {
    const answer = await fetch(url, { signal, credentials: "omit" });
    const said = answer.ok ? await answer.json() : { state: "unknown" };
    if (!signal.aborted) {
      say(said);
    }
  } catch {
    // Nobody knows; the form will say.
  }
}

if (input && status && window.fetch) {
  input.addEventListener("input", () => {
    clearTimeout(timer);
    asking.abort();
    say({ state: "" });
    if (input.value.trim()) {
      timer = setTimeout(ask, QUIET_MS);
    }
  });
}
