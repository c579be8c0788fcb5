"""The texts that a network went through, for undo and redo."""

from dataclasses import dataclass, field


@dataclass
class Edits:
    """Texts of a declaration, the first one the proposal, and which of them stands.

    Args:
        typing: The turn at the keyboard that wrote the last text: its next text takes the place of that one.
    """

    texts: list[str] = field(default_factory=list)
    at: int = 0
    typing: int | None = None

    @property
    def text(self) -> str | None:
        """The text that stands; None: the proposal."""
        return self.texts[self.at] if self.at else None

    def push(self, before: str, text: str, typing: int | None = None) -> None:
        """Take a new text; those that were undone are forgotten.

        Args:
            before: What stood until now.
            typing: As above; None: it was not typed.
        """
        if text == before:
            return
        if not self.at:
            self.texts = [before]
        elif typing is not None and typing == self.typing:
            self.at -= 1
        self.texts = [*self.texts[: self.at + 1], text]
        self.at, self.typing = len(self.texts) - 1, typing

    def step(self, by: int) -> None:
        """Undo (-1) or redo (1), where there is something."""
        self.at = min(max(self.at + by, 0), max(len(self.texts) - 1, 0))
        self.typing = None
