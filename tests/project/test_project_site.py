"""The site, as `make site` builds it: no warning, every link leads somewhere, nothing comes from another host."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import cast
from urllib.parse import unquote, urlsplit

import pytest
from chromium import browser, complaints, requested, resize
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60
# What a page loads by itself, as opposed to where a reader may go.
_TABLE, _BAR = re.compile(r"<table>.*?</table>", re.DOTALL), re.compile(r"<td>.*\\\|.*</td>")
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="Zensical needs Python 3.11")


class Page(HTMLParser):
    """What one page links to, loads and can be led to.

    Args:
        path: Of its file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.links, self.loads, self.anchors = path, set[str](), set[str](), set[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element says."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.add(found["href"])
        if "srcset" in found:
            self.loads |= {each.split()[0] for each in found["srcset"].split(",")}
        if tag in LOADS and found.get("rel") not in {"canonical", "prev", "next"} and LOADS[tag] in found:
            self.loads.add(found[LOADS[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site in a directory of its own."""
    directory = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", directory / "docs")
    shutil.copy(ROOT / "zensical.toml", directory)
    zensical = str(Path(sys.executable).with_name("zensical"))
    done = subprocess.run(
        [zensical, "build", "--strict"], cwd=directory, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert "No issues found" in done.stderr
    return directory / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Return every page of the site by its path."""
    found = {path.resolve(): Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(found) > 15
    return found


def test_every_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    """To a page or a file that is built, and to a place in it; what is elsewhere has an address without spaces."""
    broken = []
    for page in pages.values():
        for link in page.links | page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                is_well = parts.scheme == "https" and "." in parts.netloc and " " not in link
            else:
                to = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
                is_well = to.is_file() and (not parts.fragment or unquote(parts.fragment) in pages[to].anchors)
            if not is_well:
                broken.append(f"{page.path.name}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    """No script, style, picture or font: whoever reads is told to nobody."""
    assert [link for page in pages.values() for link in page.loads if urlsplit(link).netloc] == []
    styles = "\n".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']+", styles) == []


# On a busy machine the search's field takes seconds to show what was typed; so the word is put there as a whole.
_SEARCH = """
const inside = document.activeElement.shadowRoot;
const field = inside && inside.querySelector("input");
if (field && field.value !== arguments[0]) {
  field.value = arguments[0];
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
return inside && inside.innerHTML;
"""


def found_for(word: str, chrome: WebDriver) -> str:
    """Return what the search shows for a word, as HTML; open it where it is not."""
    found = cast("str | None", chrome.execute_script(_SEARCH, word))
    if found is None:
        ActionChains(chrome).key_down(Keys.CONTROL).send_keys("k").key_up(Keys.CONTROL).perform()
    return found or ""


def test_a_copy_on_a_disk_can_be_read_and_searched(site: Path) -> None:
    """Opened as a file in Chromium: the search finds a page, no network is asked, the console has no error."""
    with browser(width=1200) as chrome:
        chrome.get((site / "index.html").as_uri())
        WebDriverWait(chrome, 60).until(lambda _: "identity.html" in found_for("pseudonymous", chrome))
        asked, said = requested(chrome), complaints(chrome)
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
    assert said == []


# Of the names in tables: the words that stand on two lines, where each is to stay whole.
_BROKEN = r"""
const broken = [];
for (const code of document.querySelectorAll(".md-typeset table code")) {
  for (const node of [...code.childNodes].filter((each) => each.nodeType === Node.TEXT_NODE)) {
    for (const word of node.data.matchAll(/\w+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((each) => each.top)).size > 1) broken.push(word[0]);
    }
  }
}
const isSideways = document.documentElement.scrollWidth > window.innerWidth;
return [document.querySelectorAll(".md-typeset table").length, isSideways, broken];
"""


@pytest.fixture
def all_tables(site: Path, pages: dict[Path, Page]) -> Iterator[Path]:
    """Make a page of the site that has the tables of all others, since to open each takes half a minute."""
    tables = [each for path in pages for each in _TABLE.findall(path.read_text(encoding="utf-8"))]
    path = site / "all-tables.html"
    around = (site / "index.html").read_text(encoding="utf-8")
    path.write_text(around.replace("</article>", "".join(tables) + "</article>"), encoding="utf-8")
    yield path
    path.unlink()


def test_names_in_tables_stay_whole_on_every_screen(all_tables: Path) -> None:
    """At 390 and 1280 pixels none is broken but behind what joins its words, and the page does not move sideways."""
    with browser() as chrome:
        chrome.get(all_tables.as_uri())
        for width in (390, 1280):
            resize(chrome, width, 800)
            tables, is_sideways, broken = cast("tuple[int, bool, list[str]]", chrome.execute_script(_BROKEN))
            assert tables > 100
            assert (width, is_sideways, broken) == (width, False, [])


def test_no_cell_shows_a_backslash(pages: dict[Path, Page]) -> None:
    """Of a bar in a name within a table the site shows what kept it from being the cell's end, so there is none."""
    shown = {path.name: _BAR.findall(path.read_text(encoding="utf-8")) for path in pages}
    assert {name: found for name, found in shown.items() if found} == {}
