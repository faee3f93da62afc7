// Send the picture that somebody chooses: a form cannot, as the server takes no files from one.
const box = document.querySelector("[data-upload]");

function say(name) {
  const word = box.querySelector(`template[data-word="${name}"]`) ?? box.querySelector('template[data-word="failed"]');
  const status = box.querySelector("[role=status]");
  status.classList.toggle("field-error", word.dataset.word !== "sending");
  status.replaceChildren(word.content.cloneNode(true));
}

async function send(file) {
  if (!file.type.startsWith("image/")) {
    say("no_picture");
    return;
  }
  if (file.size > Number(box.dataset.largest)) {
    say("too_large");
    return;
  }
  say("sending");
  try {
    const answer = await fetch(box.dataset.upload, {
      method: "POST",
      headers: { "Content-Type": file.type, "X-Csrf": box.dataset.csrf },
      body: file,
      redirect: "error",
    });
    // A proxy's answer has no words for people.
    const said = answer.status === 413 ? { error: "too_large" } : await answer.json();
    if (answer.ok) {
      location.assign(said.next);
    } else {
      say(said.error);
    }
  } catch {
    say("failed");
  }
}

if (box) {
  box.hidden = false;
  const input = box.querySelector("input");
  // Browsers say nothing of a file that is chosen already: it could not be sent once more.
  input.addEventListener("click", () => {
    input.value = "";
  });
  input.addEventListener("change", ({ target }) => {
    if (target.files.length) {
      send(target.files[0]);
    }
  });
}
