"""`[policy]`: who is told, when, how soon everything is due. Every default is the domain's own."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from mailflow.config.notation import ClockTime, Count, Duration, FormField, MailAddress, PositiveDuration
from mailflow.config.table import Faults, Table
from mailflow.domain.form import BY_NAME, BY_NUMBER
from mailflow.domain.policy import Acknowledge, Policy
from mailflow.domain.vocabulary import Class, Priority

DEFAULTS = Policy()
ALWAYS_ASKED = (BY_NAME["problem"].number, BY_NAME["steps"].number)  # a debrief is made of these two (S0.8)
StormCount = Annotated[StrictInt, Field(ge=1, le=1000)]  # 1 is never; more alerts than 1000 no storm here has had


class CapsSection(Table):
    """`[policy.caps]`: see domain.policy.Caps."""

    per_contact_and_incident: Count = DEFAULTS.caps.per_contact_and_incident
    per_address_hour: Count = DEFAULTS.caps.per_address_hour
    answers_per_sender_2h: Count = DEFAULTS.caps.answers_per_sender_2h
    per_domain_hour: Count = DEFAULTS.caps.per_domain_hour
    overall_hour: Count = DEFAULTS.caps.overall_hour
    staff_hour: Count = DEFAULTS.caps.staff_hour


class PolicySection(Table):
    """`[policy]`: see domain.policy.Policy. Tables may be given in part; the rest keeps its default."""

    acknowledge: Mapping[Class, Acknowledge] = Field(default_factory=dict)
    settle: Duration = DEFAULTS.settle
    rest: Duration = DEFAULTS.rest
    stale_after: PositiveDuration = DEFAULTS.stale_after
    form_after: Duration = DEFAULTS.form_after
    form_before_due: PositiveDuration = DEFAULTS.form_before_due
    reopen_within: Duration = DEFAULTS.reopen_within
    storm_count: StormCount = DEFAULTS.storm_count
    storm_within: PositiveDuration = DEFAULTS.storm_within
    helpdesk: MailAddress | None = None
    debrief_within: Mapping[Priority, PositiveDuration] = Field(default_factory=dict)
    day_ends: ClockTime = DEFAULTS.day_ends
    form_fields: tuple[FormField, ...] = DEFAULTS.form_fields
    required_fields: tuple[FormField, ...] = DEFAULTS.required_fields
    caps: CapsSection = CapsSection()

    @property
    def debriefs(self) -> dict[Priority, timedelta]:
        """How soon each priority's debrief is due, with the defaults filled in."""
        return {**DEFAULTS.debrief_within, **self.debrief_within}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        """What the durations and the fields say together."""
        faults = []
        if self.stale_after <= self.settle + self.rest:
            why = "shorter than `settle` and `rest` together, so every letter would be held"
            faults.append(("stale_after", f"{why}; make it longer"))
        for priority, within in self.debriefs.items():
            if within <= self.form_before_due:
                why = "no longer than `form_before_due`, so the form would be due before the trouble began"
                faults.append((f"debrief_within.{priority}", f"{why}; make it longer"))
        for key in ("form_fields", "required_fields"):
            numbers: tuple[int, ...] = getattr(self, key)
            for number in sorted({n for n in numbers if numbers.count(n) > 1}):
                faults.append((key, f"`{BY_NUMBER[number].name}` is listed twice; keep one"))
        for number in ALWAYS_ASKED:
            if number not in self.form_fields:
                why = f"`{BY_NUMBER[number].name}` is left out, and a debrief is made of it"
                faults.append(("form_fields", f"{why}; add it"))
        for number in dict.fromkeys(self.required_fields):
            if number not in self.form_fields and number not in ALWAYS_ASKED:
                why = f"`{BY_NUMBER[number].name}` is required but not asked"
                faults.append(("required_fields", f"{why}; add it to `form_fields` or remove it here"))
        if faults:
            raise Faults(*faults)
        return self
