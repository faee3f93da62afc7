-- The day (since the epoch) of the last use, for lists of what was idle. It stays the same for all uses of
-- a day, so that noting one goes on touching no index.
ALTER TABLE nextgen_sessions ADD COLUMN active_day BIGINT;
-- Who made a personal token for another account, as an administrator.
ALTER TABLE nextgen_sessions ADD COLUMN owner_id TEXT
