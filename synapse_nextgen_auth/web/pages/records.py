"""Every page there is, as the record of what it says.

They are found where they are: in the `page.py` of each folder beside this file. A folder without one is
an error at start-up, and so is a template that is missing or has a mistake.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from synapse_nextgen_auth.web import pages
from synapse_nextgen_auth.web.pages.content import PageContent


def _found() -> Iterator[type[PageContent]]:
    for folder in iter_modules(pages.__path__):
        if folder.ispkg:
            module = import_module(f"{pages.__name__}.{folder.name}.page")
            for each in vars(module).values():
                is_ours = isinstance(each, type) and each.__module__ == module.__name__
                if is_ours and issubclass(each, PageContent):
                    yield each


PAGES = tuple(_found())
