"""What must be right between the entries of a configuration; config.disk looks at the files that it names.

Each check is one function over what could be read; it looks away where a part it needs was wrong, since that has been
told already. A problem means that the service would do harm or nothing; a warning, that it works but perhaps not as
meant.
"""

from collections.abc import Callable, Iterable

from mailflow.config.disk import folders_and_files, secrets_can_be_had
from mailflow.config.draft import Draft, Listed, Read
from mailflow.config.mailbox import Auth, MailboxEntry
from mailflow.config.model import ClientEntry, LiaisonEntry, ServiceSection
from mailflow.config.notation import nearest, shown
from mailflow.config.report import Report
from mailflow.config.shipped import languages, recipe_files
from mailflow.domain.people import WILD, Directory, Wants, folded

# Where anybody may have an address: as a client's domain it would make strangers speak for the client.
# fmt: off
PUBLIC_DOMAINS = frozenset({
    "aol.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com",
    "hotmail.com", "icloud.com", "live.com", "mac.com", "mail.com", "me.com",
    "msn.com", "outlook.com", "proton.me", "protonmail.com", "web.de", "yahoo.com",
    "yahoo.co.uk", "ymail.com", "zoho.com",
})
# fmt: on


def check(draft: Draft, report: Report) -> None:
    """Run every check."""
    for one in CHECKS:
        one(draft, report)


def somebody_and_somewhere(draft: Draft, report: Report) -> None:
    """Without a mailbox nothing is read, without a liaison nobody signs."""
    if not draft.source.whole:
        return
    if not draft.source.of("service"):
        report.problem(draft.source.main, "service", "missing; write [service] with `name` and `timezone`")
    if not draft.source.of("mailbox"):
        report.problem(draft.source.main, "mailbox", "missing; write at least one [[mailbox]]")
    if not draft.source.of("liaison"):
        report.problem(draft.source.main, "liaison", "missing; write at least one [[liaison]], who signs letters")


def languages_exist(draft: Draft, report: Report) -> None:
    """A language is a folder of letters."""
    own = draft.service.value.templates if draft.service else None
    known = languages(draft.base / own if own else None)
    named: list[Read[ServiceSection] | Read[LiaisonEntry] | Read[ClientEntry]] = [*draft.liaisons, *draft.clients]
    for read in [*([draft.service] if draft.service else []), *named]:
        language = read.value.language
        if language is not None and language not in known:
            near = nearest(language, known)
            todo = f"did you mean `{near}`?" if near else f"write one of {', '.join(f'`{k}`' for k in known)}"
            text = f"there are no letters in {shown(language)}; {todo}"
            report.problem(read.entry.file, read.entry.path("language"), text)


def mailboxes_differ(draft: Draft, report: Report) -> None:
    """One mailbox read twice would decide every mail twice; an unused authserv_id was meant for something."""
    seen: dict[str, Read[MailboxEntry]] = {}
    for read in draft.mailboxes:
        if read.value.address in seen:
            text = "another [[mailbox]] has the same address; keep one"
            report.problem(read.entry.file, read.entry.path("address"), text)
        seen[read.value.address] = read
        if read.value.authserv_id is not None and read.value.auth is not Auth.GENERIC:
            text = 'only used with `auth = "generic"`; write that, or leave this out'
            report.warning(read.entry.file, read.entry.path("authserv_id"), text)


def nobody_is_a_mailbox(draft: Draft, report: Report) -> None:
    """A letter to a mailbox that we read, under a plus-tag too (RFC 5233), would come back to us for ever."""
    mailboxes = {listed.address for listed in draft.listed("mailbox")}
    told = [*draft.listed("liaison", "manager", "colleague"), *draft.contacts()]
    if draft.service and draft.service.value.administrator:
        told.insert(0, Listed(draft.service.entry, ("administrator",), draft.service.value.administrator))
    for listed in told:
        if _delivered(listed.address) & mailboxes:
            text = "also a [[mailbox]], so letters would loop; write the person's own address"
            report.problem(*listed.where, text)


def _delivered(address: str) -> set[str]:
    """The mailboxes that mail to this address may come to."""
    local, _, domain = address.partition("@")
    return {address, f"{local.partition('+')[0]}@{domain}"}


def two_can_approve(draft: Draft, report: Report) -> None:
    """Letters that take the SEND of two never leave where only one may publish."""
    for entry in draft.source.of("policy"):
        if entry.raw.get("two_approvals") and len({p.address for p in draft.listed("liaison", "manager")}) < 2:
            text = "takes the SEND of two, and only one person may publish; add a [[manager]] or another [[liaison]]"
            report.problem(entry.file, entry.path("two_approvals"), text)
        if entry.raw.get("managed") and not draft.listed("manager"):
            report.problem(entry.file, entry.path("managed"), "names a manager, and there is no [[manager]]; add one")


def tiers_are_somebodys(draft: Draft, report: Report) -> None:
    """A tier that no client has was meant for one that is spelt otherwise."""
    known = {client.value.tier.casefold(): client.value.tier for client in draft.clients if client.value.tier}
    for entry in draft.source.of("policy"):
        tiers = entry.raw.get("tier")
        for name in tiers if isinstance(tiers, dict) else ():
            if name.casefold() not in known:
                near = nearest(name, sorted(known.values()))
                todo = f"did you mean `{near}`?" if near else f'write `tier = "{name}"` with those it is for'
                report.warning(entry.file, entry.path("tier", name), f"no [[client]] has this tier; {todo}")


def helpdesk_is_elsewhere(draft: Draft, report: Report) -> None:
    """Every client's requests are passed on to it: to one of ours they would come back, to a client's they leak."""
    mailboxes = {listed.address for listed in draft.listed("mailbox")}
    contacts = {listed.address: listed.called for listed in draft.contacts()}
    domains = {domain: client.value.name for client in draft.clients for domain in client.value.domains}
    ours = {listed.address.rpartition("@")[2] for listed in draft.listed("mailbox", "liaison", "manager", "colleague")}
    for listed in draft.listed("policy", key="helpdesk"):
        domain = listed.address.rpartition("@")[2]
        if _delivered(listed.address) & mailboxes:
            text = "also a [[mailbox]], so requests would loop; write the address that your helpdesk makes tickets of"
            report.problem(*listed.where, text)
        elif listed.address in contacts or (domain in domains and domain not in ours):
            owner = contacts.get(listed.address) or f"[[client]] {shown(domains[domain])}"
            text = f"belongs to {owner}, who would get every client's requests; write your own helpdesk's address"
            report.problem(*listed.where, text)


def people_are_one_thing(draft: Draft, report: Report) -> None:
    """An address says who somebody is: one of ours, once, or a client's contact."""
    staff: dict[str, Listed] = {}
    for person in draft.listed("liaison", "manager", "colleague"):
        if person.address in staff:
            before = staff[person.address]
            report.problem(*person.where, f"{before.called} has the same address; keep one")
        staff.setdefault(person.address, person)
    clients: dict[str, Listed] = {}
    for contact in draft.contacts():
        if contact.address in staff:
            text = f"also {staff[contact.address].called}; a person is ours or the client's: remove one"
            report.problem(*contact.where, text)
        before = clients.setdefault(contact.address, contact)
        if before.entry is contact.entry and before is not contact:
            report.problem(*contact.where, "listed twice at this client; keep one")
        elif before.entry is not contact.entry:
            report.warning(*contact.where, f"also a contact of {before.called}; mail from it will be asked about")


def liaisons_exist(draft: Draft, report: Report) -> None:
    """Who signs and who stands in is a [[liaison]]."""
    if not draft.source.whole:
        return
    liaisons = {listed.address for listed in draft.listed("liaison")}
    for client in draft.clients:
        if liaisons and client.value.liaison not in liaisons:
            where = client.entry.file, client.entry.path("liaison")
            report.problem(*where, _no_liaison(client.value.liaison, liaisons))
    for read in draft.liaisons:
        where = read.entry.file, read.entry.path("deputy")
        if read.value.deputy == read.value.address:
            report.problem(*where, "nobody can be their own deputy; name another [[liaison]] or leave it out")
        elif read.value.deputy is not None and read.value.deputy not in liaisons:
            report.problem(*where, _no_liaison(read.value.deputy, liaisons))


def _no_liaison(address: str, liaisons: set[str]) -> str:
    near = nearest(address, liaisons)
    return f"{shown(address)} is not a [[liaison]]; " + (
        f"did you mean `{near}`?" if near else "add one, or correct it"
    )


def clients_differ(draft: Draft, report: Report) -> None:
    """A key names one client; a domain should."""
    keys: dict[str, Read[ClientEntry]] = {}
    domains: dict[str, str] = {}
    ours = {listed.address.rpartition("@")[2] for listed in draft.listed("mailbox", "liaison", "manager", "colleague")}
    for client in draft.clients:
        file, key = client.entry.file, client.value.key
        if key in keys:
            text = f"another client has this key ({keys[key].entry.file}); give each its own"
            report.problem(file, client.entry.path("key"), text)
        keys.setdefault(key, client)
        for domain in dict.fromkeys(client.value.domains):
            path = client.entry.path("domains")
            if (other := domains.setdefault(domain, key)) != key:
                report.warning(
                    file, path, f"`{domain}` is listed at {shown(other)} too; mail from it will be asked about"
                )
            if domain in PUBLIC_DOMAINS:
                text = f"anybody may have an address at `{domain}`; list the persons as contacts instead"
                report.warning(file, path, text)
            if domain in ours:
                report.warning(file, path, f"`{domain}` is our own domain; leave it out")


def alerts_mean_one_client(draft: Draft, report: Report) -> None:
    """What a monitor calls a client should be said of one client."""
    names: dict[str, str] = {}
    for client in draft.clients:
        value = client.value
        said = [("key", value.key), ("name", value.name), *(("aliases", alias) for alias in value.aliases)]
        for key, word in said:
            (spelling,) = folded([word])
            if (other := names.setdefault(spelling, value.key)) != value.key:
                text = f"{shown(word)} stands at {shown(other)} too; alerts about it will be asked about"
                report.warning(client.entry.file, client.entry.path(key), text)


def machines_mean_one_client(draft: Draft, directory: Directory, report: Report) -> None:
    """What a client's machines are called should be said of one client; patterns that only touch may be meant so.

    The services of a vendor are everybody's who has them.
    """
    spelt: dict[str, dict[str, tuple[str, str, str]]] = {}  # by spelling and client: file, path, and as written
    for client in draft.clients:
        value = client.value
        things = [(f"component[{c.name}].hosts", c.hosts) for c in value.component if not c.vendor]
        for key, hosts in (("hosts", value.hosts), *things):
            for host in hosts:
                place = client.entry.file, f"{client.entry.path()}.{key}", host
                spelt.setdefault(host.casefold(), {}).setdefault(value.key, place)
    for spelling, places in spelt.items():
        fitting = directory.clients_of_host(spelling) if WILD.isdisjoint(spelling) else ()
        before = [client.key for client in fitting if client.key not in places]
        for key, (file, path, host) in places.items():
            if before:
                more = f" and {len(before) - 1} more" if len(before) > 1 else ""
                text = f"{shown(host)} is one of {shown(before[0])}'s{more} too; alerts about it will be asked about"
                report.warning(file, path, text)
            before.append(key)


def addresses_mean_one_client(draft: Draft, report: Report) -> None:
    """Mail to such an address comes to our inbox: who is written to there would be us."""
    taken = {contact.address: f"a contact of {contact.called}" for contact in draft.contacts()}
    taken |= {one.address: one.called for one in draft.listed("mailbox", "liaison", "manager", "colleague")}
    taken |= {one.address: "`service.administrator`" for one in draft.listed("service", key="administrator")}
    taken |= {one.address: "`policy.helpdesk`" for one in draft.listed("policy", key="helpdesk")}
    first: dict[str, Listed] = {}
    for listed in draft.about_clients():
        if listed.address in taken:
            text = f"also {taken[listed.address]}; list one that is for this client's alerts alone"
            report.problem(*listed.where, text)
        before = first.setdefault(listed.address, listed)
        if before.entry is not listed.entry:
            report.problem(*listed.where, f"also listed at {before.called}; keep it at one client")


def calendars_name_what_there_is(draft: Draft, report: Report) -> None:
    """Planned work is at a client that there is; what is expected is read by a recipe, and known by its name."""
    clients = {client.value.key for client in draft.clients}
    for work in draft.maintenance if draft.source.whole else ():
        if work.value.client is not None and work.value.client not in clients:
            text = _none_such("[[client]]", work.value.client, clients, "correct its key, or leave it out for all")
            report.problem(work.entry.file, work.entry.path("client"), text)
    own = draft.service.value.recipes if draft.service else None
    recipes = recipe_files(draft.base / own if own else None)
    for client in draft.clients:
        names: set[str] = set()
        for path, one in client.placed("expected", client.value.expected):
            if one.recipe and one.recipe not in recipes:
                todo = "write a recipe's file name without `.toml`, or leave it out"
                report.problem(client.entry.file, f"{path}.recipe", _none_such("recipe", one.recipe, recipes, todo))
            if one.name.casefold() in names:
                text = f"another one here is called {shown(one.name)}; give each its own name"
                report.problem(client.entry.file, f"{path}.name", text)
            names.add(one.name.casefold())


def _none_such(kind: str, word: str, known: Iterable[str], todo: str) -> str:
    near = nearest(word, known)
    return f"there is no {kind} {shown(word)}; " + (f"did you mean `{near}`?" if near else todo)


def clients_can_be_told(draft: Draft, report: Report) -> None:
    """Things have names that clients understand, each host means one of them, and somebody gets the letters."""
    for client in draft.clients:
        file, language = client.entry.file, client.value.language or _service_language(draft)
        if not any(contact.wants is not Wants.NOTHING for contact in client.value.contact):
            text = 'no contact wants letters, so nobody will be told; write `wants = "all"` for one'
            report.warning(file, client.entry.path("contact"), text)
        owner: dict[str, str] = {}
        for component in client.value.component:
            path = f"{client.entry.path()}.component[{component.name}]"
            if not component.plain:
                report.warning(file, f"{path}.plain", "missing; letters say `one of your systems`, and wait for SEND")
            elif language.startswith("en") and not component.plain.lower().startswith("your "):
                text = f"{shown(component.plain)} stands where a letter says what broke; begin it with `your `"
                report.warning(file, f"{path}.plain", text)
            for host in dict.fromkeys(h.casefold() for h in (component.name, *component.hosts)):
                if host in owner:
                    text = f"{shown(host)} also means `{owner[host]}`, which will be taken; keep one"
                    report.warning(file, f"{path}.hosts", text)
                owner.setdefault(host, component.name)


def _service_language(draft: Draft) -> str:
    return draft.service.value.language if draft.service else "en"


CHECKS: tuple[Callable[[Draft, Report], None], ...] = (
    somebody_and_somewhere,
    languages_exist,
    folders_and_files,
    secrets_can_be_had,
    mailboxes_differ,
    nobody_is_a_mailbox,
    two_can_approve,
    tiers_are_somebodys,
    helpdesk_is_elsewhere,
    people_are_one_thing,
    liaisons_exist,
    clients_differ,
    alerts_mean_one_client,
    addresses_mean_one_client,
    calendars_name_what_there_is,
    clients_can_be_told,
)
