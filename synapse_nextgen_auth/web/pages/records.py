"""Every page there is, as the record of what it says.

They are found where they are: in the `page.py` of each folder beside this file, or of one in it. A
template that is missing or has a mistake is an error at start-up.
"""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pkgutil import walk_packages

from synapse_nextgen_auth.web import pages
from synapse_nextgen_auth.web.pages.content import PageContent


def _found() -> Iterator[type[PageContent]]:
    for folder in walk_packages(pages.__path__, f"{pages.__name__}."):
        if folder.ispkg and find_spec(f"{folder.name}.page"):
            module = import_module(f"{folder.name}.page")
            for each in vars(module).values():
                is_ours = isinstance(each, type) and each.__module__ == module.__name__
                if is_ours and issubclass(each, PageContent):
                    yield each


PAGES = tuple(_found())
