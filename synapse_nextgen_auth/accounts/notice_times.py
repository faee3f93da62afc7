"""How long notices and questions wait, in seconds."""

# After a notice nobody hears of the same again for so many seconds; what happens meanwhile waits.
WINDOW = 600
# What is as near to its time as this may be on its way: no more is added to it. Clocks of processes
# differ, and what is written may take a moment to be seen.
MARGIN = 30
# No question waits longer (seconds): none that was written by a right clock.
LONGEST_QUESTION = 1200
