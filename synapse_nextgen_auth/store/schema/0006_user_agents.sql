-- What the application that began a session says of itself, for the person to know it again.
ALTER TABLE nextgen_sessions ADD COLUMN user_agent TEXT
