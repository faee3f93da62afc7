// matrix-js-sdk: deleting devices, changing the password and deactivating the account, each asked for in
// the way that Element does it: the library's own engine of interactive authentication, whose stage is
// shown as its fallback page.
import { report, told, visit } from "./talk.js";
import * as sdk from "matrix-js-sdk";

const { baseUrl, accessToken, userId, deviceId, others, password } = told;
const client = sdk.createClient({ baseUrl, accessToken, userId, deviceId });
const stages = [];

async function interactively(doRequest) {
  let begun;
  const authentication = new sdk.InteractiveAuth({
    matrixClient: client,
    doRequest,
    busyChanged() {},
    requestEmailToken() {},
    supportedStages: ["m.login.password", "m.login.sso"],
    stateUpdated(stage) {
      if (stage === begun) return;
      begun = stage;
      stages.push(stage);
      void (async () => {
        await visit(client.getFallbackAuthUrl(stage, authentication.getSessionId()));
        // What Element's "Confirm" does after the window of the stage.
        await authentication.submitAuthDict({});
      })();
    },
  });
  return authentication.attemptAuth();
}

await interactively((auth) => client.deleteMultipleDevices(others, auth ?? undefined));
const { devices } = await client.getDevices();
await interactively((auth) => client.setPassword(auth ?? undefined, password, false));
const { user_id: still } = await client.whoami();
await interactively((auth) => client.deactivateAccount(auth ?? undefined, true));
const after = await client.whoami().then(
  () => "nothing",
  (error) => error.errcode,
);

report({ stages, devices: devices.map((device) => device.device_id), still, after });
