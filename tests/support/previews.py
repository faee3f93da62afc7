"""A running `templates preview`."""

import http.client
import threading
from contextlib import contextmanager

from synapse_nextgen_auth.cli.templates import preview


@contextmanager
def previewing(whose):
    """Serve a preview; yield a function that asks it: status, headers and what it says.

    Its `url` is where the preview is.
    """
    with preview.server(whose, 0) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()

        def ask(path, method="GET", host=None, **more):
            connection = http.client.HTTPConnection("127.0.0.1", serving.server_port, timeout=30)
            headers = {"Host": host or f"127.0.0.1:{serving.server_port}"}
            connection.request(method, path, headers=headers | more)
            answer = connection.getresponse()
            body = answer.read().decode("utf-8", "replace")
            connection.close()
            return answer.status, answer.headers, body

        ask.url = f"http://127.0.0.1:{serving.server_port}"
        try:
            yield ask
        finally:
            serving.shutdown()
            thread.join()
