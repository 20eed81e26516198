"""Shared by the displays: colours, figures, labels of limited length, fonts for rare characters."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ldavi._core.topics_of_model import ModelOrTopics, has_word_names
from ldavi._core.topics_of_model import topic_names_of as own_topic_names_of
from ldavi._core.typing import Names
from ldavi.inspection._distinct_labels import distinct_labels
from ldavi.inspection._words import NO_WORDS

# Okabe, Ito. "Color universal design", 2008
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, BLACK = "#56B4E9", "#CC79A7", "#000000"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK)
GREY, PALE = "#595959", "#E6E6E6"
CMAP = "cividis"

FONT_SIZE = 9.0
LINE = 0.2  # inches from one label to the next
MIN_LINE = 0.085  # for many labels, in a font of 5 points
PAGE = (8.2, 11.6)  # inches, of A4: figures of up to 100 topics are not larger
MAX_WORD = 28  # characters; longer labels are truncated
MAX_NAME = 44
MAX_WORD_IN_NAME = 16
SEPARATOR = " · "  # between a topic's number and its words


def pyplot() -> Any:
    """Import matplotlib.pyplot; the error says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        msg = 'plotting requires matplotlib: python -m pip install "ldavi[plot]"'
        raise ImportError(msg) from error
    return plt


def figure_of(ax: Any, width: float, height: float) -> tuple[Any, Any]:
    """Return the figure and the given axes, or new ones of that many inches whose layout has space for labels."""
    plt = pyplot()
    if ax is not None:
        return ax.figure, ax
    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    return figure, ax


def fitted_line(n_labels: int, space: float, size: float = FONT_SIZE, line: float = LINE) -> tuple[float, float]:
    """Return the distance of labels in inches, such that all fit into `space` if possible, and their font size."""
    fitted = min(line, max(MIN_LINE, space / max(n_labels, 1)))
    return fitted, min(size, 0.76 * 72 * fitted)


def shorten(text: object, max_length: int = MAX_WORD) -> str:
    """Truncate a label, and replace line breaks by blanks."""
    line = " ".join(str(text).split())
    return line if len(line) <= max_length else line[: max_length - 1] + "…"


def topic_names_of(
    model: ModelOrTopics, n_topics: int, names: Sequence[str] | None, feature_names: Names | None
) -> list[str]:
    """Return names of the topics: as given, else number and own name or most relevant words, else numbers alone."""
    if names is not None:
        return given_names("topic_names", names, n_topics, "topics")
    own_names = own_topic_names_of(model) or [""] * n_topics
    if not has_word_names(model, feature_names):
        return [f"{k}{SEPARATOR}{name}" if name else f"Topic {k}" for k, name in enumerate(own_names)]
    labels = distinct_labels(model, feature_names)
    words = [", ".join(shorten(word, MAX_WORD_IN_NAME) for word in label) for label in labels]
    named = zip(own_names, words, strict=True)
    return [f"{k}{SEPARATOR}{name or own or NO_WORDS}" for k, (name, own) in enumerate(named)]


def given_names(parameter: str, names: Iterable[Any], n_wanted: int, things: str) -> list[str]:
    """Check that a user gave one name for each thing, and return them as str."""
    given = [str(name) for name in names]
    if len(given) != n_wanted:
        raise ValueError(
            f"{parameter} holds {len(given)} names, but there are {n_wanted} {things}. Give one name for each."
        )
    return given


def axes_of(axes: Any, n_wanted: int, things: str) -> Any:
    """Check that a user gave axes for each panel, and return as many."""
    given = np.asarray(axes, dtype=object).ravel()
    if len(given) < n_wanted:
        raise ValueError(f"axes holds {len(given)} Axes, but there are {n_wanted} {things}. Give one for each.")
    return given[:n_wanted]


def write(texts: Iterable[Any]) -> None:
    """Disable mathematical notation in texts, so that "$" is literal, and set fonts that contain rare characters."""
    texts = list(texts)
    missing = missing_letters("".join({letter for text in texts for letter in text.get_text()}))
    families = families_with(missing) if missing else ()
    for text in texts:
        text.set_parse_math(False)
        if families and not missing.isdisjoint(map(ord, text.get_text())):
            text.set_fontfamily([*text.get_fontfamily(), *families])
            text.set_fontweight("normal")  # other weights are rare among fonts of many letters


def missing_letters(letters: str) -> frozenset[int]:
    """Return the code points that the current font does not contain."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known = get_font(findfont(FontProperties())).get_charmap()
    return frozenset({ord(letter) for letter in letters if not letter.isspace()} - known.keys())


@functools.lru_cache(maxsize=64)
def families_with(missing: frozenset[int]) -> tuple[str, ...]:
    """Return installed font families that together contain the letters, the one that contains most of them first."""
    from matplotlib.font_manager import fontManager, get_font

    found: list[str] = []
    plain = [
        font for font in fontManager.ttflist if font.style == "normal" and font.weight in (400, "normal", "regular")
    ]
    plain = [font for font in plain if not font.name.startswith("Last Resort")]  # which contains placeholder boxes
    has = {font.name: missing & get_font(font.fname).get_charmap().keys() for font in plain}
    while missing and has:
        best = max(sorted(has), key=lambda name: len(missing & has[name]))
        if not missing & has[best]:
            break
        found.append(best)
        missing -= has[best]
    return tuple(found)


def widest(figure: Any, texts: Sequence[str], size: float) -> float:
    """Return the width of the widest text in inches."""
    longest = sorted(set(texts), key=len)[
        -20:
    ]  # letters differ in width, but not by so much that a shorter text would be wider
    artists = [figure.text(0, 0, text, fontsize=size) for text in longest]
    write(artists)
    width = max((text.get_window_extent().width for text in artists), default=0) / figure.dpi
    for text in artists:
        text.remove()
    return float(width)


def quiet(ax: Any, *, grid: str | None = None) -> None:
    """Remove the top and right spines, and draw a pale grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=FONT_SIZE)
    if grid:
        ax.grid(axis=grid, color=PALE, linewidth=0.8)
        ax.set_axisbelow(True)


def heat_ticks(ax: Any, axis: str, labels: Sequence[str], size: float, **options: Any) -> None:
    """Label each row or column of an image."""
    place = np.arange(len(labels))
    setter = ax.set_yticks if axis == "y" else ax.set_xticks
    setter(place, labels, fontsize=size, **options)
    write(ax.get_yticklabels() if axis == "y" else ax.get_xticklabels())


def color_bar(figure: Any, image: Any, ax: Any, label: str, *, label_size: float = FONT_SIZE, **options: Any) -> None:
    """Add a colour bar without outline to a heat map."""
    bar = figure.colorbar(image, ax=ax, **options)
    bar.set_label(label, fontsize=label_size)
    bar.ax.tick_params(labelsize=FONT_SIZE - 1)
    bar.outline.set_visible(False)


def chosen_topics(topics: Sequence[int] | None, n_topics: int) -> list[int]:
    """Check the topics to show; None means all."""
    chosen = list(range(n_topics)) if topics is None else [int(k) for k in topics]
    wrong = [k for k in chosen if not 0 <= k < n_topics]
    if wrong or not chosen:
        raise ValueError(f"topics={topics!r} must hold numbers from 0 to {n_topics - 1}, at least one")
    return chosen
