"""Everything a use case is configured with, as one value: replaced whole when the configuration is read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mailflow.domain.calendar import Calendar
from mailflow.domain.expected import Expected
from mailflow.domain.hours import WEEKDAYS
from mailflow.domain.incident import Affected
from mailflow.domain.maintenance import Recurring, Window
from mailflow.domain.people import Address, Client, Directory, Staff
from mailflow.domain.policy import Policy
from mailflow.domain.vocabulary import Live
from mailflow.domain.worktime import Deadlines
from mailflow.intake.gist import ClientWords, client_words
from mailflow.intake.recipes import Recipes
from mailflow.writing.lint import FALLBACK, Rules
from mailflow.writing.render import Writer


@dataclass(frozen=True, kw_only=True)
class MailboxSetup:
    """How one mailbox is read and sent from."""

    address: str
    folder: str = "INBOX"
    start: datetime | None = None  # mail received before is before our time; None: whatever is there at first sight
    file: str = "leave"  # or "move"
    done_folder: str = "Mailflow/Done"
    file_clients: bool = False  # whether client mail is moved too
    proof: str = "sent"  # or "copy": how it is proven that a letter was accepted
    auth: str = "none"  # which provider's word on a sender counts: none, gmail, m365 or generic
    authserv_id: str = ""
    plus_addressing: bool = True  # whether the provider delivers noc+anything@ to noc@

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The configuration as the engine needs it."""

    directory: Directory
    policy: Policy
    recipes: Recipes
    writer: Writer
    key: bytes  # of the tokens
    mailboxes: tuple[MailboxSetup, ...]
    administrator: Address
    lint: Mapping[str, Rules]  # of the writing gate, by language
    keep_raw_days: int = 400
    windows: tuple[Window | Recurring, ...] = ()  # maintenance, as the configuration plans it
    expected: tuple[Expected, ...] = ()  # mails that are trouble when they do not come (N.12)

    @cached_property
    def client_words(self) -> ClientWords:
        """How clients say thanks, ask and complain; one set for all languages."""
        words = self.writer.words(self.policy.language)
        return client_words(words.table.get("client", {}), words.at("command.closings"))

    @property
    def own(self) -> frozenset[str]:
        """The addresses of all our mailboxes."""
        return frozenset(m.address for m in self.mailboxes)

    def rules(self, language: str) -> Rules:
        """The writing gate's rules for a language, English where there are none of it."""
        return self.lint.get(language) or self.lint[FALLBACK]

    def mailbox(self, address: str) -> MailboxSetup:
        """The mailbox with this address; the first one where it is not configured any more."""
        return next((m for m in self.mailboxes if m.address == address), self.mailboxes[0])

    def liaison_of(self, client: Client) -> Staff:
        """Who signs for a client."""
        return self.directory.staff_at(client.liaison) or self.directory.staff[0]

    def live(self, affected: Affected) -> Live:
        """How far a client's letters may go now; of a client that is not configured any more, what held then."""
        client = self.directory.client(affected.client_key)
        return self.live_of(client) if client else self.policy.live.stricter(affected.live)

    def live_of(self, client: Client) -> Live:
        """The stricter of the service's and the client's present word."""
        return self.policy.live.stricter(client.live)

    def deadlines(self, affected: Affected) -> Deadlines:
        """When a client's debriefs are due; as everybody's where it is not configured any more."""
        client = self.directory.client(affected.client_key)
        return self.policy.debriefs(client.tier if client else "")

    def calendar(self, affected: Affected) -> Calendar:
        """When a client works; plain weekdays in its zone where it is not configured any more."""
        client = self.directory.client(affected.client_key)
        return client.calendar if client else Calendar(timezone=affected.timezone, hours=WEEKDAYS)

    def present(self, person: Address, client_key: str) -> Address:
        """`person`, if still one of ours; else who signs for the client now: a mail to one who left is a leak."""
        if self.directory.staff_at(person.address) or person.address in {
            self.administrator.address,
            self.policy.helpdesk,
        }:
            return person
        client = self.directory.client(client_key)
        staff = self.liaison_of(client) if client else self.on_duty
        return Address(name=staff.name, address=staff.address)

    @property
    def on_duty(self) -> Staff:
        """Who is shown what nobody could place: the first liaison."""
        return self.directory.staff[0]
