// matrix-js-sdk 37 to 41, which signs in through oidc-client-ts: what deployed Element Web does.
import { report, told, visit } from "./talk.js";

const { baseUrl, redirectUri, library, onlyIssuer } = told;

// As much of a browser as the library looks for.
function storage() {
  const stored = new Map();
  return {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
    removeItem: (key) => stored.delete(key),
    key: (index) => [...stored.keys()][index] ?? null,
    get length() {
      return stored.size;
    },
  };
}
globalThis.window = globalThis;
for (const name of ["sessionStorage", "localStorage"]) {
  Object.defineProperty(globalThis, name, { value: storage() });
}
globalThis.location = { origin: new URL(redirectUri).origin };

const asked = [];
const stockFetch = globalThis.fetch;
globalThis.fetch = (resource, options) => {
  const path = new URL(resource.url ?? resource).pathname;
  asked.push(path);
  if (onlyIssuer && path.endsWith("/auth_metadata")) {
    // A homeserver of the first days of MSC2965 knows the issuer and nothing else.
    return Response.json({ errcode: "M_UNRECOGNIZED", error: "?" }, { status: 404 });
  }
  return stockFetch(resource, options);
};

const sdk = await import(library);
const anybody = sdk.createClient({ baseUrl });
const metadata = await anybody.getAuthMetadata();
const issuerAlone = await sdk.discoverAndValidateOIDCIssuerWellKnown(metadata.issuer);
const clientId = await sdk.registerOidcClient(metadata, {
  applicationType: "web",
  clientName: "Element",
  clientUri: new URL("/", redirectUri).href,
  redirectUris: [redirectUri],
  contacts: ["somebody@client.example.com"],
  tosUri: new URL("/terms", redirectUri).href,
  policyUri: new URL("/privacy", redirectUri).href,
});
const url = await sdk.generateOidcAuthorizationUrl({
  metadata,
  redirectUri,
  clientId,
  homeserverUrl: baseUrl,
  nonce: "a-nonce",
  loginHint: told.loginHint,
  prompt: told.prompt,
});
const back = (await visit(url)).searchParams;
const grant = await sdk.completeAuthorizationCodeGrant(back.get("code"), back.get("state"));
const { access_token: accessToken, refresh_token: refreshToken, scope } = grant.tokenResponse;

const { user_id: userId, device_id: deviceId } = await sdk
  .createClient({ baseUrl, accessToken })
  .whoami();
const refresher = new sdk.OidcTokenRefresher(
  grant.oidcClientSettings.issuer,
  clientId,
  redirectUri,
  deviceId,
  grant.idTokenClaims,
);
await refresher.oidcClientReady;
const fresh = await refresher.doRefreshAccessToken(refreshToken);

const client = sdk.createClient({ baseUrl, userId, deviceId, accessToken: fresh.accessToken });
await client.startClient({ initialSyncLimit: 1 });
await new Promise((resolve) => {
  client.on(sdk.ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
});
const { room_id: roomId } = await client.createRoom({});
await client.sendTextMessage(roomId, "Hello");
client.stopClient();

// What Element Web does to sign out.
const revocations = [];
for (const [token, hint] of [[fresh.accessToken, "access_token"], [fresh.refreshToken, "refresh_token"]]) {
  const body = new URLSearchParams({ token, token_type_hint: hint, client_id: clientId });
  revocations.push((await fetch(metadata.revocation_endpoint, { method: "POST", body })).status);
}
const after = await refresher.doRefreshAccessToken(fresh.refreshToken).catch((error) => error);

report({
  metadata,
  asked,
  sameIssuer: issuerAlone.issuer === metadata.issuer,
  signingKeys: metadata.signingKeys.map((key) => key.alg),
  claims: grant.idTokenClaims,
  issuer: metadata.issuer,
  clientId,
  scope,
  userId,
  revocations,
  afterLogout: after.constructor.name,
});
