"""What must be right between a configuration and the disk: folders, certificates, files that hold a secret."""

import os.path  # unlike pathlib, it answers "no" where a folder above may not be entered
import stat

from mailflow.config.draft import Draft
from mailflow.config.mailbox import ServerTable
from mailflow.config.notation import shown
from mailflow.config.report import Report
from mailflow.config.secrets import SecretError, credential_file, secret


def folders_and_files(draft: Draft, report: Report) -> None:
    """Every folder and file that is named can serve."""
    if draft.service:
        for key in ("templates", "recipes"):
            own = getattr(draft.service.value, key)
            if own is not None and not os.path.isdir(draft.base / own):
                text = f"there is no folder {shown(own)}; make it or leave `{key}` out"
                report.problem(draft.service.entry.file, draft.service.entry.path(key), text)
        data_dir = draft.base / draft.service.value.data_dir
        way = (data_dir, *data_dir.parents)
        for block in (folder for folder in way if os.path.exists(folder) and not os.path.isdir(folder)):
            text = f"{shown(block)} is a file, so no folder can be made there; name another place"
            report.problem(draft.service.entry.file, draft.service.entry.path("data_dir"), text)
    for read in draft.mailboxes:
        for key, server in (("imap", read.value.imap), ("smtp", read.value.smtp)):
            if server.ca_file is not None and not os.path.isfile(draft.base / server.ca_file):
                text = f"there is no file {shown(server.ca_file)}; correct the name"
                report.problem(read.entry.file, read.entry.path(key, "ca_file"), text)


def secrets_can_be_had(draft: Draft, report: Report) -> None:
    """A file that holds a secret is there, holds one, and is not for everybody.

    Variables and credentials only warn: another verb, run by hand beside the service, is not given them.
    """
    for read in draft.mailboxes:
        for table, server in (("imap", read.value.imap), ("smtp", read.value.smtp)):
            for key in server.secret_keys:
                where = read.entry.file, read.entry.path(table, key)
                if key in {"password_file", "token_file"}:
                    _secret_file(draft, server, report, *where)
                elif key == "password_env" and not (held := draft.environ.get(server.password_env or "")):
                    text = f"the environment variable {server.password_env} is {'not set' if held is None else 'empty'}"
                    report.warning(*where, f"{text}; set it for `run`")
                elif key == "credential" and server.credential is not None:
                    file = credential_file(server.credential, draft.environ)
                    if file is None or not os.path.exists(file):
                        text = f"systemd gave this process no credential {shown(server.credential)}"
                        report.warning(*where, f"{text}; write LoadCredential= in the unit")


def _secret_file(draft: Draft, server: ServerTable, report: Report, file: str, path: str) -> None:
    try:
        secret(server, draft.environ, draft.base)()
    except SecretError as error:
        report.problem(file, path, f"{error}; correct the name, or put the secret in it")
        return
    place = draft.base / (server.password_file or server.token_file or "")
    if place.stat().st_mode & stat.S_IROTH:
        report.warning(file, path, f"{shown(place)} can be read by everybody on this machine; chmod o-rwx it")
