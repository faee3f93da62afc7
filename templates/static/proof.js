// Do the work of the page in a worker, and go on. Until it is done, and where it cannot be, the page
// is what it is without scripts: somebody waits, and presses the button.
const form = document.querySelector("form[data-worker]");
const status = document.querySelector("[data-work]");
const wait = document.querySelector("[data-wait]");

function show(works) {
  status.hidden = !works;
  wait.hidden = works;
}

function finish(solution) {
  form.elements.solution.value = solution;
  const [arrival] = performance.getEntriesByType("navigation");
  document.querySelector("[data-working]").hidden = true;
  document.querySelector("[data-done]").hidden = false;
  // Not after "back": that would trap the person on this page.
  if (!arrival || arrival.type !== "back_forward") {
    form.requestSubmit(form.querySelector("button[value=continue]"));
  }
}

if (form && status && wait && window.Worker) {
  try {
    const worker = new Worker(form.dataset.worker);
    const bar = status.querySelector("progress");
    worker.onmessage = ({ data }) => {
      if (data.solution) {
        worker.terminate();
        finish(data.solution);
      } else {
        bar.value = data.done;
      }
    };
    worker.onerror = () => show(false);
    worker.postMessage({
      seed: form.dataset.seed,
      zeros: Number(form.dataset.zeros),
      puzzles: Number(form.dataset.puzzles),
    });
    show(true);
  } catch {
    show(false);
  }
}

// What a browser took out of its cache was sent before: ask for another challenge.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});
