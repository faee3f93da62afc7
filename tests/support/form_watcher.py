"""A Synapse module that says in the log which queries and forms Twisted reads."""

import logging

from synapse.module_api import ModuleApi
from twisted.web import http

logger = logging.getLogger(__name__)


class Module:
    """Watches from the start on."""

    def __init__(self, _config: object, _api: ModuleApi) -> None:
        self._read = http.parse_qs
        http.parse_qs = self._noted

    def _noted(self, text: bytes, *options):
        logger.info("Twisted reads %r", text)
        return self._read(text, *options)
