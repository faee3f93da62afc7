-- How a session began: in the browser, or by a code on another device. Absent in those from before.
ALTER TABLE nextgen_sessions ADD COLUMN began_by TEXT
