"""One throw-away server process: started, waited for, stopped, its log shown when it will not start.

Promises: nothing listens on a fixed port; what was started is stopped, even when the test run itself is killed
(the kernel tells the child); a server that is not installed is `Missing`, with the command that installs it.
"""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 20.0  # a loaded machine of two cores needs 3
STOP_SECONDS = 10.0
# Below what Linux gives to outgoing connections (from 32768): one of those could take a port just found free.
PORTS = range(15_000, 32_000)
LOG_TAIL = 40  # lines; Dovecot and Postfix name the fault in their last few


class Missing(Exception):  # noqa: N818 - said as it is shown: "missing: Dovecot is not installed"
    """A server that these tests need is not on this machine; the message says how to get it."""


class WillNotStart(Exception):  # noqa: N818
    """A server is installed but does not come up; the message holds the end of its log."""


def program(name: str, what: str, packages: str, *more_places: str) -> str:
    """The path of `name`; servers live in sbin or in a folder of their own, which an ordinary PATH does not name."""
    places = [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", *more_places]
    if found := shutil.which(name, path=os.pathsep.join(places)):
        return found
    raise Missing(f"{what} is not installed: apt-get install {packages}")


def is_root() -> bool:
    """Whether the tests run as root, as they do in a container."""
    return os.geteuid() == 0


def run_as(user: str) -> str:
    """The user a server shall run as: `user` where we are root, else ourselves."""
    return user if is_root() else pwd.getpwuid(os.geteuid()).pw_name


def as_user(user: str, death_signal: str = "TERM") -> list[str]:
    """What to put before a command so that it runs as `user` and gets `death_signal` if the test run dies."""
    command = [program("setpriv", "setpriv", "util-linux"), f"--pdeathsig={death_signal}"]
    if is_root() and user != "root":
        group = pwd.getpwnam(user).pw_gid
        command += [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    return command


@contextlib.contextmanager
def folder_for(name: str, user: str) -> Iterator[Path]:
    """A folder that `user` owns and everybody may read; pytest's own temporary folders are closed to other users.

    It lies directly under /tmp: a Unix socket's path may have no more than 107 bytes, and root's TMPDIR may be closed.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"mailflow-{name}-", dir="/tmp"))
    folder.chmod(0o755)
    give(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def give(path: Path, user: str) -> None:
    """Make `path` and all below it belong to `user`, where we may."""
    if is_root():
        for each in (path, *path.rglob("*")):
            shutil.chown(each, user, pwd.getpwnam(user).pw_gid)


def free_ports(count: int) -> list[int]:
    """So many different ports on which nobody listens now."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            found += [port] if port not in found else []
    return found


def answers(port: int) -> bool:
    """Whether somebody accepts connections on `port`."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def wait_until(condition: Callable[[], bool], seconds: float = START_SECONDS) -> bool:
    """Look every few milliseconds until `condition` holds; False when `seconds` have passed without."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@dataclass(kw_only=True)
class Daemon:
    """A server in the foreground of its own session. Tests may stop it and start it again on the same ports."""

    name: str
    command: Sequence[str]
    log: Path  # its output, and where the server can be told so, its log
    ports: Sequence[int]  # it is not up before all of them answer
    ready: Callable[[], bool] = lambda: True  # nor before this holds
    stop_signal: signal.Signals = signal.SIGTERM
    env: Mapping[str, str] | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers; WillNotStart, with the end of its log, where it does not."""
        with self.log.open("ab") as output:  # a file, never a pipe: nobody would empty it
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.env,
                cwd="/",  # ours may be closed to the server's user
                start_new_session=True,  # Ctrl-C is pytest's alone; and stop() can reach the whole group
            )
        process = self._process
        wait_until(lambda: process.poll() is not None or self._is_up())
        if process.poll() is None and self._is_up():
            return
        ended = "did not answer in time" if process.poll() is None else f"ended with status {process.returncode}"
        self.stop()
        raise WillNotStart(f"{self.name} {ended}; the end of its log:\n{self.log_tail()}")

    def _is_up(self) -> bool:
        return all(map(answers, self.ports)) and self.ready()

    def stop(self) -> None:
        """Stop it and all its children; harmless when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):  # what is left of its group, when it did not obey or crashed
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # Postfix's master is gone before its children are, which hold its ports: a start that came now would believe
        # those children, and its own master could not listen.
        wait_until(lambda: not any(map(answers, self.ports)), STOP_SECONDS)

    def log_tail(self) -> str:
        """The last lines it wrote."""
        if not self.log.exists():
            return "(nothing was logged)"
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL:]) or "(its log is empty)"


def run_once(command: Sequence[str], what: str) -> str:
    """Run a preparing command to its end and give its output; WillNotStart, with that output, where it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", timeout=60)
    if done.returncode != 0:
        raise WillNotStart(f"{what} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
