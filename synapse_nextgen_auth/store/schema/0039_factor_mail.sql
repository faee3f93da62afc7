-- To which of its addresses an account has codes sent as a second factor.
CREATE TABLE IF NOT EXISTS nextgen_factor_mail (
    user_id      TEXT   NOT NULL PRIMARY KEY,
    address      TEXT   NOT NULL,  -- as Synapse has it: without it there, this is none
    made_at      BIGINT NOT NULL,
    last_used_at BIGINT
)
