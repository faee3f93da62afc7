The module takes less of a start and less memory: its records share the methods that attrs wrote and compiled for each.
A process that has just started looks up the sessions, accounts and devices of everybody who comes back to it many at a time, so that a reconnect storm costs it no queue.
A warm check of a token takes one look-up, and Synapse answers a tenth more requests per second with our tokens than with its own.
