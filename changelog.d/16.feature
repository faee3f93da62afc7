Every Synapse from 1.143 to 1.163 is supported; a newer one starts with a warning if it has all that the module needs, an older one is refused with a sentence.
`enabled: false` tells clients to wait instead of signing them out for good, so that nobody loses encryption keys.
`drain: true` lets nobody newly sign in while everybody who did goes on, and the pages say why.
`client_registration.public_hosts`, `allow_without_client_uri` and `allow_other_hosts` let in clients of networks that are not the internet; each is named in the refusal that it would lift.
A native client on loopback may give `http(s)://localhost` as its `client_uri`, and the consent page calls it an application on this device.
A registration without `application_type` whose addresses are all those of an app is read as native, and web clients under development may be at https on loopback.
`check-config` warns of settings that hardly anybody wants, tells the true source of the keys, finds servers where nobody could sign in, and looks into the database with `--database`.
`check-config` and the start warn of packages with known faults and say how to mend them.
Refusals at `/authorize` are counted, and their line in the log names client, redirect URI and address.
One line in the log for each session that begins, ends or is refused and for each failed sign-in, with a filter for fail2ban.
A new release may bring columns, indexes on large tables and backfills: no request waits for them for more than a second.
Mistakes in the options say what to write: the right section, digits, the network, the xn-- name, a list, and the whole path.
