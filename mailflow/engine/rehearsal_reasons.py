"""Decisions and their named reasons as plain sentences, for a person who asks why.

Reasons are many and grow with the rules. One that has no sentence here is shown as it is named, which is English too.
"""

import re

# What was done, by the decision's name.
ACTIONS = {
    "AnswersLife": "answers to letters that were sent in life, left out",
    "Announce": "took planned work that a liaison announced",
    "Bounced": "a letter of ours came back",
    "CallOff": "called planned work off",
    "ClientSaid": "a client's words, kept on the running incident and shown to the liaison",
    "Confirm": "asked the listed address whether that was really them",
    "Fill": "took a liaison's answers",
    "Gather": "gathered into one incident with others of its kind",
    "Ignore": "left alone",
    "Join": "joined a running incident",
    "Mute": "recorded in silence",
    "Noted": "noted on the incident's timeline",
    "Obey": "obeyed a liaison's command",
    "OpenFromAlert": "opened an incident",
    "OpenFromClient": "opened an incident for a client who wrote",
    "OpenFromStaff": "opened an incident that a liaison asked for",
    "Place": "placed by a liaison",
    "Proved": "a copy of our own letter",
    "Recover": "trouble is over",
    "Refuse": "refused as forged",
    "RefuseSend": "a SEND that published nothing",
    "Relapse": "the same trouble again",
    "Relay": "a liaison's answer to a client",
    "Release": "a liaison's SEND",
    "Reword": "put a liaison's words into a report",
    "Show": "shown to a liaison, because nobody could place it",
    "Wait": "waits",
}

REASONS = {
    # decisions over a mail
    "a-storm": "Several of a kind fell ill in so short a time that they are one incident.",
    "alert-in-a-persons-words": "A recipe fits its words, but a person wrote it, or it answers a letter of ours.",
    "alert-of-a-forged-sender": "The mailbox's provider says that somebody else sent this alert.",
    "alert-of-no-client": "No client is configured whose name, host or address stands in this alert.",
    "alert-of-two-clients": "More than one client is configured for what this alert names.",
    "answer-without-command": "An answer to one of our own notes that asks for nothing.",
    "answers": "A liaison answered one of our letters.",
    "answers-client": "A liaison answered the mail that showed her a client's words.",
    "answers-our-letter": "It answers a letter of ours about this incident.",
    "bounce-not-final": "A delivery report that is not final: the letter is still on its way.",
    "bounce-of-no-letter-of-ours": "A delivery report about a letter that we did not send.",
    "bounced": "The letter could not be delivered.",
    "client-has-a-running-incident": "The client has an incident running, which this is taken to be about.",
    "colleague-answers": "A colleague answered what a liaison asked.",
    "colleague-wrote": "A colleague wrote, who may not publish; a liaison was shown it.",
    "discarded-by-hand": "A person left it alone.",
    "expected": "Mail that should have come did not.",
    "found-in-sent": "The letter was found among those that were sent.",
    "from-our-own-address": "It carries our own mailbox's address as its sender.",
    "in-a-maintenance-window": "Maintenance was announced for this time.",
    "liaison-announces": "A liaison announced planned work.",
    "liaison-calls-off": "A liaison called planned work off.",
    "liaison-opens": "A liaison asked for an incident.",
    "liaison-places": "A liaison said whose it is.",
    "like-stop": "A liaison seems to want that nothing goes out, which is done at once.",
    "names-no-client": "An answer to a mail that nobody could place, which names no client.",
    "names-its-incident": "It names an incident of its own client's.",
    "new-from-client": "A client wrote, and nothing is running that it could be about.",
    "new-key": "Trouble that is not known yet.",
    "no-recipe": "No recipe knows such a mail.",
    "not-authenticated": "It says that one of ours wrote it, and nothing proves that.",
    "objected-to": "SEND to a draft that cannot leave as it stands.",
    "older-than-its-recovery": "It is older than the recovery that is known already.",
    "older-than-the-trouble": "It is older than the trouble that it says is over.",
    "out-of-office": "An out-of-office reply.",
    "overtaken-by-its-recovery": "Its recovery came first, so that it was over already.",
    "own-copy": "A copy of a letter of ours: the letter was accepted.",
    "part-of-a-storm": "One more of a kind that has gone into one incident already.",
    "preview-of-another-person": "The preview that it answers was another person's.",
    "recipe-without-key": "A recipe knows this tool, and cannot tell what the mail is about.",
    "recovery-of-nothing-open": "It says that something is over of which no trouble is open.",
    "recovery-of-open-incident": "The monitor says that it is over.",
    "recovery-waits-for-its-problem": "A recovery before its problem: it is remembered for a while.",
    "same-key-again": "The same trouble was reported once more.",
    "same-key-soon-after-its-end": "The same trouble again, soon after its end.",
    "same-thing-again": "The same thing is reported in trouble once more.",
    "same-thing-soon-after-its-end": "The same thing is in trouble again, soon after the end of the last.",
    "send": "A liaison answered SEND to the current preview.",
    "send-to-no-preview": "SEND to something that is no preview.",
    "send-with-more": "SEND with other words beside it.",
    "send-without-preview": "SEND without a preview.",
    "sender-of-two-clients": "The sender's address belongs to more than one client.",
    "staff-mail-without-command": "One of ours wrote, and nothing in it is a command or an answer.",
    "superseded": "A newer version has taken its place.",
    "tag-is-not-genuine": "Its reference to a letter of ours was never given out, or too long ago.",
    "tag-of-another-client": "It answers a letter that went to another client.",
    "tag-of-ours-from-a-stranger": "A stranger answers a letter of ours: it was forwarded.",
    "thanks": "The client says thanks, and nothing more.",
    "thanks-for-nothing-open": "The client says thanks, and nothing is open.",
    "unknown-command": "It looks like a command, and is none that is known.",
    "unreadable": "It could not be read.",
    "update-of-nothing-open": "News of something that is not open.",
    "update-of-running-incident": "News of a running incident.",
    "vendor-of-no-client": "A vendor's trouble, and no client is configured who uses that service.",
    "with-send": "A liaison answered, and said SEND in the same breath.",
    "with-stop": "A liaison answered, and said STOP in the same breath.",
    # why nobody answers a mail (RFC 3834)
    "auto-replied": "An answering machine's words (Auto-Submitted).",
    "auto-response-suppress": "Its sender asks machines not to answer (X-Auto-Response-Suppress).",
    "auto-submitted": "A machine sent it (Auto-Submitted).",
    "mailing-list": "A mailing list sent it.",
    "no-reply-address": "Its sender's address takes no answers.",
    "null-return-path": "A machine sent it: it has no return path.",
    "out-of-office-null-return-path": "An out-of-office reply.",
    "out-of-office-subject": "An out-of-office reply.",
    "precedence": "It was sent in bulk (Precedence).",
    "precedence-auto-reply": "An answering machine's words (Precedence).",
    "read-receipt": "A read receipt.",
    "report": "A report of a mail server.",
    "x-autoreply": "An answering machine's words (X-Autoreply).",
    "x-autorespond": "An answering machine's words (X-Autorespond).",
    # what a letter waits for, or why it did not go
    "account": "The mailbox's account could not send.",
    "cap-address-hour": "One too many to this address in an hour.",
    "cap-contact-and-incident": "One too many to this person about this incident.",
    "cap-domain-hour": "One too many to this domain in an hour.",
    "cap-overall-hour": "One too many to all clients together in an hour.",
    "cap-sender-2h": "One too many to this sender in two hours.",
    "cap-staff-hour": "One too many to one of ours in an hour: it comes later.",
    "live-off": 'live is "off": it went to the liaison instead.',
    "live-review": 'live is "review": it waits for SEND.',
    "merged": "Its incident became one with another, whose letter says it.",
    "no-debrief": "A liaison decided that no debrief is owed.",
    "over-before-it-left": "It was over before the letter left, and nobody had been told.",
    "paused": "All mail to clients is paused.",
    "stale": "It would have been old news by the time it left.",
    "template": "Its template could not be filled in.",
    "waits-for-send": "It waits for a liaison's SEND.",
}

# Reasons that carry a value: the value goes into the sentence.
PATTERNS = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (r"same-mail-as-(\d+)", "The same mail as mail {0}, come by another way."),
        (r"event-is-info", "The monitor only informs."),
        (r"event-is-test", "The monitor only tries whether its mail arrives."),
        (r"event-is-(.+)", "The monitor reports {0}, which opens nothing."),
        (r"command-(.+)", "A liaison wrote {0}."),
        (r"approved-by-(.+)", "{0} approved it."),
        (r"stopped-by-(.+)", "{0} stopped it."),
        (r"recipe-(.+)", "The recipe {0} knows it, and cannot tell what it is about."),
        (r"failed (\d+) times", "It could not be processed, {0} times over."),
    )
)


def done(action: str) -> str:
    """What a decision did, in words."""
    return ACTIONS.get(action, action)


def sentence(reason: str) -> str:
    """Why, as a sentence; a reason that has none is shown as it is named."""
    if known := REASONS.get(reason):
        return known
    for pattern, words in PATTERNS:
        if found := pattern.fullmatch(reason):
            return words.format(*found.groups())
    return reason
