"""From a configuration to what the engine works with: its setup, the accounts, the data folder and the key."""

import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as day_time
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from mailflow.adapters.account import Account, Mechanism, NoSecret, Security
from mailflow.config.load import Loaded, SecretError, secret
from mailflow.config.mailbox import MailboxEntry, ServerTable
from mailflow.config.shipped import layers, recipe_files
from mailflow.domain.people import Address
from mailflow.engine.setup import MailboxSetup, Setup
from mailflow.engine.store import StoreError
from mailflow.intake.recipes import Recipes, parse_recipes
from mailflow.writing.lint import Rules
from mailflow.writing.lint_files import load_rules
from mailflow.writing.render import Writer

KEY_FILE = "token.key"
KEY_BYTES = 32  # HMAC-SHA-256 gains nothing from more
TEMPLATES = (".txt", ".html", ".toml")  # what is read of the templates' folder


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """How one mailbox is logged in to."""

    imap: Account
    smtp: Account


def build_setup(loaded: Loaded, key: bytes) -> Setup:
    """The engine's view of a configuration, templates and recipes compiled; their errors name file and line."""
    settings = loaded.settings
    files = layers("templates", loaded.templates)
    templates = {path: file.read_text() for path, file in files.items() if path.endswith(TEMPLATES)}
    recipes = {name: file.read_text() for name, file in recipe_files(loaded.recipes).items()}
    understood = _recipes(tuple(sorted(recipes.items())))
    administrator = loaded.directory.staff_at(loaded.administrator)
    return Setup(
        directory=loaded.directory,
        policy=loaded.policy,
        recipes=understood,
        writer=_writer(tuple(sorted(templates.items())), understood),
        key=key,
        lint=_lint(tuple(sorted(templates.items()))),
        mailboxes=tuple(mailbox_setup(m, settings.service.timezone) for m in settings.mailboxes),
        administrator=Address(name=administrator.name if administrator else "", address=loaded.administrator),
        keep_raw_days=settings.store.keep_raw_days,
        windows=loaded.windows,
        expected=loaded.expected,
    )


# Compiling all templates takes a fifth of a second: a reload that changes none of them need not do it again.
@lru_cache(maxsize=2)
def _writer(templates: tuple[tuple[str, str], ...], recipes: Recipes) -> Writer:
    return Writer(dict(templates), {name: words for r in recipes.all for name, words in r.phrases.items()})


@lru_cache(maxsize=2)
def _lint(templates: tuple[tuple[str, str], ...]) -> dict[str, Rules]:
    return load_rules(dict(templates))


@lru_cache(maxsize=2)
def _recipes(recipes: tuple[tuple[str, str], ...]) -> Recipes:
    return parse_recipes(dict(recipes))


def mailbox_setup(entry: MailboxEntry, timezone: str) -> MailboxSetup:
    """A mailbox as the engine needs it."""
    start = None
    if entry.start != "now":
        start = datetime.combine(entry.start, day_time(), ZoneInfo(timezone)).astimezone(UTC)
    return MailboxSetup(
        address=entry.address,
        folder=entry.folder,
        start=start,
        file=entry.file,
        done_folder=entry.done_folder,
        file_clients=entry.file_clients,
        proof=entry.proof,
        auth=entry.auth,
        authserv_id=entry.authserv_id or "",
        plus_addressing=entry.plus_addressing,
    )


def accounts(entry: MailboxEntry, loaded: Loaded, environ: Mapping[str, str]) -> Accounts:
    """How a mailbox is logged in to; secrets are read at each login."""

    def account(server: ServerTable, port: int, username: str, with_secret_of: ServerTable) -> Account:
        ask = secret(with_secret_of, environ, loaded.base)

        def asked() -> str:
            try:
                return ask()
            except SecretError as error:
                raise NoSecret(str(error)) from error

        return Account(
            host=server.host,
            port=port,
            security=Security(server.security),
            username=username,
            secret=asked,
            mechanism=Mechanism.XOAUTH2 if with_secret_of.uses_token else Mechanism.PASSWORD,
            ca_file=loaded.path(server.ca_file) if server.ca_file else None,
        )

    return Accounts(
        imap=account(entry.imap, entry.imap.port, entry.imap_username, entry.imap),
        smtp=account(entry.smtp, entry.smtp.port, entry.smtp_username, entry.smtp_secret_from),
    )


def prepared(data_dir: Path) -> Path:
    """The data folder, made where it is missing; StoreError where it cannot be written."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = data_dir / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = f"service.data_dir: {data_dir} is not writable ({error.strerror}); correct it, or its owner"
        raise StoreError(why) from error
    return data_dir


def token_key(data_dir: Path, *, anew: bool) -> bytes:
    """The key of the tokens, made `anew` where no letter was signed with one; StoreError where it is unusable."""
    path = data_dir / KEY_FILE
    if not anew and not path.exists():
        # A new one in its place would refuse every answer to the letters that went out.
        raise StoreError(
            f"{path} is missing, and the letters in the records were signed with it: put it back, from the backup or "
            f"the other machine. If it is lost, begin a new one, with which answers to those letters count no more: "
            f"(umask 77; head -c {KEY_BYTES} /dev/urandom > {shlex.quote(str(path))})"
        )
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
            made.write(secrets.token_bytes(KEY_BYTES))
            made.flush()
            os.fsync(made.fileno())
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"{path} cannot be made ({error.strerror})") from error
    try:
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror})") from error
    if len(key) < KEY_BYTES:
        raise StoreError(f"{path} is damaged: restore it from a backup, or remove it")
    return key
