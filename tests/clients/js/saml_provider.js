// A SAML identity provider nobody here wrote (Auth0's samlp); the page that asks who it is, is ours.

import { randomBytes } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import express from "express";
import samlp from "samlp";

const told = JSON.parse(process.argv[2]);
const app = express();
app.use(express.urlencoded({ extended: false }));

const sessions = new Map();
const escape = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

function cookie(request) {
  return /saml_session=([0-9a-f]+)/.exec(request.headers.cookie ?? "")?.[1];
}

function ask(request, response) {
  response.send(
    `<form method="post" action="/login"><input type="hidden" name="back" value="${escape(request.originalUrl)}">` +
      '<input name="login"><input type="password" name="password"><button>Sign in</button></form>',
  );
}

app.post("/login", (request, response) => {
  const id = randomBytes(16).toString("hex");
  sessions.set(id, { id: request.body.login, at: Date.now() });
  response.cookie("saml_session", id, { httpOnly: true });
  response.redirect(303, request.body.back + (request.body.back.includes("&asked") ? "" : "&asked=1"));
});

const answer = samlp.auth({
  issuer: told.issuer,
  cert: told.certificate,
  key: told.key,
  signResponse: true,
  destination: told.answers_go_to,
  recipient: told.answers_go_to,
  getPostURL: (_audience, _dom, _request, callback) => callback(null, told.answers_go_to),
  getUserFromRequest: (request) => {
    const { id } = sessions.get(cookie(request));
    return { id, displayName: `${id} Surname`, emails: [{ value: `${id}@example.com` }], uid: id };
  },
  profileMapper: Object.assign(
    (user) => ({
      getClaims: () => ({ uid: user.id, displayName: user.displayName, email: user.emails[0].value }),
      getNameIdentifier: () => ({ nameIdentifier: user.id }),
    }),
    { metadata: [] },
  ),
});

function asksAfresh(request) {
  const asked = inflateRawSync(Buffer.from(request.query.SAMLRequest, "base64")).toString();
  return asked.includes('ForceAuthn="true"') && request.query.asked === undefined;
}

app.get("/saml", (request, response, next) =>
  sessions.has(cookie(request)) && !asksAfresh(request)
    ? answer(request, response, next)
    : ask(request, response),
);

app.listen(told.port, "localhost", () => console.log("listening"));
