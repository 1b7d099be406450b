"""What is wrong with a configuration, gathered so that all of it can be told at once."""


class ConfigurationError(Exception):
    """A configuration that cannot be used. Each problem reads `file: path.to.key: what is wrong; what to do`."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Report:
    """Collects problems (the configuration is refused) and warnings (it works, but perhaps not as meant)."""

    def __init__(self) -> None:
        self._problems: dict[str, None] = {}
        self._warnings: dict[str, None] = {}

    def problem(self, file: str, path: str, text: str) -> None:
        """Note a problem; the same one is told once."""
        self._problems[_line(file, path, text)] = None

    def warning(self, file: str, path: str, text: str) -> None:
        """Note a warning; the same one is told once."""
        self._warnings[_line(file, path, text)] = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Every problem, in the order found."""
        return tuple(self._problems)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Every warning, in the order found."""
        return tuple(self._warnings)


def _line(file: str, path: str, text: str) -> str:
    return f"{file}: {path}: {text}" if path else f"{file}: {text}"
