// An OpenID provider nobody here wrote, with its own pages: any name is a person, any password opens it.

import Provider from "oidc-provider";

const told = JSON.parse(process.argv[2]);

const provider = new Provider(told.issuer, {
  clients: [
    {
      client_id: told.client_id,
      client_secret: told.client_secret,
      redirect_uris: told.redirect_uris,
      grant_types: ["authorization_code"],
      backchannel_logout_uri: told.backchannel_logout_uri,
      backchannel_logout_session_required: true,
    },
  ],
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username", "picture"],
    email: ["email", "email_verified"],
  },
  conformIdTokenClaims: false,
  features: {
    devInteractions: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // The homeserver is on loopback, where it would speak to nobody.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  cookies: { keys: ["only-tests-sign-with-this"] },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: async () => ({
      sub: id,
      name: `${id} Surname`,
      preferred_username: id,
      email: `${id}@example.com`,
      email_verified: true,
    }),
  }),
});

provider.on("backchannel.error", (_context, error) => console.error(error));

provider.listen(told.port, "localhost", () => console.log("listening"));
