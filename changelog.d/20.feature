Account pages have navigation and an overview, and `/account` leads to the page that a client's link means.
Devices, websites and browsers stand in one list that can be searched, with what needs a look first; devices can be renamed, and several signed out at once.
Devices are shown as verified or not, by their signature for the keys that they have now.
`account.fresh_for` says how old a proof may be for dangerous actions; a form that comes too late is filled in again after the proof.
`login_hint` and `id_token_hint` of the account page say whose account a client means, and a page says which is which.
People change, set and remove their password on a page of their account; other browsers are signed out, other devices unless they are kept.
People connect and disconnect identity providers, and the last way in to an account always stays.
People add an e-mail address by a code, remove addresses and numbers, and the former address is told.
People change their display name and picture in the browser, within Synapse's settings.
People close their account in the browser; an identity server that does not answer no longer keeps it open.
The account management actions `org.matrix.profile` and `org.matrix.account_deactivate` are announced and lead to their pages.
Whatever Synapse guards with interactive authentication is approved on a page that describes that very request, and passes once within ten minutes.
`m.login.sso` and `m.oauth` fallback pages lead to approvals on the main process and on workers.
`/login/get_token` works for sessions with all of their account's power, once approved.
`legacy_login.confirm_in_browser` lets legacy clients confirm on a page instead of with a password.
A refusal on the page ends the wait of the client.
Accounts are told of new devices, changed passwords and addresses, stolen tokens and more, by mail and in their room for server notices.
People see in words what happened to their account, and roughly from where with a local GeoIP file (`geoip.database`).
People see which applications may use their account and what they may do, and can revoke that.
People can download what this module keeps about their account, as JSON.
People begin the reset of their cryptographic identity on a page of their account, for one device that they name (`org.matrix.cross_signing_reset`); it is allowed once, within 10 minutes.
People add a phone number on a page of their account, where `account_threepid_delegates.msisdn` is configured.
The overview of an account says at one look whether it is safe, with six checks that each lead to where they are mended.
The overview shows how many there is of everything, and leads to the other accounts of the browser.
Other modules can add a stage to every sign-in on our pages, a card to the overview of an account, and a listener for events (`synapse_nextgen_auth.extensions`).
Where `invitations.members` is on, members make, see and withdraw invitations on a page of their account; those of a closed account are withdrawn, and the download has them.
What waits for an answer can be shown in the account's room for server notices: an approval, or a device that says whose it is (`notices.approval_questions`, `notices.device_questions`).
The notice of an approval says what was approved.
The list of devices, the page of each and the download say how it began: in the browser, by a code on another device, on these pages, by single sign-on, with a password or token of its own.
Once a question in the room for server notices was answered, or nobody did in time, its message says so in its own place, and the next one is shown.
