"""What a mail says, as values: made by intake, judged by domain.decide, free of any mail library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from mailflow.domain.people import Address
from mailflow.domain.policy import Acknowledge
from mailflow.domain.vocabulary import Class, Kind, Severity, State


class Ending(StrEnum):
    """How a tool's trouble ends."""

    MAIL = "mail"  # it writes when it is over
    NEXT_SUCCESS = "next_success"  # the next success of the same job
    NEVER = "never"  # nothing is ever written: a person must say so


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a recipe says of all its events alike."""

    ending: Ending = Ending.MAIL
    orphan_grace: timedelta = timedelta(minutes=10)  # so long a recovery waits for a problem that bears no Date
    reopen_within: timedelta | None = None  # None: as the policy says
    acknowledge: Acknowledge | None = None  # None: as the policy says for the class; the stricter word wins
    default_client: str = ""  # key of the client of whatever nothing else tells


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that an alert mail reports; a mail may hold many."""

    recipe: str  # id of the recipe that read it
    state: State
    severity: Severity
    class_: Class
    symptom: str  # "down", "rebooted", …: the key of a phrase in words.toml
    key: str  # correlation key: the same in problem and recovery
    thing: str = ""  # what is in trouble, where `key` is new each time ("host/service"); empty: the key says it
    family: str = ""  # three of one family in an hour are a storm; empty: never
    names: tuple[str, ...] = ()  # what may name the client, best first
    hosts: tuple[str, ...] = ()  # what may name a component, best first
    vendor: str = ""  # "Microsoft 365": trouble of a vendor's, which concerns every client that uses it
    rules: Rules = field(default_factory=Rules)
    fields: Mapping[str, str]  # host, service, detail, … as the recipe names them
    delay_minutes: int = 0  # the monitor's own delay before it tells (N.2)
    external: bool = False  # seen from outside the client's network (S4.5)
    unconfirmed: bool = False  # recipe written from memory: nothing automatic to clients


class Action(StrEnum):
    """What a delivery status notification says of one recipient (RFC 3464 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, kw_only=True)
class BouncedRecipient:
    """One recipient of a bounce."""

    address: str
    action: Action
    status: str  # "5.1.1", empty where not told


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """A report on a letter that could not be delivered (yet)."""

    recipients: tuple[BouncedRecipient, ...]
    original_message_id: str | None


class Mark(StrEnum):
    """What a line of a body is, beyond its words."""

    TEXT = "text"
    ATTRIBUTION = "attribution"  # "On Monday … wrote:"
    HEADER = "header"  # a line of the From/Sent/To/Subject block above a quote
    SIGNATURE = "signature"  # from "-- " on, or the client's signature element
    BANNER = "banner"  # put there by a server: "CAUTION: External"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a body: its words, how deep it is quoted, and whether it stands below the start of a quote.

    `depth` counts `>` or blockquotes; clients that quote without marks (Outlook) leave it 0 and only `below` tells.
    """

    text: str
    depth: int = 0
    below: bool = False
    mark: Mark = Mark.TEXT


@dataclass(frozen=True, kw_only=True)
class Authentication:
    """What our own provider says about who sent this mail; only headers above the first foreign Received count.

    `results` holds every such Authentication-Results header as (authserv-id or "", header text);
    `internal` is Microsoft 365's X-MS-Exchange-Organization-AuthAs: Internal.
    """

    results: tuple[tuple[str, str], ...] = ()
    internal: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All that one mail says by itself. It knows no client and no incident; what was odd stands in `defects`."""

    message_id: str | None
    author: Address | None  # the single author; None where there is none or more than one
    to: tuple[Address, ...] = ()
    addressed: tuple[Address, ...] = ()  # whom it went to: To, and what the server says it delivered to
    subject: str = ""
    date: datetime | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()  # oldest first
    kind: Kind  # ALERT, BOUNCE, AUTO_REPLY or UNKNOWN: the rest needs to know people
    rule: str  # the named reason for `kind`
    events: tuple[Event, ...] = ()
    bounce: Bounce | None = None
    automatic: str | None = None  # why it must not be answered, None for a person's mail
    plain: tuple[Line, ...] = ()  # the text/plain body; empty where there is none
    html: tuple[Line, ...] = ()  # the text/html body as lines; empty where there is none
    new_text: str = ""
    quoted_text: str = ""
    attachments: tuple[str, ...] = ()  # names, for a person to see
    token_tags: tuple[str, ...] = ()  # candidates, best first: plus-tag, In-Reply-To, References newest first
    authentication: Authentication = field(default_factory=Authentication)
    identity: str  # hash over Message-ID, From, Date and decoded body: the same mail through two aliases
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gist:
    """What a client's new words amount to, as far as wording tells."""

    thanks: bool  # nothing but thanks, an acknowledgement or a pleasantry
    request: str  # what asks for something new that has nothing to do with the trouble, word for word; "" for none
    trouble: bool  # the words speak of trouble: during an outage, one more who feels it


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The original mail inside a forward, as the forward tells it: a claim, which nothing proves."""

    name: str
    address: str  # "" where the forward names nobody's address, as within one Exchange
    subject: str
    sent: str  # as the forwarding client wrote it, in any language
    text: str
