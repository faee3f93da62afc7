"""A package that is upgraded under a running process: what is imported later is what it was."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest

from synapse_nextgen_auth.assembly import kept as keeping
from synapse_nextgen_auth.assembly.kept import Kept, _written
from synapse_nextgen_auth.web import packed

OLD, NEW = "RELEASE = 'old'\n", "RELEASE = 'new, and longer'\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a part that imports another one, both not imported yet; read by a process."""
    folder = tmp_path / "upgraded"
    (folder / "pages").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "pages/__init__.py").touch()
    (folder / "pages/hello.py").write_text("from upgraded.rules import RELEASE\n")
    (folder / "rules.py").write_text(OLD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    import_module("upgraded")
    kept = Kept("upgraded", folder)
    kept.install()
    kept.read()
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "upgraded"]:
        del sys.modules[name]


def release():
    return import_module("upgraded.pages.hello").RELEASE


def test_what_is_as_it_was_is_imported_as_ever(package):
    """From the bytecode that lies beside it: that is fast."""
    assert release() == "old"
    assert type(import_module("upgraded.rules").__spec__.loader).__name__ == "SourceFileLoader"


def test_another_release_on_the_disk_is_not_seen(package):
    """Neither in the file that is wanted, nor in what that imports."""
    (package / "rules.py").write_text(NEW)
    (package / "pages/hello.py").write_text("raise ImportError('of another release')\n")

    assert release() == "old"
    assert Path(import_module("upgraded.rules").__spec__.origin) == package / "rules.py"


def test_a_package_that_is_gone_goes_on(package):
    """As in the middle of an upgrade, or after one that moved a file."""
    for path in sorted(package.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()

    assert release() == "old"


def test_a_file_of_the_same_size_is_another_one(package):
    """By when it was written; and its bytecode is not that of before."""
    path = package / "rules.py"
    then = path.stat()
    path.write_text(OLD.replace("old", "NEW"))
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns + 1))

    assert release() == "old"


def test_what_a_process_can_never_want_is_not_kept(package):
    """The command, samples, and what is imported already."""
    (package / "cli").mkdir()
    (package / "cli/doctor.py").write_text(OLD)
    (package / "pages/samples.py").write_text(OLD)
    kept = Kept("upgraded", package)
    kept.read()

    assert set(kept.files()) == {"upgraded.pages", "upgraded.pages.hello", "upgraded.rules"}


def test_there_is_one_of_it_however_often_a_process_starts(package):
    """Two homeservers in one process keep the text once: what the first one kept is the older."""
    first = next(each for each in sys.meta_path if isinstance(each, Kept))
    (package / "rules.py").write_text(NEW)

    again = Kept("upgraded", package).install()
    again.read()

    assert again is first
    assert [type(each) for each in sys.meta_path].count(Kept) == 1
    assert release() == "old"


def test_what_is_replaced_while_it_is_read_is_not_taken_for_what_it_was(package, monkeypatch):
    """Of which release the text is, nobody knows then: none is kept under the date of the other."""
    kept, path = Kept("upgraded", package), package / "rules.py"

    def replaced(name, mode):
        text = Path(name).read_bytes()
        if Path(name) == path and text == OLD.encode():
            path.write_text(NEW)
        assert mode == "rb"
        return BytesIO(text)

    monkeypatch.setattr(keeping, "open", replaced, raising=False)
    kept.read()

    assert kept.files()["upgraded.rules"].written == _written(path)
    assert kept.text("upgraded.rules") == NEW.encode()


def test_a_broken_file_says_where_it_is_wrong(package):
    """The line of the file is in the traceback."""
    (package / "broken.py").write_text("good = 1\nraise ValueError\n")
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, Kept)]
    Kept("upgraded", package).install().read()
    (package / "broken.py").unlink()

    with pytest.raises(ValueError) as raised:
        import_module("upgraded.broken")
    last = raised.traceback[-1]
    assert (Path(last.path), last.lineno + 1) == (package / "broken.py", 2)


def test_a_folder_that_cannot_be_listed_keeps_no_other_from_being_kept(package, monkeypatch):
    """One that goes away in that moment, or is root's alone; bytecode is not looked at."""
    asked, scandir = [], os.scandir

    def listed(path):
        asked.append(Path(path).name)
        if Path(path).name == "pages":
            raise PermissionError(path)
        return scandir(path)

    (package / "__pycache__").mkdir(exist_ok=True)
    monkeypatch.setattr(keeping.os, "scandir", listed)
    kept = Kept("upgraded", package)
    kept.read()

    assert set(kept.files()) == {"upgraded.rules"}
    assert sorted(asked) == ["pages", "upgraded"]


def _no_folder(buffering):
    raise FileNotFoundError("no usable temporary directory")


def _full(buffering):
    return Path("/dev/full").open("w+b", buffering=buffering)


@pytest.mark.parametrize("opened", [_no_folder, _full])
def test_where_no_file_can_be_written_it_is_kept_in_memory(package, monkeypatch, caplog, opened):
    """A root that is read-only, or a disk that is full; it is said once."""
    monkeypatch.setattr(packed.tempfile, "TemporaryFile", opened)
    monkeypatch.setattr(keeping, "PACKED", packed.Packed())
    kept = Kept("upgraded", package)
    with caplog.at_level("INFO"):
        kept.read()

    assert kept.text("upgraded.rules") == OLD.encode()
    assert caplog.text.count("for want of a file") == 1


def test_what_is_packed_is_there_whatever_becomes_of_the_disk(monkeypatch):
    """What was written before it was full, and what was not; each by its own number, from any thread."""
    texts = [os.urandom(number * 10) for number in range(60)]
    one, written = packed.Packed(), os.pwrite
    before = [one.add(text) for text in texts[:20]]
    half = lambda file, content, where: written(file, content[:5], where)  # noqa: E731
    monkeypatch.setattr(packed.os, "pwrite", half)
    after = [one.add(text) for text in texts[20:]]

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(one.get, [*before, *after] * 5))

    assert found == texts * 5
    assert len({*before, *after}) == 60
    assert len(one._in_memory) == 40


def test_it_is_small(monkeypatch):
    """Of the whole package, and a start has imported half of it."""
    monkeypatch.setattr(keeping, "PACKED", packed.Packed())
    kept = Kept()
    imported = {name: sys.modules.pop(name) for name in list(sys.modules) if ".web." in name}
    try:
        kept.read()
    finally:
        sys.modules.update(imported)

    assert len(kept.files()) > 100
    assert keeping.PACKED._end < 1_500_000
