"""Builds HTML and SVG as escaped strings: the only file that makes `Markup`, so text cannot slip in unescaped."""

import html
import unicodedata
from collections.abc import Iterable
from typing import NewType

Markup = NewType("Markup", str)
"""Text that is safe to put into the page as it stands."""

EMPTY = Markup("")

VOID_TAGS = frozenset({"br", "col", "meta"})

# Control characters, surrogates and bidirectional overrides could break the file or disguise what a name says.
HIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Cf", "Cn", "Co"})

Attribute = str | int | float | None


def text(value: str) -> Markup:
    """`value` as it reads, harmless both between tags and inside a quoted attribute."""
    visible = "".join("\ufffd" if unicodedata.category(letter) in HIDDEN_CATEGORIES else letter for letter in value)
    return Markup(html.escape(visible, quote=True))


def clipped(value: str, letters_max: int) -> str:
    """`value`, cut to `letters_max` characters; the last of them is then an ellipsis."""
    return value if len(value) <= letters_max else value[: letters_max - 1] + "…"


def element(tag: str, *content: Markup, **attributes: Attribute) -> Markup:
    """One element. `stroke_width` becomes `stroke-width`, `class_` becomes `class`; None leaves an attribute out."""
    head = tag + "".join(_attribute(name, value) for name, value in attributes.items() if value is not None)
    if tag in VOID_TAGS:
        return Markup(f"<{head}>")
    return Markup(f"<{head}>{''.join(content)}</{tag}>")


def join(parts: Iterable[Markup]) -> Markup:
    """The parts, one after the other."""
    return Markup("".join(parts))


def document(*content: Markup) -> Markup:
    """A whole HTML file around its head and body."""
    return Markup("<!doctype html>\n" + element("html", *content, lang="en") + "\n")


def stylesheet(rules: str) -> Markup:
    """A style element. `rules` comes from this package alone: nothing of the sale may be part of it."""
    return Markup(f"<style>{rules}</style>")


def _attribute(name: str, value: str | int | float) -> str:
    # A tenth of a pixel is finer than the eye sees; more digits would only make the file heavy.
    spelled = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else text(str(value))
    return f' {name.rstrip("_").replace("_", "-")}="{spelled}"'
