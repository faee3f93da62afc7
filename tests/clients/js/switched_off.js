// matrix-js-sdk 42 and later, on a server whose module is switched off for a while and on again.
import { report, told, visit } from "./talk.js";
import * as sdk from "matrix-js-sdk";

const { baseUrl, redirectUri } = told;
const metadata = await sdk.createClient({ baseUrl }).getAuthMetadata();
const clientId = await sdk.OAuth2.registerClient(metadata, {
  application_type: "web",
  client_name: "matrix-js-sdk",
  client_uri: new URL("/", redirectUri).href,
  redirect_uris: [redirectUri],
});
const oauth = new sdk.OAuth2(metadata, { clientId });
const url = await oauth.generateAuthorizationCodeGrantUrl("a-state", redirectUri);
const back = new URLSearchParams((await visit(url)).hash.slice(1));
const tokens = await oauth.completeAuthorizationCodeGrant(back.get("code"), redirectUri);
const { user_id: userId, device_id: deviceId } = await sdk
  .createClient({ baseUrl, accessToken: tokens.access_token })
  .whoami();
const client = sdk.createClient({
  baseUrl,
  userId,
  deviceId,
  accessToken: tokens.access_token,
  refreshToken: tokens.refresh_token,
  oauthClientId: clientId,
});
// What an application goes by: with `soft_logout` it keeps the store of its keys.
const loggedOut = [];
client.on(sdk.HttpApiEvent.SessionLoggedOut, (error) => loggedOut.push(error.data.soft_logout ?? false));
await client.initRustCrypto({ useIndexedDB: false });
await client.startClient({ initialSyncLimit: 1 });
await new Promise((resolve) => {
  client.on(sdk.ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
});
const keys = await client.getCrypto().getOwnDeviceKeys();
// The restarts would end what it does in the background in the middle, and the script with it.
for (let known = {}; !known[deviceId]; ) {
  known = (await client.downloadKeysForUsers([userId])).device_keys[userId] ?? {};
}
client.stopClient();
process.on("unhandledRejection", (error) => {
  if (!(error instanceof sdk.ConnectionError)) throw error;
});

async function failure(promise) {
  return promise.then(
    () => "nothing",
    (error) => ({ name: error.constructor.name, error: error.error, errcode: error.errcode, status: error.httpStatus ?? error.status }),
  );
}

await visit(`${baseUrl}/off`);
const off = {
  used: await failure(client.whoami()),
  refreshed: await failure(oauth.performRefreshTokenGrant(tokens.refresh_token)),
  flows: (await sdk.createClient({ baseUrl }).loginFlows()).flows.map((flow) => flow.type),
  metadata: await failure(sdk.createClient({ baseUrl }).getAuthMetadata()),
};

await visit(`${baseUrl}/on`);
const again = await client.whoami();
const fresh = await oauth.performRefreshTokenGrant(tokens.refresh_token);
const published = await sdk
  .createClient({ baseUrl, accessToken: fresh.access_token, userId })
  .downloadKeysForUsers([userId]);

report({
  off,
  loggedOut,
  deviceId,
  again: again.device_id,
  key: keys.ed25519,
  published: published.device_keys[userId][deviceId].keys[`ed25519:${deviceId}`],
});
