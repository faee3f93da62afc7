// matrix-js-sdk: both devices of a sign-in by QR code (MSC4108), each with the library's own classes.
import { report, told, visit } from "./talk.js";
import * as sdk from "matrix-js-sdk";
import * as rendezvous from "matrix-js-sdk/lib/rendezvous/index.js";
import { initAsync, QrCodeData } from "@matrix-org/matrix-sdk-crypto-wasm";

const { baseUrl, places, shows, login, declines } = told;

// As a proxy in front of several processes: each request goes to another one than that before.
const asked = [];
const stockFetch = globalThis.fetch;
globalThis.fetch = (resource, options) => {
  const url = new URL(resource);
  const place = places[asked.length % places.length];
  asked.push(`${options?.method ?? "GET"} ${url.pathname}`);
  return stockFetch(url.href.replace(baseUrl, place), options);
};

await initAsync();
const failures = [];
const onFailure = (reason) => failures.push(reason);

async function started(accessToken, deviceId) {
  const client = sdk.createClient({ baseUrl, userId: login.user_id, deviceId, accessToken });
  await client.initRustCrypto({ useIndexedDB: false });
  return client;
}
async function synced(client) {
  await client.startClient({ initialSyncLimit: 1 });
  await new Promise((resolve) => {
    client.on(sdk.ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
  });
}

// The device that is signed in, with a cryptographic identity and a backup of its keys.
const existing = await started(login.access_token, login.device_id);
await synced(existing);
const identity = existing.getCrypto();
await identity.bootstrapCrossSigning({ authUploadDeviceSigningKeys: (request) => request(null) });
await identity.resetKeyBackup();

// Both devices of the sign-in. One shows a code, the other one has scanned it.
const nobody = sdk.createClient({ baseUrl });
function scanned(code, client) {
  const seen = QrCodeData.fromBytes(code);
  const session = new rendezvous.MSC4108RendezvousSession({ url: seen.rendezvousUrl, onFailure });
  const channel = new rendezvous.MSC4108SecureChannel(session, seen.publicKey, onFailure);
  return new rendezvous.MSC4108SignInWithQR(channel, true, client, onFailure);
}
const { signal } = new AbortController();
let onNew, onExisting;
if (shows === "new") {
  onNew = await rendezvous.signInByGeneratingQR(nobody, onFailure, signal);
  onExisting = scanned(onNew.code, existing);
} else {
  onExisting = await rendezvous.linkNewDeviceByGeneratingQR(existing, onFailure, signal);
  onNew = scanned(onExisting.code);
}
const spot = QrCodeData.fromBytes((shows === "new" ? onNew : onExisting).code).rendezvousUrl;

const [homeserver] = await Promise.all([onNew.negotiateProtocols(), onExisting.negotiateProtocols()]);
const checkCodes = [onNew.checkCode, onExisting.checkCode];
const metadata = await nobody.getAuthMetadata();
const clientId = await sdk.OAuth2.registerClient(metadata, {
  application_type: "web",
  client_name: "A new device",
  client_uri: "https://client.example.com/",
  redirect_uris: ["https://client.example.com/callback"],
});
const deviceId = "QRDEVICE" + Math.random().toString(36).slice(2, 8).toUpperCase();
const [shown, { verificationUri }] = await Promise.all([
  onNew.deviceAuthorizationGrant({ metadata, clientId, deviceId }),
  onExisting.deviceAuthorizationGrant(),
]);

// The page opens on the device that is signed in; the new one asks for its tokens meanwhile.
const sharing = onExisting.shareSecrets().catch((error) => error);
const polls = () => asked.filter((request) => request === `POST ${new URL(metadata.token_endpoint).pathname}`);
const completing = onNew.completeLoginOnNewDevice({ clientId }).catch((error) => error);
while (!polls().length) await new Promise((resolve) => setTimeout(resolve, 50));
await visit(verificationUri);
const tokens = await completing;
const common = {
  available: await rendezvous.isSignInWithQRAvailable(existing),
  serverName: homeserver.serverName,
  checkCodes,
  deviceId,
  userCode: shown.userCode,
  verificationUri,
};
if (declines) {
  report({ ...common, onNew: tokens.code, onExisting: (await sharing).code });
}

// The new device uploads its keys with its very first token, and gets the secrets.
const fresh = await started(tokens.access_token, deviceId);
const who = await fresh.whoami();
const { secrets } = await onNew.shareSecrets();
await fresh.getCrypto().importSecretsBundle(secrets);
await onNew.close();
const given = (await sharing).secrets;
await synced(fresh);
await fresh.getCrypto().bootstrapCrossSigning({
  authUploadDeviceSigningKeys: () => {
    throw new Error("the new device has no identity");
  },
});

async function eventually(look) {
  for (let tries = 0; tries < 200; tries++) {
    if (await look()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
const isUploaded = await eventually(async () => {
  const devices = await fresh.getCrypto().getUserDeviceInfo([login.user_id], true);
  return devices.get(login.user_id).has(deviceId);
});
await fresh.getCrypto().crossSignDevice(deviceId);
// The existing one hears of the signature in its sync. On several processes it may have
// looked at one that had not heard yet; then what the homeserver says counts.
const isVerified = await eventually(async () => {
  const status = await identity.getDeviceVerificationStatus(login.user_id, deviceId);
  if (status?.crossSigningVerified) return true;
  const { device_keys: keys } = await fresh.downloadKeysForUsers([login.user_id]);
  const signatures = keys?.[login.user_id]?.[deviceId]?.signatures?.[login.user_id] ?? {};
  return Object.keys(signatures).length > 1;
});

report({
  ...common,
  failures,
  who,
  scope: tokens.scope,
  hasRefreshToken: Boolean(tokens.refresh_token),
  sameSecrets: JSON.stringify(given) === JSON.stringify({ ...secrets, type: undefined }),
  secrets: Object.keys(secrets).sort(),
  isUploaded,
  isVerified,
  spotAfterwards: (await fetch(spot)).status,
});
