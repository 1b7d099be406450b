"""The contract of Mailroom: folders, places, kept bytes and what became of them."""

import hashlib
from datetime import timedelta

import pytest

from mailflow.domain.incident import IncidentState
from mailflow.domain.letters import LetterState
from mailflow.domain.vocabulary import Kind
from mailflow.engine.mailroom import Decided, LostMailboxError, Place, Unfiled
from mailflow.engine.store import Store
from mailflow.intake.read import read
from mailflow.intake.recipes import Recipes
from tests.adapters.store.builders import DAY, HOUR, NOC, NOON, arrival, folder, kept, opened, put, verdict

MANY = 33_000  # SQLite takes 32,766 values in one statement


class TestFolders:
    def test_a_folder_is_known_by_mailbox_name_and_uidvalidity(self, store: Store) -> None:
        """DESIGN 1.2: the place of a mail is mailbox, folder, uidvalidity and uid."""
        made = folder(store, before=41)
        assert (made.mailbox, made.name, made.uidvalidity, made.before_uid) == (NOC, "INBOX", 7, 41)
        assert (made.since, made.resumed) == (NOON, False)
        assert store.mailroom.find_folder(NOC, "INBOX", 7) == made
        for other in (("other@msp.example", "INBOX", 7), (NOC, "Archive", 7), (NOC, "INBOX", 8)):
            assert store.mailroom.find_folder(*other) is None

    def test_another_uidvalidity_resumes_where_the_first_began(self, store: Store) -> None:
        """DESIGN 1.1: after a reset of uidvalidity the folder is not new: what counts is when it was first seen."""
        first = folder(store)
        with store.transaction():
            again = store.mailroom.add_folder(NOC, "INBOX", 8, before_uid=0, first_new=1, now=NOON + 9 * DAY)
        assert (again.since, again.resumed) == (NOON, True)
        assert store.mailroom.find_folder(NOC, "INBOX", 8) == again
        assert store.mailroom.find_folder(NOC, "INBOX", 7) == first
        assert store.mailroom.first_seen(NOC, "INBOX") == NOON
        assert store.mailroom.first_seen(NOC, "Archive") is None

    def test_the_highest_uid_is_of_what_is_known_or_was_before_our_time(self, store: Store) -> None:
        """DESIGN 1.1: above it lies what is new."""
        inbox, other = folder(store, before=10), folder(store, "Archive")
        assert store.mailroom.highest_uid(inbox.id) == 10
        kept(store, other, arrival(99))
        kept(store, inbox, arrival(12), arrival(11))
        assert store.mailroom.highest_uid(inbox.id) == 12

    def test_mail_before_our_time_is_known_and_nothing_else(self, store: Store) -> None:
        """DESIGN 1.1: what lay there at first sight is not fetched, not filed, not decided; noting it twice is fine."""
        inbox = folder(store, before=10)
        with store.transaction():
            store.mailroom.before_our_time(inbox.id, [3, 11, 13])
            store.mailroom.before_our_time(inbox.id, [13, 12])
        assert store.mailroom.known_uids(inbox.id, 10) == {11, 12, 13}
        assert store.mailroom.known_uids(inbox.id, 11) == {12, 13}
        assert store.mailroom.unfiled(inbox.id) == []
        assert store.mailroom.pending(NOC) == []
        assert store.mailroom.counts() == {}

    def test_a_folder_may_be_large(self, store: Store) -> None:
        """DESIGN 1.1: a folder with more old mails than one statement takes is noted all the same."""
        inbox = folder(store)
        with store.transaction():
            store.mailroom.before_our_time(inbox.id, range(1, MANY + 1))
        assert store.mailroom.highest_uid(inbox.id) == MANY
        assert len(store.mailroom.known_uids(inbox.id, 0)) == MANY


class TestKeeping:
    def test_a_mail_is_kept_as_it_came(self, store: Store) -> None:
        """DESIGN 1.2: raw bytes are committed, byte for byte, before anyone interprets them."""
        raw = bytes(range(256)) * 3
        inbox = folder(store)
        (mail,) = kept(store, inbox, arrival(5, raw))
        (pending,) = store.mailroom.pending(NOC)
        assert (pending.id, pending.mailbox, pending.received_at) == (mail, NOC, NOON)
        assert (pending.state, pending.kind, pending.tries, pending.incident_id) == ("kept", None, 0, None)
        assert pending.hash == hashlib.sha256(raw).hexdigest()
        assert store.mailroom.content(pending.hash) == raw
        assert store.mailroom.inbound(mail) == pending
        assert store.mailroom.inbound(mail + 1) is None
        assert store.mailroom.known_uids(inbox.id, 0) == {5}

    def test_the_same_place_twice_is_one_mail(self, store: Store) -> None:
        """DESIGN 1.2, level one: the same uid of the same folder is kept once."""
        inbox = folder(store)
        assert len(kept(store, inbox, arrival(5), arrival(5))) == 1
        assert kept(store, inbox, arrival(5)) == []
        assert store.mailroom.counts() == {"kept": 1}

    def test_the_same_bytes_elsewhere_are_a_place_and_no_second_decision(self, store: Store) -> None:
        """DESIGN 1.2, level two: after a uidvalidity reset the same delivery is known by its bytes, and still filed."""
        before, after = folder(store), folder(store, uidvalidity=8)
        (mail,) = kept(store, before, arrival(5, b"same"))
        assert kept(store, after, arrival(1, b"same"), arrival(2, b"other")) == [mail + 1]
        assert store.mailroom.known_uids(after.id, 0) == {1, 2}
        with store.transaction():
            store.mailroom.conclude(mail, verdict(), NOON)
        assert [u.uid for u in store.mailroom.unfiled(after.id)] == [1]

    def test_the_same_mail_by_another_alias_is_known_by_its_identity(self, store: Store) -> None:
        """DESIGN 1.2, level three: two deliveries of one mail have one identity, and the decided one is found."""
        first, second, third = kept(store, folder(store), arrival(1), arrival(2), arrival(3))
        assert store.mailroom.same_mail("identity", first) is None
        with store.transaction():
            store.mailroom.conclude(first, verdict(identity="identity"), NOON)
        assert store.mailroom.same_mail("identity", first) is None
        assert store.mailroom.same_mail("identity", second) == first
        assert store.mailroom.same_mail("another", second) is None
        with store.transaction():
            store.mailroom.conclude(second, verdict("ignored", identity="identity"), NOON)
        assert store.mailroom.same_mail("identity", third) == first

    def test_a_mail_that_is_set_aside_is_in_quarantine_at_once(self, store: Store) -> None:
        """DESIGN 1.3: beyond the bounds it is set aside: kept, never pending."""
        (mail,) = kept(store, folder(store), arrival(1, set_aside="larger than 35 MB"))
        assert store.mailroom.pending(NOC) == []
        (quarantined,) = store.mailroom.quarantined()
        assert (quarantined.id, quarantined.reason, quarantined.kind) == (mail, "larger than 35 MB", Kind.UNKNOWN)

    def test_pending_is_each_mailbox_s_own_oldest_first(self, store: Store) -> None:
        """DESIGN 3: a runner for each mailbox; each sees its own mail, in the order in which it was kept."""
        ids = kept(store, folder(store), arrival(9), arrival(3))
        other = kept(store, folder(store, mailbox="help@msp.example"), arrival(1))
        assert [m.id for m in store.mailroom.pending(NOC)] == ids == sorted(ids)
        assert [m.id for m in store.mailroom.pending("help@msp.example")] == other

    def test_one_who_lost_the_mailbox_keeps_nothing(self, store: Store) -> None:
        """DESIGN 2: the fencing epoch: a reader that lost its mailbox without noticing writes nothing."""
        inbox = folder(store)
        epoch = store.control.own_mailbox(NOC)
        assert epoch is not None
        for wrong in (epoch + 1, epoch - 1):
            with pytest.raises(LostMailboxError), store.transaction():
                store.mailroom.keep(inbox.id, [arrival(1)], NOON, wrong)
        assert store.mailroom.known_uids(inbox.id, 0) == set()
        assert store.mailroom.counts() == {}
        with pytest.raises(KeyError):
            store.mailroom.content(arrival(1).hash)


class TestDeciding:
    def test_a_verdict_is_written_whole(self, store: Store) -> None:
        """N.11: what became of a mail, and why; received = processed + ignored + quarantined."""
        incident, _ = opened(store)
        first, second, third, _ = kept(store, folder(store), *(arrival(n) for n in range(1, 5)))
        with store.transaction():
            store.mailroom.conclude(first, verdict(incident_id=incident.id), NOON)
            store.mailroom.conclude(second, verdict("ignored", kind=Kind.AUTO_REPLY, decisions=()), NOON)
            store.mailroom.quarantine(third, "failed 3 times", NOON)
        decided = store.mailroom.inbound(first)
        assert decided is not None
        assert (decided.state, decided.kind, decided.reason) == ("processed", Kind.ALERT, "new-key")
        assert (decided.message_id, decided.author) == ("<1@monitor.example>", "zabbix@msp.example")
        assert (decided.subject, decided.incident_id) == ("Problem: Grüße aus Zürich", incident.id)
        assert store.mailroom.counts() == {"processed": 1, "ignored": 1, "quarantined": 1, "kept": 1}
        assert [m.id for m in store.mailroom.pending(NOC)] == [4]

    def test_whatever_a_mail_says_can_be_recorded(self, store: Store) -> None:
        """DESIGN 1.3: what was read is clean: PostgreSQL takes no NUL in a text, and no database a lone surrogate."""
        raw = (
            b'From: "Jo\x00hn" <j\x00@x.example>\r\nSubject: a\x00b =?utf-8?q?=00=ed=a0=80?=\r\n'
            b"Message-ID: <a\x00@x>\r\nIn-Reply-To: <b\x00@x>\r\n\r\nte\x00xt \xed\xa0\x80\r\n"
        )
        (mail,) = kept(store, folder(store), arrival(1, raw))
        said = read(raw, Recipes())
        author = said.author.address if said.author else ""
        texts = {"subject": said.subject, "author": author, "message_id": said.message_id or ""}
        with store.transaction():
            store.mailroom.conclude(mail, verdict(identity=said.identity, reason=said.new_text, **texts), NOON)
        recorded = store.mailroom.inbound(mail)
        assert recorded is not None
        assert {name: getattr(recorded, name) for name in texts} == texts
        assert recorded.reason == said.new_text

    def test_a_try_is_counted_for_those_that_are_tried(self, store: Store) -> None:
        """DESIGN 1.5: a mail that kills the process is found out by its tries."""
        first, second = kept(store, folder(store), arrival(1), arrival(2))
        with store.transaction():
            store.mailroom.count_try([first])
            store.mailroom.count_try([first, second])
            store.mailroom.count_try([])
        assert [m.tries for m in store.mailroom.pending(NOC)] == [2, 1]

    def test_a_quarantined_mail_gets_a_fresh_start_or_is_discarded(self, store: Store) -> None:
        """DESIGN 1.5: quarantine keeps bytes and reason; only what is in it can be retried or discarded, and once."""
        first, second, third = kept(store, folder(store), arrival(1), arrival(2), arrival(3))
        with store.transaction():
            store.mailroom.count_try([first, second])
            store.mailroom.quarantine(second, "failed 3 times", NOON)
            store.mailroom.quarantine(first, "failed 3 times", NOON)
        assert [(m.id, m.reason) for m in store.mailroom.quarantined()] == [
            (first, "failed 3 times"),
            (second, "failed 3 times"),
        ]
        with store.transaction():
            assert store.mailroom.retry(first)
            assert not store.mailroom.retry(first)
            assert not store.mailroom.retry(third)
            assert not store.mailroom.retry(99)
            assert store.mailroom.discard(second, NOON)
            assert not store.mailroom.discard(second, NOON)
            assert not store.mailroom.discard(third, NOON)
        again = store.mailroom.inbound(first)
        assert again is not None
        assert (again.state, again.tries, again.reason) == ("kept", 0, "")
        discarded = store.mailroom.inbound(second)
        assert discarded is not None
        assert (discarded.state, discarded.reason) == ("ignored", "discarded-by-hand")
        assert store.mailroom.content(discarded.hash)
        assert store.mailroom.counts() == {"kept": 2, "ignored": 1}


class TestFiling:
    def test_decided_mail_is_unfiled_until_it_is_filed(self, store: Store) -> None:
        """DESIGN 1.6: filed only once decided, and what nobody could place is marked as shown."""
        inbox, other = folder(store), folder(store, "Archive")
        decided, shown, pending, aside = kept(store, inbox, *(arrival(n) for n in (11, 12, 13, 14)))
        kept(store, other, arrival(15))
        assert store.mailroom.unfiled(inbox.id) == []
        with store.transaction():
            store.mailroom.conclude(decided, verdict(), NOON)
            decisions = (("Show", "nobody", None), ("Ignore", "test", None))
            store.mailroom.conclude(shown, verdict(kind=Kind.UNKNOWN, decisions=decisions), NOON)
            store.mailroom.quarantine(aside, "failed 3 times", NOON)
        assert pending in [m.id for m in store.mailroom.pending(NOC)]
        assert sorted(store.mailroom.unfiled(inbox.id), key=lambda u: u.uid) == [
            Unfiled(uid=11, kind=Kind.ALERT, state="processed", shown=False),
            Unfiled(uid=12, kind=Kind.UNKNOWN, state="processed", shown=True),
            Unfiled(uid=14, kind=Kind.UNKNOWN, state="quarantined", shown=False),
        ]
        with store.transaction():
            store.mailroom.filed(inbox.id, [11, 14], NOON)
            store.mailroom.filed(inbox.id, [], NOON)
            store.mailroom.filed(other.id, [12], NOON)
        assert [u.uid for u in store.mailroom.unfiled(inbox.id)] == [12]


class TestContent:
    def test_bytes_are_kept_once_under_their_hash(self, store: Store) -> None:
        """DESIGN 2: contents are keyed by SHA-256; nothing, empty and large come back as they were."""
        for raw in (b"", b"\x00\xff", b"x" * 1_000_000):
            with store.transaction():
                name = store.mailroom.put_content(raw, NOON)
                assert store.mailroom.put_content(raw, NOON) == name == hashlib.sha256(raw).hexdigest()
            assert store.mailroom.content(name) == raw
        with pytest.raises(KeyError):
            store.mailroom.content("0" * 64)

    def test_a_content_is_replaced(self, store: Store) -> None:
        """DESIGN 3, tokens: the copy with the tag cut out takes the place of the one with it."""
        with store.transaction():
            old = store.mailroom.put_content(b"with a tag", NOON)
            new = store.mailroom.replace_content(old, b"cut", NOON)
            assert store.mailroom.replace_content(new, b"cut", NOON) == new
        assert store.mailroom.content(new) == b"cut"
        with pytest.raises(KeyError):
            store.mailroom.content(old)


class TestForgetting:
    """DESIGN 2: contents are emptied after keep_raw_days, never under an open incident."""

    def forgotten(self, store: Store, after: timedelta = DAY) -> int:
        with store.transaction():
            return store.mailroom.forget_content(NOON + after)

    def has(self, store: Store, name: str) -> bool:
        try:
            store.mailroom.content(name)
        except KeyError:
            return False
        return True

    def test_what_is_old_and_done_with_goes(self, store: Store) -> None:
        """DESIGN 2: the bytes go when they are older than asked, the record of the mail stays."""
        mail = arrival(1)
        (first,) = kept(store, folder(store), mail)
        with store.transaction():
            store.mailroom.conclude(first, verdict("ignored"), NOON)
        assert self.forgotten(store, timedelta()) == 0
        assert self.has(store, mail.hash)
        assert self.forgotten(store, timedelta(microseconds=1)) == 1
        assert not self.has(store, mail.hash)
        assert store.mailroom.inbound(first) is not None
        assert self.forgotten(store) == 0

    def test_mail_without_a_decision_and_quarantined_mail_stay(self, store: Store) -> None:
        """DESIGN 1.5: what is not decided, or is set aside for a person, keeps its bytes however old it is."""
        waiting, aside = arrival(1), arrival(2, set_aside="too large")
        kept(store, folder(store), waiting, aside)
        assert self.forgotten(store) == 0
        assert self.has(store, waiting.hash)
        assert self.has(store, aside.hash)

    @pytest.mark.parametrize("state", list(IncidentState))
    def test_a_running_incident_keeps_its_mails_and_letters(self, store: Store, state: IncidentState) -> None:
        """DESIGN 2: never under an open incident, nor under one whose debrief is owed."""
        incident, _ = opened(store)
        mail = arrival(1)
        (first,) = kept(store, folder(store), mail)
        letter = put(store, "letter", incident_id=incident.id, state=LetterState.SENT)
        with store.transaction():
            store.mailroom.conclude(first, verdict(incident_id=incident.id), NOON)
            frozen = store.mailroom.put_content(b"frozen", NOON)
            store.outbox.freeze(letter.id, frozen=frozen, message_id="", subject="", recipient=letter.recipient)
            store.records.set_state(incident.id, state, ended_at=None, closed_at=None, why="")
        running = state in (IncidentState.OPEN, IncidentState.RESTORED)
        assert self.forgotten(store) == (0 if running else 2)
        assert self.has(store, mail.hash) is running
        assert self.has(store, frozen) is running

    @pytest.mark.parametrize("state", list(LetterState))
    def test_a_letter_that_may_still_leave_keeps_its_words_and_bytes(self, store: Store, state: LetterState) -> None:
        """DESIGN 1.7: approved words and frozen bytes stay until the letter is sent or dropped."""
        with store.transaction():
            words, frozen = (store.mailroom.put_content(raw, NOON) for raw in (b"words", b"frozen"))
        letter = put(store, "letter", state=state, rendered=words)
        with store.transaction():
            store.outbox.freeze(letter.id, frozen=frozen, message_id="", subject="", recipient=letter.recipient)
        done = state in (LetterState.SENT, LetterState.DROPPED)
        assert self.forgotten(store) == (2 if done else 0)
        assert self.has(store, words) is not done
        assert self.has(store, frozen) is not done

    def test_bytes_that_two_share_stay_for_the_one_that_needs_them(self, store: Store) -> None:
        """DESIGN 2: contents are shared by hash; a sent letter does not take a waiting one's words with it."""
        with store.transaction():
            words = store.mailroom.put_content(b"words", NOON)
        put(store, "sent", state=LetterState.SENT, rendered=words)
        put(store, "waiting", rendered=words)
        assert self.forgotten(store) == 0
        assert self.has(store, words)

    def test_what_is_young_stays(self, store: Store) -> None:
        """DESIGN 2: only what was kept before the time given goes."""
        inbox = folder(store)
        old, young = arrival(1), arrival(2)
        ids = kept(store, inbox, old) + kept(store, inbox, young, now=NOON + HOUR)
        with store.transaction():
            for mail in ids:
                store.mailroom.conclude(mail, verdict(), NOON)
        assert self.forgotten(store, HOUR) == 1
        assert (self.has(store, old.hash), self.has(store, young.hash)) == (False, True)


class TestLookingBack:
    def test_kept_mail_is_gone_through_in_order(self, store: Store) -> None:
        """N.8: page by page, each mail once, whatever became of it."""
        inbox = folder(store)
        first, second, third = kept(store, inbox, arrival(1), arrival(2), arrival(3))
        assert [mail.id for mail in store.mailroom.after(0, 2)] == [first, second]
        assert [mail.id for mail in store.mailroom.after(second, 2)] == [third]
        assert store.mailroom.after(third, 2) == []

    def test_decisions_are_told_as_they_were_made(self, store: Store) -> None:
        """N.11: each decision with its reason, its incident and its time, in order; of those mails alone."""
        inbox = folder(store)
        first, second, third = kept(store, inbox, arrival(1), arrival(2), arrival(3))
        incident, _ = opened(store)
        two = (("OpenFromAlert", "new-key", incident.id), ("Ignore", "event-is-info", None))
        with store.transaction():
            store.mailroom.conclude(second, verdict(decisions=two), NOON + HOUR)
            store.mailroom.conclude(first, verdict(decisions=(("Show", "no-recipe", None),)), NOON)
            store.mailroom.conclude(third, verdict(), NOON)
        assert store.mailroom.decisions_of([second]) == [
            Decided(inbound_id=second, action=action, reason=reason, incident_id=about, at=NOON + HOUR)
            for action, reason, about in two
        ]
        assert [made.inbound_id for made in store.mailroom.decisions_of([first, second])] == [second, second, first]
        assert store.mailroom.decisions_of([]) == []

    def test_a_mail_is_found_by_its_message_id(self, store: Store) -> None:
        """N.11: every delivery that was decided under this Message-ID, oldest first; the brackets count."""
        inbox = folder(store)
        first, second, third = kept(store, inbox, arrival(1), arrival(2), arrival(3))
        with store.transaction():
            for mail in (second, first):
                store.mailroom.conclude(mail, verdict(message_id="<same@x.example>"), NOON)
            store.mailroom.conclude(third, verdict(message_id="<other@x.example>"), NOON)
        assert [mail.id for mail in store.mailroom.named("<same@x.example>")] == [first, second]
        assert store.mailroom.named("same@x.example") == []

    def test_the_places_of_a_delivery_are_told(self, store: Store) -> None:
        """N.11: each folder it lies in, and when it was filed there; None where it still is to be."""
        inbox, other = folder(store), folder(store, "Archive")
        (mail,) = kept(store, inbox, arrival(4))
        assert kept(store, other, arrival(9, b"Subject: mail 4\r\n\r\nHello\r\n")) == []
        with store.transaction():
            store.mailroom.filed(inbox.id, [4], NOON + HOUR)
        assert store.mailroom.places_of(mail) == [
            Place(mailbox=NOC, folder="INBOX", uid=4, filed_at=NOON + HOUR),
            Place(mailbox=NOC, folder="Archive", uid=9, filed_at=None),
        ]
        assert store.mailroom.places_of(mail + 1) == []
