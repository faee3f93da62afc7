People create accounts in the browser (`prompt=create`), with every stage that Synapse's configuration demands, and go straight on to the application.
A registration token is given back within a minute when a sign-up is cancelled or expires.
The sign-up page says while somebody types whether a username is free, and names a few that are.
New passwords are judged by Synapse's policy, their length and how easy they are to guess, and everything that is wrong is said at once (`passwords.minimum_strength`).
Passwords that leaked elsewhere can be refused, by a list on the machine or a service of ranges (`passwords.breached_list`, `passwords.breached_service`).
A sign-up can ask for a captcha: Synapse's reCAPTCHA, hCaptcha, Turnstile, or a proof of work that needs no third party (`captcha.kind`).
Whoever signs up shows an address by a six-digit code; an address in use looks like any other, and its owner gets a mail.
A sign-up asks for a phone number where `account_threepid_delegates.msisdn` is set.
Notifications by e-mail of new accounts (`notif_for_new_users`) begin with the first device.
"Forgot your password?" on the sign-in page sends a link; nobody learns whether an address is an account's, every other browser is signed out, and the owner is told.
`sign_in.email_codes` (off) lets people whose account has neither password nor provider sign in by a code to their address.
Mails go out as text and HTML in the reader's language, through Synapse's own sender, and wait where the mail server is away.
`mail.templates` puts an operator's words in place of ours; mistakes are told at the start with their line.
Whoever can read homeserver.yaml can ask the running server with `synapse-nextgen-auth -c homeserver.yaml …`, on any process; each request is signed and good once, and nothing has to be opened in a proxy.
`set-password-link` makes a link with which the owner of an account sets its password, once and for a limited time, printed or sent by mail.
`invitations create`, `list` and `end`: registration tokens with words, rooms, and a name or an address that they are for; an invitation by mail needs no code.
`invitations.members` lets members invite, with a quota and a lifetime; their page comes later.
`check-config` says who gets an account and what they are asked, and warns where codes or templates of mails are configured and no mail is sent.
The link to the terms is called what `user_consent.policy_name` says.
`check-config` warns of `enable_registration_captcha` without reCAPTCHA keys, of options of a sign-up that have no effect, and of relative paths in `mail.templates`, `passwords.breached_list` and `captcha.secret_path`.
