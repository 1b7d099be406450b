"""clients import: what it shows, what it writes, and when it writes nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mailflow.cli.clients import app
from mailflow.config.shipped import shipped

FIXTURES = Path(__file__).parent.parent / "fixtures" / "clients"
SHEET = (
    "Client,Name,Email,Service Alerts\n"
    "Northwind,John Harper,john@northwind.example,no\n"
    "Acme,Ann Webb,ann@acme.example,yes\n"
    "Acme,Reception,desk@acme.example,yes\n"
)

Import = Callable[..., Result]


@pytest.fixture
def firm(tmp_path: Path) -> Path:
    """A folder with the shipped configuration, which reads clients' own files."""
    text = shipped("config.toml").read_text("utf-8")
    (tmp_path / "config.toml").write_text(text.replace("# include =", "include ="), "utf-8")
    return tmp_path


@pytest.fixture
def clients_import(firm: Path) -> Import:
    """Runs the verb on a sheet."""

    def run(sheet: str, *options: str) -> Result:
        file = firm / "sheet.csv"
        file.write_text(sheet, "utf-8")
        words = ["import", str(file), "--config", str(firm / "config.toml"), *options]
        return CliRunner().invoke(app, words, catch_exceptions=False)

    return run


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_the_differences_are_shown_and_written(firm: Path, clients_import: Import) -> None:
    """DESIGN 4: one row a difference, one line a doubt, and then what was done."""
    result = clients_import(SHEET)
    assert result.exit_code == 0
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert rows == [
        "client what contact",
        "northwind wants changed John Harper <john@northwind.example> all → nothing",
        "northwind kept Shirley Lane <shirley@northwind.example> not in the sheet; --remove takes it out",
        "acme new client Acme: acme.example",
        "acme contact added Ann Webb <ann@acme.example> wants all",
        "acme contact added Reception <desk@acme.example> wants nothing",
        "Configured, but not in the file, and left as they are: 1 client.",
        "2 files written. A running service reads them on SIGHUP.",
    ]
    assert "look: row 4: `Reception` <desk@acme.example> is marked, but letters are held" in result.stderr
    assert sorted(files(firm)) == ["clients/acme.toml", "config.toml", "sheet.csv"]


def test_a_dry_run_writes_nothing(firm: Path, clients_import: Import) -> None:
    """DESIGN 4: --dry-run shows the same differences and leaves every file, and no folder, behind."""
    (firm / "sheet.csv").write_text(SHEET, "utf-8")
    before = files(firm)
    result = clients_import(SHEET, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.endswith("2 files would be written; nothing was.\n")
    assert files(firm) == before
    assert not (firm / "clients").exists()
    assert result.stdout.splitlines()[:6] == clients_import(SHEET).stdout.splitlines()[:6]


def test_a_second_import_says_that_nothing_changes(firm: Path, clients_import: Import) -> None:
    """N.10: repeating an import is harmless."""
    clients_import(SHEET)
    before = files(firm)
    result = clients_import(SHEET)
    assert result.stdout.endswith("Nothing changes.\n")
    assert files(firm) == before


def test_json_for_programs(firm: Path, clients_import: Import) -> None:
    """DESIGN 4: --json says all that the table says, and which columns were read."""
    result = clients_import(SHEET, "--json", "--dry-run")
    told = json.loads(result.stdout)
    assert told["columns"] == {"Client": "Client", "Name": "Name", "Address": "Email", "Incidents": "Service Alerts"}
    assert told["changes"][0] == {
        "client": "northwind",
        "what": "wants changed",
        "contact": "John Harper <john@northwind.example>",
        "detail": "all → nothing",
    }
    assert (told["problems"], told["written"], told["absent"]) == ([], [], 1)
    assert told["would_write"] == [str(firm / "config.toml"), str(firm / "clients" / "acme.toml")]
    assert json.loads(clients_import(SHEET, "--json").stdout)["written"] == told["would_write"]


def test_contacts_are_removed_when_asked(firm: Path, clients_import: Import) -> None:
    """DESIGN 4: --remove takes out whom the sheet does not list, and says so."""
    result = clients_import(SHEET, "--remove")
    assert "contact removed  Shirley Lane <shirley@northwind.example>" in result.stdout
    assert "shirley@northwind.example" not in (firm / "config.toml").read_text("utf-8")


def test_a_wrong_sheet_is_refused(firm: Path, clients_import: Import) -> None:
    """DESIGN 4: every problem at once, in words, with exit code 2; for programs too."""
    sheet = "Client,Email\nAcme,nonsense\nBeta,=1+1\n"
    result = clients_import(sheet)
    file = firm / "sheet.csv"
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{file}: row 2, column `Email`: `nonsense` is no mail address; write it like `name@example.com`",
        f"{file}: row 3, column `Email`: `=1+1` looks like a formula; write plain text",
    ]
    assert json.loads(clients_import(sheet, "--json").stdout)["problems"] == result.stderr.splitlines()
    assert not (firm / "clients").exists()


def test_a_configuration_that_would_be_wrong_is_not_written(firm: Path, clients_import: Import) -> None:
    """S4.19: the differences are shown, what would be wrong is said with its row, and nothing is written."""
    before = (firm / "config.toml").read_bytes()
    sheet = f"{SHEET}Acme,Dana Reyes,dana@msp.example,yes\n"
    result = clients_import(sheet)
    assert result.exit_code == 2
    assert "row 5, column `Email`: also [[manager]] `Dana Reyes`" in result.stderr
    assert "new client" in result.stdout
    assert json.loads(clients_import(sheet, "--json").stdout)["written"] == []
    assert (firm / "config.toml").read_bytes() == before
    assert not (firm / "clients").exists()


def test_without_include_the_line_to_add_is_told(firm: Path, clients_import: Import) -> None:
    """DESIGN 4: files that nobody would read are not written."""
    shutil.copy(shipped("config.toml"), firm / "config.toml")
    result = clients_import(SHEET)
    assert result.exit_code == 2
    assert 'write this line above all sections: include = ["clients/*.toml"]' in result.stderr
    assert not (firm / "clients").exists()


def test_a_sheet_that_is_not_there(firm: Path) -> None:
    """DESIGN 4: one line, exit 2."""
    words = ["import", str(firm / "none.csv"), "--config", str(firm / "config.toml")]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 2
    assert result.stderr == f"{firm / 'none.csv'}: cannot be read (No such file or directory); correct the name\n"


def test_names_cannot_reach_the_terminal_s_controls(clients_import: Import) -> None:
    """S1.17: what an export holds is shown as text, never as markup, and control characters are refused."""
    result = clients_import("Client,Name,Email\nAcme,[red]Ann[/red] Webb,ann@acme.example\n")
    assert "[red]Ann[/red] Webb" in result.stdout
    result = clients_import("Client,Name,Email\nAcme,A\x1b[2J\x9b31m,ann@acme.example\n")
    assert result.exit_code == 2
    assert "\x1b" not in result.output
    assert "\x9b" not in result.output


@pytest.mark.parametrize("name", ["autotask", "connectwise", "halopsa"])
def test_each_psa_s_export_needs_no_options(firm: Path, name: str) -> None:
    """DESIGN 4: the exports of the three PSAs are understood as they come."""
    words = ["import", str(FIXTURES / f"{name}.csv"), "--config", str(firm / "config.toml"), "--json"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["written"] != []
