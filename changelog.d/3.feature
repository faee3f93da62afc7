`sessions.max_devices` limits how many devices an account may have, a process that is stopped first answers what is under way, and a page lists which paths workers may serve.
