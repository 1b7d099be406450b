"""The liaison's form: its catalogue of fields, a form as it was sent, and the answers read from a reply to it.

Numbers are fixed for ever: a form shows a subset of the catalogue under the same numbers, so that an old form can
still be answered. Labels are words and live in each language's words.toml under the field's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Field:
    """One question of the catalogue."""

    number: int
    name: str
    source: str  # the capability it stands for


CATALOGUE = (
    Field(number=1, name="problem", source="S0.8"),
    Field(number=2, name="steps", source="S0.8"),
    Field(number=3, name="recurrence", source="S0.11"),
    Field(number=4, name="recommendations", source="S0.8"),
    Field(number=5, name="started", source="S1.5"),
    Field(number=6, name="ended", source="S1.5"),
    Field(number=7, name="impact", source="S1.6"),
    Field(number=8, name="worry", source="S1.6"),
    Field(number=9, name="narrative", source="S0.7"),
    Field(number=10, name="noticed", source="S1.7"),
    Field(number=11, name="cause_class", source="S3.4"),
    Field(number=12, name="our_fault", source="S1.1"),
    Field(number=13, name="prevention", source="S3.6"),
    Field(number=14, name="lessons_technology", source="S1.8"),
    Field(number=15, name="lessons_process", source="S1.8"),
    Field(number=16, name="lessons_communication", source="S1.8"),
    Field(number=17, name="technologies", source="S1.9"),
    Field(number=18, name="five_whys", source="S1.10"),
    Field(number=19, name="human_elements", source="S1.11"),
    Field(number=20, name="others_can_learn", source="S1.12"),
)
BY_NUMBER = {f.number: f for f in CATALOGUE}
BY_NAME = {f.name: f for f in CATALOGUE}


@dataclass(frozen=True, kw_only=True)
class AskedField:
    """A field as one form showed it."""

    number: int
    label: str  # as worded on that form, without number and without colon or question mark's blank
    prefilled: str = ""  # what stood behind the label when it was sent


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form as it was sent, word for word: what a reply is aligned with."""

    reference: str  # "INC-2041"
    version: int
    language: str
    fields: tuple[AskedField, ...]
    text: str  # the whole text part of the mail, as sent
    end_marker: str  # "----- end of form INC-2041/1 -----"

    @property
    def prefilled(self) -> dict[int, str]:
        """What each field already said."""
        return {f.number: f.prefilled for f in self.fields}


def end_marker(reference: str, version: int) -> str:
    """The visible line at which a form ends."""
    return f"----- end of form {reference}/{version} -----"


class Place(StrEnum):
    """Where in the reply an answer stood."""

    TOP = "top"  # above the quote
    INLINE = "inline"  # between the quoted lines
    BELOW = "below"  # behind the end of the form


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a reply says to one field."""

    number: int
    value: str
    place: Place


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A field that the reader will not decide by itself; the liaison is asked, with both readings."""

    number: int
    reason: str  # "two_answers" | "parts_disagree"
    candidates: tuple[str, ...]


class Verb(StrEnum):
    """A command at the top of a reply."""

    SEND = "send"
    STOP = "stop"
    NOTE = "note"
    OPEN = "open"
    CALL = "call"  # somebody of a client's telephoned: who, and what they said
    MERGE = "merge"
    SPLIT = "split"
    SENT = "sent"  # "I saw the letter in Sent": settles a letter whose fate is unknown
    RESEND = "resend"
    RESOLVED = "resolved"
    WORKAROUND = "workaround"  # service is back, the cause is not gone
    FAILOVER = "failover"
    UPDATE = "update"  # a word to the client, in between
    LATER = "later"  # what was promised comes later
    ASK = "ask"  # a colleague gets the questions
    ASSIGN = "assign"
    PRIORITY = "priority"
    AUDIENCE = "audience"
    ACTION = "action"  # who will do what by when
    DONE = "done"  # and did it
    WAITING = "waiting"  # for somebody else: the clock stands still
    GO_ON = "go_on"  # what was waited for has come
    STATUS = "status"
    CLOSE = "close"
    REOPEN = "reopen"
    NO_DEBRIEF = "no_debrief"
    PAUSE = "pause"
    RESUME = "resume"
    REPORT = "report"  # how the month was, as a letter to a client
    MAINTENANCE = "maintenance"  # planned work: whose, what, from when to when, and why
    CANCEL = "cancel"  # "that work is off", to the answer that confirmed it
    HELP = "help"
    TAKE = "take"  # it is mine from now on
    AWAY = "away"  # from when to when, and who stands in
    BACK = "back"
    ROW = "row"  # a name or a time behind a row's number; no word of its own


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command as understood, and what stood behind it ("OPEN contoso: upgrade was not announced")."""

    verb: Verb
    argument: str = ""


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """What is to be done with a row of a list ("2 FRIDAY")."""

    number: int
    command: Command


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A reply, understood. `loose` is text without a label above the quote; `notes` could be placed nowhere."""

    commands: tuple[Command, ...] = ()
    near_miss: str = ""  # a first line close to SEND, but not one of its words: asked about, never obeyed
    stop_like: str = ""  # words that could have been meant as STOP: what is on its way is held, since that is safe
    values: Mapping[int, Answer]
    loose: str = ""
    doubts: tuple[Doubt, ...] = ()
    unknown: str = ""  # a line that looks like a command and is none
    nearest: tuple[str, ...] = ()  # the commands that come close to it
    unsure: bool = False  # whether `loose` is all that was typed, and nothing else, is not certain
    notes: tuple[str, ...] = ()
    numbered: tuple[Numbered, ...] = ()  # where no form was answered: what is to be done with a list's rows

    @property
    def empty(self) -> bool:
        """Whether nothing at all was said."""
        wishes = self.commands or self.near_miss or self.stop_like
        return not (wishes or self.values or self.loose or self.doubts or self.notes)

    @property
    def words(self) -> str:
        """Everything that was typed, whatever it was meant for."""
        return "\n\n".join(filter(None, [self.loose, *(a.value for a in self.values.values()), *self.notes]))


@dataclass(frozen=True, kw_only=True)
class Fill:
    """The form's content so far: what was answered, by whom and when."""

    number: int
    value: str
    by: str
    at: datetime
    loose: bool = False  # laid here from text without a number: said so in the preview


def is_unknown(value: str, phrases: Sequence[str]) -> bool:
    """Whether an answer is one of the phrases that say it is not known yet (S1.14)."""
    return " ".join(value.strip(" .!\n").casefold().replace("’", "'").split()) in phrases
