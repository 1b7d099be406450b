"""The contacts of one client: those in a spreadsheet against those configured.

A contact is known by the address; where one of that name has got another address, the address has changed. The sheet
decides who wants letters, if it has a column for that. A first name that stands in the configuration is kept, since a
person may have put it there; a doubtful name from the sheet replaces nothing, and never gets anybody a letter.
"""

from collections.abc import Mapping, Sequence

from mailflow.config.changes import Change, Notes, What
from mailflow.config.importing import SheetClient, SheetContact
from mailflow.config.notation import shown
from mailflow.domain.people import Wants

Raw = Mapping[str, object]


class ContactDifferences:
    """Compares at once; `after` holds each contact as it would be, with its place among those before."""

    def __init__(self, client: SheetClient, key: str, before: Sequence[Raw], notes: Notes, *, remove: bool) -> None:
        self.after: list[tuple[int | None, dict[str, object]]] = []
        self.comments: dict[str, str] = {}  # by address, of new contacts whose letters are held
        self._client = client
        self._key = key
        self._before = before
        self._notes = notes
        self._compare(remove=remove)

    def _compare(self, *, remove: bool) -> None:
        at = {_address(raw): place for place, raw in enumerate(self._before)}
        new = [contact for contact in self._client.contacts if contact.address not in at]
        meant = {at[contact.address]: contact for contact in self._client.contacts if contact.address in at}
        moved = self._moved(new, meant)
        for place, raw in enumerate(self._before):
            contact = meant.get(place) or moved.get(place)
            if contact:
                self.after.append((place, self._updated(raw, contact)))
            elif not self._missing(raw, remove=remove):
                self.after.append((place, dict(raw)))
        for contact in new:
            if contact not in moved.values():
                self.after.append((None, self._added(contact)))

    def _moved(self, new: Sequence[SheetContact], meant: Mapping[int, SheetContact]) -> dict[int, SheetContact]:
        """Who has another address now, by place: one of that name has gone from the sheet, and one has come."""
        moved: dict[int, SheetContact] = {}
        for contact in new:
            name = contact.name.casefold()
            gone = [p for p, raw in enumerate(self._before) if p not in meant and _text(raw, "name").casefold() == name]
            if len(gone) == 1 and [one.name.casefold() for one in new].count(name) == 1:
                moved[gone[0]] = contact
        return moved

    def _missing(self, raw: Raw, *, remove: bool) -> bool:
        """Tell about a contact whom the sheet does not have, and whether it goes."""
        if not (self._client.contacts or self._client.gone):  # the sheet has no contacts of this client at all
            return False
        why = "inactive in the sheet" if _address(raw) in self._client.gone else "not in the sheet"
        detail = why if remove else f"{why}; --remove takes it out"
        self._change(What.REMOVED if remove else What.KEPT, raw, detail)
        return remove

    def _added(self, contact: SheetContact) -> dict[str, object]:
        wants = contact.wants or Wants.NOTHING
        if wants is not Wants.NOTHING and not contact.first_name:
            self.comments[contact.address] = f'{contact.doubt}. Write first_name, then wants = "{wants}".'
            self._doubt(contact, wants)
            wants = Wants.NOTHING
        written = {
            "name": contact.name,
            "first_name": contact.first_name,
            "address": contact.address,
            "role": contact.role,
            "wants": wants.value,
        }
        raw: dict[str, object] = {key: value for key, value in written.items() if value}
        self._change(What.ADDED, raw, f"wants {wants}")
        return raw

    def _updated(self, old: Raw, contact: SheetContact) -> dict[str, object]:
        raw = dict(old)
        if _address(old) != contact.address:
            raw["address"] = contact.address
            self._change(What.ADDRESS, raw, f"was {_address(old)}")
        self._name(old, raw, contact)
        if contact.role and contact.role != _text(old, "role"):
            raw["role"] = contact.role
            self._change(What.ROLE, raw, contact.role)
        if contact.wants is not None:
            wants, was = contact.wants, _text(old, "wants") or Wants.NOTHING.value
            if wants is not Wants.NOTHING and not raw.get("first_name"):
                self._doubt(contact, wants)
                wants = Wants.NOTHING
            if wants.value != was:
                raw["wants"] = wants.value
                self._change(What.WANTS, raw, f"{was} → {wants}")
        return raw

    def _name(self, old: Raw, raw: dict[str, object], contact: SheetContact) -> None:
        """Take over a name that is certain; what the person is called stays, unless it is another person."""
        if contact.doubt:
            return
        before, first = _text(old, "name"), _text(old, "first_name")
        if before.casefold() != contact.name.casefold():
            raw["name"] = contact.name
            if before.casefold().split()[:1] != contact.name.casefold().split()[:1] or not first:
                raw["first_name"] = contact.first_name
            self._change(What.NAME, raw, f"was {before}")
        elif not first:
            raw["first_name"] = contact.first_name
            self._change(What.NAME, raw, f"first name {contact.first_name}")

    def _doubt(self, contact: SheetContact, wants: Wants) -> None:
        todo = f'write first_name in the entry of `{self._key}`, then wants = "{wants}"'
        text = f"row {contact.row}: {shown(contact.name)} <{contact.address}> is marked, but letters are held"
        self._notes.doubts.append(f"{text}: {contact.doubt}; {todo}")

    def _change(self, what: What, raw: Raw, detail: str) -> None:
        contact = f"{_text(raw, 'name')} <{_address(raw)}>"
        self._notes.changes.append(Change(client=self._key, what=what, contact=contact, detail=detail))


def _text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return value.strip() if isinstance(value, str) else ""


def _address(raw: Raw) -> str:
    return _text(raw, "address").lower()
