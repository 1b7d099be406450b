"""Folders as this server names them: delimiter, personal prefix, which exist, which is Sent (RFC 2342, 3501, 6154)."""

import contextlib
from collections.abc import Sequence
from typing import Any

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from mailflow.adapters.imap.trouble import said
from mailflow.engine.inbox import InboxTrouble

SENT_NAMES = ("sent", "sent items")  # where no folder says so itself; Microsoft's servers never do


class Folders:
    """The folder names of one connection. Faults are the library's own: the caller stands around it."""

    def __init__(self, client: Any, where: str) -> None:
        self._client = client
        self._where = where
        self._namespace: tuple[str, str] | None = None  # prefix and delimiter, asked for once
        self._made: dict[str, str] = {}  # found or made before: our name -> the server's

    def spellings(self, folder: str) -> list[str]:
        """The name as written, then with the server's delimiter and prefix: Mailflow/Done, INBOX.Mailflow.Done."""
        if folder.upper() == "INBOX":
            return ["INBOX"]
        if self._namespace is None:
            self._namespace = self._ask_namespace()
        prefix, delimiter = self._namespace
        own = folder.replace("/", delimiter) if delimiter else folder
        if not own.upper().startswith(prefix.upper()):
            own = prefix + own
        return list(dict.fromkeys((folder, own)))

    def made(self, folder: str, *, afresh: bool = False) -> str:
        """The server's name of `folder`, which is made and subscribed to where it is missing."""
        if afresh or folder not in self._made:
            self._made[folder] = self._find(folder) or self._make(folder)
        return self._made[folder]

    def sent(self) -> str | None:
        r"""The folder with the \Sent attribute, else one of a usual name, else None."""
        folders = [entry for entry in self._client.list_folders() if not _is_hollow(entry[0])]
        for flags, _, name in folders:
            if b"\\sent" in _lower(flags):
                return str(name)
        for wanted in SENT_NAMES:
            for _, delimiter, name in folders:
                if str(name).split(_text(delimiter) or "\0")[-1].casefold() == wanted:
                    return str(name)
        return None

    def _ask_namespace(self) -> tuple[str, str]:
        """Prefix and delimiter of the folders that are this user's own."""
        if self._client.has_capability("NAMESPACE"):
            personal = self._client.namespace().personal
            if personal:
                return str(personal[0][0] or ""), _text(personal[0][1])
        for _, delimiter, _ in self._client.list_folders("", ""):  # RFC 3501 6.3.8: tells the delimiter alone
            return "", _text(delimiter)
        return "", "/"

    def _find(self, folder: str) -> str | None:
        return next((name for name in self.spellings(folder) if self._exists(name)), None)

    def _make(self, folder: str) -> str:
        name = self.spellings(folder)[-1]
        try:
            self._client.create_folder(name)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as fault:
            if not self._exists(name):  # else another session was quicker
                raise InboxTrouble(
                    "folder",
                    f"{self._where}: folder {folder} is missing and cannot be created ({said(fault)}); create it",
                    permanent=True,
                ) from fault
        with contextlib.suppress(IMAPClientError):  # mail programs show subscribed folders; unsubscribed is no harm
            self._client.subscribe_folder(name)
        return name

    def _exists(self, name: str) -> bool:
        found = self._client.list_folders("", name)
        return any(str(entry[2]) == name and not _is_hollow(entry[0]) for entry in found)


def _is_hollow(flags: Sequence[bytes]) -> bool:
    """Whether a listed name is only a step in the hierarchy and holds no mail (RFC 3501 7.2.2, RFC 5258 3)."""
    return bool({b"\\noselect", b"\\nonexistent"} & _lower(flags))


def _lower(flags: Sequence[bytes]) -> set[bytes]:
    return {flag.lower() for flag in flags if isinstance(flag, bytes)}


def _text(delimiter: bytes | str | None) -> str:
    return delimiter.decode("ascii", "replace") if isinstance(delimiter, bytes) else delimiter or ""
