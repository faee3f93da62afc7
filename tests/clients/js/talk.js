// The conversation of a script with its test: one JSON document per line. What the libraries log goes
// to standard error, so that standard output is ours alone.
import { Console } from "node:console";
import { createInterface } from "node:readline";

globalThis.console = new Console(process.stderr, process.stderr);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function say(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
}

// What the test wants the script to know.
export const told = JSON.parse(process.argv[2]);

// Let the person visit a page of ours; return the address that the browser was sent on to.
export async function visit(url) {
  say({ visit: String(url) });
  return new URL(JSON.parse((await lines.next()).value));
}

// Tell the test what came of it.
export function report(what) {
  say({ report: what });
  process.exit(0);
}
