"""Verbs that show without doing: rehearse (past mail under a configuration) and explain (one kept mail's decision)."""

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from zoneinfo import ZoneInfo

import structlog
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mailflow.adapters.mailfiles import MailFile, MailFiles, SourceError, Spool, examine, look
from mailflow.adapters.store.database import connect
from mailflow.build import accounts, build_setup
from mailflow.cli.options import A_DAY, AsJson, Config, loaded, opened
from mailflow.cli.output import ERR, OUT, as_json, fail, told
from mailflow.cli.rehearsal_shown import as_dict, show_differences, show_explanation, show_report
from mailflow.config.load import Loaded, directory, load, policy
from mailflow.config.notation import duration
from mailflow.config.shipped import layers
from mailflow.domain.vocabulary import Live
from mailflow.engine.inbox import InboxTrouble
from mailflow.engine.rehearsal_differences import differences
from mailflow.engine.rehearsal_explain import explained, find
from mailflow.engine.rehearsal_reasons import done
from mailflow.engine.rehearsal_report import Report, report
from mailflow.engine.rehearse import PastMail, Rehearsal
from mailflow.engine.setup import Setup
from mailflow.writing.page import page

PAGE = "pages/rehearsal.html"
KEY_BYTES = 32  # of a rehearsal's own key: no tag of a real letter counts in it, and none of its own counts in life
A_PAGE = 200  # kept mails read at once


def rehearse(
    source: Annotated[
        str,
        typer.Argument(
            help="An mbox, a Maildir, a folder of .eml files, one .eml file; `inbox`: the live mailbox, looked at "
            "only; `stored`: the mails that the records keep."
        ),
    ],
    config: Config = None,
    json: AsJson = False,
    live: Annotated[Live, typer.Option(help="What `live` is rehearsed as. A client's own stricter word counts.")] = (
        Live.AUTO
    ),
    against: Annotated[
        Path | None, typer.Option(help="Another configuration: show only what it would decide otherwise.")
    ] = None,
    since: Annotated[datetime | None, typer.Option(**A_DAY, help="Only mail that came in since this day.")] = None,
    mailbox: Annotated[
        str | None,
        typer.Option(help="With `inbox` and `stored`, only this mailbox; else the one that the mail came in by."),
    ] = None,
    after: Annotated[str, typer.Option(help="How long the clock goes on after the last mail.")] = "1h",
    html: Annotated[Path | None, typer.Option(help="Write a page for a browser, too.")] = None,
    letters: Annotated[bool, typer.Option("--letters", help="Print the letters to clients whole.")] = False,
) -> None:
    """Play past mail and see what would have been opened and sent. Nothing is sent, and no record is touched.

    A mail came in when its topmost Received header says, else its Date header, else the mbox's From line, else its
    file's time. Examples: `mailflow rehearse november.mbox --html november.html`,
    `mailflow rehearse inbox --since 2026-11-01`, `mailflow rehearse stored --against new.toml`.
    """
    with told(json=json), _silent():
        found = loaded(config)
        goes_on = _span(after)
        start = since.replace(tzinfo=ZoneInfo(found.policy.timezone)).astimezone(UTC) if since else None
        _check(found, source, mailbox, start)
        if against:
            load(against, os.environ)  # its mistakes are told at once
        with TemporaryDirectory(prefix="mailflow-rehearsal-") as folder:
            try:
                mails = MailFiles(_mails(found, config, source, mailbox, start, Spool(Path(folder))))
            except (SourceError, InboxTrouble) as error:
                fail(str(error), code=1)
            if not len(mails):
                fail(f"there is no mail in {source}" + (f" since {since:%Y-%m-%d}" if since else ""), code=1)
            # Calendars are written out around a time: here the mails' own.
            found = load(found.files[0], os.environ, mails.mails[0].arrival)
            before = _played(as_live(found, live), mails, mailbox, goes_on, Path(folder) / "rehearsal.db")
            if against:
                other = as_live(load(against, os.environ, mails.mails[0].arrival), live)
                now = _played(other, mails, mailbox, goes_on, Path(folder) / "against.db")
                show_differences(found, before, differences(before, now), json=json)
                return
        if html:
            _write(html, found, source, mails, before)
        if json:
            as_json(as_dict(found, mails, before))
            return
        show_report(found, source, mails, before, letters=letters)
        if html:
            OUT.print(f"The page is {html}.", markup=False)


def explain(
    mail: Annotated[str, typer.Argument(help="A mail's number, as the log shows it, or its Message-ID.")],
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Say which rule decided what over one kept mail, and why."""
    with told(json=json):
        app = opened(config)
        found = find(app.store, mail)
        if found is None:
            fail(f"there is no mail {mail}; the log (mail=12) and `mailflow show` name mails by number", code=1)
        explanation = explained(app.store, app.setup, found)
        if json:
            as_json(asdict(explanation))
        else:
            show_explanation(explanation, app.setup.policy.timezone)


def as_live(found: Loaded, live: Live) -> Loaded:
    """The same configuration with another `live` for the service; what a client has for itself stays."""
    service = found.settings.service.model_copy(update={"live": live})
    settings = replace(found.settings, service=service)
    return replace(found, settings=settings, directory=directory(settings), policy=policy(settings))


def _check(found: Loaded, source: str, mailbox: str | None, since: datetime | None) -> None:
    """Mistakes that need no mail to be seen."""
    known = [m.address for m in found.settings.mailboxes]
    if mailbox and mailbox not in known:
        fail(f"--mailbox {mailbox}: no such mailbox is configured; there is {', '.join(known)}", code=2)
    if source == "inbox" and since is None:
        fail("inbox needs --since, the day from which on its mail is looked at", code=2)


def _span(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        fail(f"--after: {error}", code=2)


def _mails(
    found: Loaded, config: Path | None, source: str, mailbox: str | None, since: datetime | None, spool: Spool
) -> Iterator[MailFile]:
    """The mails of a source that came in since a time."""
    match source:
        case "inbox":
            for entry in found.settings.mailboxes:
                if mailbox in {None, entry.address} and since:
                    account = accounts(entry, found, os.environ).imap
                    yield from examine(account, entry.address, entry.folder, since, spool)
        case "stored":
            yield from (
                mail
                for mail in _stored(config, spool)
                if (since is None or mail.arrival >= since) and mailbox in {None, mail.mailbox}
            )
        case _:
            yield from (mail for mail in look(Path(source)) if since is None or mail.arrival >= since)


def _stored(config: Path | None, spool: Spool) -> Iterator[MailFile]:
    """The kept mails whose bytes are still there, copied first: one process serves one database at a time."""
    app = opened(config)
    last = 0
    try:
        while kept := app.store.mailroom.after(last, A_PAGE):
            for inbound in kept:
                with contextlib.suppress(KeyError):  # forgotten, or a copy of our own letter
                    raw = app.store.mailroom.content(inbound.hash)
                    yield spool.keep(
                        raw, name=f"mail {inbound.id}", mailbox=inbound.mailbox, arrival=inbound.received_at
                    )
            last = kept[-1].id
    finally:
        app.store.disconnect()


def _played(found: Loaded, mails: MailFiles, mailbox: str | None, after: timedelta, database: Path) -> Report:
    """One rehearsal on a database that is thrown away."""
    setup = build_setup(found, secrets.token_bytes(KEY_BYTES))
    store = connect(f"sqlite:///{database}")
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*bar, console=ERR, transient=True, disable=not ERR.is_terminal) as progress:
            task = progress.add_task("rehearsing", total=len(mails))
            rehearsal = Rehearsal(store, setup, mails.mails[0].arrival)
            past = (_past(mail, setup, mailbox) for mail in mails)
            rehearsal.play(past, after=after, tell=lambda: progress.advance(task))
        return report(store, setup, rehearsal.played)
    finally:
        store.disconnect()


def _past(mail: MailFile, setup: Setup, mailbox: str | None) -> PastMail:
    by = setup.mailbox(mail.mailbox or mailbox or "").address
    return PastMail(name=mail.name, mailbox=by, arrival=mail.arrival, raw=mail.read(), size=mail.large)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Whatever the road logs is the rehearsal's own doing; its report says it better."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _write(path: Path, found: Loaded, source: str, mails: MailFiles, before: Report) -> None:
    values = {
        "report": before,
        "source": source,
        "configured": found.policy.live,
        "verdicts": [(done(verdict), count) for verdict, count in before.verdicts.items()],
        "clues": list(mails.clues.items()),
        "timezone": found.policy.timezone,
    }
    written = page(layers("templates", found.templates)[PAGE].read_text(), values, timezone=found.policy.timezone)
    try:
        path.write_text(written)
    except OSError as error:
        fail(f"{path}: {error.strerror}", code=1)
