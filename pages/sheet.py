"""The sheet that every page is: its head, its sign, a verdict, sections, a foot. Loads nothing and runs nothing."""

from collections.abc import Sequence
from enum import Enum

from pages.markup import EMPTY, Markup, clipped, document, element, stylesheet, text
from pages.style import RULES

# The browser itself then refuses whatever would leave the file.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WHEN_LETTERS_MAX = 64


class Tone(Enum):
    """How a verdict sounds; the value is the sign before its badge."""

    GOOD = "\N{CHECK MARK}"
    WARN = "!"
    ALARM = "\N{MULTIPLICATION X}"


def sheet(*sections: Markup, title: str, brand: str, when: str, rules: str = "", beside: str = "") -> Markup:
    """A whole page. `brand`: what kind of page it is, beside the name of the house.

    `rules`: of its own style. `beside`: the file that has the same as data.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", text(title)),
        stylesheet(RULES + rules),
    )
    # A palisade: three stakes and a rail.
    stakes = element("path", d="M1 22V7l3-5 3 5v15zM9 22V7l3-5 3 5v15zM17 22V7l3-5 3 5v15z")
    sign = element("svg", stakes, viewBox="0 0 24 24", class_="sign", aria_hidden="true")
    name = element("span", sign, element("strong", text("Stockade")), text(f" {brand}"), class_="brand")
    top = element("header", name, element("span", text(clipped(when, WHEN_LETTERS_MAX)), class_="when"))
    data = f" The figures as data: {beside} beside it." if beside else ""
    foot = element("footer", text("One file, no network, no script." + data))
    return document(head, element("body", top, element("main", *sections), foot))


def verdict(tone: Tone, badge: str, sentences: Sequence[str], *, lead: str, reasons: Sequence[str] = ()) -> Markup:
    """The first section: what came of it in one line, and what is to be said about that."""
    sign = element("span", text(tone.value), class_="badge-sign", aria_hidden="true")
    # A line breaks between the sentences rather than within one, where there is room.
    parts = [element("span", text(sentence + " ")) for sentence in sentences]
    asides = [element("li", text(words)) for words in reasons]
    return element(
        "section",
        element("p", sign, text(badge), class_="badge"),
        element("h1", *parts, id="verdict"),
        element("p", text(lead), class_="lead"),
        element("ul", *asides, class_="reasons") if asides else EMPTY,
        class_=f"verdict {tone.name.lower()}",
        aria_labelledby="verdict",
    )


def section(name: str, heading: str, words: str, *content: Markup) -> Markup:
    """A section with its heading, and a line of words under that if there are any."""
    lead = element("p", text(words), class_="lead") if words else EMPTY
    title = element("h2", text(heading), id=f"{name}-heading")
    return element("section", title, lead, *content, class_="card", id=name, aria_labelledby=f"{name}-heading")
