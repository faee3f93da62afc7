// matrix-js-sdk with the old API: what is offered, over the browser, and in with the token that comes back.
import { report, told, visit } from "./talk.js";
import * as sdk from "matrix-js-sdk";

const { baseUrl, redirectUri, action } = told;
const anybody = sdk.createClient({ baseUrl });

const { flows } = await anybody.loginFlows();
const url = anybody.getSsoLoginUrl(redirectUri, "sso", undefined, action);
const back = await visit(url);
const token = back.searchParams.get("loginToken");
const { user_id: userId, device_id: deviceId, access_token: accessToken } = await anybody.loginRequest({
  type: "m.login.token",
  token,
  initial_device_display_name: "matrix-js-sdk, the old way",
});
const client = sdk.createClient({ baseUrl, userId, deviceId, accessToken });
const who = await client.whoami();
await client.startClient({ initialSyncLimit: 1 });
await new Promise((resolve) => {
  client.on(sdk.ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
});
const twice = await anybody.loginRequest({ type: "m.login.token", token }).then(
  () => null,
  (error) => ({ status: error.httpStatus, errcode: error.errcode }),
);
await client.logout(true);
const afterLogout = await client.whoami().then(
  () => null,
  (error) => ({ status: error.httpStatus, errcode: error.errcode }),
);

report({ flows, back: back.href, userId, deviceId, who, twice, afterLogout });
