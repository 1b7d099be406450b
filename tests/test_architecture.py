"""The shape of the house, as tests: who may import whom, where each library lives, and what the pure rooms never do.

Each test gathers every offence before it fails, as `where: what`, so that one run shows all that must be moved.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
HOUSE = TOP / "mailflow"
TESTS = TOP / "tests"

# The floors, from the inside out. A room imports only from floors further in, and never its neighbour.
FLOORS = (
    ("domain",),
    ("intake", "writing", "config"),
    ("engine",),
    ("adapters",),
    ("runners", "build"),
    ("app",),
    ("demo",),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# A library that could be replaced has one home: a room, or a module or folder of it. What is not listed may not be
# used at all, so that every new library is a decision.
HOMES = {
    "aiosmtpd": ("demo",),
    "aiosmtplib": ("adapters/smtp",),
    "holidays": ("config/holidays",),
    "icalendar": ("config",),
    "imapclient": ("adapters/imap",),
    "jinja2": ("writing",),
    "markupsafe": ("writing",),
    "peewee": ("adapters/store",),
    "playhouse": ("adapters/store",),
    "premailer": ("writing",),
    "proxyprotocol": ("demo",),
    "pydantic": ("config",),
    "pydantic_core": ("config",),
    "pymap": ("demo",),
    "pysasl": ("demo",),
    "re2": ("intake", "writing"),
    "rich": ("cli",),
    "schedule": ("adapters/ticker",),
    "selectolax": ("intake",),
    "structlog": ("engine", "runners", "app", "cli"),  # reasons are logged where acted upon
    "typer": ("cli",),
}

# Time comes into these rooms as `now`, and the world through ports.
PURE = ("domain", "intake", "writing", "engine")
CLOCKS = {"now", "utcnow", "today", "monotonic", "perf_counter", "time_ns", "localtime", "gmtime"}
# Modules through which a program reads a clock or touches the world.
DOORS = {
    *("asyncio", "fcntl", "fileinput", "ftplib", "glob", "http", "imaplib", "io", "mmap", "multiprocessing", "os"),
    *("poplib", "sched", "select", "selectors", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3"),
    *("ssl", "subprocess", "tempfile", "time", "urllib.request"),
}
FILE_CALLS = {"read_text", "read_bytes", "write_text", "write_bytes", "iterdir", "rglob", "mkdir", "unlink", "urandom"}

LONGEST = 400  # lines; over 300 one asks whether it is two things, over 400 it is
NAMELESS = {"utils", "util", "helpers", "helper", "managers", "manager", "common", "misc", "base", "shared", "tools"}


@cache
def tree(path: Path) -> ast.Module:
    """The parsed text of a module."""
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(module: ast.Module, package: tuple[str, ...]) -> Iterator[str]:
    """Every name that a module of `package` imports, as an absolute dotted name, wherever in it the import stands."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            stem = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def calls(module: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Whatever a module calls, by its dotted name: `self._clock.now`, `open`, and the call itself."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def reads_clock(name: str, *, has_port: bool) -> bool:
    """Whether a call asks what time it is; where the clock's port is handed in, `_clock.now()` is no offence."""
    asked, _, question = name.rpartition(".")
    is_port = asked.rpartition(".")[2].lstrip("_") == "clock" and question == "now"
    return bool(asked) and question in CLOCKS and not (has_port and is_port)


def opens_file(name: str, call: ast.Call) -> bool:
    """Whether a call touches a file: `open(...)`, `path.open("rb")`; `records.open(incident)` is another opening."""
    if name == "open":
        return True
    if name.endswith(".open"):
        return not call.args or (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str))
    return name.rpartition(".")[2] in FILE_CALLS


def imported(path: Path) -> set[str]:
    """What a module of the house imports."""
    return set(imports(tree(path), ("mailflow", *path.relative_to(HOUSE).parent.parts)))


def is_in(name: str, modules: set[str]) -> bool:
    """Whether a dotted name is one of `modules` or something inside it."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in modules for length in range(1, len(parts) + 1))


def room(path: Path) -> str:
    """The room that a module of the house is in: `app` for app.py, `intake` for intake/parse.py."""
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def place(path: Path) -> str:
    """A module as it is named in an offence, and matched with a library's home: `adapters/imap/session`."""
    return path.relative_to(HOUSE).with_suffix("").as_posix().removesuffix("/__init__")


def is_at(path: Path, home: str) -> bool:
    """Whether a module is `home` or lies in it."""
    return f"{place(path)}/".startswith(f"{home}/")


def assert_none(offences: Iterable[object]) -> None:
    """Fail with a line for every offence; pytest would shorten the list."""
    lines = [str(offence) for offence in offences]
    assert not lines, "\n".join(["", *lines])


def each_test(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions of a module, in classes too."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


SOURCES = sorted(path for path in HOUSE.rglob("*.py") if path != HOUSE / "__init__.py")
PURE_SOURCES = [path for path in SOURCES if room(path) in PURE]
TEST_SOURCES = sorted(TESTS.rglob("test_*.py"))


def test_the_house_is_looked_at() -> None:
    """The other tests here are about something: the rooms exist, and every one of them has a floor."""
    assert {room(path) for path in SOURCES} >= {"domain", "intake", "writing", "config", "engine", "adapters"}
    assert_none(sorted({room(path) for path in SOURCES} - FLOOR.keys()))
    assert Path(__file__) in TEST_SOURCES


def test_imports_point_inwards() -> None:
    """No room imports a room further out than itself, nor a neighbour on its floor; config knows the domain alone."""
    offences = []
    for path in SOURCES:
        rooms = {name.split(".")[1] for name in imported(path) if name.startswith("mailflow.")} & FLOOR.keys()
        for other in sorted(rooms - {room(path)}):
            if FLOOR[other] >= FLOOR.get(room(path), len(FLOORS)):
                offences.append(f"{place(path)}: imports {other}")
    assert_none(offences)


def test_each_library_has_one_home() -> None:
    """A library that can be replaced is imported in one place, and none is imported that was not decided upon."""
    offences = []
    for path in SOURCES:
        libraries = {name.split(".")[0] for name in imported(path)} - {"mailflow"} - sys.stdlib_module_names
        for library in sorted(libraries):
            if not any(is_at(path, home) for home in HOMES.get(library, ())):
                home = " or ".join(HOMES.get(library, ("nowhere: give it one in this test",)))
                offences.append(f"{place(path)}: imports {library}, whose home is {home}")
    assert_none(offences)


def test_every_room_and_home_is_lived_in() -> None:
    """What is permitted here is there: neither a room nor a library's home that does not exist."""
    offences = sorted(FLOOR.keys() - {room(path) for path in SOURCES})
    for library, homes in HOMES.items():
        users = [path for path in SOURCES if library in {name.split(".")[0] for name in imported(path)}]
        offences += [f"{library}: not in {home}" for home in homes if not any(is_at(path, home) for path in users)]
    assert_none(offences)


def test_the_domain_needs_no_library() -> None:
    """What an incident is stands on Python alone."""
    offences = []
    for path in (path for path in SOURCES if room(path) == "domain"):
        libraries = {name.split(".")[0] for name in imported(path)} - {"mailflow"} - sys.stdlib_module_names
        offences += [f"{place(path)}: imports {library}" for library in sorted(libraries)]
    assert_none(offences)


def test_pure_rooms_never_read_the_clock() -> None:
    """Time comes in as `now`, into the engine's use cases through their port; nothing else asks what time it is."""
    offences = [
        f"{place(path)}:{call.lineno}: calls {name}()"
        for path in PURE_SOURCES
        for name, call in calls(tree(path))
        if reads_clock(name, has_port=room(path) == "engine")
    ]
    assert_none(offences)


def test_pure_rooms_touch_nothing() -> None:
    """No file, socket, process or environment in the pure rooms: bytes and values come in, values go out."""
    offences = []
    for path in PURE_SOURCES:
        offences += [f"{place(path)}: imports {name}" for name in sorted(imported(path)) if is_in(name, DOORS)]
        offences += [
            f"{place(path)}:{c.lineno}: calls {name}()" for name, c in calls(tree(path)) if opens_file(name, c)
        ]
    assert_none(offences)


def test_every_module_says_what_it_is() -> None:
    """A module of the house has a docstring."""
    assert_none([place(path) for path in SOURCES if not ast.get_docstring(tree(path))])


def test_every_test_states_its_promise() -> None:
    """A test without a docstring proves nobody knows what."""
    offences = [
        f"{path.relative_to(TESTS)}:{test.lineno}: {test.name}"
        for path in TEST_SOURCES
        for test in each_test(tree(path))
        if not ast.get_docstring(test)
    ]
    assert_none(offences)


def test_no_module_is_two() -> None:
    """A module is one thing, so it is short."""
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert_none([f"{place(path)}: {lines} lines" for path, lines in lengths.items() if lines > LONGEST])


def test_modules_are_named_for_what_they_are() -> None:
    """No module or folder is named for being handy."""
    assert_none([place(path) for path in SOURCES if NAMELESS & set(place(path).split("/"))])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import imaplib", {"imaplib"}),
        ("import urllib.request as r", {"urllib.request"}),
        ("from . import mail", {"mailflow.domain.mail"}),
        ("from ..adapters.smtp import Sender", {"mailflow.adapters.smtp.Sender"}),
        ("from mailflow.demo import story", {"mailflow.demo.story"}),
        ("def f():\n    if x:\n        from time import monotonic", {"time.monotonic"}),
    ],
)
def test_no_import_hides(text: str, names: set[str]) -> None:
    """Relative imports, aliases and imports inside functions are seen for what they import."""
    assert set(imports(ast.parse(text), ("mailflow", "domain"))) == names


def test_a_part_of_a_door_is_a_door() -> None:
    """`from os import path` and `urllib.request.urlopen` are caught; `urllib.parse` and `ossaudio` are not."""
    assert is_in("os.path", DOORS)
    assert is_in("urllib.request.urlopen", DOORS)
    assert not is_in("urllib.parse", DOORS)
    assert not is_in("ossaudio", DOORS)


@pytest.mark.parametrize(
    ("text", "in_engine", "elsewhere"),
    [
        ("datetime.now(UTC)", True, True),
        ("date.today()", True, True),
        ("self._clock.now()", False, True),
        ("self._clock.monotonic()", True, True),
        ("situation.now", False, False),
        ("now()", False, False),
    ],
)
def test_a_clock_is_known_by_its_call(text: str, in_engine: bool, elsewhere: bool) -> None:
    """Asking a clock is seen, asking the engine's port is allowed there alone, a value named now is no clock."""
    found = list(calls(ast.parse(text)))
    assert any(reads_clock(name, has_port=True) for name, _ in found) is in_engine
    assert any(reads_clock(name, has_port=False) for name, _ in found) is elsewhere


@pytest.mark.parametrize(
    ("text", "touches"),
    [
        ("open(name)", True),
        ("path.open()", True),
        ("path.open('rb')", True),
        ("(folder / name).read_bytes()", True),
        ("self._store.records.open(incident)", False),
    ],
)
def test_a_file_is_known_by_its_opening(text: str, touches: bool) -> None:
    """Every usual way to a file is seen, and opening an incident is none."""
    assert any(opens_file(name, call) for name, call in calls(ast.parse(text))) is touches
