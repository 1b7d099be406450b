"""Secrets come from where they were said to be, afresh each time, and no error shows one."""

import os
import stat
import sys
from pathlib import Path

import pytest

from mailflow.config.load import load
from mailflow.config.mailbox import ImapServer
from mailflow.config.secrets import LIMIT, SecretError, secret

HOST = "mail.example.com"


def server(**keys: object) -> ImapServer:
    return ImapServer.model_validate({"host": HOST, **keys})


def test_a_secret_file_is_read_afresh_each_time(tmp_path: Path) -> None:
    """A renewed password or token works at the next login, without a restart."""
    for key in ("password_file", "token_file"):
        (tmp_path / "noc.secret").write_text("first\n")
        get = secret(server(**{key: "noc.secret"}), {}, tmp_path)
        assert get() == "first"
        (tmp_path / "noc.secret").write_text("sec ond \r\n")
        assert get() == "sec ond "


def test_a_variable_and_a_credential_are_read_afresh_too(tmp_path: Path) -> None:
    """The environment given is what counts, not the process's own; credentials lie where systemd says."""
    environ = {"NOC_PASSWORD": "one", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    by_name = secret(server(password_env="NOC_PASSWORD"), environ, Path("/nowhere"))
    assert by_name() == "one"
    environ["NOC_PASSWORD"] = "two"
    assert by_name() == "two"
    (tmp_path / "noc").write_text("three\n")
    assert secret(server(credential="noc"), environ, Path("/nowhere"))() == "three"


def test_a_token_program_is_run_without_a_shell(tmp_path: Path) -> None:
    """Its arguments are taken as they stand, and what it prints (not its remarks on stderr) is the token."""
    command = [
        sys.executable,
        "-c",
        "import sys; print('renewed', file=sys.stderr); print(sys.argv[1])",
        "$HOME; echo `id`",
    ]
    assert secret(server(token_command=command), dict(os.environ), tmp_path)() == "$HOME; echo `id`"


def test_a_password_in_the_file_is_for_this_machine(tmp_path: Path) -> None:
    """Servers of this machine, by name or number, may have their password in the configuration."""
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1"):
        here = ImapServer.model_validate({"host": host, "security": "plain", "password": "demo"})
        assert secret(here, {}, tmp_path)() == "demo"
        assert here.port == 143


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file {file} is empty"),
        (b" \r\n\n", "the file {file} is empty"),
        (b"Hunter2\nHunter3\n", "the file {file} holds more than one line"),
        (b"Hunter\x002", "the file {file} holds more than one line"),
        (b"Hunter\xff2", "the file {file} does not hold UTF-8 text"),
        (b"Hunter2" * LIMIT, f"the file {{file}} holds more than {LIMIT} bytes, which no secret does"),
    ],
)
def test_a_file_that_holds_no_secret_is_named_not_shown(tmp_path: Path, content: bytes, said: str) -> None:
    """What is wrong with a secret is told by the file's name, never by what it holds."""
    file = tmp_path / "noc.secret"
    file.write_bytes(content)
    with pytest.raises(SecretError) as refused:
        secret(server(password_file=str(file)), {}, tmp_path)()
    assert str(refused.value) == said.format(file=file)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    """A login never hangs on something that is no file."""
    os.mkfifo(tmp_path / "noc.secret")
    with pytest.raises(SecretError, match="is not a regular file"):
        secret(server(password_file="noc.secret"), {}, tmp_path)()


def test_what_is_missing_is_named() -> None:
    """A missing file, variable or credential is named, and so is a server without any of them."""
    base = Path("/nowhere")
    for keys, environ, said in (
        ({"password_file": "x"}, {}, "the file /nowhere/x cannot be read (No such file or directory)"),
        ({"password_env": "NOC"}, {}, "the environment variable NOC is not set"),
        ({"password_env": "NOC"}, {"NOC": ""}, "the environment variable NOC is empty"),
        ({"credential": "noc"}, {}, "the credential noc is not there: systemd gave this process none"),
        (
            {"credential": "noc"},
            {"CREDENTIALS_DIRECTORY": "/nowhere"},
            "the credential noc cannot be read (No such file or directory)",
        ),
    ):
        get = secret(server(**keys), environ, base)
        with pytest.raises(SecretError) as refused:
            get()
        assert str(refused.value) == said
    with pytest.raises(SecretError, match=f"nothing to log in to {HOST} with"):
        secret(server(), {}, base)


def test_a_failing_token_program_shows_neither_arguments_nor_output(tmp_path: Path) -> None:
    """A token program's arguments and complaints may hold secrets; its name and exit status are told."""
    script = "import sys; print('Hunter2'); print('Hunter2', file=sys.stderr); sys.exit(3)"
    for command, said in (
        ([sys.executable, "-c", script, "Hunter2"], "failed with exit status 3"),
        (["/nowhere/token", "Hunter2"], "cannot be started (No such file or directory)"),
        ([sys.executable, "-c", "", "Hunter2"], "is empty"),
    ):
        with pytest.raises(SecretError) as refused:
            secret(server(token_command=command), dict(os.environ), tmp_path)()
        assert str(refused.value) == f"the program {command[0]} {said}"


def configuration(folder: Path, imap: str) -> Path:
    file = folder / "config.toml"
    file.write_text(f"""
[service]
name = "Example MSP"
timezone = "UTC"
[[mailbox]]
name = "NOC"
address = "noc@msp.example"
imap = {{ host = "mail.example.com", {imap} }}
smtp = {{ host = "mail.example.com" }}
proof = "sent"
[[liaison]]
name = "Valery Stufano"
title = "Client Liaison"
address = "valery@msp.example"
""")
    return file


def test_a_secret_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    """A password file open to all users of the machine is told; one for its owner and group is not."""
    password = tmp_path / "noc.secret"
    password.write_text("Hunter2\n")
    file = configuration(tmp_path, 'password_file = "noc.secret"')
    password.chmod(stat.S_IRUSR | stat.S_IRGRP)
    assert load(file, {}).warnings == ()
    password.chmod(0o644)
    said = f"`{shown_path(password)}` can be read by everybody on this machine; chmod o-rwx it"
    assert load(file, {}).warnings == (f"{file}: mailbox[noc@msp.example].imap.password_file: {said}",)


def shown_path(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 60 else f"{text[:59]}…"


def test_a_missing_variable_or_credential_only_warns(tmp_path: Path) -> None:
    """`show` and the like, run by hand beside the service, are not given its variables and must still work."""
    where = "mailbox[noc@msp.example].imap"
    file = configuration(tmp_path, 'password_env = "NOC"')
    said = "the environment variable NOC is not set; set it for `run`"
    assert load(file, {}).warnings == (f"{file}: {where}.password_env: {said}",)
    assert load(file, {"NOC": ""}).warnings == (f"{file}: {where}.password_env: {said.replace('not set', 'empty')}",)
    assert load(file, {"NOC": "x"}).warnings == ()
    file = configuration(tmp_path, 'credential = "noc"')
    said = "systemd gave this process no credential `noc`; write LoadCredential= in the unit"
    assert load(file, {}).warnings == (f"{file}: {where}.credential: {said}",)
    (tmp_path / "noc").write_text("x")
    assert load(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).warnings == ()


def test_the_smtp_server_has_its_own_secret_or_the_imap_ones(tmp_path: Path) -> None:
    """Where smtp names no secret and no user, those of imap are used; whose token it is stays known."""
    (tmp_path / "t").write_text("x")
    (tmp_path / "t").chmod(0o600)
    file = configuration(tmp_path, 'token_file = "t", username = "shared"')
    mailbox = load(file, {}).settings.mailboxes[0]
    assert mailbox.smtp_secret_from is mailbox.imap
    assert mailbox.smtp_secret_from.uses_token
    assert (mailbox.imap_username, mailbox.smtp_username) == ("shared", "shared")
    assert (mailbox.imap.port, mailbox.smtp.port) == (993, 465)
