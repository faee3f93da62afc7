"""Which transactions a request took, by the log of a homeserver that logs at DEBUG."""

import re

from support.waiting import eventually


def transactions(homeserver, path, *, since, count):
    """Return the names of the transactions on the way of each of `count` requests to this path."""

    def processed():
        line = rf" - (\S+-\d+) - .*Processed request: .*\"[A-Z]+ {re.escape(path)} HTTP"
        found = re.findall(line, homeserver.log_text()[since:])
        return found if len(found) == count else None

    requests = eventually(processed)
    log = homeserver.log_text()[since:]
    begun = re.findall(r" - (\S+-\d+) - \[TXN START\] \{(\w+)-[0-9a-f]+\}", log)
    return [[name for id_, name in begun if id_ == request] for request in requests]
