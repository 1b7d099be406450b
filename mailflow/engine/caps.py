"""The caps: how many letters that nobody approved may leave before somebody must look. Loops end here at the latest."""

from datetime import UTC, datetime, timedelta

from mailflow.domain.letters import Letter, LetterKind
from mailflow.domain.policy import Caps
from mailflow.engine.store import Store

HOUR = timedelta(hours=1)
# The warnings about caps themselves; each goes out once an hour at most.
PAGES = {"capped", "capped_staff"}
BY_STRANGERS = {LetterKind.SHOWN, LetterKind.CONFIRM}
EVER = datetime(2000, 1, 1, tzinfo=UTC)


def tripped(store: Store, caps: Caps, letter: Letter, now: datetime) -> str:
    """The named reason why this letter would be one too many, empty where it would not."""
    if letter.approved:
        return ""
    address, outbox = letter.recipient.address, store.outbox
    if not letter.kind.to_client:
        # A warning that a cap has tripped must get through, or nobody ever looks.
        headline = letter.facts.get("headline")
        exempt = letter.kind is LetterKind.NOTICE and isinstance(headline, list) and headline[0] in PAGES
        # What anybody on the internet can cause has half of the hour; forms and previews have all of it.
        limit = (caps.staff_hour + 1) // 2 if letter.kind in BY_STRANGERS else caps.staff_hour
        return "" if exempt or outbox.count_staff(address, now - HOUR) < limit else "cap-staff-hour"
    counted = (
        (
            "cap-contact-and-incident",
            caps.per_contact_and_incident,
            {"since": EVER, "address": address, "incident_id": letter.incident_id or 0},
        ),
        ("cap-address-hour", caps.per_address_hour, {"since": now - HOUR, "address": address}),
        ("cap-sender-2h", caps.answers_per_sender_2h, {"since": now - 2 * HOUR, "address": address}),
        ("cap-domain-hour", caps.per_domain_hour, {"since": now - HOUR, "domain": letter.recipient.domain}),
        ("cap-overall-hour", caps.overall_hour, {"since": now - HOUR}),
    )
    return next((name for name, limit, what in counted if outbox.count_unapproved(**what) >= limit), "")
