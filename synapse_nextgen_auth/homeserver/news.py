"""The names under which processes of one homeserver tell each other what changed.

They travel as invalidations of Synapse's caches. Processes of two releases run side by side during an
upgrade: a name that changes lets a revocation go unheard, in silence. So they follow from nothing,
and no value here ever changes.
"""

SESSION_CHANGED = "synapse_nextgen_auth.homeserver.live.nextgen_session"
CLIENT_GONE = "synapse_nextgen_auth.homeserver.known_clients.nextgen_client"
SESSION_BEGUN = "synapse_nextgen_auth.homeserver.login_callbacks.nextgen_session_begun"
