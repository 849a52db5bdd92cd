"""The pages say what the code does."""

import re
from pathlib import Path

from bpmnd.bpmn.model.support import unsupported_words
from bpmnd.config import Config, to_toml

ROOT = Path(__file__).parents[1]


def test_the_page_of_what_is_supported_lists_all_that_is_refused() -> None:
    page = (ROOT / "docs" / "support.md").read_text()
    listed = re.findall(r"^- (.+)$", page.partition("## Not supported yet")[2], re.MULTILINE)
    assert sorted(listed) == sorted(unsupported_words())


def test_the_page_of_the_configuration_lists_every_setting() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    section = ""
    for line in to_toml(Config()).splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line:
            assert f"`{section}.{line.split(' ')[0]}`" in page


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
