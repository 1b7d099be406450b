"""The contract of engine.courier.Courier, and the phase of every fault, on scripted and embedded servers."""

import base64
import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mailflow.adapters.account import Mechanism, Security, Timeouts
from mailflow.adapters.smtp import SmtpCourier
from mailflow.demo.servers import DROP, TAKE_AND_DROP, EmbeddedMail
from mailflow.engine.courier import Delivery, Outcome

NOC, JOHN, PROOF = "noc@example.net", "john@northwind.example", "noc+p7@example.net"
LETTER = b"From: noc@example.net\r\nSubject: down\r\n\r\nWe're investigating.\r\n"


def nothing() -> None:
    """A `started` that has nothing to commit."""


@pytest.fixture
def courier_at(account_at: Any) -> Iterator[Callable[..., SmtpCourier]]:
    """Makes couriers with short patience, and closes them."""
    made: list[SmtpCourier] = []

    def make(port: int, *, idle_limit: float = 60.0, dot_timeout: float = 0.3, **changes: Any) -> SmtpCourier:
        made.append(
            SmtpCourier(account_at(port, **changes), timeout=0.3, dot_timeout=dot_timeout, idle_limit=idle_limit)
        )
        return made[-1]

    yield make
    for courier in made:
        courier.close()
        courier.close()
    gc.collect()  # an unclosed socket or loop would warn here, and warnings are errors


def hang_up(line: Any) -> None:
    line.hang_up()


def silence(line: Any) -> None:
    line.hear()


def reset(line: Any) -> None:
    line.reset()


def send(courier: SmtpCourier, sender: str = NOC, to: tuple[str, ...] = (JOHN,), raw: bytes = LETTER) -> Delivery:
    """One letter."""
    return courier.send(sender, to, raw, nothing)


def test_sent(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A 250 to the dot is SENT, in the server's words; `started` was called after RCPT and before DATA."""
    script = smtp_script(says={b".": [b"250 2.0.0 queued as 4711\r\n"]})
    seen: list[bytes] = []
    delivery = courier_at(scripted(script)).send(NOC, [JOHN], LETTER, lambda: seen.extend(script.heard))
    assert delivery == Delivery(outcome=Outcome.SENT, said="250 2.0.0 queued as 4711")
    assert seen[-2:] == [b"MAIL FROM:<noc@example.net> SIZE=%d" % len(LETTER), b"RCPT TO:<john@northwind.example>"]
    assert script.texts == [LETTER + b".\r\n"]


STEPS = [
    (b"MAIL", b"451 4.3.0 later\r\n", Outcome.RETRY),
    (b"MAIL", b"421 4.7.0 too many\r\n", Outcome.RETRY),
    (b"MAIL", b"530 5.7.57 Client not authenticated to send mail\r\n", Outcome.ACCOUNT),
    (b"MAIL", b"550 5.7.60 SendAsDenied\r\n", Outcome.ACCOUNT),
    (b"MAIL", b"552 5.3.4 message too large\r\n", Outcome.FAILED),
    (b"MAIL", hang_up, Outcome.RETRY),
    (b"MAIL", silence, Outcome.RETRY),
    (b"RCPT", b"450 4.2.0 greylisted\r\n", Outcome.RETRY),
    (b"RCPT", b"421 4.3.2 shutting down\r\n", Outcome.RETRY),
    (b"RCPT", b"550 5.1.1 no such user\r\n", Outcome.FAILED),
    (b"RCPT", b"550 5.1.8 Access denied, bad outbound sender\r\n", Outcome.ACCOUNT),
    (b"RCPT", hang_up, Outcome.RETRY),
    (b"DATA", b"451 4.3.0 later\r\n", Outcome.RETRY),
    (b"DATA", b"554 5.7.1 refused\r\n", Outcome.FAILED),
    (b"DATA", hang_up, Outcome.RETRY),
    (b"DATA", reset, Outcome.RETRY),
    (b"DATA", silence, Outcome.RETRY),
    (b"DATA", b"lorem ipsum\r\n", Outcome.RETRY),
    (b".", b"451 4.3.0 later\r\n", Outcome.RETRY),
    (b".", b"432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded\r\n", Outcome.RETRY),
    (b".", b"421 4.3.0 going down\r\n", Outcome.RETRY),
    (b".", b"552 5.2.3 too large\r\n", Outcome.FAILED),
    (b".", b"554 5.7.1 spam\r\n", Outcome.FAILED),
    (b".", b"550 5.7.30 Basic authentication is not supported for Client Submission.\r\n", Outcome.ACCOUNT),
    (b".", hang_up, Outcome.UNKNOWN),
    (b".", reset, Outcome.UNKNOWN),
    (b".", silence, Outcome.UNKNOWN),
    (b".", b"lorem ipsum\r\n", Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("step", "answer", "outcome"), STEPS)
def test_phase_of_every_fault(
    step: bytes, answer: Any, outcome: Outcome, scripted: Any, smtp_script: Any, courier_at: Any
) -> None:
    """What is not known to have been refused or accepted after the dot is UNKNOWN; all before it is safe to judge."""
    script = smtp_script(says={step: [answer]})
    called: list[bool] = []
    courier = courier_at(scripted(script))
    delivery = courier.send(NOC, [JOHN], LETTER, lambda: called.append(True))
    assert delivery.outcome is outcome
    assert delivery.said
    assert bool(called) is (step in (b"DATA", b"."))
    script.says.clear()
    assert send(courier).outcome is Outcome.SENT  # the next letter leaves, on this connection or another


@pytest.mark.parametrize("code", [b"451 4.3.0 later", b"550 5.1.1 nobody", b"554 5.7.1 spam"])
def test_refusal_keeps_the_connection(code: bytes, scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A refused letter costs RSET, not a new login."""
    script = smtp_script(says={b"RCPT": [code + b"\r\n", b"250 ok\r\n"]})
    courier = courier_at(scripted(script))
    send(courier)
    assert send(courier).outcome is Outcome.SENT
    assert script.connections == 1
    assert b"RSET" in script.heard


def test_cut_in_the_middle_of_the_text(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A connection that breaks while a large text is still being written cannot have been obeyed: RETRY."""

    def half(line: Any) -> None:
        line.say(b"354 go\r\n")
        line.read(100_000)
        line.reset()

    courier = courier_at(scripted(smtp_script(says={b"DATA": [half]})), dot_timeout=5)
    delivery = send(courier, raw=LETTER + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 300_000)
    assert delivery.outcome is Outcome.RETRY


def test_refused_in_the_middle_of_the_text(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """An answer before the dot counts as that answer, and the connection is given up."""

    def too_large(line: Any) -> None:
        line.say(b"354 go\r\n")
        line.read(100_000)
        line.say(b"552 5.3.4 too large\r\n")
        line.hear()
        while line.hear():
            pass

    script = smtp_script(says={b"DATA": [too_large, b"354 go\r\n"]})
    courier = courier_at(scripted(script), dot_timeout=5)
    delivery = send(courier, raw=LETTER + (b"y" * 70 + b"\r\n") * 300_000)
    assert delivery.outcome in (Outcome.FAILED,)


def test_proof_copy_refused(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """The letter leaves although its proof copy was refused, and the delivery says so."""
    script = smtp_script(says={b"RCPT": [b"250 ok\r\n", b"550 5.1.1 no plus addresses\r\n"]})
    delivery = send(courier_at(scripted(script)), to=(JOHN, PROOF))
    assert delivery.outcome is Outcome.SENT
    assert "proof copy refused: 550 5.1.1 no plus addresses" in delivery.said
    assert len(script.texts) == 1


def test_recipient_refused_although_proof_would_do(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A letter whose own recipient is refused is not sent to the proof address alone."""
    script = smtp_script(says={b"RCPT": [b"550 5.1.1 nobody\r\n", b"250 ok\r\n"]})
    assert send(courier_at(scripted(script)), to=(JOHN, PROOF)).outcome is Outcome.FAILED
    assert not script.texts


def test_started_raises(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """Where the attempt cannot be recorded nothing is sent, whatever the exception; the next letter is whole."""
    script = smtp_script()
    courier = courier_at(scripted(script))
    for fault in (OSError("disk full"), RuntimeError("database is locked")):

        def refuse(fault: Exception = fault) -> None:
            raise fault

        with pytest.raises(type(fault), match=str(fault)):
            courier.send(NOC, [JOHN], LETTER, refuse)
    assert not [heard for heard in script.heard if heard == b"DATA"]
    assert send(courier).outcome is Outcome.SENT


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"535 5.7.8 s3cret is bad\r\n", Outcome.ACCOUNT),
        (b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled\r\n", Outcome.ACCOUNT),
        (b"550 5.7.30 Basic authentication is not supported\r\n", Outcome.ACCOUNT),
        (b"534 5.7.9 Application-specific password required\r\n", Outcome.ACCOUNT),
        (b"454 4.7.0 Temporary authentication failure\r\n", Outcome.RETRY),
        (b"421 4.7.0 slow down\r\n", Outcome.RETRY),
        (hang_up, Outcome.RETRY),
    ],
)
def test_login_refused(answer: Any, outcome: Outcome, scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A refused login is the account's fault, tried once, and never repeats the secret."""
    script = smtp_script(says={b"AUTH": [answer]})
    delivery = send(courier_at(scripted(script)))
    assert delivery.outcome is outcome
    assert "s3cret" not in delivery.said
    assert len([heard for heard in script.heard if heard.startswith(b"AUTH")]) == 1


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        (b"421 4.3.2 too busy\r\n", Outcome.RETRY),
        (b"554 5.7.1 your address is blocked\r\n", Outcome.ACCOUNT),
        (b"lorem\r\n", Outcome.RETRY),
    ],
)
def test_greeting(greeting: bytes, outcome: Outcome, scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A server that talks to nobody never fails a letter."""
    assert send(courier_at(scripted(smtp_script(greeting=greeting)))).outcome is outcome


def test_another_service_answers(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A port that speaks IMAP is named as a mistake of host or port, not as an answer with the code -1."""
    delivery = send(courier_at(scripted(smtp_script(greeting=b"* OK [CAPABILITY IMAP4rev1] ready\r\n"))))
    assert delivery.outcome is Outcome.RETRY
    assert ": this server does not speak SMTP; check host and port (" in delivery.said
    assert "-1" not in delivery.said


def test_server_down(courier_at: Any, scripted: Any) -> None:
    """Nobody listening and silence at the door are RETRY, naming host and port."""
    for port in (1, scripted(silence)):
        delivery = send(courier_at(port, timeouts=Timeouts(connect=0.2)))
        assert delivery.outcome is Outcome.RETRY
        assert f"127.0.0.1:{port}" in delivery.said


@pytest.mark.parametrize(
    ("mechanism", "first"),
    [
        (Mechanism.XOAUTH2, b"user=noc@example.net\1auth=Bearer t0ken\1\1"),
        (Mechanism.OAUTHBEARER, b"n,a=noc@example.net,\1auth=Bearer t0ken\1\1"),
    ],
)
def test_token_on_the_wire(
    mechanism: Mechanism, first: bytes, scripted: Any, smtp_script: Any, courier_at: Any
) -> None:
    """The token goes out as the mechanism says; a refusal's challenge is answered, so that the reason comes."""
    name = mechanism.name.encode()
    script = smtp_script(extensions=(b"AUTH PLAIN " + name,))
    changes = {"mechanism": mechanism, "secret": lambda: "t0ken"}
    assert send(courier_at(scripted(script), **changes)).outcome is Outcome.SENT
    assert b"AUTH " + name + b" " + base64.b64encode(first) in script.heard

    def challenge(line: Any) -> None:
        line.say(b"334 " + base64.b64encode(b'{"status":"400"}') + b"\r\n")
        answers.append(line.hear().strip())
        line.say(b"535 5.7.3 expired\r\n")
        line.hear()

    answers: list[bytes] = []
    script = smtp_script(extensions=(b"AUTH " + name,), says={b"AUTH": [challenge]})
    delivery = send(courier_at(scripted(script), **changes))
    assert delivery.outcome is Outcome.ACCOUNT
    assert "expired" in delivery.said
    assert answers == [b"" if mechanism is Mechanism.XOAUTH2 else b"AQ=="]


def test_login_mechanisms(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """PLAIN where offered, else LOGIN; neither is the account's fault, and no secret is said."""
    plain = smtp_script()
    assert send(courier_at(scripted(plain), secret=lambda: "pässwörd")).outcome is Outcome.SENT
    assert b"AUTH PLAIN " + base64.b64encode("\0noc@example.net\0pässwörd".encode()) in plain.heard
    login = smtp_script(extensions=(b"AUTH LOGIN",), says={b"AUTH": [b"334 UGFzc3dvcmQ6\r\n"]})
    login.says[base64.b64encode(b"s3cret").upper()] = [b"235 ok\r\n"]
    assert send(courier_at(scripted(login))).outcome is Outcome.SENT
    neither = smtp_script(extensions=(b"SIZE",))
    assert send(courier_at(scripted(neither))).outcome is Outcome.ACCOUNT
    assert [heard.split()[0] for heard in neither.heard] == [b"EHLO"]


def test_starttls_stripped(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A server without STARTTLS hears neither password nor letter."""
    script = smtp_script()
    delivery = send(courier_at(scripted(script), security=Security.STARTTLS))
    assert delivery.outcome is Outcome.ACCOUNT
    assert "STARTTLS" in delivery.said
    assert [heard.split()[0] for heard in script.heard] == [b"EHLO"]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_untrusted_certificate(
    security: Security, scripted: Any, smtp_script: Any, courier_at: Any, certificates: Any
) -> None:
    """An unknown authority is the account's fault; with ca_file the letter leaves."""
    if security is Security.TLS:
        port = scripted(smtp_script(), certificates.server)
        trusted = courier_at(port, security=security, ca_file=certificates.ca_file)
        untrusted = courier_at(port, security=security)
        assert send(trusted).outcome is Outcome.SENT
        assert send(untrusted).outcome is Outcome.ACCOUNT
        return
    with EmbeddedMail({NOC: "s3cret"}, now=lambda: datetime.now(UTC), tls=certificates.server) as mail:
        trusted = courier_at(mail.smtp_port, security=security, ca_file=certificates.ca_file)
        untrusted = courier_at(mail.smtp_port, security=security)
        assert send(trusted).outcome is Outcome.SENT
        assert send(trusted).outcome is Outcome.SENT
        delivery = send(untrusted)
        assert delivery.outcome is Outcome.ACCOUNT
        assert "ca_file" in delivery.said
        trusted.close()
        untrusted.close()
        assert len(mail.sent) == 2


def test_tls_on_a_port_without(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """The plain port with security = "tls" is a mistake in the configuration: the letter is kept."""
    delivery = send(courier_at(scripted(smtp_script()), security=Security.TLS))
    assert delivery.outcome is Outcome.ACCOUNT


def test_quit_dropped(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A server that hangs up at QUIT, or never answers it, changes nothing about a letter that was taken."""
    for answer in (hang_up, b"500 what\r\n"):
        courier = courier_at(scripted(smtp_script(says={b"QUIT": [answer]})))
        assert send(courier).outcome is Outcome.SENT
        courier.close()


@pytest.mark.parametrize("farewell", [b"", b"421 4.4.2 idle too long\r\n"])
def test_kept_connection_dropped_between_letters(
    farewell: bytes, scripted: Any, smtp_script: Any, courier_at: Any
) -> None:
    """A kept connection that the server closed is replaced without a word, and each letter is sent once."""

    def leave(line: Any) -> None:
        line.say(b"250 ok\r\n" + farewell)
        line.hang_up()

    script = smtp_script(says={b".": [leave]})
    courier = courier_at(scripted(script))
    for _ in range(3):
        assert send(courier).outcome is Outcome.SENT
        time.sleep(0.02)
    assert script.connections == 3
    assert len(script.texts) == 3


def test_kept_connection_refuses_more(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A connection that has carried all the letters it may, or whose login expired, is replaced before it counts."""
    says = [b"250 ok\r\n", b"421 4.7.0 enough\r\n", b"250 ok\r\n", b"530 5.7.57 session expired\r\n", b"250 ok\r\n"]
    script = smtp_script(says={b"MAIL": says})
    courier = courier_at(scripted(script))
    assert [send(courier).outcome for _ in range(3)] == [Outcome.SENT] * 3
    assert script.connections == 3


def test_kept_connection_is_used_again_and_idles_out(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """Letters share one connection; one unused for too long is closed with QUIT before the server does it."""
    script = smtp_script()
    courier = courier_at(scripted(script), idle_limit=0.2)
    assert [send(courier).outcome for _ in range(3)] == [Outcome.SENT] * 3
    assert script.connections == 1
    time.sleep(0.3)
    assert send(courier).outcome is Outcome.SENT
    assert script.connections == 2
    assert b"QUIT" in script.heard


def test_secret_is_asked_for_at_each_login(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """A rotated password is seen at the next connection; an unreadable one is the account's fault."""
    secrets = iter(["one", "two"])

    def secret() -> str:
        try:
            return next(secrets)
        except StopIteration:
            raise FileNotFoundError(2, "No such file", "/etc/secret") from None

    script = smtp_script()
    courier = courier_at(scripted(script), secret=secret, idle_limit=0)
    assert [send(courier).outcome for _ in range(3)] == [Outcome.SENT, Outcome.SENT, Outcome.ACCOUNT]
    logins = [heard for heard in script.heard if heard.startswith(b"AUTH")]
    assert logins == [b"AUTH PLAIN " + base64.b64encode(b"\0noc@example.net\0" + word) for word in (b"one", b"two")]


def test_null_sender(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """ "" is the null sender, so that nobody answers automatically."""
    script = smtp_script(extensions=(b"AUTH PLAIN",))
    assert send(courier_at(scripted(script)), sender="").outcome is Outcome.SENT
    assert b"MAIL FROM:<>" in script.heard


@pytest.mark.parametrize(
    "address",
    ["", "john", "john@x> SIZE=1", "a b@x.example", "j@x.example\r\nDATA", "<j@x.example>", "j\udc80@x", "j@@x"],
)
def test_addresses_that_cannot_be(address: str, courier_at: Any) -> None:
    """An address that would smuggle a command or is none fails before anything is opened."""
    assert send(courier_at(1), to=(address,)).outcome is Outcome.FAILED


def test_smtputf8_only_if_needed(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """ASCII letters need nothing; others need SMTPUTF8, and fail with that word where the server lacks it."""
    script = smtp_script(extensions=(b"AUTH PLAIN", b"SMTPUTF8", b"8BITMIME"))
    courier = courier_at(scripted(script))
    assert send(courier).outcome is Outcome.SENT
    assert send(courier, raw=LETTER + "grüße\r\n".encode()).outcome is Outcome.SENT
    assert send(courier, to=("jörg@northwind.example",)).outcome is Outcome.SENT
    assert [heard for heard in script.heard if heard.startswith(b"MAIL")] == [
        b"MAIL FROM:<noc@example.net>",
        b"MAIL FROM:<noc@example.net> BODY=8BITMIME",
        b"MAIL FROM:<noc@example.net> SMTPUTF8",
    ]
    delivery = send(courier_at(scripted(smtp_script())), to=("jörg@northwind.example",))
    assert delivery.outcome is Outcome.FAILED
    assert "SMTPUTF8" in delivery.said


def test_dots_and_line_ends(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """No line of a letter can end it: dots are doubled, and bare CR or LF, which some servers obey, become CRLF."""
    script = smtp_script()
    raw = b"Subject: x\r\n\r\n.\r\n..a\n.\rb\r.\nQUIT"
    assert send(courier_at(scripted(script)), raw=raw).outcome is Outcome.SENT
    assert script.texts == [b"Subject: x\r\n\r\n..\r\n...a\r\n..\r\nb\r\n..\r\nQUIT\r\n.\r\n"]


def test_words_of_the_server_are_made_safe(scripted: Any, smtp_script: Any, courier_at: Any) -> None:
    """What the server says is one printable line of bounded length, whatever bytes it sends."""
    answer = b"550-5.1.1 \x1b[31mno\xff\r\n550 5.1.1 " + b"x" * 2000 + b"\r\n"
    delivery = send(courier_at(scripted(smtp_script(says={b"RCPT": [answer]}))))
    assert delivery.outcome is Outcome.FAILED
    assert delivery.said.isprintable()
    assert len(delivery.said) <= 300
    delivery.said.encode()


@pytest.mark.parametrize(
    ("order", "outcome", "taken"),
    [("451 4.3.0 later", Outcome.RETRY, 0), (DROP, Outcome.UNKNOWN, 0), (TAKE_AND_DROP, Outcome.UNKNOWN, 1)],
)
def test_unknown_may_be_either(order: str, outcome: Outcome, taken: int, courier_at: Any) -> None:
    """From outside, a letter lost at the dot and one taken without an answer look the same: UNKNOWN."""
    with EmbeddedMail({NOC: "s3cret"}, now=lambda: datetime.now(UTC)) as mail:
        mail.faults.append(lambda sender, recipients: order if JOHN in recipients else None)
        courier = courier_at(mail.smtp_port)
        assert send(courier).outcome is outcome
        assert len(mail.sent) == taken
        assert send(courier, to=("paul@northwind.example",)).outcome is Outcome.SENT
        courier.close()


def test_hundred_letters_on_one_connection(courier_at: Any) -> None:
    """Letters leave in order and whole, with their proof copies."""
    with EmbeddedMail({NOC: "s3cret"}, now=lambda: datetime.now(UTC)) as mail:
        courier = courier_at(mail.smtp_port)
        for number in range(100):
            raw = LETTER + b"%d\r\n" % number
            assert send(courier, to=(JOHN, PROOF), raw=raw).outcome is Outcome.SENT
        courier.close()
        assert [sent.raw for sent in mail.sent] == [LETTER + b"%d\r\n" % number for number in range(100)]
        assert {sent.recipients for sent in mail.sent} == {(JOHN, PROOF)}
