"""What must be true of a homeserver's tables at any time, whatever went wrong before."""

_RULES = {
    "a session has one current generation, and none beyond it was used": """
        SELECT session_id FROM nextgen_sessions
        WHERE generation < 1 OR confirmed_generation > generation
    """,
    "a living session has its device": """
        SELECT s.session_id FROM nextgen_sessions AS s
        LEFT JOIN devices AS d ON d.user_id = s.user_id AND d.device_id = s.device_id
        WHERE s.ended_at IS NULL AND s.device_id IS NOT NULL
          AND (d.device_id IS NULL OR d.hidden)
    """,
    "a living session belongs to an active account": """
        SELECT s.session_id FROM nextgen_sessions AS s
        LEFT JOIN users AS u ON u.name = s.user_id
        WHERE s.ended_at IS NULL AND (u.name IS NULL OR u.deactivated = 1)
    """,
    "at most one session lives on a device": """
        SELECT user_id, device_id FROM nextgen_sessions
        WHERE ended_at IS NULL AND device_id IS NOT NULL
        GROUP BY user_id, device_id HAVING COUNT(*) > 1
    """,
    "an ended session says why": """
        SELECT session_id FROM nextgen_sessions WHERE ended_at IS NOT NULL AND end_reason IS NULL
    """,
    "a redeemed code led to a session": """
        SELECT g.grant_id FROM nextgen_grants AS g
        LEFT JOIN nextgen_sessions AS s ON s.session_id = g.session_id
        WHERE g.redeemed_at IS NOT NULL AND s.session_id IS NULL
    """,
    "no code waits for an inactive account": """
        SELECT g.grant_id FROM nextgen_grants AS g JOIN users AS u ON u.name = g.user_id
        WHERE u.deactivated = 1 AND g.code_digest IS NOT NULL
          AND g.redeemed_at IS NULL AND g.refused_at IS NULL
    """,
    "no browser is signed in to an inactive account": """
        SELECT b.digest FROM nextgen_browsers AS b JOIN users AS u ON u.name = b.user_id
        WHERE u.deactivated = 1 AND b.ended_at IS NULL
    """,
}


def violations(homeserver):
    """Return every rule that is broken, with the rows that break it."""
    found = {rule: homeserver.query(sql) for rule, sql in _RULES.items()}
    return {rule: rows for rule, rows in found.items() if rows}
