-- From where somebody signed in in a browser, and what that says of itself: for its owner to know it.
ALTER TABLE nextgen_browsers ADD COLUMN user_agent TEXT;
ALTER TABLE nextgen_browsers ADD COLUMN address TEXT
