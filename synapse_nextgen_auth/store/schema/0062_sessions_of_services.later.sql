-- What was granted at services of others, which few sessions have; in the order of lists.
CREATE INDEX nextgen_sessions_services ON nextgen_sessions (created_at)
    WHERE resource_scope IS NOT NULL
