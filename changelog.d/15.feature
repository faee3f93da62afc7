Limits count networks (an IPv4 address, or an IPv6 /64) over all processes together, and write nothing for one that is over its limit.
Authorization requests are limited per network, and for somebody signed in per account: `authorization.per_second` and `authorization.burst`.
A refresh may ask for less: the access token gets that part of the scope, the session keeps all of it.
`id_token_hint` is understood: a client that asks for one person gets no code for anybody else.
While nobody is signed in in a browser, an error for a client that registered itself is shown on a page whose button carries the answer.
401 answers carry `WWW-Authenticate`, and 403 answers that a scope caused name what is missing.
`sessions.idle_lifetime_without_device` ends sessions without a device that nobody uses; a new sign-in in the same browser replaces the former one, and the account page lists and ends them.
`events.lifetime` and `events.address_lifetime` say how long events and network addresses are kept.
User codes have nine letters in three groups of three, and a shared address has fifty wrong tries in 22 minutes.
A rendezvous of MSC4108 lives as long as a device grant; 50,000 may live at once, of one network 1,000.
Configured clients take every field and grant type of a registration, the device grant included, and all mistakes of an entry are reported at once.
The login callback of a password provider is called once, when the session begins, on any process.
Native clients may register loopback redirect URIs with a port; ports do not count.
The networks of an IPv6 /48 together may do eight times what one of them may.
Requests over a limit are counted as `rate_limited`, and logged once a minute for each network or account.
