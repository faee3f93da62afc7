// matrix-js-sdk 42 and later: a Matrix client from discovery to logout, as an application uses it.
import { report, told, visit } from "./talk.js";
import * as sdk from "matrix-js-sdk";

const { baseUrl, redirectUri, prompt, patience = 0 } = told;
const anybody = sdk.createClient({ baseUrl });

const metadata = await anybody.getAuthMetadata();
const clientId = await sdk.OAuth2.registerClient(metadata, {
  application_type: "web",
  client_name: "matrix-js-sdk",
  client_uri: new URL("/", redirectUri).href,
  redirect_uris: [redirectUri],
  contacts: ["somebody@client.example.com"],
});
const oauth = new sdk.OAuth2(metadata, { clientId });
const url = await oauth.generateAuthorizationCodeGrantUrl("a-state", redirectUri, "fragment", prompt);
const back = new URLSearchParams((await visit(url)).hash.slice(1));
const tokens = await oauth.completeAuthorizationCodeGrant(back.get("code"), redirectUri);

const { user_id: userId, device_id: deviceId } = await sdk
  .createClient({ baseUrl, accessToken: tokens.access_token })
  .whoami();
const refreshed = [];
const client = sdk.createClient({
  baseUrl,
  userId,
  deviceId,
  accessToken: tokens.access_token,
  refreshToken: tokens.refresh_token,
  oauthClientId: clientId,
  onTokenRefresh: (fresh) => refreshed.push(fresh.accessToken),
});
await client.initRustCrypto({ useIndexedDB: false });
await client.startClient({ initialSyncLimit: 1 });
await new Promise((resolve) => {
  client.on(sdk.ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
});
const encryption = { type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };
const { room_id: roomId } = await client.createRoom({ initial_state: [encryption] });
await client.sendTextMessage(roomId, "Hello");

// A new cryptographic identity twice: the second time somebody has to approve it in the browser.
const crypto = client.getCrypto();
const stages = [];
async function authUploadDeviceSigningKeys(makeRequest) {
  try {
    return await makeRequest(null);
  } catch (error) {
    const { flows, params, session } = error.data;
    stages.push(...flows.flatMap((flow) => flow.stages));
    await visit(params["m.oauth"].url);
    return makeRequest({ session });
  }
}
await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys });
const identity = await crypto.getCrossSigningKeyId();
await crypto.bootstrapCrossSigning({ setupNewCrossSigning: true, authUploadDeviceSigningKeys });

// Longer than an access token lives, if the test says so: the library refreshes by itself.
await new Promise((resolve) => setTimeout(resolve, patience));
await client.sendTextMessage(roomId, "Hello again");

const identityChanged = identity !== (await crypto.getCrossSigningKeyId());
const fresh = await oauth.performRefreshTokenGrant(client.http.opts.refreshToken);
Object.assign(client.http.opts, { accessToken: fresh.access_token, refreshToken: fresh.refresh_token });
await client.logout(true);

async function failure(promise) {
  return promise.then(
    () => "nothing",
    (error) => ({ name: error.constructor.name, error: error.error, errcode: error.errcode, status: error.httpStatus }),
  );
}

report({
  metadata,
  state: back.get("state"),
  userId,
  deviceId,
  scope: tokens.scope,
  refreshed: refreshed.length,
  identityChanged,
  stages,
  afterLogout: await failure(
    sdk.createClient({ baseUrl, accessToken: fresh.access_token }).whoami(),
  ),
  refreshAfterLogout: await failure(oauth.performRefreshTokenGrant(fresh.refresh_token)),
});
