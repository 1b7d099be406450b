"""Secrets: read afresh each time one is needed, so that a renewed one works at the next login.

An error names the file, variable, credential or program that failed, never what it held.
"""

import os.path
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from mailflow.config.mailbox import ServerTable

LIMIT = 65536  # bytes; an OAuth token has a few thousand, and a file of logs named by mistake is refused
TOKEN_SECONDS = 30  # a token program asks a server, whose answer a login can wait for so long


class SecretError(Exception):
    """A secret that cannot be had now. The message names where it should be, never what is there."""


def secret(server: ServerTable, environ: Mapping[str, str], base: Path) -> Callable[[], str]:
    """How to get the password or token for a server; each call looks again and may raise SecretError.

    `base` is the configuration file's folder, for relative paths.
    """
    if server.password is not None:
        return server.password.get_secret_value
    if (file := server.password_file or server.token_file) is not None:
        place = base / file
        return lambda: _from_file(place, f"the file {place}")
    if (name := server.password_env) is not None:
        return lambda: _from_variable(name, environ)
    if (credential := server.credential) is not None:
        return lambda: _from_credential(credential, environ)
    if (command := server.token_command) is not None:
        return lambda: _from_program(command, environ, base)
    raise SecretError(f"nothing to log in to {server.host} with is configured")


def credential_file(name: str, environ: Mapping[str, str]) -> Path | None:
    """Where systemd lays a credential (systemd.exec(5)), None where it gave this process none at all."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / name if folder else None


def _from_file(file: Path, called: str) -> str:
    if os.path.exists(file) and not os.path.isfile(file):  # a pipe would be waited for, and could be read but once
        raise SecretError(f"{called} is not a regular file")
    try:
        with file.open("rb") as opened:
            raw = opened.read(LIMIT + 1)
    except OSError as error:
        raise SecretError(f"{called} cannot be read ({error.strerror})") from None
    return _one_line(raw, called)


def _from_variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name)
    if value is None:
        raise SecretError(f"the environment variable {name} is not set")
    return _one_line(value.encode(errors="surrogateescape"), f"the environment variable {name}")


def _from_credential(name: str, environ: Mapping[str, str]) -> str:
    file = credential_file(name, environ)
    if file is None:
        raise SecretError(f"the credential {name} is not there: systemd gave this process none")
    return _from_file(file, f"the credential {name}")


def _from_program(command: tuple[str, ...], environ: Mapping[str, str], base: Path) -> str:
    """What a program prints. Its arguments and whatever it says on stderr may hold secrets: neither is told."""
    called = f"the program {command[0]}"
    try:
        done = subprocess.run(  # noqa: S603 - an argument list of the administrator's own, and no shell
            command,
            cwd=base,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TOKEN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SecretError(f"{called} gave no token within {TOKEN_SECONDS} seconds") from None
    except OSError as error:
        raise SecretError(f"{called} cannot be started ({error.strerror})") from None
    if done.returncode:
        raise SecretError(f"{called} failed with exit status {done.returncode}")
    return _one_line(done.stdout, called)


def _one_line(raw: bytes, called: str) -> str:
    """The secret without the line's end that editors add; anything else around it is part of it."""
    if len(raw) > LIMIT:
        raise SecretError(f"{called} holds more than {LIMIT} bytes, which no secret does")
    try:
        text = raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretError(f"{called} does not hold UTF-8 text") from None
    if not text.strip():
        raise SecretError(f"{called} is empty")
    if any(character in text for character in "\r\n\0"):
        raise SecretError(f"{called} holds more than one line")
    return text
