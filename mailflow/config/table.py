"""What every table of the configuration file has in common, and how faults between its keys are told."""

from pydantic import BaseModel, ConfigDict


class Faults(ValueError):  # noqa: N818 - it carries several
    """What is wrong between the keys of one entry: (key, text) each."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("; ".join(text for _, text in faults))
        self.faults = faults


class Table(BaseModel):
    """A table of the configuration file. Its errors and its repr hold no secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
