-- In which browser a session without a device began, so that the next sign-in there replaces it.

CREATE TABLE IF NOT EXISTS nextgen_session_browsers (
    session_id TEXT   NOT NULL PRIMARY KEY,
    browser    TEXT   NOT NULL,  -- digest of its cookie, the present one
    noted_at   BIGINT NOT NULL   -- when the browser last had to do with it
);
CREATE INDEX IF NOT EXISTS nextgen_session_browsers_by_browser
    ON nextgen_session_browsers (browser);
CREATE INDEX IF NOT EXISTS nextgen_session_browsers_by_age ON nextgen_session_browsers (noted_at)
