"""Libraries that are made of coroutines, in tests that are not."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def finish(coroutine):
    """Run a coroutine to its end; in a thread, since the browser's driver has the loop of this."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, coroutine).result()
