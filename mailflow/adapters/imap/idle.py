"""IDLE (RFC 2177) that can be trusted: no announcement is lost, and a dead connection never looks like a quiet one.

imapclient's own idle_check() reads without blocking and so trips over half lines, over an EXISTS that arrives together
with the continuation or before it, and over the end of the connection, which it reports as silence for ever. Here the
socket is only ever polled; every read is a blocking one under the connection's timeout, by imaplib's own line reader.
"""

import contextlib
import select
import socket
from typing import Any, Literal

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

Heard = Literal["server", "wake", "timeout", "refused"]

# Behind a router that has forgotten us nothing ever arrives: only an answer asked for tells. NAT tables forget after
# 10 minutes and more, RFC 2177 wants IDLE renewed within 29; DONE every 9 minutes keeps both alive.
IDLE_CAP = 9 * 60.0

# What a server says unasked about the selected folder. imaplib keeps it all for ever, for somebody who might ask.
UNASKED = ("EXISTS", "EXPUNGE", "FETCH", "RECENT", "VANISHED", "FLAGS", "SEARCH")


def idle(client: Any, seconds: float, wake: socket.socket) -> Heard:
    """Idle until the server says something, `wake` becomes readable or `seconds` (at most IDLE_CAP) have passed.

    "refused" where the server announces IDLE but will not do it. Raises IMAPClientError or OSError where the
    connection is dead; it must not be used again then.
    """
    imap = client._imap
    if announced(client):
        return "server"  # came with the answer to an earlier command: IDLE would not repeat it
    # Not client.idle(): it raises where an untagged line stands before the continuation.
    tag = imap._command("IDLE")
    early = False
    while imap._get_response() is not None:  # None is the continuation, "+"
        _refuse_bye(imap)
        if imap.tagged_commands[tag] is not None:
            del imap.tagged_commands[tag]
            return "refused"
        early = True
    heard: Heard = "server" if early or _buffered(client) else _poll(client, min(seconds, IDLE_CAP), wake)
    _leave(imap, tag)
    if heard == "timeout" and announced(client):
        return "server"  # arrived while we were saying DONE
    return heard


def announced(client: Any) -> bool:
    """Whether the server has spoken of new mail since `forget`; imaplib files that away unseen with any command."""
    return "EXISTS" in client._imap.untagged_responses


def forget(client: Any) -> None:
    """Drop what was said unasked: it is about to be looked at."""
    for name in UNASKED:
        client._imap.untagged_responses.pop(name, None)


def _poll(client: Any, seconds: float, wake: socket.socket) -> Heard:
    """What happens first. The end of a connection is readable too, and then found out by reading."""
    server = client.socket()
    poll = select.poll()
    poll.register(server, select.POLLIN)  # POLLHUP and POLLERR are always reported
    poll.register(wake, select.POLLIN)
    events = dict(poll.poll(max(0.0, seconds) * 1000))
    if server.fileno() in events:
        return "server"
    return "wake" if events else "timeout"


def _leave(imap: Any, tag: bytes) -> None:
    """Say DONE and read on until the server has agreed, be it at once, line by line or never (then a timeout)."""
    imap.send(b"DONE\r\n")
    while imap.tagged_commands[tag] is None:
        imap._get_response()
        _refuse_bye(imap)
    kind, data = imap.tagged_commands.pop(tag)
    if kind != "OK":
        raise IMAPClientError(f"IDLE ended with {kind}: {data!r}")


def _refuse_bye(imap: Any) -> None:
    """A server that says BYE may keep the socket open: that is no connection any more (RFC 3501 7.1.5)."""
    bye = imap.untagged_responses.get("BYE")
    if bye:
        raise IMAPClientAbortError(b"BYE " + bytes(bye[-1]))


def _buffered(client: Any) -> bool:
    """Whether bytes already lie in the TLS layer or in imaplib's buffer, where poll() does not see them."""
    connection = client.socket()
    pending = getattr(connection, "pending", None)
    if pending is not None and pending():
        return True
    imap = client._imap
    if getattr(imap, "_readbuf", None):  # Python 3.14 keeps a buffer of its own
        return True
    reader = getattr(imap, "_file", None) or imap.file
    patience = connection.gettimeout()
    connection.setblocking(False)
    try:
        with contextlib.suppress(OSError):  # TLS says "want read" by an exception
            return bool(reader.peek(1))
        return False
    finally:
        connection.settimeout(patience)
