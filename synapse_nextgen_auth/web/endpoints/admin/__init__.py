"""The admin API, shaped as that of matrix-authentication-service.

How a resource is added: a file with what is told of it (a `Shape`), with what can be done, each a
function that takes a `Call` and returns an `Answer`, and with a tuple `OPERATIONS` that says how each is
asked for. Then one line in `table.py`, and a `Kind` in `accounts/ulids.py`.

Before such a function is called, who asks was proven (`callers.py`), and what is asked was read by what
the operation says that it takes (`reading.py`). It raises `Refused` where it does not do it. Of a change
an event is written down afterwards. The OpenAPI document (`openapi.py`) follows from the same records.

What things are called: `store/ulids.py` gives names to what is told of, and finds what a name means.
Lists: `lists.py` and `store/windows.py`.
"""
