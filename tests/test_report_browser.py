"""`ldavi.report` in headless Chromium: display, interaction, an empty console, and no execution of hostile texts."""

import json
import shutil
import time
from collections.abc import Iterator

import numpy as np
import pytest
from report_corpus import hostile, many_topics, usual
from sklearn.feature_extraction.text import CountVectorizer

from ldavi import io, report

pytest.importorskip("selenium", reason="the browser is driven by selenium (extra [interop])")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(BROWSER is None or DRIVER is None, reason="no Chromium with its chromedriver on this machine"),
]


class Tab:
    """One browser for all tests; `open` loads a new page."""

    def __init__(self, folder):
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.driver.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        self.folder = folder

    def write(self, case, name):
        path = self.folder / name
        return report.write(path, case.model, case.X, **case.options)

    def open(self, path, *, width=1440, scheme="light", fragment=""):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get("about:blank")
        self.complaints()
        self.driver.get(path.as_uri() + fragment)
        self.until("return document.documentElement.dataset.ready === 'yes'")
        return self

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, script):
        return WebDriverWait(self.driver, 30, 0.05).until(lambda driver: driver.execute_script(script))

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def chosen(self):
        return int(self.run("return document.querySelector('#topic-list [aria-selected=true]').dataset.topic"))

    def active(self):
        return self.run("return document.activeElement.id")

    def show(self, identifier):
        self.run("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", identifier)

    def drawn(self, identifier):
        """Wait until a chart is displayed and has content."""
        self.show(identifier)
        self.until(f"""
            const place = document.getElementById('{identifier}');
            return place.dataset.drawn === 'yes' && place.querySelectorAll('svg > *').length > 2;""")

    def complete(self):
        """Wait until all charts are drawn and all documents can be searched."""
        self.until("return document.documentElement.dataset.complete === 'yes'")

    def search(self, sought):
        self.find("#search").clear()
        self.find("#search").send_keys(sought)
        self.until("return !document.getElementById('results').hidden")

    def complaints(self):
        """Return the warnings and errors of the console."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] != "INFO"]


@pytest.fixture(scope="module")
def tab(tmp_path_factory) -> Iterator[Tab]:
    tab = Tab(tmp_path_factory.mktemp("pages"))
    yield tab
    tab.driver.quit()


@pytest.fixture(scope="module")
def path(tab):
    return tab.write(usual(), "usual.html")


@pytest.fixture(scope="module")
def data(path):
    page = path.read_text(encoding="utf-8")
    return json.loads(page.split('id="data">', 1)[1].split("</script>", 1)[0])


@pytest.fixture(scope="module")
def hostile_path(tab):
    return tab.write(hostile(), "hostile.html")


@pytest.fixture(scope="module")
def large_path(tab):
    return tab.write(many_topics(), "large.html")


CHARTS = ("map", "tree", "matrix", "trend", "heat", "groups", "effect", "effect-groups", "document-map", "trace")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1000, 375])
def test_every_chart_is_drawn_and_the_console_is_empty(tab, path, scheme, width):
    tab.open(path, scheme=scheme, width=width)
    for chart in CHARTS:
        tab.drawn(chart)
    assert tab.complaints() == []


def test_two_hundred_topics_open_with_an_empty_console(tab, large_path):
    tab.open(large_path)
    for chart in CHARTS[:-1]:
        tab.drawn(chart)
    assert len(tab.texts("#topic-list [role=option]")) == 200
    assert tab.complaints() == []


@pytest.mark.parametrize(
    ("topics", "options"),
    [
        (np.ones((1, 4)), {"metadata": {"a": [1, 2, 3, 4], "b": ["2020-01-01"] * 4}}),
        (np.eye(4)[:, :1] + 1, {"n_documents": 0}),
        (np.eye(4), {"metadata": {"nothing": [""] * 4, "no date": np.full(4, "NaT", dtype="datetime64[D]")}}),
        (np.eye(4), {"texts": [""] * 4}),
    ],
    ids=["one topic", "one word and no document", "columns without a value", "empty texts"],
)
def test_a_page_with_little_content_logs_nothing(tab, topics, options):
    path = report.write(tab.folder / "little.html", topics, np.eye(4, topics.shape[1]), **options)
    tab.open(path)
    tab.drawn("map")
    for row in range(len(options.get("metadata", {}))):
        Select(tab.find("#column")).select_by_index(row)
    assert tab.texts("#words button")
    assert tab.complaints() == []


def test_a_page_without_texts_shows_words_with_their_counts(tab):
    path = report.write(tab.folder / "bag.html", np.eye(2), [[3, 0], [0, 1]], feature_names=["cat", "dog"])
    tab.open(path)
    tab.complete()
    assert tab.texts("#document-text mark") in (["cat ×3"], ["dog"])
    assert tab.complaints() == []


def test_no_request_leaves_the_page(tab, path):
    tab.open(path)
    tab.drawn("map")
    assert tab.run("return performance.getEntriesByType('resource').map((entry) => entry.name)") == []


@pytest.mark.parametrize("which", ["path", "hostile_path", "large_path"])
@pytest.mark.parametrize("width", [375, 768])
def test_nothing_is_wider_than_the_screen(tab, which, width, request):
    tab.open(request.getfixturevalue(which), width=width)
    assert tab.run("return document.documentElement.scrollWidth") <= width


# Hostile text


@pytest.mark.parametrize("texts", [True, False], ids=["texts", "counts"])
def test_no_text_of_documents_is_executed(tab, hostile_path, texts):
    case = hostile()
    tab.open(
        hostile_path if texts else tab.write(case._replace(options={**case.options, "texts": None}), "counts.html")
    )
    for chart in CHARTS[:-1]:
        tab.drawn(chart)
    for row in range(len(tab.texts("#topic-list [role=option]"))):
        tab.run("document.querySelectorAll('#topic-list [role=option]')[arguments[0]].click()", row)
    tab.run(
        "const list = document.getElementById('document-filter');"
        "list.value = 'all';"
        "list.dispatchEvent(new Event('change'))"
    )
    for row in range(len(tab.texts("#document-list [role=option]"))):
        tab.run("document.querySelectorAll('#document-list [role=option]')[arguments[0]].click()", row)
    for sought in ("<", "script", "onerror"):
        tab.search(sought)
    tab.until("return document.querySelectorAll('#results .snippet').length > 0")
    assert tab.run("return window.hacked") is None
    assert tab.run("return document.querySelectorAll('main img, main script, main b, .bar img').length") == 0
    assert tab.complaints() == []


def test_hostile_text_is_shown_literally(tab, hostile_path):
    tab.open(hostile_path)
    assert tab.texts("h1") == ["</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"]
    assert tab.texts("#topics-table tbody th")[:3] == [
        "</script><script>window.hacked=1</script>",
        "<img src=x onerror=window.hacked=1>",
        "<!--<script>",
    ]


def test_the_page_runs_no_script_but_its_own(tab, path):
    """The content security policy blocks scripts and handlers that are inserted into the page."""
    tab.open(path)
    tab.run("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hacked = 1'}))")
    tab.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 1\">')")
    tab.until("return true")
    time.sleep(0.2)  # a handler would run later
    assert tab.run("return window.hacked") is None
    assert any("Content Security Policy" in line for line in tab.complaints())


# Topics


def test_the_slider_orders_words_by_relevance(tab, path, data):
    tab.open(path)
    topic = data["topics"][tab.chosen()]
    for keys, weight in [(Keys.HOME, 0), (Keys.END, 1)]:
        tab.find("#relevance").send_keys(keys)
        share = [data["word_share"][w] for w in topic["words"]]
        order = np.argsort(
            [-weight * np.log(p) - (1 - weight) * np.log(p / s) for p, s in zip(topic["p"], share, strict=True)]
        )
        assert tab.texts("#words button")[:5] == [data["words"][topic["words"][i]] for i in order[:5]]


def test_the_list_is_one_tab_stop_and_arrows_move_in_it(tab, path, data):
    tab.open(path)
    tab.run("document.getElementById('order').focus()")
    tab.press(Keys.TAB)
    assert tab.active() == "topic-list"
    by_size = sorted(range(3), key=lambda k: -data["topics"][k]["share"])
    seen = [tab.chosen()]
    for _ in range(2):
        tab.press(Keys.ARROW_DOWN)
        seen.append(tab.chosen())
    assert seen == by_size
    assert tab.run("return document.activeElement.getAttribute('aria-activedescendant')") == f"topic-option-{seen[-1]}"
    tab.press(Keys.HOME)
    assert tab.chosen() == by_size[0]


def test_the_focused_element_is_outlined(tab, path):
    tab.open(path)
    tab.run("document.getElementById('order').focus()")
    tab.press(Keys.TAB)
    assert tab.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_every_control_has_a_name(tab, path):
    tab.open(path)
    tree = tab.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = ("button", "slider", "combobox", "listbox", "searchbox", "link", "option")
    controls = [node for node in tree if not node["ignored"] and node["role"]["value"] in roles]
    assert len(controls) > 20
    assert not [node for node in controls if not node["name"]["value"].strip()]


def test_a_circle_of_the_map_chooses_its_topic(tab, path):
    tab.open(path)
    tab.complete()
    tab.drawn("map")
    before = tab.chosen()
    left, top, width, height = tab.run(
        "const box = document.getElementById('map').getBoundingClientRect();"
        "return [box.x, box.y, box.width, box.height]"
    )
    for across, down in np.ndindex(24, 24):
        point = {"x": left + (across + 0.5) / 24 * width, "y": top + (down + 0.5) / 24 * height}
        tab.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", **point})
        tip = tab.run("const tip = document.querySelector('#map .tip'); return tip.hidden ? null : tip.textContent")
        if tip and not tip.startswith(f"{before} · "):
            break
    for kind in ("mousePressed", "mouseReleased"):
        tab.driver.execute_cdp_cmd(
            "Input.dispatchMouseEvent", {"type": kind, "button": "left", "clickCount": 1, **point}
        )
    topic = tip.split(" · ")[0]
    tab.until(f"return document.querySelector('#topic-list [aria-selected=true]').dataset.topic === '{topic}'")


def pointed(tab, chart):
    """Return the lines of the value selected by the arrow keys, and check the position of its ring."""
    tip = f"document.querySelector('#{chart} .tip')"
    lines = tab.run(f"return {tip}.hidden ? null : [...{tip}.children].map(line => line.textContent)")
    assert tab.run("return document.getElementById('announcement').textContent") == ", ".join(lines or [])
    inside = tab.run(
        "const box = id => document.querySelector(id).getBoundingClientRect();"
        "const [place, ring] = [box('#' + arguments[0]), box('#' + arguments[0] + ' .ring')];"
        "return ring.width > 0 && ring.x > place.x - 9 && ring.x < place.right"
        " && ring.y > place.y - 9 && ring.y < place.bottom",
        chart,
    )
    assert inside
    return lines


def focused(tab, path, chart, **options):
    tab.open(path, **options)
    tab.drawn(chart)
    tab.run("document.getElementById(arguments[0]).focus()", chart)


def test_arrows_announce_the_bound_of_each_pass(tab, path, data):
    focused(tab, path, "trace")
    trace = data["trace"]
    tab.press(Keys.HOME)
    for i in range(3):
        lines = pointed(tab, "trace")
        assert lines[0].startswith(f"pass {trace['iteration'][i]},")
        assert lines[1] == f"{trace['elbo'][i]:,.1f} nats".replace(".0 nats", " nats")
        tab.press(Keys.ARROW_RIGHT)
    tab.press(Keys.END, Keys.ARROW_RIGHT)
    assert pointed(tab, "trace")[0].startswith(f"pass {trace['iteration'][-1]},")


@pytest.mark.parametrize("column", range(3))
def test_arrows_announce_each_value_of_a_trend(tab, path, data, column):
    focused(tab, path, "trend")
    Select(tab.find("#column")).select_by_index(column)
    tab.drawn("trend")
    tab.run("document.getElementById('trend').focus()")
    kept, topic = data["columns"][column], tab.chosen()
    cut = kept["cuts"][0]
    announced = []
    tab.press(Keys.HOME)
    for _ in cut["bins"]:
        announced.append(pointed(tab, "trend"))
        tab.press(Keys.ARROW_DOWN if kept["kind"] == "class" else Keys.ARROW_RIGHT)
    values = [100 * value / data["unit"] for value in cut["share"][topic]]
    shown = [float(lines[1].removesuffix(" % of its tokens")) for lines in announced]
    np.testing.assert_allclose(np.sort(shown), np.sort(values), atol=0.0051)
    assert len({lines[0] for lines in announced}) == len(cut["bins"])


def test_arrows_move_between_topics_on_the_map_and_enter_chooses(tab, path, data):
    focused(tab, path, "map")
    seen = set()
    tab.press(Keys.HOME)
    for _ in data["topics"]:
        seen.add(pointed(tab, "map")[0])
        tab.press(Keys.ARROW_RIGHT)
    assert len(seen) == len(data["topics"])
    tab.press(Keys.HOME, Keys.ARROW_RIGHT)
    topic = pointed(tab, "map")[0].split(" · ")[0]
    assert topic != str(tab.chosen())
    tab.press(Keys.ENTER)
    tab.until(f"return document.querySelector('#topic-list [aria-selected=true]').dataset.topic === '{topic}'")
    tab.until("return !document.querySelector('#map .ring').hidden")  # it stays through the redrawing
    assert tab.active() == "map"


def test_arrows_move_over_rows_and_columns_of_all_trends(tab, path, data):
    focused(tab, path, "heat")
    tab.press(Keys.ARROW_RIGHT)
    first = pointed(tab, "heat")
    tab.press(Keys.ARROW_RIGHT)
    right = pointed(tab, "heat")
    assert (right[0], right[1] != first[1]) == (first[0], True)
    tab.press(Keys.ARROW_DOWN)
    below = pointed(tab, "heat")
    assert (below[0] != right[0], below[1]) == (True, right[1])
    tab.press(Keys.ENTER)
    topic = below[0].split(" · ")[0]
    tab.until(f"return document.querySelector('#topic-list [aria-selected=true]').dataset.topic === '{topic}'")


def test_charts_are_tab_stops_with_names_and_descriptions(tab, path):
    tab.open(path)
    for chart in CHARTS:
        place = tab.find(f"#{chart}")
        assert place.get_attribute("tabindex") == "0"
        assert place.accessible_name
        described = place.get_attribute("aria-describedby")
        assert "Arrow keys" in tab.run("return document.getElementById(arguments[0]).textContent", described)


def test_escape_and_blur_hide_the_ring(tab, path):
    focused(tab, path, "map")
    for key in (Keys.ESCAPE, Keys.TAB):
        tab.press(Keys.ARROW_RIGHT)
        pointed(tab, "map")
        tab.press(key)
        assert tab.run(
            "return document.querySelector('#map .ring').hidden && document.querySelector('#map .tip').hidden"
        )


def test_the_address_keeps_the_topic(tab, path):
    tab.open(path, fragment="#topic-1")
    assert tab.chosen() == 1
    tab.find("#next").click()
    assert tab.run("return location.hash") == f"#topic-{tab.chosen()}"


# Search


def test_a_word_leads_to_the_topic_that_it_belongs_to(tab, path, data):
    tab.open(path)
    tab.press("/")
    assert tab.active() == "search"
    tab.press("telescope")
    tab.until("return !document.getElementById('results').hidden")
    tab.press(Keys.ENTER)
    tab.until("return document.activeElement.id === 'topics'")
    expected = max(
        range(3),
        key=lambda k: dict(zip(data["topics"][k]["words"], data["topics"][k]["p"], strict=True)).get(
            data["words"].index("telescope"), 0
        ),
    )
    assert tab.chosen() == expected
    assert tab.active() == "topics"


def test_a_document_is_found_by_its_text(tab, path, data):
    tab.open(path)
    row = data["documents"][-1]
    text = "".join(piece for piece in row["text"] if isinstance(piece, str))
    tab.search(text[20:60].lower())
    tab.press(Keys.ARROW_DOWN)
    tab.until("return document.activeElement.tagName === 'BUTTON'")
    tab.press(Keys.ENTER)
    tab.until("return document.activeElement.id === 'documents'")
    assert tab.texts("#document-title") == [row["name"]]
    assert tab.active() == "documents"


def test_escape_leaves_the_search(tab, path):
    tab.open(path)
    tab.search("goal")
    tab.press(Keys.ESCAPE)
    assert tab.run("return document.getElementById('results').hidden && document.getElementById('search').value === ''")


# Trends, documents, table, colours


@pytest.mark.parametrize("unit", ["month", "quarter", "year"])
def test_dates_are_shown_by_month_quarter_and_year(tab, path, data, unit):
    tab.open(path)
    Select(tab.find("#column")).select_by_visible_text("date")
    Select(tab.find("#cut")).select_by_visible_text(unit)
    cut = next(cut for cut in data["columns"][1]["cuts"] if cut["unit"] == unit)
    tab.drawn("trend")
    assert len(tab.run("return document.querySelectorAll('#trend circle')")) == sum(n > 0 for n in cut["documents"])


def test_several_topics_are_compared_in_one_chart(tab, path):
    tab.open(path)
    Select(tab.find("#column")).select_by_visible_text("date")
    Select(tab.find("#cut")).select_by_visible_text("quarter")
    others = [k for k in range(3) if k != tab.chosen()]
    for k in others:
        Select(tab.find("#keep")).select_by_value(str(k))
    tab.drawn("trend")
    assert len(tab.run("return document.querySelectorAll('#trend .line')")) == 3
    assert len(tab.run("return document.querySelectorAll('#trend .interval')")) == 3
    tab.find(f"#trend-legend [data-topic='{others[0]}']").send_keys(Keys.ENTER)
    assert len(tab.run("return document.querySelectorAll('#trend .line')")) == 2
    tab.find("#intervals").click()
    assert not tab.run("return document.querySelectorAll('#trend .interval').length")


def test_groups_differ_by_the_difference_of_their_shares(tab, path, data):
    tab.open(path)
    Select(tab.find("#first-group")).select_by_visible_text("food")
    Select(tab.find("#second-group")).select_by_visible_text("sport")
    tab.drawn("groups")
    tab.run("document.getElementById('groups').focus()")
    tab.press(Keys.HOME)
    lines = pointed(tab, "groups")
    topic, cut = int(lines[0].split(" · ")[0]), data["columns"][0]["cuts"][0]
    food, sport = (cut["share"][topic][cut["bins"].index(name)] for name in ("food", "sport"))
    assert lines[2] == f"difference {100 * (sport - food) / data['unit']:+.2f} percentage points"
    assert lines[3].startswith("95 % interval")


def test_effects_are_announced_and_listed_for_the_chosen_term(tab, path, data):
    tab.open(path)
    Select(tab.find("#term")).select_by_visible_text("section[T.sport]")
    tab.drawn("effect")
    tab.run("document.getElementById('effect').focus()")
    tab.press(Keys.HOME)
    lines = pointed(tab, "effect")
    estimates = data["effects"]["estimate"][data["effects"]["terms"].index("section[T.sport]")]
    assert int(lines[0].split(" · ")[0]) == int(np.argmax(estimates))
    assert lines[1] == f"section[T.sport]: +{100 * max(estimates):.3g} percentage points"
    shown = [float(text) for text in tab.texts("#effects-table tbody td:nth-child(3)")]
    assert shown == pytest.approx([100 * value for value in sorted(estimates, reverse=True)], rel=0.005)
    assert "Difference between sport and food, the first level of section" in tab.find("#effect-hint").text


def test_shares_by_group_are_announced_for_the_chosen_topic(tab, path, data):
    tab.open(path)
    tab.drawn("effect-groups")
    tab.run("document.getElementById('effect-groups').focus()")
    tab.press(Keys.HOME)
    lines = pointed(tab, "effect-groups")
    section = data["effects"]["groups"][0]
    share = section["share"][tab.chosen()][section["bins"].index(lines[0])]
    assert lines[1] == f"mean share {100 * share:.2f} %"
    assert lines[2].startswith("95 % interval")


def test_the_heat_map_has_one_scale_with_a_legend(tab, path, data):
    tab.open(path)
    tab.drawn("heat")
    highest = max(max(row) for row in data["columns"][0]["cuts"][0]["share"]) / data["unit"]
    assert float(tab.texts("#heat-legend .ends span")[-1].split()[-2]) == pytest.approx(100 * highest, abs=0.6)
    Select(tab.find("#heat-scale")).select_by_value("relative")
    assert tab.texts("#heat-legend .ends span") == ["≤ ¼", "½", "1", "2", "≥ 4"]


# Structure and names


def test_the_tree_and_the_matrix_choose_topics_by_keyboard(tab, path):
    for chart, key in [("tree", Keys.ARROW_DOWN), ("matrix", Keys.ARROW_RIGHT)]:
        focused(tab, path, chart)
        tab.press(Keys.HOME)
        names = [pointed(tab, chart)[0 if chart == "tree" else 1]]
        tab.press(key)
        names.append(pointed(tab, chart)[0 if chart == "tree" else 1])
        assert names[0] != names[1]
        tab.press(Keys.ENTER)
        assert tab.chosen() == int(names[1].split(" · ")[0])


def test_a_topic_is_renamed_everywhere_and_the_names_are_saved(tab, path, tmp_path):
    tab.open(path)
    tab.complete()
    tab.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    topic = tab.chosen()
    tab.find("#rename").click()
    tab.press("  My   <b>name</b> ", Keys.ENTER)
    assert tab.active() == "rename"
    name = "My <b>name</b>"
    assert tab.texts("#topic-title") == [f"Topic {topic}: {name}"]
    assert tab.texts(f"#topic-option-{topic} .label") == [name]
    assert tab.texts(f"#topics-table [data-topic='{topic}'] th") == [name]
    for chart in ("map", "tree", "heat"):
        assert any(name in text for text in tab.texts(f"#{chart} text")), chart
    tab.find("#save-names").click()
    saved = tmp_path / "topic-names.json"
    WebDriverWait(tab.driver, 20, 0.05).until(lambda _: saved.exists())
    assert io.read_topic_names(saved) == {topic: name}


def test_escape_keeps_the_old_name(tab, path):
    tab.open(path)
    before = tab.texts("#topic-title")
    tab.find("#rename").click()
    tab.press("other", Keys.ESCAPE)
    assert tab.texts("#topic-title") == before
    assert not tab.find("#save-names").is_enabled()


# All documents


def test_documents_without_coloured_words_are_found(tab):
    case = usual()
    page = tab.folder / "few.html"
    report.write(page, case.model, case.X, **{**case.options, "n_documents": 2})
    tab.open(page)
    tab.search("butter")
    headings = tab.texts("#results h3")
    with_word = [d for d, text in enumerate(case.options["texts"]) if "butter" in text.lower()]
    assert f"{len(with_word)} documents" in headings
    tab.run("[...document.querySelectorAll('#results button')].at(-1).click()")
    assert len(tab.texts("#document-list .label")) == len(with_word)
    assert tab.texts("#document-count")[0].startswith(f"{len(with_word)} documents that match “butter”")


def test_a_whole_word_is_found_before_longer_words(tab):
    texts = ["Gunnarson wrote", "Gunnarson again", "a gun and a gun", "begun anew"]
    vectorizer = CountVectorizer()
    X = vectorizer.fit_transform(texts)
    path = report.write(tab.folder / "gun.html", np.ones((2, X.shape[1])), X, vectorizer=vectorizer, texts=texts)
    tab.open(path)
    tab.search("gun")
    buttons = [text for text in tab.texts("#results button") if text.startswith("Document")]
    assert buttons[0].startswith("Document 2")
    assert len(buttons) == 4
    assert tab.texts("#results h3")[0] == "“gun” belongs to"


def test_the_search_states_what_is_searched(tab, path):
    tab.open(path)
    tab.search("goal")
    stated = "all 36 documents: names, counted words and texts"
    assert stated in tab.texts("#results .searched")[0]
    assert stated in tab.texts("#searched")[0]


def test_a_point_of_the_document_map_opens_its_document(tab, path):
    focused(tab, path, "document-map")
    tab.press(Keys.HOME, Keys.ARROW_RIGHT)
    name = pointed(tab, "document-map")[0]
    tab.press(Keys.ENTER)
    assert tab.texts("#document-title") == [name]


# Print and notebooks


def test_everything_is_printed(tab, large_path):
    tab.open(large_path, scheme="dark")
    tab.run("window.dispatchEvent(new Event('beforeprint'))")
    tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for chart in CHARTS[:-1]:
        assert tab.run("return document.getElementById(arguments[0]).dataset.drawn", chart) == "yes"
    shown = tab.run("""
        const table = document.querySelector('#topics-table');
        const box = table.parentElement.getBoundingClientRect();
        const paper = getComputedStyle(document.body).backgroundColor;
        return [table.tBodies[0].rows.length, box.height >= table.offsetHeight, paper];""")
    assert shown == [200, True, "rgb(255, 255, 255)"]
    tab.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_page_works_in_the_frame_of_a_notebook(tab):
    case = usual()
    shown = report.show(case.model, case.X, **case.options)._repr_html_()
    (tab.folder / "notebook.html").write_text(f"<!doctype html><meta charset='utf-8'><body>{shown}", encoding="utf-8")
    tab.driver.get("about:blank")
    tab.complaints()
    tab.driver.get((tab.folder / "notebook.html").as_uri())
    tab.driver.switch_to.frame(0)
    tab.until("return document.documentElement.dataset.complete === 'yes'")
    tab.run("document.getElementById('next').click()")
    assert tab.texts("#map circle") == [""] * 3
    tab.driver.switch_to.default_content()
    assert tab.complaints() == []


@pytest.mark.parametrize("column", ["section", "date", "stars"])
def test_each_kind_of_column_has_its_trend(tab, path, column):
    tab.open(path)
    tab.show("column")
    Select(tab.find("#column")).select_by_visible_text(column)
    for chart in ("trend", "heat"):
        tab.drawn(chart)
    assert tab.texts("#trend-title")[0].endswith(f"over {column}")
    assert tab.complaints() == []


def test_words_of_a_document_are_coloured_by_topic(tab, path, data):
    tab.open(path)
    mixed = next(i for i, entry in enumerate(data["documents"]) if len(set(entry["text"][2::4])) > 1)
    Select(tab.find("#document-filter")).select_by_value("all")
    tab.run("document.getElementById(arguments[0]).click()", f"document-option-{data['documents'][mixed]['row']}")
    colours = tab.run("""return [...document.querySelectorAll('#document-text mark')].map(
        (e) => [Number(e.dataset.topic), e.textContent, getComputedStyle(e).getPropertyValue('--c')])""")
    entry = data["documents"][mixed]
    assert [word for _, word, _ in colours] == entry["text"][1::4]
    assert [topic for topic, _, _ in colours] == entry["text"][2::4]
    assert len({colour for _, _, colour in colours}) == len({topic for topic, _, _ in colours}) > 1
    assert tab.texts("#legend button")[0].startswith(f"{entry['topics'][0][0]} · ")


def test_a_topic_of_the_legend_highlights_only_its_words(tab, path):
    tab.open(path)
    tab.find("#legend button").send_keys(Keys.ENTER)
    plain = tab.run("""return [...document.querySelectorAll('#document-text mark:not(.chosen)')].map(
        (e) => getComputedStyle(e).backgroundColor)""")
    assert set(plain) <= {"rgba(0, 0, 0, 0)"}
    assert tab.texts("#document-text mark.chosen")


def test_the_documents_are_those_of_the_chosen_topic(tab, path, data):
    tab.open(path)
    tab.complete()
    topic = tab.chosen()
    having = [entry["name"] for entry in data["documents"] if any(k == topic for k, _ in entry["topics"])]
    assert sorted(tab.texts("#document-list .label")) == sorted(having)


def test_arrows_move_between_documents(tab, path):
    tab.open(path)
    tab.complete()
    names = tab.texts("#document-list .label")
    tab.run("document.getElementById('document-list').focus({preventScroll: true})")
    tab.press(Keys.ARROW_DOWN)
    assert tab.texts("#document-title") == [names[1]]
    tab.press(Keys.END)
    assert tab.texts("#document-title") == [names[-1]]


def test_the_table_is_sorted_by_its_heads(tab, path, data):
    tab.open(path)
    tab.run("document.querySelectorAll('#topics-table thead button')[3].click()")
    shares = [topic["share"] for topic in data["topics"]]
    first = "return document.querySelector('#topics-table tbody tr').dataset.topic"
    assert int(tab.run(first)) == int(np.argmax(shares))
    tab.run("document.querySelectorAll('#topics-table thead button')[3].click()")
    assert int(tab.run(first)) == int(np.argmin(shares))


def test_the_button_changes_between_light_and_dark(tab, path):
    tab.open(path, scheme="dark")
    background = "return getComputedStyle(document.body).backgroundColor"
    dark = tab.run(background)
    tab.find("#theme").click()
    light = tab.run(background)
    assert sum(map(int, dark[4:-1].split(","))) < 150 < 600 < sum(map(int, light[4:-1].split(",")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(tab, path, scheme):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    tab.open(path, scheme=scheme)
    colours = tab.run("""
        const style = getComputedStyle(document.documentElement);
        return Object.fromEntries(['ink', 'soft', 'paper', 'card', 'mark', 'accent', 'on-accent'].map(
            (name) => [name, style.getPropertyValue('--' + name).trim()]));""")

    def luminance(name):
        channels = np.array([int(colours[name][i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4) @ [
            0.2126,
            0.7152,
            0.0722,
        ]

    for text, ground in [
        ("ink", "card"),
        ("ink", "mark"),
        ("soft", "paper"),
        ("soft", "card"),
        ("on-accent", "accent"),
    ]:
        low, high = sorted([luminance(text), luminance(ground)])
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)
