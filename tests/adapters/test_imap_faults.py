"""IMAP servers that misbehave, play-acted: IDLE's traps, lost connections, refusals, poor servers, TLS."""

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest

from mailflow.adapters.account import Mechanism, NoSecret, Security, Timeouts
from mailflow.adapters.imap.session import connect
from mailflow.engine.inbox import InboxTrouble


def plus(line: Any) -> None:
    line.say(b"+ idling\r\n")


def together(line: Any, tag: bytes, rest: bytes) -> None:
    line.say(b"+ idling\r\n* 5 EXISTS\r\n")
    finish(line, tag)


def split_line(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    for part in (b"* 5 EX", b"IS", b"TS\r\n"):
        time.sleep(0.05)
        line.say(part)
    finish(line, tag)


def before_plus(line: Any, tag: bytes, rest: bytes) -> None:
    line.say(b"* 5 EXISTS\r\n")
    time.sleep(0.05)
    plus(line)
    finish(line, tag)


def with_done(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    assert line.hear() == b"DONE\r\n"
    line.say(b"* 5 EXISTS\r\n" + tag + b" OK done\r\n")


def finish(line: Any, tag: bytes) -> None:
    assert line.hear() == b"DONE\r\n"
    line.say(tag + b" OK done\r\n")


@pytest.mark.parametrize("trap", [together, split_line, before_plus, with_done])
def test_idle_loses_no_announcement(
    trap: Callable[..., None], scripted: Any, imap_script: Any, account_at: Any
) -> None:
    """However an EXISTS is cut into packets, it ends the wait, and the connection goes on."""
    script = imap_script(on={b"IDLE": trap})
    inbox = connect(account_at(scripted(script)))
    inbox.select("INBOX")
    inbox.uids()
    assert inbox.wait(0.3) == "server"
    assert inbox.uids() == []
    inbox.close()
    assert script.heard[-1].endswith(b"LOGOUT")


def test_exists_announced_with_another_answer(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """Mail announced by the way, with the answer to a SEARCH, is not lost: the wait ends before IDLE begins."""

    def search(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(b"* SEARCH 1\r\n* 2 EXISTS\r\n" + tag + b" OK ok\r\n")

    script = imap_script(on={b"UID SEARCH": search})
    inbox = connect(account_at(scripted(script)))
    inbox.select("INBOX")
    assert inbox.uids() == [1]
    assert inbox.wait(5) == "server"
    assert not [heard for heard in script.heard if heard.endswith(b"IDLE")]
    inbox.close()


def eof(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    time.sleep(0.05)
    line.hang_up()


def bye_and_eof(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    line.say(b"* BYE going down\r\n")
    line.hang_up()


def bye_kept_open(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    line.say(b"* BYE token expired\r\n")
    line.hear()
    line.hear()


def bye_for_plus(line: Any, tag: bytes, rest: bytes) -> None:
    line.say(b"* BYE no more\r\n")
    line.hear()


def rst(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    time.sleep(0.05)
    line.reset()


def blackhole(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    while line.hear():
        pass


def half_a_line(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    line.say(b"* 5 EXI")
    line.hear()
    line.hang_up()


def garbage(line: Any, tag: bytes, rest: bytes) -> None:
    plus(line)
    line.say(b"\xff\xfe lorem\r\n")
    line.hear()
    line.hear()


@pytest.mark.parametrize("end", [eof, bye_and_eof, bye_kept_open, bye_for_plus, rst, blackhole, half_a_line, garbage])
def test_dead_connection_never_looks_quiet(
    end: Callable[..., None], scripted: Any, imap_script: Any, account_at: Any
) -> None:
    """EOF, BYE, RST and silence during IDLE are a lost connection, at once or after one unanswered DONE."""
    inbox = connect(account_at(scripted(imap_script(on={b"IDLE": end}))))
    inbox.select("INBOX")
    inbox.uids()
    start = time.monotonic()
    with pytest.raises(InboxTrouble) as trouble:
        inbox.wait(0.2)
    assert (trouble.value.what, trouble.value.permanent) == ("connection", False)
    assert time.monotonic() - start < 2
    with pytest.raises(InboxTrouble, match="closed"):
        inbox.wait(5)


@pytest.mark.parametrize("refusal", [b"NO not now", b"BAD what"])
def test_idle_refused(refusal: bytes, scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A server that announces IDLE and refuses it is waited for without."""

    def refuse(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(tag + b" " + refusal + b"\r\n")

    script = imap_script(on={b"IDLE": refuse})
    inbox = connect(account_at(scripted(script)))
    inbox.select("INBOX")
    inbox.uids()
    assert inbox.wait(0.05) == "timeout"
    assert inbox.wait(0.05) == "timeout"
    assert len([heard for heard in script.heard if heard.endswith(b"IDLE")]) == 1
    inbox.close()


def test_server_without_idle(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """Without IDLE the wait is plain, can be woken, and ends with a NOOP that lets the server speak."""

    def noop(line: Any, tag: bytes, rest: bytes) -> None:
        counted.append(tag)
        line.say((b"* 3 EXISTS\r\n" if len(counted) == 2 else b"") + tag + b" OK ok\r\n")

    counted: list[bytes] = []
    inbox = connect(account_at(scripted(imap_script(capabilities=b"IMAP4rev1", on={b"NOOP": noop}))))
    inbox.select("INBOX")
    inbox.uids()
    inbox.wake()
    assert inbox.wait(5) == "wake"
    assert inbox.wait(0) == "server"
    assert inbox.wait(0.01) == "timeout"
    inbox.close()


def test_server_without_move(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """Without MOVE: COPY, mark, and UID EXPUNGE of exactly these messages."""

    def listed(line: Any, tag: bytes, rest: bytes) -> None:
        line.say((b'* LIST () "/" Done\r\n' if b"Done" in rest else b'* LIST () "/" ""\r\n') + tag + b" OK ok\r\n")

    script = imap_script(capabilities=b"IMAP4rev1 UIDPLUS", on={b"LIST": listed})
    inbox = connect(account_at(scripted(script)))
    inbox.select("INBOX")
    inbox.move([4, 9], "Done")
    inbox.close()
    said = [heard.partition(b" ")[2] for heard in script.heard]
    assert [words for words in said if words.startswith(b"UID")] == [
        b'UID COPY 4,9 "Done"',
        b"UID STORE 4,9 +FLAGS.SILENT (\\Deleted)",
        b"UID EXPUNGE 4,9",
    ]


def test_server_without_move_and_uidplus(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A plain EXPUNGE would delete what other people marked: moving is refused, and nothing is said to the server."""
    script = imap_script(capabilities=b"IMAP4rev1")
    inbox = connect(account_at(scripted(script)))
    inbox.select("INBOX")
    with pytest.raises(InboxTrouble, match="UIDPLUS") as trouble:
        inbox.move([4], "Done")
    assert (trouble.value.what, trouble.value.permanent) == ("protocol", True)
    assert not [heard for heard in script.heard if b"COPY" in heard or b"STORE" in heard or b"EXPUNGE" in heard]


def test_move_when_the_folder_vanished(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """The target that somebody deleted meanwhile is made again, and only what is still there is moved."""

    def move(line: Any, tag: bytes, rest: bytes) -> None:
        moves.append(rest)
        line.say(tag + (b" NO [TRYCREATE] no folder\r\n" if len(moves) == 1 else b" OK ok\r\n"))

    def listed(line: Any, tag: bytes, rest: bytes) -> None:
        line.say((b'* LIST () "/" ""\r\n' if rest == b'LIST "" ""' else b"") + tag + b" OK ok\r\n")

    def search(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(b"* SEARCH 9\r\n" + tag + b" OK ok\r\n")

    moves: list[bytes] = []
    script = imap_script(on={b"UID MOVE": move, b"LIST": listed, b"UID SEARCH": search})
    inbox = connect(account_at(scripted(script)))
    inbox.select("INBOX")
    inbox.move([4, 9], "Done")
    inbox.close()
    assert moves == [b'UID MOVE 4,9 "Done"', b'UID MOVE 9 "Done"']
    assert len([heard for heard in script.heard if b" CREATE " in heard]) == 2


def test_long_lists_go_in_pieces(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """12,000 UIDs are asked for in three commands: servers cut lines that are too long."""
    script = imap_script()
    inbox = connect(account_at(scripted(script)))
    inbox.select("INBOX")
    inbox.sizes(range(1, 12_001))
    inbox.close()
    assert [heard.count(b",") + 1 for heard in script.heard if b"UID FETCH" in heard] == [5000, 5000, 2000]


def test_very_large_folder(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """200,000 UIDs in one line of SEARCH are read: the library alone gives up after a million bytes."""

    def search(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(b"* SEARCH " + b" ".join(b"%d" % uid for uid in range(1, 200_001)) + b"\r\n" + tag + b" OK ok\r\n")

    inbox = connect(account_at(scripted(imap_script(on={b"UID SEARCH": search})), timeouts=Timeouts(answer=5)))
    inbox.select("INBOX")
    assert len(inbox.uids()) == 200_000
    inbox.close()


def test_flags_of_others_are_no_mail(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A colleague's change of flags arrives as FETCH under a sequence number; it is not taken for a message."""

    def fetch(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(
            b"* 3 FETCH (FLAGS (\\Seen))\r\n"
            b'* 1 FETCH (UID 7 INTERNALDATE "01-Mar-2026 10:00:00 +0200" BODY[] {2}\r\nhi)\r\n' + tag + b" OK ok\r\n"
        )

    inbox = connect(account_at(scripted(imap_script(on={b"UID FETCH": fetch}))))
    inbox.select("INBOX")
    (fetched,) = inbox.fetch([3, 7])
    assert (fetched.uid, fetched.raw) == (7, b"hi")
    assert fetched.internal_date.isoformat() == "2026-03-01T08:00:00+00:00"
    inbox.close()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (b"* 1 FETCH (UID 7 BODY[] (((\r\n", "protocol"),
        (b"* 1 FETCH 5\r\n", "protocol"),
        (b"* 1 FETCH (UID x)\r\n", "protocol"),
        (b"* 1 FETCH (" + b"(" * 3000 + b"\r\n", "protocol"),
        (b"\0\xff\r\n", "connection"),
        (b"* 1 FETCH (UID 7 BODY[] {50}\r\nab", "connection"),
    ],
)
def test_garbled_answers(answer: bytes, what: str, scripted: Any, imap_script: Any, account_at: Any) -> None:
    """An answer that is no IMAP is trouble that reconnecting may cure, never an exception of the library."""

    def fetch(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(answer + tag + b" OK ok\r\n")

    inbox = connect(account_at(scripted(imap_script(on={b"UID FETCH": fetch}))))
    inbox.select("INBOX")
    with pytest.raises(InboxTrouble) as trouble:
        inbox.fetch([7])
    assert (trouble.value.what, trouble.value.permanent) == (what, False)


@pytest.mark.parametrize(
    ("answer", "what", "permanent"),
    [
        (b"NO [AUTHENTICATIONFAILED] s3cret is wrong", "login", True),
        (b"NO [UNAVAILABLE] try later", "login", False),
        (b"NO [ALERT] Too many simultaneous connections. (Failure)", "login", False),
        (b"BAD s3cret?", "login", True),
    ],
)
def test_login_refused(
    answer: bytes, what: str, permanent: bool, scripted: Any, imap_script: Any, account_at: Any
) -> None:
    """A refused login pauses the mailbox unless the server says that it will pass; the secret is never repeated."""

    def refuse(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(tag + b" " + answer + b"\r\n")

    with pytest.raises(InboxTrouble) as trouble:
        connect(account_at(scripted(imap_script(on={b"LOGIN": refuse}))))
    assert (trouble.value.what, trouble.value.permanent) == (what, permanent)
    assert "s3cret" not in str(trouble.value)


def test_connection_lost_at_login(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A connection that ends during login is lost, not refused: no page for a wrong password."""

    def leave(line: Any, tag: bytes, rest: bytes) -> None:
        line.hang_up()

    with pytest.raises(InboxTrouble) as trouble:
        connect(account_at(scripted(imap_script(on={b"LOGIN": leave}))))
    assert (trouble.value.what, trouble.value.permanent) == ("connection", False)


def test_login_quotes_and_encodes(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """Blanks and quotes in a name or password are quoted; UTF-8 goes by AUTHENTICATE PLAIN."""
    script = imap_script()
    connect(account_at(scripted(script), username='n oc"x', secret=lambda: 'p w"')).close()
    assert script.heard[1].partition(b" ")[2] == b'LOGIN "n oc\\"x" "p w\\""'

    def plain(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(b"+ \r\n")
        answers.append(base64.b64decode(line.hear()))
        line.say(tag + b" OK ok\r\n")

    answers: list[bytes] = []
    script = imap_script(capabilities=b"IMAP4rev1 AUTH=PLAIN", on={b"AUTHENTICATE": plain})
    connect(account_at(scripted(script), secret=lambda: "pässwörd")).close()
    assert answers == ["\0noc@example.net\0pässwörd".encode()]


@pytest.mark.parametrize(
    ("mechanism", "first", "second"),
    [
        (Mechanism.XOAUTH2, b"user=noc@example.net\1auth=Bearer t0ken\1\1", b""),
        (Mechanism.OAUTHBEARER, b"n,a=noc@example.net,\1auth=Bearer t0ken\1\1", b"\1"),
    ],
)
def test_token_on_the_wire(
    mechanism: Mechanism, first: bytes, second: bytes, scripted: Any, imap_script: Any, account_at: Any
) -> None:
    """A token is presented as the mechanism says; a refusal's challenge is answered, so that the reason comes."""

    def authenticate(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(b"+ \r\n")
        heard.append(base64.b64decode(line.hear()))
        if len(heard) == 1:
            line.say(tag + b" OK ok\r\n")
            return
        line.say(b"+ " + base64.b64encode(b'{"status":"400"}') + b"\r\n")
        heard.append(base64.b64decode(line.hear()))
        line.say(tag + b" NO [AUTHENTICATIONFAILED] expired\r\n")

    heard: list[bytes] = []
    capability = b"IMAP4rev1 AUTH=" + mechanism.name.encode()
    port = scripted(imap_script(capabilities=capability, on={b"AUTHENTICATE": authenticate}))
    account = account_at(port, mechanism=mechanism, secret=lambda: "t0ken")
    connect(account).close()
    with pytest.raises(InboxTrouble, match="expired") as trouble:
        connect(account)
    assert heard == [first, first, second]
    assert trouble.value.permanent
    assert "t0ken" not in str(trouble.value)


def test_token_not_offered(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A server that knows no tokens is said to be so, and the token stays here."""
    script = imap_script()
    with pytest.raises(InboxTrouble, match="XOAUTH2") as trouble:
        connect(account_at(scripted(script), mechanism=Mechanism.XOAUTH2))
    assert (trouble.value.what, trouble.value.permanent) == ("login", True)
    assert not [heard for heard in script.heard if b"AUTH" in heard]


def test_secret_is_asked_for_at_each_login(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A rotated password is seen without a restart; one that cannot be had is a login fault."""
    secrets = iter(["old", "new"])

    def secret() -> str:
        found = next(secrets, None)
        if found is None:
            raise NoSecret("no answer from the token command", permanent=False)
        return found

    script = imap_script()
    account = account_at(scripted(script), secret=secret)
    connect(account).close()
    connect(account).close()
    assert [heard.rpartition(b" ")[2] for heard in script.heard if b"LOGIN" in heard] == [b'"old"', b'"new"']
    with pytest.raises(InboxTrouble, match="token command") as trouble:
        connect(account)
    assert (trouble.value.what, trouble.value.permanent) == ("login", False)


def test_server_down(scripted: Any, account_at: Any) -> None:
    """Nobody listening, EOF or BYE instead of a greeting, and silence are lost connections that name host and port."""

    def silent(line: Any) -> None:
        line.hear()

    ports = [1, scripted(lambda line: None), scripted(lambda line: line.say(b"* BYE full\r\n")), scripted(silent)]
    for port in ports:
        with pytest.raises(InboxTrouble, match=f"127.0.0.1:{port}") as trouble:
            connect(account_at(port, timeouts=Timeouts(connect=0.2, answer=0.2)))
        assert not trouble.value.permanent
    assert trouble.value.what == "connection"


def test_starttls_missing(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A server that lost its STARTTLS hears no password: perhaps it is somebody in between."""
    for script in (imap_script(), imap_script(greeting=b"* PREAUTH welcome\r\n", capabilities=b"IMAP4rev1 STARTTLS")):
        with pytest.raises(InboxTrouble, match="STARTTLS") as trouble:
            connect(account_at(scripted(script), security=Security.STARTTLS))
        assert (trouble.value.what, trouble.value.permanent) == ("protocol", True)
        assert not [heard for heard in script.heard if b"LOGIN" in heard]


def starttls_script(imap_script: Any, certificates: Any) -> Any:
    """A server that offers STARTTLS and means it."""

    def starttls(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(tag + b" OK go\r\n")
        line.start_tls(certificates.server)

    return imap_script(capabilities=b"IMAP4rev1 STARTTLS", on={b"STARTTLS": starttls})


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_untrusted_certificate(
    security: Security, scripted: Any, imap_script: Any, account_at: Any, certificates: Any
) -> None:
    """A certificate of an unknown authority pauses the mailbox and no password is sent; with ca_file all is well."""
    script = starttls_script(imap_script, certificates)
    port = scripted(script, certificates.server if security is Security.TLS else None)
    with pytest.raises(InboxTrouble, match="ca_file") as trouble:
        connect(account_at(port, security=security))
    assert (trouble.value.what, trouble.value.permanent) == ("certificate", True)
    assert not [heard for heard in script.heard if b"LOGIN" in heard]
    connect(account_at(port, security=security, ca_file=certificates.ca_file)).close()
    assert [heard for heard in script.heard if b"LOGIN" in heard]


def test_wrong_name_in_the_certificate(scripted: Any, imap_script: Any, account_at: Any, certificates: Any) -> None:
    """A trusted certificate for another host is not trusted."""
    port = scripted(imap_script(), certificates.server)
    with pytest.raises(InboxTrouble) as trouble:
        connect(account_at(port, security=Security.TLS, ca_file=certificates.ca_file, host="127.0.0.2"))
    assert trouble.value.what in ("certificate", "connection")


def test_tls_on_a_port_without(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """The plain port with security = "tls" is a mistake in the configuration, not bad weather."""
    with pytest.raises(InboxTrouble) as trouble:
        connect(account_at(scripted(imap_script()), security=Security.TLS))
    assert (trouble.value.what, trouble.value.permanent) == ("protocol", True)


def test_read_only_folder(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """A folder that this user may only read is said to be so."""

    def select(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n" + tag + b" OK [READ-ONLY] done\r\n")

    inbox = connect(account_at(scripted(imap_script(on={b"SELECT": select}))))
    with pytest.raises(InboxTrouble, match="read-only") as trouble:
        inbox.select("INBOX")
    assert (trouble.value.what, trouble.value.permanent) == ("folder", True)


def test_passing_fault_of_select(scripted: Any, imap_script: Any, account_at: Any) -> None:
    """Microsoft's "authenticated but not connected" passes by itself and is no missing folder."""

    def select(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(tag + b" BAD User is authenticated but not connected.\r\n")

    inbox = connect(account_at(scripted(imap_script(on={b"SELECT": select}))))
    with pytest.raises(InboxTrouble) as trouble:
        inbox.select("INBOX")
    assert (trouble.value.what, trouble.value.permanent) == ("protocol", False)


def test_sent_folder_by_attribute_before_name(scripted: Any, imap_script: Any, account_at: Any) -> None:
    r"""The folder that says \Sent is Sent, whatever its name; a mere step of the hierarchy is none."""

    def listed(line: Any, tag: bytes, rest: bytes) -> None:
        line.say(
            b'* LIST (\\Noselect) "/" Sent\r\n* LIST () "/" "Archive/Sent Items"\r\n'
            b'* LIST (\\HasNoChildren \\SENT) "/" "Gesendete Elemente"\r\n' + tag + b" OK ok\r\n"
        )

    inbox = connect(account_at(scripted(imap_script(on={b"LIST": listed}))))
    assert inbox.sent_folder() == "Gesendete Elemente"
    inbox.close()
