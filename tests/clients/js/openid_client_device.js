// openid-client 6: the device grant, with an interval that the library keeps by itself.
import { report, told, visit } from "./talk.js";
import * as client from "openid-client";

const { issuer, scope, method } = told;
const authentication = method === "none" ? client.None() : client.ClientSecretBasic();
const config = await client.dynamicClientRegistration(
  new URL(issuer),
  {
    client_name: "openid-client on a television",
    client_uri: "https://client.example.com/",
    application_type: "native",
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    response_types: [],
    token_endpoint_auth_method: method,
  },
  authentication,
  { execute: [client.allowInsecureRequests] },
);

const codes = await client.initiateDeviceAuthorization(config, { scope });
const began = Date.now();
const polling = client.pollDeviceAuthorizationGrant(config, codes).catch((error) => error);
await visit(codes.verification_uri_complete);
const tokens = await polling;
if (tokens instanceof Error) {
  report({ error: tokens.error, status: tokens.status });
}
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);

report({
  seconds: (Date.now() - began) / 1000,
  scope: tokens.scope,
  claims,
  userinfo,
  rotated: fresh.refresh_token !== tokens.refresh_token,
});
