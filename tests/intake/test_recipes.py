"""The format of recipes: what it refuses, and every fault by file, key and reason."""

from pathlib import Path

import pytest

import mailflow
from mailflow.intake.recipes import RecipeError, parse_recipes

GOOD = """
tool = "Tool"
class = "outage"
recovery = "mail"
key = ["{host}"]
state = "problem"
[match]
sender = ['@tool\\.example$']
[extract]
host = {label = "Host"}
"""


def test_the_shipped_recipes_are_good() -> None:
    """Every recipe that ships is read without a fault."""
    folder = Path(mailflow.__file__).parent / "recipes"
    recipes = parse_recipes({p.name: p.read_text("utf-8") for p in folder.glob("*.toml")})
    assert {"zabbix", "uptimerobot", "veeam", "prtg", "alertmanager"} <= {r.id for r in recipes.all}
    assert recipes["zabbix"].client_from == ("group",)
    assert recipes.get("nonsense") is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("tool =", "toll =", "tool.toml: toll: unknown key"),
        ('key = ["{host}"]', 'key = ["{nost}"]', "tool.toml: key[0]: {nost} is no field of this recipe"),
        ('key = ["{host}"]', 'key = ["x"]', "tool.toml: key[0]: names no field"),
        ('key = ["{host}"]', 'key = ["{host|upper}"]', "tool.toml: key[0]: 'upper' is none of sorted"),
        ('key = ["{host}"]', "", "tool.toml: key: missing"),
        ('"outage"', '"outrage"', "tool.toml: class: 'outrage' is none of outage, degraded"),
        ('recovery = "mail"', 'recovery = "fax"', "tool.toml: recovery: 'fax' is none of"),
        ('recovery = "mail"', 'recovery = "mail"\ndelay_minutes = -1', "tool.toml: delay_minutes: not a number"),
        ('recovery = "mail"', 'recovery = "mail"\nexternal = "yes"', "tool.toml: external: neither true nor false"),
        ('recovery = "mail"', 'recovery = "mail"\nclient_from = ["x"]', "tool.toml: client_from: 'x' is no field"),
        ("sender = ['@tool\\.example$']", "sender = ['^tool@']", "tool.toml: match: needs `headers`, `start`"),
        ("sender = ['@tool\\.example$']", "subject = ['^ALERT']", "tool.toml: match: needs `headers`, `start`"),
        ("'@tool\\.example$'", "'(?<=x)@tool.example'", "tool.toml: match.sender: not an RE2 pattern"),
        ('{label = "Host"}', '{label = "Host", subject = "x"}', "tool.toml: extract.host: needs exactly one of"),
        ('{label = "Host"}', '{subject = "x", pattern = "y"}', "tool.toml: extract.host.pattern: unknown key"),
        ('{label = "Host"}', '{field = "nope"}', "tool.toml: extract.host.field: 'nope' is no field"),
        ('{label = "Host"}', '[{label = "Host"}, {body = "("}]', "tool.toml: extract.host[1].body: not an RE2 pattern"),
        ('"problem"', '[{is = "problem", when = {x = "y"}}]', "tool.toml: state[0].when.x: neither a field"),
        ('"problem"', '[{is = "trouble"}]', "tool.toml: state[0]: 'trouble' is none of problem, recovery"),
        ("[match]", "[[split]]\nfrom = 'x'\n[match]", "tool.toml: split[0]: needs either `at` or `each`"),
        ("[match]", "[match", "tool.toml: not TOML"),
    ],
)
def test_faults_are_named(old: str, new: str, fault: str) -> None:
    """An unknown key, a wrong word, a bad pattern, a match that a forward would pass: file, key and reason."""
    assert old in GOOD
    with pytest.raises(RecipeError) as raised:
        parse_recipes({"tool.toml": GOOD.replace(old, new)})
    assert fault in str(raised.value)


def test_all_faults_at_once() -> None:
    """Two bad files with two faults each are four lines."""
    bad = GOOD.replace('"outage"', '"x"').replace("tool =", "toll =")
    with pytest.raises(RecipeError) as raised:
        parse_recipes({"a": bad, "b": bad, "good": GOOD})
    assert len(str(raised.value).splitlines()) == 6  # class, toll, and the missing tool, in each
