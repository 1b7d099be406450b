"""The words that every room shares (docs/design.md, Vocabularies)."""

from enum import StrEnum


class Kind(StrEnum):
    """What a mail is."""

    ALERT = "alert"
    CLIENT = "client"
    LIAISON = "liaison"
    VENDOR = "vendor"
    OWN = "own"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
    SPAM = "spam"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What one event of an alert mail says about its component."""

    PROBLEM = "problem"
    RECOVERY = "recovery"
    UPDATE = "update"
    INFO = "info"
    TEST = "test"


class Severity(StrEnum):
    """How bad the monitor thinks it is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Class(StrEnum):
    """What sort of trouble it is; policy hangs on this word."""

    OUTAGE = "outage"
    DEGRADED = "degraded"
    WARNING = "warning"
    BACKUP = "backup"
    SECURITY = "security"
    VENDOR = "vendor"
    CLIENT = "client"


class Priority(StrEnum):
    """How soon everything about it is due."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Live(StrEnum):
    """How far client letters may go by themselves; the stricter of the service's and the client's word wins."""

    OFF = "off"  # to the liaison, marked "would have gone to John"
    REVIEW = "review"  # each waits for SEND
    AUTO = "auto"  # acknowledgements by policy, the rest by approval

    def stricter(self, other: "Live") -> "Live":
        """The stricter of the two."""
        order = list(Live)
        return min(self, other, key=order.index)


class Detection(StrEnum):
    """How an incident came to be known (S4.5)."""

    CUSTOMER_CALL = "customer call"
    CUSTOMER_MAIL = "customer mail"
    INTERNAL_MONITOR = "internal monitor"
    EXTERNAL_MONITOR = "external monitor"
    VENDOR = "vendor"
    STAFF = "staff"
