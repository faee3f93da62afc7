The database keeps what application and system a session was begun with (`nextgen_sessions.user_agent`), for the account pages to come.
Polls of devices that wait are counted by each process, so that nothing needs Synapse's own connection to Redis.
`check-config` shows every option on a line of its own.
