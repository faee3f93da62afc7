// openid-client 6: a certified OpenID Connect client, with each way to prove who it is.
import { report, told, visit } from "./talk.js";
import * as client from "openid-client";

const { issuer, redirectUri, scope, method, homeserver } = told;
const server = new URL(issuer);
const options = { execute: [client.allowInsecureRequests] };

// Public or with a secret; a key of its own would need an operator.
const authentication = {
  none: () => client.None(),
  client_secret_basic: () => client.ClientSecretBasic(),
  client_secret_post: () => client.ClientSecretPost(),
}[method]();
const config = await client.dynamicClientRegistration(
  server,
  {
    client_name: "openid-client",
    client_uri: new URL("/", redirectUri).href,
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: method,
  },
  authentication,
  options,
);

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope,
  state: expectedState,
  nonce: expectedNonce,
  max_age: "600",
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
});
const tokens = await client.authorizationCodeGrant(config, await visit(url), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  maxAge: 600,
  idTokenExpected: true,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const whoami = await client.fetchProtectedResource(
  config,
  tokens.access_token,
  new URL("/_matrix/client/v3/account/whoami", homeserver),
  "GET",
)
  // A challenge (RFC 6750 section 3) is an error to this library; the answer comes with it.
  .catch((error) => error.response ?? Promise.reject(error))
  .then((answer) => answer.json());
const introspection =
  method === "none" ? null : await client.tokenIntrospection(config, tokens.access_token);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
await client.tokenRevocation(config, fresh.refresh_token, { token_type_hint: "refresh_token" });
const after = await client.refreshTokenGrant(config, fresh.refresh_token).catch((error) => error);

report({
  metadata: config.serverMetadata(),
  scope: tokens.scope,
  expiresIn: tokens.expiresIn(),
  claims,
  userinfo,
  whoami,
  introspection,
  rotated: fresh.refresh_token !== tokens.refresh_token,
  freshClaims: fresh.claims() ?? null,
  afterRevocation: after.error,
});
