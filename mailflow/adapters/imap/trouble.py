"""What went wrong, in the port's words: imapclient's and the system's errors become InboxTrouble.

Promises: the message is one line that names host and port, holds no secret, and says what to do where a person must.
"""

import base64
import contextlib
import re
import ssl
from collections.abc import Iterator

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from mailflow.adapters.account import Account, one_line
from mailflow.engine.inbox import InboxTrouble

# Refusals that pass by themselves (RFC 5530), and how Google and Microsoft say the same in words.
PASSING = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b|too many simultaneous|authenticated but not connected"
    r"|temporar|try again|server busy",
    re.IGNORECASE,
)

# What the library's parser raises, besides its own errors, on an answer that is no IMAP.
GARBLED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError)


@contextlib.contextmanager
def troubles(account: Account, doing: str) -> Iterator[None]:
    """Around everything that talks to the server: whatever the world does leaves as InboxTrouble."""

    def trouble(what: str, words: str, *, permanent: bool = False) -> InboxTrouble:
        return InboxTrouble(what, f"{account.where}: {doing}: {words}", permanent=permanent)

    try:
        yield
    except ssl.SSLCertVerificationError as fault:
        raise trouble(
            "certificate",
            f"the certificate is not trusted ({fault.verify_message}); correct the host name, or name the authority "
            "that issued it as ca_file",
            permanent=True,
        ) from fault
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError) as fault:
        raise trouble("connection", "the server hung up") from fault
    except ssl.SSLError as fault:
        hint = f"no TLS could be agreed on ({fault.reason}); is this the port that speaks TLS at once?"
        raise trouble("protocol", hint, permanent=doing in ("connecting", "STARTTLS")) from fault
    except TimeoutError as fault:
        raise trouble("connection", "no answer in time") from fault
    except OSError as fault:
        raise trouble("connection", one_line(fault.strerror or str(fault))) from fault
    except IMAPClientAbortError as fault:
        raise trouble("connection", said(fault)) from fault
    except IMAPClientError as fault:
        raise trouble("protocol", said(fault)) from fault
    except GARBLED as fault:
        raise trouble("protocol", f"the answer is no IMAP ({type(fault).__name__})") from fault


def origin(fault: BaseException) -> BaseException:
    """The error itself: imapclient calls whatever happens during login, even a lost connection, a LoginError."""
    return fault.__context__ if isinstance(fault, LoginError) and fault.__context__ else fault


def said(fault: BaseException, *, without: str = "") -> str:
    """The server's words in an error, on one line, less the secret that a server may have echoed."""
    real = origin(fault)
    words = real.args[0] if real.args else type(real).__name__
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    if without:
        text = text.replace(without, "***").replace(base64.b64encode(without.encode()).decode(), "***")
    return one_line(text)
