"""What the displays share: colours, figures, labels that fit, fonts that have the letters."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ldavi.inspection import top_words_lists

# Okabe, Ito. "Color universal design", 2008
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, BLACK = "#56B4E9", "#CC79A7", "#000000"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK)
GREY, PALE = "#595959", "#E6E6E6"
CMAP = "cividis"

FONT_SIZE = 9.0
LINE = 0.2  # inches from one label to the next
LONGEST = 28  # letters of a word; more are cut
LONGEST_NAME = 44
SEPARATOR = " · "  # between a topic's number and its words


def pyplot() -> Any:
    """matplotlib.pyplot, or an error that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        msg = 'plotting needs matplotlib: python -m pip install "ldavi[plot]"'
        raise ImportError(msg) from error
    return plt


def figure_of(ax: Any, width: float, height: float) -> tuple[Any, Any]:
    """The given axes and its figure, or new ones of that many inches whose layout leaves room for labels."""
    plt = pyplot()
    if ax is not None:
        return ax.figure, ax
    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return figure, ax


def shorten(text: Any, most: int = LONGEST) -> str:
    """A label of at most so many letters, its end cut."""
    line = " ".join(str(text).split())  # a label has one line
    return line if len(line) <= most else line[: most - 1] + "…"


def topic_names_of(model: Any, n_topics: int, names: Any, feature_names: Any) -> list[str]:
    """A name for each topic: as given, else its number and first words, or its number where words have no names."""
    if names is not None:
        return given_names("topic_names", names, n_topics, "topics")
    if not has_word_names(model, feature_names):
        return [f"Topic {k}" for k in range(n_topics)]
    words = top_words_lists(model, 3, feature_names=feature_names)
    return [f"{k}{SEPARATOR}" + ", ".join(shorten(word, 16) for word in words[k]) for k in range(n_topics)]


def given_names(parameter: str, names: Any, n_wanted: int, things: str) -> list[str]:
    """Names that a user gave, one for each thing."""
    given = [str(name) for name in names]
    if len(given) != n_wanted:
        raise ValueError(
            f"{parameter} holds {len(given)} names, but there are {n_wanted} {things}. Give one name for each."
        )
    return given


def axes_of(axes: Any, n_wanted: int, things: str) -> Any:
    """Axes that a user gave, one for each panel; more are left alone."""
    given = np.asarray(axes, dtype=object).ravel()
    if len(given) < n_wanted:
        raise ValueError(f"axes holds {len(given)} Axes, but there are {n_wanted} {things}. Give one for each.")
    return given[:n_wanted]


def has_word_names(model: Any, feature_names: Any) -> bool:
    """Whether words are called more than "x0", "x1", …."""
    return feature_names is not None or getattr(model, "feature_names_in_", None) is not None


def write(texts: Iterable[Any]) -> None:
    """Make texts literal (a "$" is a dollar, not mathematics) and give those with rarer letters fonts that have them."""
    texts = list(texts)
    missing = missing_letters("".join({letter for text in texts for letter in text.get_text()}))
    families = families_with(missing) if missing else ()
    for text in texts:
        text.set_parse_math(False)
        if families and not missing.isdisjoint(map(ord, text.get_text())):
            text.set_fontfamily([*text.get_fontfamily(), *families])
            text.set_fontweight("normal")  # other weights are rare among fonts of many letters


def missing_letters(letters: str) -> frozenset[int]:
    """Code points that the font in use does not have."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties())).get_charmap()
    return frozenset({ord(letter) for letter in letters if not letter.isspace()} - known.keys())


@functools.lru_cache(maxsize=64)
def families_with(missing: frozenset[int]) -> tuple[str, ...]:
    """Installed families that together have the letters, the one that has most of them first; some may be in none."""
    from matplotlib.font_manager import fontManager, get_font

    found: list[str] = []
    plain = [
        font for font in fontManager.ttflist if font.style == "normal" and font.weight in (400, "normal", "regular")
    ]
    plain = [font for font in plain if not font.name.startswith("Last Resort")]  # it has boxes in place of letters
    has = {font.name: missing & get_font(font.fname).get_charmap().keys() for font in plain}
    while missing and has:
        best = max(sorted(has), key=lambda name: len(missing & has[name]))
        if not missing & has[best]:
            break
        found.append(best)
        missing -= has[best]
    return tuple(found)


def widest(figure: Any, texts: Sequence[str], size: float) -> float:
    """Inches that the longest text takes."""
    longest = sorted(set(texts), key=len)[-20:]  # letters differ in width, but not that much
    artists = [figure.text(0, 0, text, fontsize=size) for text in longest]
    write(artists)
    width = max((text.get_window_extent().width for text in artists), default=0) / figure.dpi
    for text in artists:
        text.remove()
    return float(width)


def quiet(ax: Any, *, grid: str | None = None) -> None:
    """No frame above and on the right, and a pale grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=FONT_SIZE)
    if grid:
        ax.grid(axis=grid, color=PALE, linewidth=0.8)
        ax.set_axisbelow(True)


def heat_ticks(ax: Any, axis: str, labels: Sequence[str], size: float, **options: Any) -> None:
    """A label for each row or column of an image."""
    place = np.arange(len(labels))
    setter = ax.set_yticks if axis == "y" else ax.set_xticks
    setter(place, labels, fontsize=size, **options)
    write(ax.get_yticklabels() if axis == "y" else ax.get_xticklabels())


def chosen_topics(topics: Sequence[int] | None, n_topics: int) -> list[int]:
    """Topics to show, each of which must be there."""
    chosen = list(range(n_topics)) if topics is None else [int(k) for k in topics]
    wrong = [k for k in chosen if not 0 <= k < n_topics]
    if wrong or not chosen:
        raise ValueError(f"topics={topics!r} must hold numbers from 0 to {n_topics - 1}, at least one")
    return chosen
