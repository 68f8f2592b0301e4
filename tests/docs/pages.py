"""The pages, and what the tests read off them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def fenced(page):
    """Fenced blocks: language and text, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.M | re.S)


def table(page, heading):
    """Cells of the first table after a heading, without its head."""
    after = re.split(rf"^#+ {re.escape(heading)}$", page.read_text(), flags=re.M)[1]
    return _cells(re.search(r"(?:^\|.*\n)+", after, re.M)[0])


def headed(page, column):
    """Cells of the first table whose first column has this name."""
    found = re.search(rf"^\| {re.escape(column)} \|.*\n(?:\|.*\n)+", page.read_text(), re.M)
    return _cells(found[0])


def _cells(text):
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in text.splitlines()[2:]]


def plain(cell):
    return cell.replace("`", "")
