"""Pages that need no network: HTML from the templates of this package, with everything from outside escaped."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)  # commands to terminals, and turns


def page(name: str, **values: object) -> str:
    """The page that the template of this name makes from the values."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{name}.html.j2").render(values)


def _visible(value):
    """A value with what a terminal would obey, or what turns the direction of text, written out."""
    if not isinstance(value, str) or not UNSEEN.search(value):
        return value
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), value)
