// oauth4webapi: the same protocol, step by step, with every check that the specifications ask of clients.
import { report, told, visit } from "./talk.js";
import * as oauth from "oauth4webapi";

const { issuer, redirectUri, scope, algorithm, responseMode } = told;
const insecure = { [oauth.allowInsecureRequests]: true };
const identifier = new URL(issuer);

async function discover(how) {
  const answer = await oauth.discoveryRequest(identifier, { algorithm: how, ...insecure });
  return oauth.processDiscoveryResponse(identifier, answer);
}
const server = await discover(algorithm);
const client = await oauth.processDynamicClientRegistrationResponse(
  await oauth.dynamicClientRegistrationRequest(
    server,
    {
      client_name: "oauth4webapi",
      client_uri: new URL("/", redirectUri).href,
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
    },
    insecure,
  ),
);

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const url = new URL(server.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: redirectUri,
  response_type: "code",
  response_mode: responseMode,
  scope,
  state,
  nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
const back = await visit(url);
const answered = responseMode === "fragment" ? new URLSearchParams(back.hash.slice(1)) : back;
const parameters = oauth.validateAuthResponse(server, client, answered, state);
const authentication = oauth.None();
const tokens = await oauth.processAuthorizationCodeResponse(
  server,
  client,
  await oauth.authorizationCodeGrantRequest(
    server, client, authentication, parameters, redirectUri, verifier, insecure,
  ),
  { expectedNonce: nonce, requireIdToken: true },
);
const userinfo = await oauth.processUserInfoResponse(
  server,
  client,
  oauth.getValidatedIdTokenClaims(tokens).sub,
  await oauth.userInfoRequest(server, client, tokens.access_token, insecure),
);
const fresh = await oauth.processRefreshTokenResponse(
  server,
  client,
  await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, insecure),
);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, authentication, fresh.access_token, insecure),
);
const refused = await oauth
  .processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(server, client, authentication, fresh.refresh_token, insecure),
  )
  .catch((error) => error);

report({
  same: JSON.stringify(await discover("oidc")) === JSON.stringify(await discover("oauth2")),
  claims: oauth.getValidatedIdTokenClaims(tokens),
  userinfo,
  tokenType: tokens.token_type,
  afterRevocation: refused.error,
});
