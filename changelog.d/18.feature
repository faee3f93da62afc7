Sign in with every OpenID Connect, SAML and CAS provider of Synapse's configuration, on the sign-in page and through Synapse's own handlers, mappings and callback addresses.
`idp_hint` and `kc_idp_hint` lead straight to a provider; with one provider and no passwords an application leads straight there.
Whoever a provider lets in for the first time chooses name, profile and terms on our page.
A provider can be asked to prove its person anew (`prompt=login`, `max_age`); `providers.trusted_to_be_fresh` trusts one that cannot say so.
A provider's back-channel logout signs the browser out and ends what began in it (`providers.backchannel_logout`).
Several accounts can be signed in in one browser, with a list to choose from, `prompt=select_account`, and signing out of one or all.
A fresh sign-in names the account that proves again who it is; no other account's proof counts for it.
`login_hint` for somebody who is not signed in lets the person choose; `id_token_hint` offers that account or none; both are taken in device authorization requests.
`prompt=none` among several accounts answers `account_selection_required`.
ID tokens carry `amr`, and `acr` and `auth_time` as an identity provider said them.
Clients can sign people out of the browser (OpenID Connect RP-Initiated Logout 1.0, `post_logout_redirect_uris`).
Clients that know only `m.login.sso` sign people in on our pages, and are told that OAuth is the better way (MSC3824).
Passwords typed into clients, `m.login.sso` and JSON Web Tokens can be closed for everybody, or for each account from its first session on (`legacy_login`).
The sign-in page asks for what modules check: custom `auth_checkers` types, and phone numbers.
`passwords.hashing: argon2id`, and `synapse-nextgen-auth passwords` to list who needs a reset without the module.
`check-config` names the ways in and who checks them, and what cannot be asked for in a form.
The pages are in English, German and Arabic, in the language that the client (`ui_locales`) or the browser asks for; a further language is one file.
The metadata lists the languages of the pages in `ui_locales_supported`.
Waits, times and numbers are written as each language writes them.
What only the main process may do is kept in the database (an outbox) and survives restarts; the removal of pushers is the first of it.
Metrics `synapse_nextgen_auth_outbox_…` and the event `given_up`.
ID tokens say which sign-in they are from (`sid`), and only one from a sign-in of this browser ends it at once at the end-session endpoint; any other is a question.
Where a fresh sign-in is asked for, the page says which providers cannot confirm it and what to do, in place of saying that passwords are off.
Long Matrix IDs wrap before the server and between their parts, and are copied whole.
A device that waits can be turned away on every page on the way, without signing in.
`check-config` warns of `argon2_…` options without `hashing: argon2id`, and where a provider without `openid` is the only way in.
"Confirm that it is you" asks for what the account has: no password field where there is none, and linked providers first.
