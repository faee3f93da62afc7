-- For who is told that a token of theirs is over soon.
CREATE INDEX IF NOT EXISTS nextgen_personal_tokens_by_end
    ON nextgen_personal_tokens (expires_at)
