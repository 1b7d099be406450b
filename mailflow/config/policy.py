"""`[policy]`: who is told, when, how soon everything is due. Every default is the domain's own."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, model_validator

from mailflow.config.notation import (
    ClockTime,
    Count,
    Duration,
    FormField,
    MailAddress,
    Offset,
    OneLine,
    PositiveDuration,
    Promised,
    Span,
)
from mailflow.config.table import Faults, Table
from mailflow.domain.form import BY_NAME, BY_NUMBER
from mailflow.domain.policy import REMINDERS, Acknowledge, MonthlyReport, Policy, Questions, Reminder, Tier
from mailflow.domain.vocabulary import Class, Priority
from mailflow.domain.worktime import Within

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


class FormSection(Table):
    """`[policy.form.P1]`: what the form asks for trouble of one priority, instead of what it asks for all."""

    fields: tuple[FormField, ...] = DEFAULTS.form.asked
    required: tuple[FormField, ...] = DEFAULTS.form.required


class ReminderEntry(Table):
    """`[[policy.reminder]]`: one step of reminding of what a client was promised."""

    name: OneLine = Field(description="its own word on the timeline")
    after: Offset = Field(description='how long after the due time, or before it: "4h", "-2h"')
    to: Literal["liaison", "manager", "administrator"] = Field(description="who hears of it")


class TierSection(Table):
    """`[policy.tier.gold]`: what clients of a tier are promised beyond what all are."""

    acknowledge_within: Mapping[Priority, Promised] = Field(default_factory=dict)
    debrief_within: Mapping[Priority, Promised] = Field(default_factory=dict)
    call_within: Mapping[Priority, Promised] = Field(default_factory=dict)


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
    acknowledge_within: Mapping[Priority, Promised] = Field(default_factory=dict)
    debrief_within: Mapping[Priority, Promised] = Field(default_factory=dict)
    tier: Mapping[OneLine, TierSection] = Field(default_factory=dict)
    review_within: Mapping[Priority, Promised] = Field(default_factory=dict)
    day_ends: ClockTime = DEFAULTS.day_ends
    form_fields: tuple[FormField, ...] = DEFAULTS.form.asked
    required_fields: tuple[FormField, ...] = DEFAULTS.form.required
    form: Mapping[Priority, FormSection] = Field(default_factory=dict)
    two_approvals: tuple[Priority, ...] = ()
    managed: tuple[Priority, ...] = ()
    update_within: Promised = DEFAULTS.update_within
    reminder: tuple[ReminderEntry, ...] | None = None
    quiet: Span = DEFAULTS.quiet
    status_after: Duration = DEFAULTS.status_after
    untold_after: Duration = DEFAULTS.untold_after
    monthly_report: MonthlyReport = DEFAULTS.monthly_report
    caps: CapsSection = CapsSection()

    @property
    def debriefs(self) -> dict[Priority, Within]:
        """How soon each priority's debrief is due, with the defaults filled in."""
        return {**DEFAULTS.debrief_within, **self.debrief_within}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        """What the durations and the fields say together."""
        faults = []
        if self.stale_after <= self.settle + self.rest:
            why = "shorter than `settle` and `rest` together, so every letter would be held"
            faults.append(("stale_after", f"{why}; make it longer"))
        debriefs = {f"debrief_within.{priority}": within for priority, within in self.debriefs.items()}
        for name, tier in self.tier.items():
            debriefs |= {f"tier.{name}.debrief_within.{p}": within for p, within in tier.debrief_within.items()}
        for key, within in debriefs.items():
            if within.length <= self.form_before_due:
                why = "no longer than `form_before_due`, so the form would be due before the trouble began"
                faults.append((key, f"{why}; make it longer"))
        faults += _form_faults("form_fields", self.form_fields, "required_fields", self.required_fields)
        for priority, form in self.form.items():
            at = f"form.{priority}"
            faults += _form_faults(f"{at}.fields", form.fields, f"{at}.required", form.required)
        names = [one.name for one in self.reminder or ()]
        for name in sorted({n for n in names if names.count(n) > 1}):
            faults.append(("reminder", f"`{name}` is the name of two; rename one"))
        if faults:
            raise Faults(*faults)
        return self

    @property
    def tiers(self) -> dict[str, Tier]:
        """By name, as clients' tiers are compared."""
        return {
            name.casefold(): Tier(
                acknowledge_within=one.acknowledge_within,
                debrief_within=one.debrief_within,
                call_within=one.call_within,
            )
            for name, one in self.tier.items()
        }

    @property
    def reminders(self) -> tuple[Reminder, ...]:
        """The steps, earliest first."""
        if self.reminder is None:
            return REMINDERS
        steps = [Reminder(name=one.name, after=one.after, to=one.to) for one in self.reminder]
        return tuple(sorted(steps, key=lambda step: step.after))

    @property
    def questions(self) -> Questions:
        """What the form asks where a priority has none of its own."""
        return Questions(asked=self.form_fields, required=self.required_fields)

    @property
    def forms(self) -> dict[Priority, Questions]:
        """What it asks for the priorities that have one."""
        return {p: Questions(asked=form.fields, required=form.required) for p, form in self.form.items()}


def _form_faults(
    asked_key: str, asked: tuple[int, ...], required_key: str, required: tuple[int, ...]
) -> list[tuple[str, str]]:
    """What is wrong with one form: a question twice, one left out that a debrief needs, one required but not asked."""
    faults = []
    for key, numbers in ((asked_key, asked), (required_key, required)):
        for number in sorted({n for n in numbers if numbers.count(n) > 1}):
            faults.append((key, f"`{BY_NUMBER[number].name}` is listed twice; keep one"))
    for number in ALWAYS_ASKED:
        if number not in asked:
            why = f"`{BY_NUMBER[number].name}` is left out, and a debrief is made of it"
            faults.append((asked_key, f"{why}; add it"))
    for number in dict.fromkeys(required):
        if number not in asked and number not in ALWAYS_ASKED:
            why = f"`{BY_NUMBER[number].name}` is required but not asked"
            faults.append((required_key, f"{why}; add it to `{asked_key}` or remove it here"))
    return faults
