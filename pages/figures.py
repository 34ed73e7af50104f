"""Key figures in groups: a name, its value, and what the name leaves open."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.markup import EMPTY, Markup, element, text


@dataclass(frozen=True, slots=True)
class Figure:
    """A name, its value, and what the name leaves open. `tone`: `warning`, `alarming` or none."""

    name: str
    value: str
    aside: str = ""
    tone: str = ""


def groups(*parts: Markup) -> Markup:
    """Groups, one below the other."""
    return element("div", *parts, class_="groups")


def group(name: str, figures: Sequence[Figure]) -> Markup:
    """Figures as a description list."""
    entries = [
        element(
            "div",
            element("dt", text(figure.name)),
            element("dd", text(figure.value), class_="value"),
            element("dd", text(figure.aside), class_="aside") if figure.aside else EMPTY,
            class_=f"figure {figure.tone}".strip(),
        )
        for figure in figures
    ]
    return element("div", element("h3", text(name)), element("dl", *entries), class_="group")


def facts(entries: Sequence[tuple[str, Markup]]) -> Markup:
    """Smaller ones, side by side."""
    rows = [element("div", element("dt", text(name)), element("dd", value)) for name, value in entries]
    return element("dl", *rows, class_="facts")
