"""What clients' words amount to: thanks, requests for something else, trouble (S3.9), by the shipped words."""

import time
import tomllib
from pathlib import Path

import pytest

from mailflow.config.shipped import shipped
from mailflow.domain.mail import Gist, Reading
from mailflow.domain.people import Address
from mailflow.domain.vocabulary import Kind
from mailflow.intake.gist import client_words, gist
from mailflow.intake.quoting import new_and_quoted, plain_lines
from mailflow.intake.read import read
from mailflow.intake.recipes import parse_recipes

MAILS = Path(__file__).parent.parent / "fixtures" / "client_mails"
TABLE = tomllib.loads((shipped("templates") / "letters/en/words.toml").read_text("utf-8"))
WORDS = client_words(TABLE["client"], TABLE["command"]["closings"])
QUOTE = "\n\nOn Tue, Nov 24, 2026 at 10:02 AM Valery <help@msp.example> wrote:\n> Your server is down.\n> Thank you.\n"
SIGNED = "\n\nKind regards,\nAnn Lee\nOffice Manager | Northwind Ltd\nT +44 20 5550 0100\nwww.northwind.example"
SMALL_PRINT = (
    "\n\nThis e-mail is confidential. If it does not work for you or you are not the intended recipient, please delete "
    "it. Can you think of the environment? We cannot access mail that was lost.\n"
)


def told(text: str, subject: str = "Re: File server restarted", **parts: str | None) -> Gist:
    """The gist of a client's plain text."""
    lines = plain_lines(text)
    return gist(
        Reading(
            message_id=None,
            author=Address(name="Ann Lee", address="ann.lee@northwind.example"),
            subject=subject,
            kind=Kind.UNKNOWN,
            rule="no-recipe",
            identity="1",
            plain=lines,
            new_text=new_and_quoted(lines)[0],
            in_reply_to=parts.get("in_reply_to"),
        ),
        WORDS,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Thanks",
        "thanks!",
        "Thanks Valery, much appreciated!",
        "THANKS",
        "Great, thank you. Have a nice weekend",
        "ok",
        "OK, thanks",
        "Ok Valery",
        "👍",
        "👍🏽",
        "Thanks! 👍",
        "thanks👍👍",
        "🙏 thank you 😊",
        "Perfect, all working again, thanks",
        "Hi Valery,\n\nThank you for the quick update.\n\nAnn",
        "Hi Valery,\n\nGreat job, thanks a lot!\n\nKind regards,\nAnn Lee\nOffice Manager",
        "Thank you so much for your help, Valery & Paul",
        "Thanks for letting us know.",
        "Thanks for keeping me informed, have a good evening!",
        "Thank you for taking care of this so quickly.",
        "Many thanks\nAnn",
        "Cheers Valery",
        "Much appreciated.",
        "Noted, thank you.",
        "Understood. Thanks for the clear explanation!",
        "Brilliant, well done everyone!",
        "It works again, thank you!",
        "Everything is back up and running. Thanks!",
        "All good now 🙂",
        "That's great news, thanks :-)",
        "No worries, thanks for the heads-up.",
        "Thx",
        "Ta",
        "Received with thanks",
        "We appreciate the quick response.",
        "Thank you, looking forward to your report.",
        "Thanks, will let the team know.",
        "Thanks in advance",
        "Valery, thank you!",
        "Thanks,\n\nAnn\n\nSent from my iPhone",
        "Thanks Valery" + QUOTE,
        "Thank you very much!" + SIGNED + SMALL_PRINT + QUOTE,
        "Great, thanks." + SIGNED + QUOTE,
        "Thanks!\n\n-- \nAnn Lee\nNorthwind: when nothing works, call us",
        "CAUTION: This email came from outside the organization.\n\nThanks!",
        "Bedankt!",
        "Dank je wel voor de snelle reactie, fijn weekend!",
        "Top, bedankt Valery",
        "Hartelijk dank voor jullie hulp.\n\nMet vriendelijke groet,\nJoost de Wit",
        "Super, alles werkt weer. Bedankt!",
        "Prima, dank u wel",
        "Oké, duidelijk",
        "Danke!",
        "Vielen Dank für die schnelle Hilfe!",
        "Herzlichen Dank, schönes Wochenende\n\nMit freundlichen Grüßen\nUte Klein",
        "Alles klar, danke Ihnen",
        "Super, läuft wieder. Danke euch!",
        "Perfekt, vielen Dank Frau Meyer!",
        "Merci beaucoup !",
        "Gracias",
        "Спасибо!",
        "Lovely, thanks for sorting that so quickly!",
        "Thank you both, really appreciate it",
        "Thanks for the update Paul. Speak soon.",
        "That's brilliant, thank you Valery. Enjoy your weekend!",
        "Hi Valery, thanks for your message. All is working fine now. Regards, Ann",
        "Ok great",
        "Super thanks",
        "Thanks, you're a star!",
        "Great stuff, thanks",
        "Yay! Thank you!",
        "Good to know, thanks.",
        "Thanks for coming back to us so quickly",
        "Dank voor de snelle oplossing!",
        "Fijn, dank je",
        "Danke für die Info",
        "Besten Dank für Ihre Bemühungen",
        "Alles wieder gut, danke!",
        "I can confirm it works again. Thanks!",
        "Thanks for your patience with us",
        "Got it, thanks for the explanation",
        "Thank you, that was quick.",
        "ok 👍 thx",
        "You guys are the best",
        "Awesome, thanks team!",
    ],
)
def test_thanks(text: str) -> None:
    """S3.9: a mail of nothing but thanks, an acknowledgement or a pleasantry is thanks, in any common language."""
    assert told(text) == Gist(thanks=True, request="", trouble=False)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, but it is still down",
        "thank you for looking into it, when will it be back?",
        "No thanks to you",
        "No thanks",
        "No, thanks",
        "Thanks for nothing",
        "Thanks a lot, we lost a whole day",
        "Great. Just great. Third time this week.",
        "Wonderful, it went down again. Thanks",
        "Oh great, thanks, now nothing works at all",
        "Thanks to your patch nobody can print",
        "Yes please",
        "Yes, thank you",
        "Ja, graag. Bedankt",
        "Nein, danke",
        "ok?",
        "All good now?",
        "Thanks. Is it working?",
        "Thanks, please call me",
        "Thanks\nplease call me on 0123",
        "Thanks\nStill down",
        "Thanks,\nAnn\n\nPS the phones are dead as well",
        "Thanks,\nAnn\n\nThe printers don't work yet by the way",
        "Thank you. We expect a report by Friday.",
        "Thanks, I will talk to our lawyer",
        "Thanks. Go ahead with the restart at five.",
        "It is not ok",
        "Not good",
        "👎",
        "😡 thanks",
        "Thanks, the invoice is attached",
        "ok but only after six",
        "Thanks for the update. The scanner too?",
        "I thanked him already",
        "Danke, aber es geht noch nicht",
        "Danke, wann geht es wieder?",
        "Bedankt, maar het werkt nog niet",
        "Bedankt voor niets",
        "Danke für nichts",
        "Hi Valery",
        "Kind regards\nAnn Lee",
        "",
        "-- \nAnn Lee",
        "See attachment",
        "Thank you " * 100,
        "On Tue, Nov 24, 2026 at 10:02 AM Valery <help@msp.example> wrote:\n> Thank you.",
        "> Thanks",
        "Thanks but no thanks",
        "Thank you, however we would like compensation",
        "ok, what about the backup?",
        "Thanks - still nothing here though",
        "Fine. But this can't go on.",
        "Thank you. Please stop sending these mails",
        "Great, so when is it fixed",
        "Thanks, my phone number has changed to 0123",
        "ok so we are without mail until tomorrow then",
        "Thanks for ruining our day",
        "We are moving offices in May, thanks",
        "Super, schon wieder. Danke.",
        "Danke, bitte um Rückruf",
        "Bedankt. Wat was de oorzaak?",
        "Thanks, Tom will call you",
    ],
)
def test_more_than_thanks(text: str) -> None:
    """S3.9: whatever says, asks or means more than thanks is read by a person: negation, sarcasm, an answer."""
    assert told(text).thanks is False


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("Thanks! And could you please reset Maria's password?", "And could you please reset Maria's password?"),
        (
            "Hi, while I have you: we need a new laptop for Tom by Monday",
            "Hi, while I have you: we need a new laptop for Tom by Monday",
        ),
        ("Can you add Ann to the sales mailing list?", "Can you add Ann to the sales mailing list?"),
        (
            "Great, it works again.\n\nOne more thing. Could you please order two new monitors for reception?\n\nAnn",
            "Could you please order two new monitors for reception?",
        ),
        (
            "Please create an account for our new colleague Tom Baker.",
            "Please create an account for our new colleague Tom Baker.",
        ),
        ("By the way, could you send me the October figures?", "By the way, could you send me the October figures?"),
        ("Unrelated: would you mind moving Tom's desk phone?", "Unrelated: would you mind moving Tom's desk phone?"),
        ("Tom needs a new headset.", "Tom needs a new headset."),
        ("Can you install Acrobat on Maria's laptop?", "Can you install Acrobat on Maria's laptop?"),
        ("Could you give Maria access to the finance folder?", "Could you give Maria access to the finance folder?"),
        ("Please disable Tom's account, he left on Friday.", "Please disable Tom's account, he left on Friday."),
        ("Could you send us a quote for ten licences?", "Could you send us a quote for ten licences?"),
        ("I'd like to order an iPad for the warehouse.", "I'd like to order an iPad for the warehouse."),
        (
            "Thanks.\n\n- please reset Maria's password\n- we need another monitor for Tom\n",
            "please reset Maria's password\nwe need another monitor for Tom",
        ),
        (
            "The server is still down here. Also, could you please set up a mailbox for our new colleague? Thanks, Ann",
            "Also, could you please set up a mailbox for our new colleague?",
        ),
        (
            "Could you please be so kind, whenever there is time, to\nadd our new colleague Maria to the sales list?",
            "Could you please be so kind, whenever there is time, to\nadd our new colleague Maria to the sales list?",
        ),
        ("Can you reset Mr. Baker's password?", "Can you reset Mr. Baker's password?"),
        ("Thanks,\nAnn\n\nPS: could you also reset Maria's password?", "PS: could you also reset Maria's password?"),
        (
            "Danke! Könnten Sie bitte das Passwort von Maria zurücksetzen?",
            "Könnten Sie bitte das Passwort von Maria zurücksetzen?",
        ),
        ("Wir brauchen einen neuen Laptop für Tom.", "Wir brauchen einen neuen Laptop für Tom."),
        ("Bitte ein Postfach für Frau Klein anlegen.", "Bitte ein Postfach für Frau Klein anlegen."),
        (
            "Bedankt. Kunnen jullie het wachtwoord van Maria resetten?",
            "Kunnen jullie het wachtwoord van Maria resetten?",
        ),
        ("We hebben een nieuwe laptop nodig voor Tom.", "We hebben een nieuwe laptop nodig voor Tom."),
        ("Graag Maria toevoegen aan de maillijst verkoop.", "Graag Maria toevoegen aan de maillijst verkoop."),
        (
            "Pourriez-vous réinitialiser le mot de passe de Zoé ?",
            "Pourriez-vous réinitialiser le mot de passe de Zoé ?",
        ),
        (
            "Could you please reset Maria's password?" + SIGNED + SMALL_PRINT + QUOTE,
            "Could you please reset Maria's password?",
        ),
        (
            "Could you please change the password for the guest wifi?",
            "Could you please change the password for the guest wifi?",
        ),
        (
            "We would like to order three additional licences for Acrobat.",
            "We would like to order three additional licences for Acrobat.",
        ),
        (
            "Also, we have a new starter on Monday, could you set up an account for him?",
            "Also, we have a new starter on Monday, could you set up an account for him?",
        ),
        (
            "Can you please remove Tom from the all-staff mailing list",
            "Can you please remove Tom from the all-staff mailing list",
        ),
        ("Could someone please pick up the old monitors?", "Could someone please pick up the old monitors?"),
        ("Btw could you send me the contract", "Btw could you send me the contract"),
        ("We also need a second screen for Maria.", "We also need a second screen for Maria."),
        (
            "Könnt ihr bitte für Herrn Klein ein neues Konto anlegen?",
            "Könnt ihr bitte für Herrn Klein ein neues Konto anlegen?",
        ),
        ("Kun je een nieuwe gebruiker aanmaken voor Joost?", "Kun je een nieuwe gebruiker aanmaken voor Joost?"),
    ],
)
def test_a_request_for_something_else(text: str, request_: str) -> None:
    """S3.9: what asks for something that has nothing to do with the trouble comes back word for word."""
    found = told(text)
    assert (found.request, found.thanks) == (request_, False)


@pytest.mark.parametrize(
    "text",
    [
        "when will it be back?",
        "could you call me about the server?",
        "can you please fix it",
        "Can you please reset the router?",
        "Please restart the server.",
        "Please let me know when it works.",
        "Also, could you tell me when it will be back?",
        "By the way, when will it be back?",
        "By the way, can you check the printer as well?",
        "We need our mail back by noon.",
        "We need access to the files!",
        "Could you give us access to our files?",
        "Please keep me posted.",
        "Could you please explain what happened?",
        "Do we need a new server?",
        "Do we need a new laptop for that?",
        "Maybe we need new computers...",
        "If you need a new cable, tell us.",
        "If we need another licence we'll write.",
        "You don't need to reset Maria's password.",
        "Please don't reset Maria's password.",
        "No need to order a new laptop.",
        "We already asked you to reset Maria's password.",
        "You could have reset Maria's password last week.",
        "We got the new laptop, thank you.",
        "We need a new provider.",
        "Our new laptop can't connect, please help.",
        "I can't log in, could you reset my password?",
        "Could you reset my password again?",
        "Please order a new server disk, this one is broken.",
        "Can you forward our calls to my mobile until the phones are back?",
        "Please forward this to your manager.",
        "Please find the log attached.",
        "Please do not delete my account.",
        "Did you reset Maria's password?",
        "Can we have an update?",
        "Would you like us to order a new laptop?",
        "Could you send someone?",
        "Könnten Sie mich bitte anrufen?",
        "Bitte melden Sie sich, wenn es wieder geht.",
        "Kunnen jullie de server herstarten?",
        "Kunt u mij bellen?",
        "On Tue, Nov 24, 2026 at 10:02 AM Ann <a@northwind.example> wrote:\n> Please reset Maria's password.",
        "Thanks." + SIGNED + "\nPlease order your new laptop at www.northwind.example" + SMALL_PRINT,
        "please " * 5000,
        "Could you please send an engineer?",
        "Can you switch us to the backup line?",
        "Please reply asap",
        "We need this sorted before the audit",
        "Could you please add me to the updates for this incident?",
        "Can you please open a ticket for this?",
        "Please set up a call for this afternoon",
        "We need you to fix this now",
        "Please do whatever it takes",
        "Could you let Maria know when her mailbox is back?",
        "Please remove me from this mailing list",
        "Can somebody please get our phones working",
        "I need to print my new contract, please hurry",
        "Could we get a report about it?",
        "Kan iemand hier komen kijken?",
    ],
)
def test_no_request(text: str) -> None:
    """A question about the outage, a wish to have it fixed, a denial and a quote send nothing to the helpdesk."""
    assert told(text).request == ""


@pytest.mark.parametrize(
    "text",
    [
        "still can't open files",
        "the server is down here too",
        "same problem at our desk",
        "nothing works",
        "same here",
        "we can't print",
        "phones are dead",
        "We cannot access the shared drive.",
        "I am unable to log in since nine.",
        "cant connect to the vpn",
        "the printer doesnt work",
        "Outlook isn't working",
        "Our internet is very slow today.",
        "The system keeps crashing.",
        "I get an error message when I open the file.",
        "We have no internet.",
        "No internet here!",
        "Nobody can log in.",
        "None of the phones work.",
        "Still nothing.",
        "The problem is back.",
        "It went down again.",
        "It stopped working again",
        "It is not working again",
        "Hi, us too.",
        "Everything works except the phones, they are dead.",
        "It works now but the printers are offline.",
        "Thanks for the update, but we still have problems with the mail.",
        "There is a problem with our scanner",
        "Is the server down?",
        "Lost connection to the database, we are stuck.",
        "I don't know what happened but my screen is frozen",
        "Computer says no. Total outage.",
        "Mails are not coming in",
        "Der Server ist ausgefallen",
        "Bei uns geht nichts",
        "Der Drucker druckt nicht",
        "Hier auch!",
        "Wir können keine Dateien öffnen",
        "Immer noch kein Internet",
        "Gleiches hier, das Telefon funktioniert nicht",
        "Het werkt nog steeds niet",
        "Bij ons ook",
        "De server ligt plat",
        "Wij kunnen niet inloggen",
        "Hier hetzelfde probleem",
        "geen internet",
        "Plus rien ne marche",
        "No funciona internet",
        "We can't print." + SIGNED + SMALL_PRINT + QUOTE,
        "Nothing is loading on my screen",
        "Our phones don't ring",
        "Can't get onto the internet",
        "I'm unable to print invoices",
        "It's happening again",
        "We've been kicked off the system",
        "The wifi is gone",
        "Everything is frozen",
        "Teams isn't loading for any of us",
        "We cannot take card payments",
        "Email not working",
        "No mail since 9",
        "Outlook says disconnected",
        "files wont open",
        "Hier geht auch nichts mehr",
        "Wir haben das gleiche Problem",
        "De telefoons doen het niet",
        "Alles ligt eruit",
        "We also have no phones",
        "I keep getting logged out",
        "Internet connection lost",
        "Everyone here is complaining, no emails",
        "We can't do our job",
        "Wir kommen nicht ins Netz",
    ],
)
def test_trouble(text: str) -> None:
    """Whoever speaks of trouble counts as one more who feels it, and has not just said thanks."""
    found = told(text)
    assert (found.trouble, found.thanks) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks",
        "No problem",
        "No problems here.",
        "We have no problems.",
        "We don't have any issues at the moment.",
        "Nothing is down here.",
        "It's not slow any more.",
        "It was down this morning but it works now.",
        "The phones were dead, now everything is fine.",
        "The error is gone.",
        "The problem has been solved.",
        "Thanks for fixing the problem!",
        "When will it be back?",
        "I am not working on Friday.",
        "We don't work on Mondays.",
        "Tom is down with flu.",
        "Should it go down again, we'll call.",
        "I'll let you know if it is down again.",
        "Will the server be down during the maintenance?",
        "I can't thank you enough.",
        "I can't make it on Friday.",
        "Please do not send the report to Tom.",
        "Could you please reset Maria's password?",
        "Have a nice weekend, same to you!",
        "Slow and steady.",
        "Take it easy.",
        "Kein Problem, danke",
        "Keine Probleme bei uns.",
        "Es geht nicht um den Server.",
        "Gestern war der Server langsam, aber jetzt läuft er wieder.",
        "Geen problemen hier.",
        "Gisteren lag de server plat, maar nu werkt alles weer.",
        "On Tue, Nov 24, 2026 at 10:02 AM Valery <help@msp.example> wrote:\n> The server is down.",
        "Thanks." + SIGNED + SMALL_PRINT + QUOTE,
        "サーバーについて",
        "What was the problem?",
        "Can you tell me the cause of the outage?",
        "Is everything back?",
        "Great that the problem is solved",
        "It has been working fine since this morning",
        "Any update on this?",
        "Tom is out today",
        "My daughter is sick so I am offline tomorrow",
        "Could you send the report about the outage?",
        "No issues since yesterday",
        "Did anyone else have problems?",
        "We have no complaints",
        "Is it safe to log in now?",
        "We will be down to two people next week",
    ],
)
def test_no_trouble(text: str) -> None:
    """Denied, over, planned, somebody else's or merely quoted trouble counts for nobody."""
    assert told(text).trouble is False


def test_a_long_thread_counts_for_its_newest_words_alone() -> None:
    """S3.9: thanks on top of a thread that speaks of trouble and asks for things is still thanks, in Outlook's HTML."""
    reading = read((MAILS / "thanks_long_thread.eml").read_bytes(), parse_recipes({}))
    assert "new laptop" in reading.quoted_text
    assert gist(reading, WORDS) == Gist(thanks=True, request="", trouble=False)


def test_a_new_mail_s_subject_is_the_client_s_own_word() -> None:
    """Trouble may stand in the subject alone; an echoed subject is ours and says nothing."""
    assert told("Please help.", subject="Server is down").trouble
    assert not told("Thanks!", subject="Server is down").thanks
    assert told("You were great", subject="Thank you!").thanks
    for echo in ("Re: Server is down", "AW: Server is down", "[EXTERNAL] Re: Server is down"):
        assert told("Thanks!", subject=echo) == Gist(thanks=True, request="", trouble=False)
    assert told("Thanks!", subject="Server is down", in_reply_to="<1@msp.example>").thanks


def test_words_of_one_s_own() -> None:
    """An MSP's own lists are used as they are; a missing list has no words."""
    words = client_words({"thanks": ["diolch"], "pleasantries": ["yn fawr"], "trouble": ["wedi torri"]}, ())
    reading = Reading(
        message_id=None, author=None, kind=Kind.UNKNOWN, rule="x", identity="x", new_text="Diolch yn fawr!"
    )
    assert gist(reading, words) == Gist(thanks=True, request="", trouble=False)
    nothing = client_words({}, ())
    assert gist(reading, nothing) == Gist(thanks=False, request="", trouble=False)


def test_a_broken_pattern_is_named() -> None:
    """A pattern that is none says in which list it stands."""
    with pytest.raises(ValueError, match=r"client\.trouble: not an RE2 pattern"):
        client_words({"trouble": ["(down"]}, ())


@pytest.mark.parametrize(
    "piece",
    [
        "thanks ",
        "Thanks, Ann ",
        "please ",
        "a",
        "is not ",
        "?",
        "Could you please ",
        "\n",
        "ok\n",
        "A. ",
        "👍",
        "> ",
        "(((",
        "can't ",
    ],
)
def test_hostile_text_costs_nothing(piece: str) -> None:
    """A megabyte of half a phrase is looked at no further than a client writes, in a fraction of a second."""
    text = piece * (1_000_000 // len(piece))
    reading = Reading(
        message_id=None, author=None, kind=Kind.UNKNOWN, rule="x", identity="x", subject=text, new_text=text
    )
    began = time.perf_counter()
    assert gist(reading, WORDS).request == ""
    assert time.perf_counter() - began < 2.0
