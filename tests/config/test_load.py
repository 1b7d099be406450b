"""Loading whole configurations that are right, or right but for one thing."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailflow.config.load import Loaded, directory, find_config, load, policy
from mailflow.config.policy import PolicySection
from mailflow.config.report import ConfigurationError
from mailflow.config.shipped import shipped
from mailflow.config.table import Table
from mailflow.domain.people import Role, Wants
from mailflow.domain.policy import Acknowledge, Policy
from mailflow.domain.vocabulary import Class, Live, Priority
from mailflow.domain.worktime import Within

SERVICE = """
[service]
name = "Example MSP"
timezone = "America/Chicago"
"""
MAILBOX = """
[[mailbox]]
name = "NOC"
address = "NOC@msp.example"
imap = { host = "127.0.0.1", security = "plain", password = "demo" }
smtp = { host = "127.0.0.1", security = "plain" }
proof = "copy"
"""
LIAISON = """
[[liaison]]
name = "Valery Stufano"
title = "Client Liaison"
address = "valery@msp.example"
"""
CLIENT = """
[[client]]
key = "northwind"
name = "Northwind"
domains = ["Northwind.example"]
liaison = "valery@msp.example"
[[client.contact]]
name = "John Harper"
first_name = "John"
address = "John@northwind.example"
wants = "all"
"""
SMALL = SERVICE + MAILBOX + LIAISON


def write(folder: Path, text: str, name: str = "config.toml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def problems(file: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as refused:
        load(file, {})
    return refused.value.problems


def warnings(folder: Path, text: str) -> list[str]:
    file = write(folder, text)
    return [warning.removeprefix(f"{file}: ") for warning in load(file, {}).warnings]


def test_shipped_configuration_has_no_problem_and_no_warning() -> None:
    """The demo and a new user begin with a configuration at which nothing can be faulted."""
    loaded = load(shipped("config.toml"), {})
    assert loaded.warnings == ()
    assert loaded.settings.service.live is Live.AUTO
    assert loaded.administrator == "dana@msp.example"
    mailbox = loaded.settings.mailboxes[0]
    assert (mailbox.imap.port, mailbox.smtp.port, mailbox.smtp_secret_from) == (10143, 10025, mailbox.imap)
    assert mailbox.imap_username == mailbox.smtp_username == "noc@msp.example"
    john, shirley = loaded.directory.clients[0].contacts
    assert (john.wants, shirley.wants) == (Wants.ALL, Wants.NOTHING)
    assert [c.key for c in loaded.directory.clients_of_host("nw-fs01")] == ["northwind"]


def test_shipped_configuration_shows_the_defaults_of_the_policy() -> None:
    """What config.toml shows as defaults are the domain's, so that leaving a key out changes nothing."""
    shown = load(shipped("config.toml"), {}).policy
    assert shown == Policy(timezone="America/Chicago", live=Live.AUTO)


def test_empty_policy_is_the_domains_default(tmp_path: Path) -> None:
    """A configuration without [policy] gives the domain's own policy, off until said otherwise."""
    assert load(write(tmp_path, SMALL), {}).policy == Policy(timezone="America/Chicago")


def test_every_key_stands_in_the_shipped_configuration() -> None:
    """config.toml shows every key that there is, live or behind a #."""
    text = shipped("config.toml").read_text("utf-8")
    tables = [*Table.__subclasses__()]
    for table in tables:
        tables += table.__subclasses__()
        assert [key for key in table.model_fields if key not in text] == []
    assert len(tables) > 10


def test_policy_tables_may_be_given_in_part(tmp_path: Path) -> None:
    """One changed word of a policy table leaves the others at their defaults; fields go by name or number."""
    rules = """
[policy]
settle = "0s"
form_fields = ["problem", 2, "worry"]
[policy.acknowledge]
backup = "review"
[policy.debrief_within]
P1 = "6h"
[policy.caps]
overall_hour = 50
"""
    got = load(write(tmp_path, SMALL + rules), {}).policy
    assert got.settle == timedelta(0)
    assert got.form.asked == (1, 2, 8)
    assert got.acknowledge == {**Policy().acknowledge, Class.BACKUP: Acknowledge.REVIEW}
    assert got.debrief_within == {**Policy().debrief_within, Priority.P1: Within(working=timedelta(hours=6))}
    assert (got.caps.overall_hour, got.caps.staff_hour) == (50, 60)


def test_directory_is_lower_case_and_inherits_from_the_service(tmp_path: Path) -> None:
    """Addresses and domains are compared in lower case; who names no zone or language has the service's."""
    manager = '\n[[manager]]\nname = "Dana Reyes"\naddress = "dana@msp.example"\ntimezone = "UTC"\n'
    loaded = load(write(tmp_path, SMALL + manager + CLIENT), {})
    who = loaded.directory.who("JOHN@northwind.example")
    assert who.contact is not None
    assert who.client is not None
    assert (who.contact.first_name, who.client.timezone, who.client.live) == ("John", "America/Chicago", Live.OFF)
    assert loaded.directory.who("any@northwind.example").client is who.client
    staff = [(s.role, s.timezone, s.language) for s in loaded.directory.staff]
    assert staff == [(Role.LIAISON, "America/Chicago", "en"), (Role.MANAGER, "UTC", "en")]
    assert directory(loaded.settings) == loaded.directory
    assert policy(loaded.settings) == loaded.policy


def test_the_order_of_dates_is_a_persons_own_or_the_services(tmp_path: Path) -> None:
    """S1.5: dates in figures are read as their writer writes them; where nobody said how, they are asked about."""
    people = """
[[liaison]]
name = "Robin Poe"
title = "Client Liaison"
address = "robin@msp.example"
date_order = "mdy"
[[manager]]
name = "Dana Reyes"
address = "dana@msp.example"
date_order = ""
[[colleague]]
name = "Paul Ortiz"
address = "paul@msp.example"
"""
    asked = load(write(tmp_path, SMALL + people), {}).directory.staff
    assert [s.date_order for s in asked] == ["", "mdy", "", ""]
    service = SERVICE + 'date_order = "dmy"\n'
    said = load(write(tmp_path, service + MAILBOX + LIAISON + people), {}).directory.staff
    assert {s.first_name: s.date_order for s in said} == {"Valery": "dmy", "Robin": "mdy", "Dana": "", "Paul": "dmy"}


def test_a_client_may_have_its_own_live_zone_and_language(tmp_path: Path) -> None:
    """What a client's entry says of itself is not overruled by the service's defaults."""
    own = CLIENT.replace("[[client.contact]]", 'live = "review"\ntimezone = "Asia/Tokyo"\n[[client.contact]]')
    client = load(write(tmp_path, SMALL + own), {}).directory.clients[0]
    assert (client.live, client.timezone, client.language) == (Live.REVIEW, "Asia/Tokyo", "en")


def test_relative_places_start_at_the_configuration_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service finds its records wherever it is started from."""
    write(tmp_path, SMALL, "etc/config.toml")
    monkeypatch.chdir(tmp_path)
    loaded = load(Path("etc/config.toml"), {})
    assert loaded.base == tmp_path / "etc"
    assert loaded.data_dir == tmp_path / "etc" / "mailflow-data"
    assert loaded.database_url == f"sqlite:///{tmp_path}/etc/mailflow-data/mailflow.db"
    for url, file in (("sqlite:///var/x.db", tmp_path / "etc/var/x.db"), ("sqlite:////srv/x.db", Path("/srv/x.db"))):
        write(tmp_path, f'{SMALL}[store]\nurl = "{url}"\n', "etc/config.toml")
        assert load(Path("etc/config.toml"), {}).database_url == f"sqlite:///{file}"


def test_administrator_falls_back_to_a_person(tmp_path: Path) -> None:
    """Somebody is always told when the service is in trouble, even where nobody was named for it."""
    assert load(write(tmp_path, SMALL), {}).administrator == "valery@msp.example"
    named = SMALL.replace("[service]", '[service]\nadministrator = "Ops@msp.example"')
    assert load(write(tmp_path, named), {}).administrator == "ops@msp.example"


def test_included_files_add_clients_and_people(tmp_path: Path) -> None:
    """`include` takes patterns relative to the file; each file is read once, and the including one not again."""
    main = write(tmp_path, f'include = ["clients/*.toml", "*.toml", "people.toml", "none/*.toml"]\n{SERVICE}{MAILBOX}')
    write(tmp_path, LIAISON, "people.toml")
    write(tmp_path, CLIENT, "clients/northwind.toml")
    (tmp_path / "clients" / "old.toml").mkdir()
    loaded = load(main, {})
    assert loaded.files == (main, tmp_path / "clients/northwind.toml", tmp_path / "people.toml")
    assert [client.key for client in loaded.directory.clients] == ["northwind"]
    assert loaded.directory.staff_at("valery@msp.example") is not None


def test_nothing_is_said_to_be_missing_that_an_unreadable_file_may_hold(tmp_path: Path) -> None:
    """One broken file is one problem, not a list of people that it would have held."""
    main = write(tmp_path, f'include = ["people.toml"]\n{SERVICE}{MAILBOX}{CLIENT}')
    write(tmp_path, "[[liaison", "people.toml")
    assert len(problems(main)) == 1


def test_same_key_in_two_files_names_the_other_file(tmp_path: Path) -> None:
    """Two clients with one key are found across files, and the message says where the first stands."""
    main = write(tmp_path, f'include = ["clients/*.toml"]\n{SMALL}')
    write(tmp_path, CLIENT, "clients/a.toml")
    write(tmp_path, CLIENT.replace("John@", "jane@"), "clients/b.toml")
    folder = tmp_path / "clients"
    expected = f"{folder / 'b.toml'}: client[northwind].key: another client has this key ({folder / 'a.toml'})"
    assert problems(main) == (f"{expected}; give each its own",)


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(tmp_path: Path) -> None:
    """A file saved by a Windows editor loads."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert load(file, {}).settings.service.name == "Example MSP"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 20_000, "nested too deeply; use the sections that config.toml shows"),
        ("a = " + "9" * 5_000, "line 1, column 5005: not TOML (a value is too large); correct it there or just above"),
    ],
)
def test_hostile_toml_is_a_problem_like_any_other(tmp_path: Path, text: str, said: str) -> None:
    """Even TOML made to break its parser ends in one clear line."""
    file = write(tmp_path, text)
    assert problems(file) == (f"{file}: {said}",)


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    """Loading a missing file names it, without a traceback."""
    file = tmp_path / "none.toml"
    said = "cannot be read (No such file or directory); see that it is there and may be read"
    assert problems(file) == (f"{file}: {said}",)


TWO = CLIENT.replace('"northwind"', '"contoso"').replace('"Northwind"', '"Contoso"')
COMPONENT = '\n[[client.component]]\nname = "file server"\nplain = "{plain}"\nhosts = ["FS01"]\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            CLIENT + TWO.replace("Northwind.example", "contoso.example"),
            "client[contoso].contact[John@northwind.example].address: also a contact of [[client]] `Northwind`; "
            "mail from it will be asked about",
        ),
        (
            CLIENT + TWO.replace("John@", "ann@"),
            "client[contoso].domains: `northwind.example` is listed at `northwind` too; "
            "mail from it will be asked about",
        ),
        (
            CLIENT.replace("Northwind.example", "gmail.com"),
            "client[northwind].domains: anybody may have an address at `gmail.com`; "
            "list the persons as contacts instead",
        ),
        (
            CLIENT.replace("Northwind.example", "msp.example"),
            "client[northwind].domains: `msp.example` is our own domain; leave it out",
        ),
        (
            CLIENT.replace('wants = "all"', ""),
            "client[northwind].contact: no contact wants letters, so nobody will be told; "
            'write `wants = "all"` for one',
        ),
        (
            CLIENT + COMPONENT.format(plain="the file server"),
            "client[northwind].component[file server].plain: `the file server` stands where a letter says what broke; "
            "begin it with `your `",
        ),
        (
            CLIENT + COMPONENT.format(plain=""),
            "client[northwind].component[file server].plain: missing; "
            "letters say `one of your systems`, and wait for SEND",
        ),
        (
            CLIENT + COMPONENT.format(plain="your x") + COMPONENT.format(plain="your y").replace("file server", "mail"),
            "client[northwind].component[mail].hosts: `fs01` also means `file server`, which will be taken; keep one",
        ),
    ],
)
def test_what_works_but_perhaps_not_as_meant_is_a_warning(tmp_path: Path, more: str, said: str) -> None:
    """S1.3: doubtful contacts, domains and names are told, exactly and alone, and nothing is refused for them."""
    assert warnings(tmp_path, SMALL + more) == [said]


def test_an_unused_authserv_id_is_a_warning(tmp_path: Path) -> None:
    """A key that has no effect is told, since it was meant to have one."""
    text = SMALL.replace('proof = "copy"', 'proof = "copy"\nauthserv_id = "mx.msp.example"')
    assert warnings(tmp_path, text) == [
        'mailbox[NOC@msp.example].authserv_id: only used with `auth = "generic"`; write that, or leave this out'
    ]


def test_find_config_looks_in_the_promised_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config, then $MAILFLOW_CONFIG, then ./config.toml, then /etc/mailflow/config.toml."""
    here, named, etc = tmp_path / "here", tmp_path / "named.toml", tmp_path / "etc.toml"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("mailflow.config.load.LOOKED_FOR", (Path("config.toml"), etc))
    environ = {"MAILFLOW_CONFIG": str(named)}
    for file in (etc, here / "config.toml", named, tmp_path / "explicit.toml"):
        write(file.parent, "", file.name)
    assert find_config(tmp_path / "explicit.toml", environ) == tmp_path / "explicit.toml"
    assert find_config(None, environ) == named
    assert find_config(None, {"MAILFLOW_CONFIG": ""}) == Path("config.toml")
    (here / "config.toml").unlink()
    assert find_config(None, {}) == etc


def test_a_named_configuration_is_never_replaced_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file was named but is missing, that is told; the one lying about is not taken instead."""
    write(tmp_path, SMALL)
    monkeypatch.chdir(tmp_path)
    gone = tmp_path / "gone.toml"
    for explicit, environ, how in ((gone, {}, "--config"), (None, {"MAILFLOW_CONFIG": str(gone)}, "$MAILFLOW_CONFIG")):
        with pytest.raises(ConfigurationError) as refused:
            find_config(explicit, environ)
        said = f"{gone}: named by {how}, but there is no such file; correct the name"
        assert refused.value.problems == (said,)


def test_no_configuration_lists_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who starts the service without a configuration learns where to put one."""
    monkeypatch.chdir(tmp_path)
    etc = tmp_path / "etc.toml"
    monkeypatch.setattr("mailflow.config.load.LOOKED_FOR", (Path("config.toml"), etc))
    with pytest.raises(ConfigurationError) as refused:
        find_config(None, {})
    (said,) = refused.value.problems
    for place in ("--config", "$MAILFLOW_CONFIG", str(tmp_path / "config.toml"), str(etc)):
        assert place in said


def load_or_refuse(file: Path) -> Loaded | ConfigurationError:
    try:
        return load(file, {})
    except ConfigurationError as refused:
        return refused


SECRET_PLACES = (
    'imap = {{ host = "mail.example.com", password = {secret} }}',
    'imap = {{ host = "mail.example.com", pasword = {secret} }}',
    'imap = {{ host = "mail.example.com", password = [{secret}] }}',
    'imap = {{ host = "mail.example.com", password = {{ value = {secret} }} }}',
    'imap = {{ host = "mail.example.com", security = "plain", password = {secret} }}',
    'imap = {{ host = "mail.example.com", password = {secret}, password_file = "x" }}',
    'imap = {{ host = "mail.example.com", token_command = {secret} }}',
    'imap = {{ host = "mail.example.com", token_command = ["token", {secret}, 5] }}',
    'imap = {{ host = "mail.example.com", token_command = ["token", {secret}] }}',
    'imap = {{ host = {secret}, password = "x" }}',
    "imap = {secret}",
    "imap = [{secret}]",
    "imap = {{ password = {secret} }}",
    'imap = {{ host = "mail.example.com", password = {secret} ',
    'imap = {{ host = "127.0.0.1", password = {secret} }}',
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=st.from_regex(r"[A-Za-z0-9:/@. {}\[\]-]{8,40}", fullmatch=True), place=st.sampled_from(SECRET_PLACES))
def test_no_secret_is_ever_repeated(tmp_path: Path, secret: str, place: str) -> None:
    """A password or token, right or wrong or in the wrong place, stands in no message, no warning and no repr."""
    marked = f"Zq7{secret}7qZ"  # such as no message holds by chance
    line = place.format(secret=f'"{marked}"')
    text = SERVICE + MAILBOX.replace(MAILBOX.splitlines()[4], line) + LIAISON
    file = write(tmp_path, text)
    loaded = load_or_refuse(file)
    said = repr(loaded) + str(loaded)
    assert "Zq7" not in said
    assert "7qZ" not in said


KEYS = (
    *("name", "address", "timezone", "language", "domains", "contact", "component", "imap", "smtp", "start", "auth"),
    *("acknowledge", "debrief_within", "caps", "settle", "form_fields", "day_ends", "url", "live", "include"),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.sampled_from(["service", "store", "policy", "mailbox", "liaison", "manager", "colleague", "client"]),
    key=st.sampled_from(KEYS),
    value=st.recursive(
        st.sampled_from(["5", "-1", "1.5", "nan", "true", '""', '"x"', '"\\u0000"', "2026-11-01", "07:32:00", "1e400"]),
        lambda inner: st.builds("[{}]".format, inner) | st.builds("{{ name = {}, host = {} }}".format, inner, inner),
        max_leaves=4,
    ),
)
def test_any_value_anywhere_ends_in_words(tmp_path: Path, table: str, key: str, value: str) -> None:
    """Whatever stands behind a key, loading gives a configuration or a list of plain problems, never a crash."""
    head = f"[{table}]" if table in {"service", "store", "policy"} else f"[[{table}]]"
    others = SMALL.replace(SERVICE, "" if table == "service" else SERVICE)
    file = write(tmp_path, f"{others}\n{head}\n{key} = {value}\n")
    loaded = load_or_refuse(file)
    if isinstance(loaded, ConfigurationError):
        assert loaded.problems
        assert all(problem.startswith(f"{file}: ") for problem in loaded.problems)
        assert "not valid here" not in str(loaded)


def test_the_policy_sections_defaults_are_possible() -> None:
    """The defaults pass the same rules as what an administrator writes."""
    assert PolicySection.model_validate({}) == PolicySection()


def test_a_tier_that_no_client_has_is_a_warning(tmp_path: Path) -> None:
    """S4.15: a promise to a tier whose name is spelt otherwise would be kept to nobody."""
    more = '[policy.tier.golden.call_within]\nP1 = "1h"\n' + CLIENT.replace('key = "', 'tier = "Gold"\nkey = "', 1)
    assert warnings(tmp_path, SMALL + more) == ["policy.tier.golden: no [[client]] has this tier; did you mean `Gold`?"]
    assert warnings(tmp_path, SMALL + more.replace("golden", "gold")) == []
