Clients that know only `m.login.sso` sign people in on our pages, and are told that OAuth is the better way (MSC3824).
Passwords typed into clients, `m.login.sso` and JSON Web Tokens can be closed for everybody, or for each account from its first session on (`legacy_login`).
